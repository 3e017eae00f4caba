"""What the top of a page says of the attempt it is about, and of what has been graded again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.course.changes import read_changes
from autograder.course.daily import read_daily
from autograder.course.submissions import CourseError
from autograder.feedback.disclosure import zone_name


class Notes(NbGraderPreprocessor):
    """Adds a cell for the attempts of `watch`, and one for a regrade. Neither names a person."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        root = Path(self.config.CourseDirectory.get("root", "") or Path.cwd())
        about = resources["nbgrader"]
        assignment, student = about["assignment"], about["student"]
        regraded = [
            line
            for change in read_changes(root, assignment)
            if change.student == student
            for line in change.told(about["notebook"])
        ]
        if regraded:
            nb.cells.insert(0, new_markdown_cell("\n\n".join(regraded), id="graded-again"))
        with suppress(CourseError):  # the watch says so; the page is worth having all the same
            told = " ".join(read_daily(root, assignment, student).explained(zone_name(self.config)))
            if told:
                nb.cells.insert(0, new_markdown_cell(f"**{told}**", id="attempts"))
        return nb, resources
