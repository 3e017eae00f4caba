"""The numbers of a report, added up while verdicts stream by: totals of students, no verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from autograder.judge.results import (
    ANOTHER,
    ENDED_JUDGE,
    MISSING,
    NOT_RUN,
    UNREADABLE,
    GradedNotebook,
)
from autograder.notebook.order import Order
from autograder.report.beside import Beside
from autograder.report.cases import Cases, CaseTally
from autograder.report.in_order import in_order
from autograder.report.item_analysis import CheckSummary
from autograder.report.questions import QuestionSummary, QuestionTally
from autograder.report.times import SlowNotebook, TimeSummary, TimeTally
from autograder.report.to_read import ToRead, ToReadTally

if TYPE_CHECKING:
    from autograder.course.late import Late

# What may be remarked of a student's notebooks: the table of students can be filtered by these.
NEEDS_HUMAN, REPAIRED, SUBSTITUTED = "needs a human", "repaired", "substituted"
FELL_BACK, RETRIED, LATE = "CPU fallback", "tried again", "handed in late"
REMARKS = (NEEDS_HUMAN, REPAIRED, SUBSTITUTED, FELL_BACK, RETRIED, LATE)

NOTHING_RAN = (MISSING, UNREADABLE, ANOTHER, NOT_RUN, ENDED_JUDGE)


@dataclass(frozen=True, slots=True)
class NotebookScore:
    """What one notebook of one student came to."""

    score: float
    max_score: float
    outcome: str

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(max(self.score / self.max_score, 0.0), 1.0) if self.max_score else 0.0


@dataclass(frozen=True, slots=True)
class StudentSummary:
    """One student's notebooks of the assignment, added up. Points are the automatic ones."""

    name: str
    score: float
    max_score: float
    manual_pending: int
    needs_human: str
    seconds: float
    notebooks: Mapping[str, NotebookScore]
    remarks: tuple[str, ...]
    late: Late | None = None


@dataclass(frozen=True)
class NotebookSummary:
    """How the class did on one notebook. Points are shares of the possible ones, 0 to 1."""

    notebook: str
    max_score: float
    shares: tuple[float, ...]  # of those who handed something in that could be run
    nothing: int  # students without

    @property
    def mean(self) -> float:
        return statistics.fmean(self.shares) if self.shares else 0.0

    @property
    def full(self) -> int:
        return sum(share >= 1 for share in self.shares)


@dataclass(frozen=True)
class ClassSummary:
    """Everything the class page shows."""

    assignment: str
    max_score: float
    students: tuple[StudentSummary, ...]
    notebooks: tuple[NotebookSummary, ...]
    questions: tuple[QuestionSummary, ...]
    times: tuple[TimeSummary, ...]
    slowest: tuple[SlowNotebook, ...]
    cases: Cases
    to_read: tuple[ToRead, ...] = ()

    @property
    def checks(self) -> tuple[CheckSummary, ...]:
        return tuple(check for question in self.questions for check in question.checks)

    @property
    def mean(self) -> float:
        return statistics.fmean(s.score for s in self.students) if self.students else 0.0

    @property
    def median(self) -> float:
        return statistics.median(s.score for s in self.students) if self.students else 0.0

    @property
    def manual_pending(self) -> int:
        return sum(s.manual_pending for s in self.students)

    @property
    def needing_human(self) -> int:
        return sum(bool(s.needs_human) for s in self.students)

    @property
    def late(self) -> int:
        return sum(s.late is not None for s in self.students)


class ClassTally:
    """Adds up one assignment, a student at a time."""

    def __init__(self, assignment: str, beside: Beside | None = None) -> None:
        self._assignment = assignment
        self._beside = beside or Beside()
        self._to_read = ToReadTally()
        self._students: list[StudentSummary] = []
        self._questions = QuestionTally()
        self._times = TimeTally()
        self._cases = CaseTally()

    def add(self, notebooks: Sequence[GradedNotebook]) -> None:
        """Count all notebooks of one student."""
        late = self._beside.late.get(notebooks[0].student)
        self._students.append(_student(notebooks, late))
        for notebook in notebooks:
            self._questions.add(notebook)
            self._times.add(notebook)
            self._cases.add(notebook)
            self._to_read.add(notebook)

    def summary(self) -> ClassSummary:
        students = tuple(sorted(self._students, key=lambda student: student.name))
        order = self._beside.order
        return ClassSummary(
            assignment=self._assignment,
            max_score=max((student.max_score for student in students), default=0.0),
            students=students,
            notebooks=_notebooks(students, order),
            questions=tuple(sorted(self._questions.summary(), key=lambda q: order(q.notebook))),
            times=tuple(sorted(self._times.summary(), key=lambda time: order(time.notebook))),
            slowest=self._times.slowest(),
            cases=in_order(self._cases.summary(), order),
            to_read=self._to_read.summary(self._beside),
        )


def summarize(assignment: str, graded: Iterable[GradedNotebook]) -> ClassSummary:
    """Add up the graded notebooks of one assignment. Raises ValueError as `by_student` does."""
    tally = ClassTally(assignment)
    for notebooks in by_student(graded):
        tally.add(notebooks)
    return tally.summary()


def by_student(
    graded: Iterable[GradedNotebook], order: Order | None = None
) -> Iterator[list[GradedNotebook]]:
    """The notebooks of one student after the other, in the order of the course.

    Raises ValueError when a student's notebooks do not come one after the other.
    """
    seen, place = set(), order or Order()
    for student, notebooks in groupby(graded, key=lambda notebook: notebook.student):
        if student in seen:
            raise ValueError(f"verdicts on {student!r} come in two places: sort them by student")
        seen.add(student)
        yield sorted(notebooks, key=lambda notebook: place(notebook.notebook))


def _student(notebooks: Sequence[GradedNotebook], late: Late | None) -> StudentSummary:
    said = {
        NEEDS_HUMAN: any(n.needs_human for n in notebooks),
        REPAIRED: any(n.repairs for n in notebooks),
        SUBSTITUTED: any(n.substituted for n in notebooks),
        FELL_BACK: any(n.missed_gpu for n in notebooks),
        RETRIED: any(n.attempts > 1 for n in notebooks),
        LATE: late is not None,
    }
    return StudentSummary(
        name=notebooks[0].student,
        score=round(sum(n.score for n in notebooks), 4),
        max_score=round(sum(n.max_score for n in notebooks), 4),
        manual_pending=sum(len(n.manual_pending) for n in notebooks),
        needs_human="; ".join(dict.fromkeys(n.needs_human for n in notebooks if n.needs_human)),
        seconds=sum(n.timings.get("total", 0.0) for n in notebooks),
        notebooks={n.notebook: NotebookScore(n.score, n.max_score, n.outcome) for n in notebooks},
        remarks=tuple(remark for remark, holds in said.items() if holds),
        late=late,
    )


def _notebooks(students: Sequence[StudentSummary], order: Order) -> tuple[NotebookSummary, ...]:
    names = order.sort({name for student in students for name in student.notebooks})
    return tuple(_notebook(name, students) for name in names)


def _notebook(name: str, students: Sequence[StudentSummary]) -> NotebookSummary:
    scores = [found for student in students if (found := student.notebooks.get(name))]
    ran = [score for score in scores if score.outcome not in NOTHING_RAN]
    return NotebookSummary(
        notebook=name,
        max_score=max(score.max_score for score in scores),
        shares=tuple(score.share for score in ran),
        nothing=len(students) - len(ran),
    )
