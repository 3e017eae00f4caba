"""What runs on a dask worker: a `JudgeProcess`, made when the worker is sent the course's material.

Tasks and verdicts travel as bytes of plain data. A student's code never runs in the worker, and
nothing here reads what a student handed in.
"""

from __future__ import annotations

import threading

from distributed import Worker, WorkerPlugin, get_worker

from autograder.batch.fingerprints import checks_code, grader_code
from autograder.batch.judge_process import JudgeProcess
from autograder.batch.task import VERSION, Refused, Task, pack_answer
from autograder.grading.material import Material
from autograder.host.memory import room_for_a_kernel
from autograder.judge.results import GradedNotebook
from autograder.notebook.template import packages_first
from autograder.sandbox.policy import SandboxError
from autograder.settings import CourseSettings


class GradingPlugin(WorkerPlugin):
    """Gives each worker what it needs to grade one assignment; takes it away at the end."""

    def __init__(self, name: str, material: bytes, tier: str | None) -> None:
        self.name = name
        self._material = material
        self._tier = tier

    def setup(self, worker: Worker) -> None:
        material = Material.unpack(self._material)
        packages = packages_first(map(material.template, material.notebooks))
        self._judge = JudgeProcess(material, self._tier, packages)
        self._assignment, self._course = material.assignment, material.course
        self._one_at_a_time = threading.Lock()

    def teardown(self, worker: Worker) -> None:
        """At once when idle; after an error of the driver, when the task at hand is done."""
        if self._one_at_a_time.acquire(blocking=False):
            self._judge.close()
        else:
            threading.Thread(target=self._close_when_idle, daemon=True).start()

    def _close_when_idle(self) -> None:
        with self._one_at_a_time:
            self._judge.close()

    def grade(self, task: Task, code: str) -> GradedNotebook | Refused:
        """``code`` is the driver's version: with another one the same work earns other grades."""
        if code != version_of(self._assignment, task.notebook, self._course):
            return self._refused(VERSION, "it has another version of this package than the driver")
        with self._one_at_a_time, room_for_a_kernel():
            try:
                return self._judge.grade(task)
            except SandboxError as error:
                return self._refused(error.stage, error.reason)

    def _refused(self, stage: str, reason: str) -> Refused:
        return Refused(get_worker().address, stage, reason)


def version_of(assignment: str, notebook: str, course: CourseSettings) -> str:
    """A hash of all code that can change the grade of a notebook."""
    return grader_code() + checks_code(assignment, notebook, course)


def grade_packed(plugin: str, task: bytes, code: str) -> bytes:
    """The function that dask calls: grade with the task grader of the worker it runs on."""
    found = get_worker().plugins[plugin]
    assert isinstance(found, GradingPlugin)
    return pack_answer(found.grade(Task.unpack(task), code))
