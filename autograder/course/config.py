"""How a course is configured: its ``nbgrader_config.py``, and where its gradebook is."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from subprocess import CalledProcessError

from nbgrader.api import Course, Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config.loader import Config, PyFileConfigLoader

from autograder.errors import NeedsHuman

#: nbgrader's ``collect`` that follows no link. By its name: it lies in a layer above.
SAFE_COLLECT = "autograder.collect.exchange.SafeCollect"


class GradebookError(NeedsHuman):
    """The gradebook cannot be written; the message says what to do."""


def course_config(root: Path) -> Config:
    """The course's ``nbgrader_config.py``, with the root set to the course's folder."""
    config = Config()
    if (root / "nbgrader_config.py").exists():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    collect_safely(config)
    config.CourseDirectory.root = str(root)
    return config


def collect_safely(c: Config) -> None:
    """Let nbgrader's ``collect`` follow no link, also where nobody has asked for that.

    A class that a course has chosen stays.
    """
    if "collect" not in c.ExchangeFactory:
        c.ExchangeFactory.collect = SAFE_COLLECT


def find_alembic() -> None:
    """Let nbgrader find the program `alembic`, which it starts to create a gradebook.

    It lies beside this Python, but is not on the PATH of somebody who did not activate the
    environment.
    """
    scripts = sysconfig.get_path("scripts")
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])


def open_gradebook(root: Path) -> Gradebook:
    """The open gradebook of a course, by its ``db_url``: SQLite in the folder, or a server.

    Raises GradebookError where there is none to be had.
    """
    course = CourseDirectory(config=course_config(root))
    find_alembic()
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
    except (FileNotFoundError, CalledProcessError) as error:
        raise GradebookError(
            f"a gradebook cannot be created: nbgrader's program `alembic` does not run ({error}). "
            "Install this package again (pip install alembic), or activate its environment"
        ) from error
    return book


def with_busy_timeout(db_url: str) -> str:
    """Wait half a minute for another writer of an SQLite file, not five seconds."""
    is_file = db_url.startswith("sqlite") and "?" not in db_url
    return f"{db_url}?timeout=30" if is_file else db_url
