"""Workers of this machine that stay from one round of grading to the next."""

from __future__ import annotations

from contextlib import ExitStack

from autograder.batch.executors import Executor
from autograder.batch.local_workers import LocalWorkers
from autograder.grading.material import Material
from autograder.judge.shared_warm import SharedWarm
from autograder.notebook.template import packages_first


class StandingWorkers:
    """Called with a course's material, it gives workers for it. Context manager.

    They are the same as long as the material is: one warm process with its imports, and a judge for
    each worker. Another release, or another secret, begins with new ones.
    """

    def __init__(self, count: int, tier: str | None = None) -> None:
        self.count = count
        self._tier = tier
        self._stack = ExitStack()
        self._material: Material | None = None
        self._workers: LocalWorkers | None = None

    def __enter__(self) -> StandingWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def __call__(self, material: Material) -> Executor:
        if self._workers is None or material != self._material:
            self.discard()
            packages = packages_first(map(material.template, material.notebooks))
            shared = SharedWarm(self._tier, packages, material.course.library)
            warm = self._stack.enter_context(shared)
            workers = LocalWorkers(self.count, material, self._tier, warm, [])
            self._workers = self._stack.enter_context(workers)
            self._material = material
        return self._workers

    def discard(self) -> None:
        """End them, and whatever is under way: a round that was broken off would be answered in the
        next one."""
        self._stack.close()
        self._workers = None
