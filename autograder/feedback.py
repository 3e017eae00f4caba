"""autograded/ -> feedback/: nbgrader's own feedback pages, safe to open.

`configure` is all that `nbgrader generate_feedback` and the formgrader need; `make_feedback` runs
the same converter from Python.
"""

from __future__ import annotations

import copy
import glob
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder import safe_html
from autograder.complaints import Complaints
from autograder.course import CourseError
from autograder.gradebook import course_config

__all__ = ["configure", "make_feedback"]


def configure(c: Config) -> None:
    """Set what ``nbgrader generate_feedback`` needs to give the pages of `make_feedback`."""
    safe_html.configure(c)


def make_feedback(root: Path, assignment: str, students: Sequence[str] | None = None) -> list[Path]:
    """Write ``root/feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html``; return the pages.

    ``students``: only these; by default everybody who has been graded. Pages are made beside
    feedback/ and moved there when all went well. Raises CourseError.
    """
    root = root.resolve()
    config = course_config(root)
    configure(config)
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
    complaints = Complaints()
    try:
        course = CourseDirectory(config=config)
        GenerateFeedback(coursedir=course, config=config, log=complaints.logger).start()
    except NbGraderException as error:
        reason = complaints.cause() or str(error)
        raise CourseError(
            f"no feedback on {assignment} for {student}: {reason}; "
            f"is it graded? Run `python -m autograder grade {assignment}` first"
        ) from None


def _move(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(target)
