"""autograded/ -> feedback/: nbgrader's own feedback pages, safe to open.

`configure` is all that `nbgrader generate_feedback` and the formgrader need; `make_feedback` runs
the same converter from Python. What a page shows is a rule of the course: see `disclosure`.
"""

from __future__ import annotations

import copy
import datetime
import glob
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from traitlets.config import Config

from autograder.feedback import safe_html
from autograder.course.captured_errors import CapturedErrors
from autograder.course.submissions import CourseError
from autograder.feedback.disclosure import explain, read_disclosure
from autograder.course.gradebook import course_config
from autograder.notebook.template import is_auto_graded, nbgrader
from autograder.grading.verdict_output import only_points

__all__ = ["configure", "make_feedback"]


def configure(c: Config) -> None:
    """Set what ``nbgrader generate_feedback`` needs to give the pages of `make_feedback`."""
    safe_html.configure(c)
    c.GenerateFeedback.preprocessors = [GetGrades, HoldBack, CSSHTMLHeaderPreprocessor]
    # Pages are always made anew from autograded/: one made before a date says less than it should
    # now, and one made before there was a date says more.
    c.GenerateFeedback.force = True


class HoldBack(NbGraderPreprocessor):
    """Takes out of a page what students are not to see, or not yet, and says so on top."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        root = Path(self.config.CourseDirectory.get("root", "") or Path.cwd())
        rule = read_disclosure(root, resources["nbgrader"]["assignment"])
        now = datetime.datetime.now(datetime.UTC)
        waits = rule.waits(now)
        for cell in nb.cells:
            if is_auto_graded(cell) and (waits or not rule.checks):
                cell.outputs = only_points(cell.outputs, nbgrader(cell)["points"])
            if waits and nbgrader(cell):
                cell.metadata.nbgrader["comment"] = None
        note = explain(rule, now, self.config)
        if note:
            nb.cells.insert(0, new_markdown_cell(f"**{note}**", id="held-back"))
        return nb, resources


def make_feedback(root: Path, assignment: str, students: Sequence[str] | None = None) -> list[Path]:
    """Write ``root/feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html``; return the pages.

    ``students``: only these; by default everybody who has been graded. Pages are made beside
    feedback/ and moved there when all went well. Raises CourseError.
    """
    root = root.resolve()
    config = course_config(root)
    configure(config)
    read_disclosure(root, assignment)  # raises what is wrong with it before any page is made
    folder = Path(CourseDirectory(config=config).feedback_directory)
    wanted = ["*"] if students is None else [glob.escape(name) for name in students]
    with tempfile.TemporaryDirectory(prefix=".feedback-", dir=root) as scratch:
        for student in wanted:
            _convert(config, assignment, student, Path(scratch))
        made = sorted(path for path in Path(scratch).rglob("*") if path.is_file())
        return [_move(path, root / folder / path.relative_to(scratch)) for path in made]


def _convert(config: Config, assignment: str, student: str, destination: Path) -> None:
    """Run nbgrader's converter. ``student`` is a pattern."""
    config = copy.deepcopy(config)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.student_id = student
    config.CourseDirectory.feedback_directory = str(destination)
    captured = CapturedErrors()
    try:
        course = CourseDirectory(config=config)
        GenerateFeedback(coursedir=course, config=config, log=captured.logger).start()
    except NbGraderException as error:
        reason = captured.cause() or str(error)
        raise CourseError(
            f"no feedback on {assignment} for {student}: {reason}; "
            f"is it graded? Run `python -m autograder grade {assignment}` first"
        ) from None


def _move(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(target)
