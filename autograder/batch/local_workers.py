"""The workers of this machine: a process with a judge for each, and one warm process for all.

Each has a thread here that waits for its answers; nothing of what was handed in is read in this
process. Who wants workers on other machines, too, uses dask (`cluster`).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from autograder.batch.executors import Again, Answer, TaskFailure
from autograder.batch.judge_process import JudgeFailed, JudgeProcess, JudgeProcessDied
from autograder.batch.task import Task
from autograder.grading.material import Material
from autograder.host.memory import room_for_a_kernel
from autograder.host.server_process import ServerProcess
from autograder.judge.shared_warm import SharedWarm
from autograder.notebook.template import packages_first
from autograder.sandbox.policy import Packages, SandboxError

TRIES = 2  # processes that a submission may bring down before it is left to a human


class LocalWorkers:
    """Grades in ``count`` processes at a time. Context manager.

    ``warm`` is closed with them. ``started``: processes of theirs that have been started already.
    """

    def __init__(
        self,
        count: int,
        material: Material,
        tier: str | None,
        warm: SharedWarm,
        started: list[ServerProcess],
    ) -> None:
        self._count = count
        self._material = material
        self._tier = tier
        self._packages: Packages = packages_first(map(material.template, material.notebooks))
        self._warm = warm
        self._started = started
        self._threads = ThreadPoolExecutor(count, "worker")
        self._idle: SimpleQueue[JudgeProcess] = SimpleQueue()
        self._judges: list[JudgeProcess] = []
        self._keys: dict[Future[Answer], str] = {}
        self._done: SimpleQueue[Future[Answer] | tuple[str, Again]] = SimpleQueue()

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever is under way is given up."""
        self._warm.close()  # who still waits for it need not
        for judge in self._judges:
            judge.hang_up()
        self._threads.shutdown(cancel_futures=True)
        for judge in self._judges:
            judge.close()

    def capacity(self) -> int:
        """Twice as many as there are workers: the next task is there when one is done."""
        return 2 * self._count

    def submit(self, key: str, task: Task) -> None:
        if len(self._judges) < min(self._count, len(self._keys) + 1):
            judge = JudgeProcess(
                self._material,
                self._tier,
                self._packages,
                self._warm.twin,
                self._started.pop() if self._started else None,
            )
            self._judges.append(judge)
            self._idle.put(judge)
        future = self._threads.submit(self._grade, key, task)
        self._keys[future] = key
        future.add_done_callback(self._done.put)

    def submit_alone(self, key: str, task: Task) -> None:
        """The engine has nothing else under way then."""
        self.submit(key, task)

    def crowded(self) -> bool:
        return self._count > 1

    def next(self) -> tuple[str, Answer | Again]:
        said = self._done.get()
        return said if isinstance(said, tuple) else (self._keys.pop(said), said.result())

    # -- in a thread -----------------------------------------------------------------------------

    def _grade(self, key: str, task: Task) -> Answer:
        judge = self._idle.get()
        try:
            with room_for_a_kernel():
                return self._verdict(judge, key, task)
        finally:
            self._idle.put(judge)

    def _verdict(self, judge: JudgeProcess, key: str, task: Task) -> Answer:
        """Raises SandboxError where nobody can be graded safely."""
        for tries in range(1, TRIES + 1):
            try:
                return judge.grade(task)
            except JudgeProcessDied as error:
                if tries == TRIES:
                    return TaskFailure(f"{TRIES} processes died with it: {error}")
                self._done.put((key, Again(str(error))))
            except SandboxError:
                raise
            except JudgeFailed as error:
                return TaskFailure(str(error))
            except Exception as error:  # of ours: other submissions shall not suffer
                return TaskFailure(f"{type(error).__name__}: {error}")
        raise AssertionError("the last try has ended")
