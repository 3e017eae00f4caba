"""How a class did on each graded cell and each hidden check, counted as verdicts stream by."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.report.item_analysis import CheckSummary, CheckTally, is_blank, judged

HARD = 0.5  # a question is called hard when those who answered it got less than this on average
SKIPPED = 1 / 3  # ... and skipped when more than this share of those who got there left it blank
MIN_STUDENTS = 5  # students, before either is said


@dataclass(frozen=True)
class QuestionSummary:
    """How the class did on one graded cell: numbers of students, and the checks of the cell."""

    notebook: str
    grade_id: str
    points: float
    mean_score: float  # of those who answered
    full: int
    partial: int
    none: int  # answered, without a point
    blank: int  # left as released
    unreached: int  # not handed in, or the notebook ended before
    checks: tuple[CheckSummary, ...]

    @property
    def answered(self) -> int:
        return self.full + self.partial + self.none

    @property
    def students(self) -> int:
        return self.answered + self.blank + self.unreached

    @property
    def mean_share(self) -> float:
        return self.mean_score / self.points if self.points else 0.0

    @property
    def hard(self) -> bool:
        return self.answered >= MIN_STUDENTS and bool(self.points) and self.mean_share < HARD

    @property
    def skipped(self) -> bool:
        reached = self.answered + self.blank
        return reached >= MIN_STUDENTS and self.blank > SKIPPED * reached


@dataclass
class CellTally:
    """The counters behind a `QuestionSummary`."""

    points: float
    score: float = 0.0
    full: int = 0
    partial: int = 0
    none: int = 0
    blank: int = 0
    unreached: int = 0
    checks: dict[str, CheckTally] = field(default_factory=dict)

    def add(self, student: str, cell: CellVerdict) -> None:
        """Count one student's verdict."""
        if not cell.checks:
            self.unreached += 1
        elif is_blank(cell):
            self.blank += 1
        else:
            self.score += cell.score
            self.full += cell.score >= cell.points
            self.partial += 0 < cell.score < cell.points
            self.none += cell.score <= 0 < cell.points
            for check, rest in judged(cell):
                tally = self.checks.get(check.name)
                if tally is None:
                    tally = self.checks[check.name] = CheckTally(check)
                tally.add(student, check.passed, rest)

    def summary(self, notebook: str, grade_id: str) -> QuestionSummary:
        answered = self.full + self.partial + self.none
        return QuestionSummary(
            notebook=notebook,
            grade_id=grade_id,
            points=self.points,
            mean_score=self.score / answered if answered else 0.0,
            full=self.full,
            partial=self.partial,
            none=self.none,
            blank=self.blank,
            unreached=self.unreached,
            checks=tuple(tally.summary(notebook, grade_id) for tally in self.checks.values()),
        )


class QuestionTally:
    """Counters for each graded cell of each notebook, in the order of the notebook."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[str, CellTally]] = {}

    def add(self, graded: GradedNotebook) -> None:
        """Count one notebook of one student."""
        cells = self._cells.setdefault(graded.notebook, {})
        for cell in graded.cells:
            tally = cells.get(cell.grade_id)
            if tally is None:
                tally = cells[cell.grade_id] = CellTally(cell.points)
            tally.add(graded.student, cell)

    def summary(self) -> tuple[QuestionSummary, ...]:
        """By notebook, then as the notebook has them."""
        return tuple(
            tally.summary(notebook, grade_id)
            for notebook, cells in sorted(self._cells.items())
            for grade_id, tally in cells.items()
        )
