"""Who grades the tasks that the engine gives out: this process, or a cluster of workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autograder.batch.desk import Desk
from autograder.batch.task import Task
from autograder.judge.results import GradedNotebook
from autograder.sandbox.policy import SandboxError


@dataclass(frozen=True)
class Lost:
    """A task that brought down whoever graded it, twice."""

    reason: str


Answer = GradedNotebook | Lost


class Grader(Protocol):
    """Takes tasks and gives answers, in whatever order. Keys tell the tasks apart."""

    def capacity(self) -> int:
        """How many tasks to have under way, so that nobody waits for work."""
        ...

    def submit(self, key: str, task: Task) -> None: ...

    def hosts(self) -> int:
        """How many tasks can be graded with nothing else of ours on the same machine."""
        ...

    def submit_alone(self, key: str, task: Task) -> None:
        """On a machine that has nothing else of ours to do; not more at a time than `hosts`."""
        ...

    def crowded(self) -> bool:
        """Whether tasks that are not alone have others beside them."""
        ...

    def next(self) -> tuple[str, Answer]:
        """Wait for one. Raises SandboxError where nobody can grade safely."""
        ...


class Here:
    """Grades in this process, one after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: deque[tuple[str, Task]] = deque()

    def capacity(self) -> int:
        return 1

    def submit(self, key: str, task: Task) -> None:
        self._waiting.append((key, task))

    def hosts(self) -> int:
        return 1

    def submit_alone(self, key: str, task: Task) -> None:
        self.submit(key, task)

    def crowded(self) -> bool:
        return False

    def next(self) -> tuple[str, Answer]:
        key, task = self._waiting.popleft()
        try:
            return key, self._desk.grade(task)
        except SandboxError:
            raise
        except Exception as error:  # of ours: nobody else shall suffer
            return key, Lost(f"{type(error).__name__}: {error}")


class Lazy:
    """Starts the real grader when the first task comes: where nothing has changed, none does."""

    def __init__(self, start: Callable[[], Grader]) -> None:
        self._start = start
        self._grader: Grader | None = None

    def capacity(self) -> int:
        return self._grader.capacity() if self._grader else 1

    def submit(self, key: str, task: Task) -> None:
        self._grader = self._grader or self._start()
        self._grader.submit(key, task)

    def hosts(self) -> int:
        return self._started().hosts()

    def submit_alone(self, key: str, task: Task) -> None:
        self._started().submit_alone(key, task)

    def crowded(self) -> bool:
        return self._started().crowded()

    def next(self) -> tuple[str, Answer]:
        return self._started().next()

    def _started(self) -> Grader:
        assert self._grader is not None, "nothing was submitted"
        return self._grader
