"""The one writer of nbgrader's gradebook. Workers never see it.

nbgrader's rules are kept: manual scores and comments survive, a cell graded by hand is marked for
another look when it is graded again, late penalties are computed by the configured plug-in.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook, InvalidEntry, SubmittedNotebook
from sqlalchemy.exc import DataError, IntegrityError, SAWarning, SQLAlchemyError

from autograder.course.config import GradebookError, course_config, open_gradebook
from autograder.course.gradebook_rows import complete_submission
from autograder.course.late import penalise
from autograder.errors import NeedsHuman
from autograder.judge.results import GradedNotebook

__all__ = ["EntryRefused", "GradebookEntry", "GradebookError", "GradebookWriter", "course_config"]


class EntryRefused(NeedsHuman):
    """The gradebook takes others' grades, and not those of one student."""


@dataclass(frozen=True)
class GradebookEntry:
    """A submission in the gradebook: when it was handed in, and automatic scores by notebook."""

    when: datetime.datetime | None
    late: bool  # or was so when it was last written
    scores: dict[str, dict[str, float | None]]

    def holds(self, graded: Sequence[GradedNotebook], when: datetime.datetime | None) -> bool:
        """Whether these verdicts are in it already, and nothing else can have changed.

        The due date, an extension or the rule for late work may have: those are written again.
        """
        return (
            not self.late
            and self.when == when
            and all(
                self.scores.get(one.notebook, {}).get(cell.grade_id) == cell.score
                for one in graded
                for cell in one.cells
            )
        )


class GradebookWriter:
    """Context manager around one open gradebook of a course."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._config = course_config(root)
        self._gradebook: Gradebook | None = None

    def __enter__(self) -> GradebookWriter:
        self._gradebook = open_gradebook(self._root)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._gradebook is not None:
            self._gradebook.close()

    def record(
        self,
        student: str,
        assignment: str,
        graded: Sequence[GradedNotebook],
        when: datetime.datetime | None = None,
        *,
        regraded: bool = True,
    ) -> None:
        """Write one submission's grades in one transaction. Raises GradebookError, and EntryRefused
        where it is about this student alone.

        ``when``: the moment it was handed in, in UTC without saying so, as nbgrader has it.
        Unless it was ``regraded``, grades that are in the gradebook stay as they are, and what
        people graded by hand is not marked for another look.
        """
        with warnings.catch_warnings():
            # nbgrader 0.9 links rows before they are in the session; SQLAlchemy 2 remarks on it.
            warnings.filterwarnings("ignore", message="Object of type", category=SAWarning)
            try:
                self._record(student, assignment, graded, when, regraded=regraded)
            except (ValueError, SQLAlchemyError) as error:  # nbgrader's are ValueErrors
                if _is_about_one(error):
                    assert self._gradebook is not None
                    self._gradebook.db.rollback()
                    raise EntryRefused(
                        f"the gradebook does not take the grades of {student}: "
                        f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}"
                    ) from error
                raise GradebookError(
                    f"the grades of {student} could not be written to the gradebook: "
                    f"{str(error).splitlines()[0]}. Is another program (the formgrader?) writing "
                    "to it? Run the same command again: what is graded is kept."
                ) from error

    def entries(self, assignment: str) -> dict[str, GradebookEntry]:
        """What the gradebook holds of an assignment, by student, in one query.

        Raises GradebookError.
        """
        book = self._gradebook
        assert book is not None, "use it in a with statement"
        models: Any = api  # they have no types
        submission, notebook = models.SubmittedAssignment, models.SubmittedNotebook
        rows = (
            book.db.query(
                submission.student_id,
                submission.timestamp,
                submission.extension,
                models.Assignment.duedate,
                notebook.late_submission_penalty,
                models.Notebook.name,
                models.BaseCell.name,
                models.Grade.auto_score,
            )
            .join(models.Assignment, models.Assignment.id == submission.assignment_id)
            .join(notebook, notebook.assignment_id == submission.id)
            .join(models.Notebook, models.Notebook.id == notebook.notebook_id)
            .join(models.Grade, models.Grade.notebook_id == notebook.id)
            .join(models.BaseCell, models.BaseCell.id == models.Grade.cell_id)
            .filter(models.Assignment.name == assignment)
        )
        found: dict[str, GradebookEntry] = {}
        try:
            rows = rows.all()
        except SQLAlchemyError as error:
            raise GradebookError(
                f"the gradebook cannot be read: {str(error).splitlines()[0]}. Is another program "
                "writing to it? Run the same command again"
            ) from error
        for student, when, extension, due, penalty, name, cell, score in rows:
            due = due and due + (extension or datetime.timedelta())
            late = bool(penalty) or bool(due and when and when > due)
            entry = found.setdefault(student, GradebookEntry(when, late, {}))
            entry.scores.setdefault(name, {})[cell] = score
        book.db.rollback()  # ends the reading transaction
        return found

    def _record(
        self,
        student: str,
        assignment: str,
        graded: Sequence[GradedNotebook],
        when: datetime.datetime | None,
        *,
        regraded: bool,
    ) -> None:
        book = self._gradebook
        assert book is not None, "use it in a with statement"
        book.update_or_create_student(student)
        given: dict = {"timestamp": when} if when else {}
        submission = book.update_or_create_submission(assignment, student, **given)
        complete_submission(book, submission)
        book.db.commit()  # nbgrader has just made the rows; what follows changes scores only
        try:
            for notebook in graded:
                self._record_notebook(book, notebook, regraded=regraded)
            book.db.flush()
            penalise(book, submission, self._config)
            book.db.commit()
        except BaseException:
            book.db.rollback()
            raise

    def _record_notebook(self, book: Gradebook, graded: GradedNotebook, *, regraded: bool) -> None:
        rows = book.find_submission_notebook(graded.notebook, graded.assignment, graded.student)
        scores = {cell.grade_id: cell.score for cell in graded.cells}
        names = _cell_names(book, rows)
        with book.db.no_autoflush:  # one statement for all grades, not one for each
            for grade in rows.grades:
                name = names.get(grade.cell_id, "")
                score = scores.get(name, None if name in graded.manual_pending else 0.0)
                if not regraded and grade.auto_score == score:
                    continue
                grade.auto_score = score
                by_hand = grade.manual_score is not None
                grade.needs_manual_grade = by_hand or grade.auto_score is None
            for comment in rows.comments:
                blank = names.get(comment.cell_id, "") in graded.unanswered
                comment.auto_comment = "No response." if blank else None


def _cell_names(book: Gradebook, rows: SubmittedNotebook) -> dict[str, str]:
    """By id, in one query: ``grade.name`` asks the database for each cell anew."""
    cell: Any = api.BaseCell
    return dict(book.db.query(cell.id, cell.name).filter(cell.notebook_id == rows.notebook_id))


def _is_about_one(error: ValueError | SQLAlchemyError) -> bool:
    """Whether it is about these grades, and not about the whole database (locked, gone).

    nbgrader says both with one exception of its own, raised while the first was handled.
    """
    first = error.__context__ if isinstance(error, InvalidEntry) else error
    about_data = (ValueError, DataError, IntegrityError)
    return first is None or isinstance(first, about_data) or not isinstance(first, SQLAlchemyError)
