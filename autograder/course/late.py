"""What lateness costs, as a plug-in of nbgrader's, and writing it into the gradebook.

``nbgrader_config.py`` lists it (`configure`), so that `nbgrader autograde` and the formgrader's
button follow the calendar as `python -m autograder grade` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from autograder.course.calendar import (
    EXAMPLE,
    FILE,
    Calendar,
    CalendarError,
    HandIn,
    Lateness,
    lateness,
    read_calendar,
)
from autograder.course.config import course_config, open_gradebook


def configure(c: Config) -> None:
    """Let nbgrader ask the calendar; a plug-in that is set afterwards takes its place."""
    c.AssignLatePenalties.plugin_class = CalendarPenalty


class CalendarPenalty(LateSubmissionPlugin):
    """A share of the points reached, by ``calendar.toml``. Without one it is nbgrader's own."""

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Points to take off one notebook. Raises CalendarError."""
        root = Path(self.config.CourseDirectory.get("root", "") or Path.cwd())
        calendar = read_calendar(root)
        if calendar is None:
            return super().late_submission_penalty(student_id, score, total_seconds_late)
        asking: Any = self.parent  # who works out a penalty has the gradebook open
        hand_ins = _hand_ins(asking.gradebook, student_id)
        late = lateness(calendar, hand_ins).get(asking.assignment_id)
        return None if late is None else round(score * late.percent / 100, 4)


def penalise(book: Gradebook, submission: SubmittedAssignment, config: Config) -> None:
    """As nbgrader's AssignLatePenalties does, between nothing and the whole score."""
    student, assignment = submission.student.id, submission.assignment.name
    _extend(read_calendar(Path(config.CourseDirectory.root)), submission)
    asking: Any = AssignLatePenalties(config=config)
    asking.gradebook, asking.assignment_id, asking.student_id = book, assignment, student
    asking.init_plugin()  # the class may be configured by its name
    late = submission.total_seconds_late
    for notebook in submission.notebooks:
        penalty = None
        if late > 0:
            penalty = asking.plugin_inst.late_submission_penalty(student, notebook.score, late)
        if penalty is not None:
            penalty = min(max(penalty, 0), notebook.score)
        notebook.late_submission_penalty = penalty


def _extend(calendar: Calendar | None, submission: Any) -> None:
    """An extension that was given in another way stays.

    ``submission``: a row of nbgrader's, whose fields have the types of columns.
    """
    if calendar:
        extension = calendar.extension(submission.student.id, submission.assignment.name)
        if extension is not None:
            submission.extension = extension


@dataclass(frozen=True)
class Late:
    """One late hand-in, and the points that it costs."""

    student: str
    assignment: str
    lateness: Lateness
    points: float


def apply_calendar(root: Path) -> tuple[list[str], list[Late]]:
    """Write due dates, extensions and penalties into the gradebook.

    Returns the assignments that the gradebook does not know yet, and what is late, by assignment
    and student. Raises CalendarError and GradebookError.
    """
    root = root.resolve()
    calendar = read_calendar(root)
    if calendar is None:
        raise CalendarError(f"there is no {root / FILE}; write one, such as\n\n{EXAMPLE}\n")
    config, unknown, found = course_config(root), [], []
    with open_gradebook(root) as book:
        known: list[Assignment] = []
        for name, due in calendar.due.items():
            try:
                known.append(book.find_assignment(name))
            except MissingEntry:
                unknown.append(name)
            else:
                known[-1].duedate = due
        book.db.flush()
        submissions = [one for assignment in known for one in assignment.submissions]
        for submission in submissions:  # all of them first: the budget goes by the due dates
            _extend(calendar, submission)
        for submission in submissions:
            penalise(book, submission, config)
        book.db.commit()
        students: Any = book.students
        for student in students:
            late = lateness(calendar, _hand_ins(book, student.id))
            for submission in book.student_submissions(student.id):
                if about := late.get(submission.assignment.name):
                    points = sum(n.late_submission_penalty or 0.0 for n in submission.notebooks)
                    found.append(Late(student.id, submission.assignment.name, about, points))
    return unknown, sorted(found, key=lambda one: (one.assignment, one.student))


def _hand_ins(book: Gradebook, student: str) -> Iterator[HandIn]:
    submissions: Any = book.student_submissions(student)
    for submission in submissions:
        yield HandIn(submission.assignment.name, submission.duedate, submission.timestamp)
