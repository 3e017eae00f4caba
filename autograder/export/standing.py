"""Where a student stands in an assignment: points by question, and what is not final about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.judge.results import GradedNotebook

MAX_NAMES = 10  # names in one line of the terminal


@dataclass(frozen=True)
class Person:
    """How the gradebook lists a student; the fields are empty where it does not say."""

    email: str = ""
    lms_user_id: str = ""


@dataclass(frozen=True)
class QuestionGrade:
    """One question of one student. A manual score takes the place of the automatic one."""

    notebook: str
    question: str
    automatic: float | None
    manual: float | None
    extra_credit: float
    max_score: float
    unread: bool

    @property
    def total(self) -> float:
        points = self.automatic if self.manual is None else self.manual
        return (points or 0.0) + self.extra_credit


@dataclass(frozen=True)
class Standing:
    """One student in one assignment; without questions where nothing was handed in."""

    student: str
    person: Person
    questions: tuple[QuestionGrade, ...]
    max_score: float
    late_penalty: float = 0.0
    needs_human: str = ""
    not_graded: tuple[str, ...] = ()  # notebooks

    @property
    def handed_in(self) -> bool:
        return bool(self.questions)

    @property
    def points(self) -> float:
        return round(sum(question.total for question in self.questions), 4)

    @property
    def score(self) -> float:
        """What counts: the points less the late penalty, as nbgrader exports it."""
        return max(0.0, round(self.points - self.late_penalty, 4))

    @property
    def unread(self) -> int:
        return sum(question.unread for question in self.questions)


def of_verdicts(student: str, graded: Sequence[GradedNotebook]) -> Standing:
    """What grading alone says, where there is no gradebook: written answers have no points yet."""
    automatic = [
        QuestionGrade(one.notebook, cell.grade_id, cell.score, None, 0.0, cell.points, unread=False)
        for one in graded
        for cell in one.cells
    ]
    written = [
        QuestionGrade(one.notebook, name, None, None, 0.0, 0.0, unread=True)
        for one in graded
        for name in one.manual_pending
    ]
    return Standing(
        student,
        Person(),
        (*automatic, *written),
        max_score=round(sum(one.max_score for one in graded), 4),
        needs_human="; ".join(one.needs_human for one in graded if one.needs_human),
    )


def concerns(found: Sequence[Standing]) -> list[str]:
    """What is incomplete about these grades, a line each; empty where all is well."""
    lines = []
    for standing in found:
        if standing.needs_human:
            lines.append(f"{standing.student} needs a human: {standing.needs_human}")
    left = [standing for standing in found if standing.not_graded]
    if left:
        notebooks = dict.fromkeys(name for standing in left for name in standing.not_graded)
        names = listed([standing.student for standing in left])
        lines.append(f"not graded yet, and 0 here: {', '.join(notebooks)}, of {names}")
    unread = [standing for standing in found if standing.unread]
    if unread:
        count = sum(standing.unread for standing in unread)
        names = listed([standing.student for standing in unread])
        lines.append(f"written answers or corrections still to read: {count}, of {names}")
    return lines


def listed(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
