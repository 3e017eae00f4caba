"""Executors of the tasks that the engine submits: this process, or a cluster of workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autograder.batch.task import Task
from autograder.batch.task_grader import TaskGrader
from autograder.judge.results import GradedNotebook
from autograder.sandbox.policy import SandboxError


@dataclass(frozen=True)
class TaskFailure:
    """A task that killed its worker twice, or hit an error of ours."""

    reason: str


@dataclass(frozen=True)
class Again:
    """No answer yet: the task is tried once more, at once, and why."""

    reason: str


Answer = GradedNotebook | TaskFailure


class Executor(Protocol):
    """Takes tasks and gives answers, in any order. Each task has a key of its own."""

    def capacity(self) -> int:
        """How many tasks to have under way, so that no worker is idle."""
        ...

    def submit(self, key: str, task: Task) -> None: ...

    def submit_alone(self, key: str, task: Task) -> None:
        """On a machine that has nothing else of ours to do. Nothing else is under way then."""
        ...

    def crowded(self) -> bool:
        """Whether tasks that are not alone have others beside them."""
        ...

    def next(self) -> tuple[str, Answer | Again]:
        """Wait for one. After `Again` the same task is still under way.

        Raises SandboxError where no worker can grade safely.
        """
        ...


class LocalExecutor:
    """Grades in this process, one after the other."""

    def __init__(self, task_grader: TaskGrader) -> None:
        self._task_grader = task_grader
        self._waiting: deque[tuple[str, Task]] = deque()

    def capacity(self) -> int:
        return 1

    def submit(self, key: str, task: Task) -> None:
        self._waiting.append((key, task))

    def submit_alone(self, key: str, task: Task) -> None:
        self.submit(key, task)

    def crowded(self) -> bool:
        return False

    def next(self) -> tuple[str, Answer]:
        key, task = self._waiting.popleft()
        try:
            return key, self._task_grader.grade(task)
        except SandboxError:
            raise
        except Exception as error:  # of ours: other submissions shall not suffer
            return key, TaskFailure(f"{type(error).__name__}: {error}")


class LazyExecutor:
    """Starts the real executor when the first task comes: where nothing has changed, none does."""

    def __init__(self, start: Callable[[], Executor]) -> None:
        self._start = start
        self._executor: Executor | None = None

    def capacity(self) -> int:
        return self._executor.capacity() if self._executor else 1

    def submit(self, key: str, task: Task) -> None:
        self._executor = self._executor or self._start()
        self._executor.submit(key, task)

    def submit_alone(self, key: str, task: Task) -> None:
        self._executor = self._executor or self._start()
        self._executor.submit_alone(key, task)

    def crowded(self) -> bool:
        return self._started().crowded()

    def next(self) -> tuple[str, Answer | Again]:
        return self._started().next()

    def _started(self) -> Executor:
        assert self._executor is not None, "nothing was submitted"
        return self._executor
