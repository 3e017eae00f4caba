"""What lateness costs, as a plug-in of nbgrader's, and writing it into the gradebook.

``nbgrader_config.py`` lists it (`configure`), so that `nbgrader autograde` and the formgrader's
button follow the calendar as `python -m autograder grade` does.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
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
from autograder.course.config import GradebookError, course_config, open_gradebook


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
    """One late hand-in, and the points that it costs by the gradebook, by notebook."""

    student: str
    assignment: str
    lateness: Lateness
    penalties: Mapping[str, float]

    @property
    def points(self) -> float:
        return round(sum(self.penalties.values()), 4)

    @property
    def days(self) -> str:
        return f"{self.lateness.days} day{'' if self.lateness.days == 1 else 's'}"

    @property
    def how_late(self) -> str:
        free, days = self.lateness.free, self.lateness.days
        part = f"{free} of them" if free < days else "all of them" if days > 1 else "taken"
        paid = f", {part} from the budget of late days" if free else ""
        return f"handed in {self.days} late{paid}"

    @property
    def told(self) -> str:
        """A sentence without its subject: how late it is, and what that costs."""
        off = round(self.points, 2)
        cost = f"{off:g} point{'' if off == 1 else 's'} off" if off else "nothing off"
        return f"{self.how_late}: {cost}"


def apply_calendar(root: Path) -> tuple[list[str], list[Late]]:
    """Write due dates, extensions and penalties into the gradebook.

    Returns the assignments that the gradebook does not know yet, and what is late, by assignment
    and student. Raises CalendarError and GradebookError.
    """
    root = root.resolve()
    calendar = read_calendar(root)
    if calendar is None:
        raise CalendarError(f"there is no {root / FILE}; write one, such as\n\n{EXAMPLE}\n")
    config, unknown = course_config(root), list[str]()
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
        return unknown, list(_late(book, calendar))


def late_hand_ins(root: Path, assignment: str) -> dict[str, Late]:
    """What the gradebook knows to be late, by student; empty where there is no gradebook yet.

    Raises CalendarError and GradebookError.
    """
    root = root.resolve()
    url = make_url(CourseDirectory(config=course_config(root)).db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return {}
    calendar = read_calendar(root) or Calendar({})
    try:
        with open_gradebook(root) as book:
            found = [late for late in _late(book, calendar) if late.assignment == assignment]
    except SQLAlchemyError as error:
        raise GradebookError(
            f"the gradebook cannot be read: {str(error).splitlines()[0]}. Is another program "
            "writing to it? Run the same command again"
        ) from error
    return {late.student: late for late in found}


def late_of(root: Path, book: Gradebook, student: str, assignment: str) -> Late | None:
    """One student's lateness, from an open gradebook. Raises CalendarError."""
    calendar = read_calendar(root) or Calendar({})
    found = (late for late in _late(book, calendar, student) if late.assignment == assignment)
    return next(found, None)


def _late(book: Gradebook, calendar: Calendar, student: str | None = None) -> Iterator[Late]:
    """Of all assignments, by assignment and student, with two queries.

    All of a student's hand-ins have to be looked at, for the budget is one.
    """
    models: Any = api  # they have no types
    assignment, submission = models.Assignment, models.SubmittedAssignment
    notebook = models.SubmittedNotebook
    chosen = [assignment.course_id == book.course_id]
    if student is not None:
        chosen.append(submission.student_id == student)
    handed_in: dict[str, list[HandIn]] = {}
    for who, name, due, extension, when in (
        book.db.query(
            submission.student_id,
            assignment.name,
            assignment.duedate,
            submission.extension,
            submission.timestamp,
        )
        .join(assignment, assignment.id == submission.assignment_id)
        .filter(*chosen)
    ):
        due = due and due + (extension or datetime.timedelta())
        handed_in.setdefault(who, []).append(HandIn(name, due, when))
    penalties: dict[tuple[str, str], dict[str, float]] = {}
    for who, name, written, penalty in (
        book.db.query(
            submission.student_id,
            assignment.name,
            models.Notebook.name,
            notebook.late_submission_penalty,
        )
        .join(assignment, assignment.id == submission.assignment_id)
        .join(notebook, notebook.assignment_id == submission.id)
        .join(models.Notebook, models.Notebook.id == notebook.notebook_id)
        .filter(*chosen, notebook.late_submission_penalty > 0)
    ):
        penalties.setdefault((name, who), {})[written] = penalty
    found = {
        (name, who): about
        for who, hand_ins in handed_in.items()
        for name, about in lateness(calendar, hand_ins).items()
    }
    for name, who in sorted(found):
        yield Late(who, name, found[name, who], penalties.get((name, who), {}))


def _hand_ins(book: Gradebook, student: str) -> Iterator[HandIn]:
    submissions: Any = book.student_submissions(student)
    for submission in submissions:
        yield HandIn(submission.assignment.name, submission.duedate, submission.timestamp)
