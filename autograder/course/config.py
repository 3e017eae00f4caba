"""How a course is configured: its ``nbgrader_config.py``, and where its gradebook is."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Course, Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.errors import NeedsHuman


class GradebookError(NeedsHuman):
    """The gradebook cannot be written; the message says what to do."""


def course_config(root: Path) -> Config:
    """The course's ``nbgrader_config.py``, with the root set to the course's folder."""
    config = Config()
    if (root / "nbgrader_config.py").exists():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    return config


def open_gradebook(root: Path) -> Gradebook:
    """The open gradebook of a course, by its ``db_url``: SQLite in the folder, or a server.

    Raises GradebookError where there is none to be had.
    """
    course = CourseDirectory(config=course_config(root))
    try:
        book = Gradebook(with_busy_timeout(course.db_url), course.course_id)
        if book.db.get(Course, course.course_id) is None:
            # nbgrader makes no row for a course without a name. SQLite does not mind; servers do.
            book.db.add(Course(id=course.course_id))
            book.db.commit()
    except SQLAlchemyError as error:
        where = make_url(course.db_url).render_as_string(hide_password=True)
        raise GradebookError(
            f"the gradebook at {where} cannot be opened: {str(error).splitlines()[0]}. "
            "Is db_url in nbgrader_config.py right, does the server run, and does no other program "
            "hold the gradebook locked?"
        ) from error
    return book


def with_busy_timeout(db_url: str) -> str:
    """Wait half a minute for another writer of an SQLite file, not five seconds."""
    is_file = db_url.startswith("sqlite") and "?" not in db_url
    return f"{db_url}?timeout=30" if is_file else db_url
