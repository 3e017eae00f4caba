"""The points on a feedback page. What nobody has read yet has none, which is not zero."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades

from autograder.course.calendar import CalendarError
from autograder.course.late import late_of

NOT_READ = "not read yet"


class Scores(GetGrades):
    """nbgrader's points and comments, with unread answers named and left out of the total."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        self._unread: list[float] = []  # points of each
        nb, resources = super().preprocess(nb, resources)
        about = resources["nbgrader"]
        about["unread"] = len(self._unread)
        about["max_score"] -= sum(self._unread)
        about["late"] = self._how_late()
        if self._unread:
            nb.cells.insert(0, new_markdown_cell(explain_unread(self._unread), id="not-read-yet"))
        return nb, resources

    def _how_late(self) -> str:
        course = CourseDirectory(config=self.config)
        with Gradebook(self.db_url, course.course_id) as book, suppress(CalendarError):
            late = late_of(Path(course.root), book, self.student_id, self.assignment_id)
            return late.how_late if late else ""
        return ""  # the calendar is wrong: `grade` and `calendar` say so

    def _get_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._get_score(cell, resources)
        about = cell.metadata.nbgrader
        grade: Any = self.gradebook.find_grade(
            about["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        if grade.needs_manual_grade and grade.manual_score is None and not grade.auto_score:
            self._unread.append(float(about["points"]))
            about["score"] = NOT_READ


def explain_unread(points: list[float]) -> str:
    answers = "1 answer has" if len(points) == 1 else f"{len(points)} answers have"
    return (
        f"**{answers} not been read yet, worth {sum(points):g} points. They are not counted in any "
        "total on this page.**"
    )
