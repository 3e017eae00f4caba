"""What a watcher works with, and what it notes while it grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autograder.batch.engine import Event
from autograder.batch.executors import Executor
from autograder.grading.material import Material


class Source(Protocol):
    """Brings hand-ins into submitted/."""

    def bring(self) -> Sequence[str]:
        """Look once; lines about what was brought, and what was not."""
        ...


class Workers(Protocol):
    """Grades; see `StandingWorkers`."""

    count: int

    def __call__(self, material: Material) -> Executor: ...

    def discard(self) -> None:
        """Forget what is under way."""
        ...


class Teller(Protocol):
    """Writes feedback, in the background."""

    def begin(self, student: str) -> None:
        """Write this student's; may be called in any thread."""
        ...

    def finished(self, *, wait: bool) -> Sequence[tuple[str, str]]:
        """(student, what went wrong) of those done since; ``wait``: until nothing is under way."""
        ...


@dataclass
class Mark:
    """What the notebooks of one student came to in this round."""

    score: float = 0.0
    max_score: float = 0.0
    reused: bool = True
    human: str = ""

    def add(self, event: Event) -> None:
        graded = event.graded
        if graded is None:
            return
        self.human = graded.needs_human or self.human
        if not event.amended:
            self.score += graded.score
            self.max_score += graded.max_score
            self.reused = self.reused and event.reused

    @property
    def remark(self) -> str:
        return f"; needs a human: {self.human}" if self.human else ""
