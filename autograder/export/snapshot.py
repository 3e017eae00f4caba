"""What nbgrader's gradebook holds on one assignment, read at one moment and never written to.

nbgrader's own ``Gradebook`` creates what is missing when it opens a database, so it is not used
here. Others may write meanwhile: everything is read in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    Select,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from autograder.course.config import course_config
from autograder.export import ExportError
from autograder.export.standing import Person

Question = tuple[str, str]  # notebook, grade_id

ASSIGNMENT, NOTEBOOK = api.Assignment.__table__, api.Notebook.__table__
CELL, GRADE_CELL, TASK_CELL = (
    kind.__table__ for kind in (api.BaseCell, api.GradeCell, api.TaskCell)
)
STUDENT, GRADE = api.Student.__table__, api.Grade.__table__
SUBMITTED, SUBMITTED_NOTEBOOK = api.SubmittedAssignment.__table__, api.SubmittedNotebook.__table__


@dataclass(frozen=True)
class Mark:
    """What the gradebook holds on one question of one submission."""

    automatic: float | None
    manual: float | None
    extra_credit: float
    unread: bool  # a person has to look at it


@dataclass(frozen=True)
class Snapshot:
    """The gradebook on one assignment. Penalties are kept for everybody who handed in."""

    questions: dict[Question, float]  # points
    people: dict[str, Person]
    marks: dict[str, dict[Question, Mark]]
    penalties: dict[str, float]


def read_gradebook(root: Path, assignment: str) -> Snapshot:
    """Read the course's gradebook, SQLite or another database. Raises ExportError."""
    course = CourseDirectory(config=course_config(root))
    try:
        engine = reading_engine(make_url(course.db_url))
        try:
            with engine.connect() as connection:
                return _snapshot(connection, assignment, course.course_id)
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise ExportError(
            f"the gradebook of {root} cannot be read: {cause}. Is db_url in nbgrader_config.py "
            "right, the server up, and the database of this nbgrader (`nbgrader db upgrade`)?"
        ) from error


def reading_engine(url: URL) -> Engine:
    """An engine whose connections cannot write, and see the database at one moment.

    Raises ExportError where there is no such file.
    """
    if url.get_backend_name() != "sqlite":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return create_engine(url, poolclass=NullPool, execution_options=options)
    path = Path(url.database or "")
    if not path.is_file():
        raise ExportError(
            f"there is no gradebook {path}: run `python -m autograder grade` first, or check "
            "db_url in nbgrader_config.py"
        )
    # Not mode=ro: after a crash of the writer, the first to open the file has to mend it.
    query = {"mode": "rw", "uri": "true", "timeout": "30"}
    engine = create_engine(
        url.set(database=path.resolve().as_uri(), query=query), poolclass=NullPool
    )

    @event.listens_for(engine, "connect")
    def only_read(connection: Any, _: object) -> None:
        connection.isolation_level = None  # else Python's sqlite3 begins no transaction to read
        connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _snapshot(connection: Connection, assignment: str, course: str) -> Snapshot:
    def rows(query: Select) -> Any:
        here = query.where(ASSIGNMENT.c.name == assignment, ASSIGNMENT.c.course_id == course)
        return connection.execute(here)

    points = func.coalesce(GRADE_CELL.c.max_score, TASK_CELL.c.max_score)
    cells = (
        select(NOTEBOOK.c.name, CELL.c.name, points)
        .join_from(ASSIGNMENT, NOTEBOOK, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
        .join(CELL, CELL.c.notebook_id == NOTEBOOK.c.id)
        .outerjoin(GRADE_CELL, GRADE_CELL.c.id == CELL.c.id)
        .outerjoin(TASK_CELL, TASK_CELL.c.id == CELL.c.id)
        .where(points.is_not(None))
    )
    handed_in = (
        select(
            SUBMITTED.c.student_id,
            func.coalesce(func.sum(SUBMITTED_NOTEBOOK.c.late_submission_penalty), 0.0),
        )
        .join_from(ASSIGNMENT, SUBMITTED, SUBMITTED.c.assignment_id == ASSIGNMENT.c.id)
        .outerjoin(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMITTED.c.id)
        .group_by(SUBMITTED.c.student_id)
    )
    grades = (
        select(
            SUBMITTED.c.student_id,
            NOTEBOOK.c.name,
            CELL.c.name,
            GRADE.c.auto_score,
            GRADE.c.manual_score,
            func.coalesce(GRADE.c.extra_credit, 0.0),
            GRADE.c.needs_manual_grade,
        )
        .join_from(ASSIGNMENT, SUBMITTED, SUBMITTED.c.assignment_id == ASSIGNMENT.c.id)
        .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMITTED.c.id)
        .join(NOTEBOOK, NOTEBOOK.c.id == SUBMITTED_NOTEBOOK.c.notebook_id)
        .join(GRADE, GRADE.c.notebook_id == SUBMITTED_NOTEBOOK.c.id)
        .join(CELL, CELL.c.id == GRADE.c.cell_id)
    )
    marks: dict[str, dict[Question, Mark]] = {}
    for student, notebook, question, *mark in rows(grades):
        marks.setdefault(student, {})[notebook, question] = Mark(*mark)
    people = select(STUDENT.c.id, STUDENT.c.email, STUDENT.c.lms_user_id)
    return Snapshot(
        questions={(notebook, name): worth for notebook, name, worth in rows(cells)},
        people={
            name: Person(email or "", lms_user_id or "")
            for name, email, lms_user_id in connection.execute(people)
        },
        marks=marks,
        penalties={student: float(penalty) for student, penalty in rows(handed_in)},
    )
