"""Written answers that people have to read, by question, counted as verdicts stream by."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course.rubrics import Rubric
from autograder.judge.results import GradedNotebook
from autograder.report.beside import Beside


@dataclass(frozen=True)
class ToRead:
    """A question, and whose answers to it were unread when they were graded."""

    notebook: str
    grade_id: str
    students: tuple[str, ...]
    rubric: Rubric | None

    @property
    def place(self) -> str:
        """Of the question on the page."""
        return place_of(self.notebook, self.grade_id)


class ToReadTally:
    """Names of students by question."""

    def __init__(self) -> None:
        self._students: dict[tuple[str, str], list[str]] = {}

    def add(self, graded: GradedNotebook) -> None:
        for grade_id in graded.manual_pending:
            self._students.setdefault((graded.notebook, grade_id), []).append(graded.student)

    def summary(self, beside: Beside) -> tuple[ToRead, ...]:
        """In the order of the course, and of each notebook where its rubrics are known."""
        found = [
            ToRead(notebook, grade_id, tuple(who), beside.rubrics.get(notebook, {}).get(grade_id))
            for (notebook, grade_id), who in self._students.items()
        ]

        def place(one: ToRead) -> tuple[tuple[int, str], int]:
            known = list(beside.rubrics.get(one.notebook, {}))
            at = known.index(one.grade_id) if one.grade_id in known else len(known)
            return beside.order(one.notebook), at

        return tuple(sorted(found, key=place))


def place_of(notebook: str, grade_id: str) -> str:
    """The anchor of a question in the section on what is to be read."""
    return f"read-{notebook}-{grade_id}"
