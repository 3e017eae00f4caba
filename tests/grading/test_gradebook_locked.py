"""Another program holds the gradebook: grading waits, tries again, and loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.authoring.release import release
from autograder.batch.engine import Event
from autograder.batch.executors import LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task_grader import TaskGrader
from autograder.cli.main import main
from autograder.course.gradebook import GradebookError
from autograder.course.records import results
from autograder.judge.zygote import Zygote
from tests.little import ASSIGNMENT, CLASS_POINTS, answer, copy_course, submit, write_course

STUDENTS = ("ada", "bob", "zoe")
EVERYBODY = dict.fromkeys(STUDENTS, CLASS_POINTS)
IMPATIENT = '\nc.CourseDirectory.db_url = "sqlite:///{root}/gradebook.db?timeout=0.2"\n'

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose gradebook is waited for a fifth of a second, not half a minute."""
    root = write_course(tmp_path_factory.mktemp("locked") / "course")
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(IMPATIENT.format(root=root))
    release(root)
    for student in STUDENTS:
        submit(root, student, answer())
    return root


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return copy_course(released, tmp_path / "course")


def graded(root: Path, zygote: Zygote) -> Iterator[Event]:
    """Grade, one after the other; the events of those that are done."""
    events = grade_class(
        root, ASSIGNMENT, Selection(), lambda m: LocalExecutor(TaskGrader(m, lambda: zygote))
    )
    return (event for event in events if event.graded)


@contextmanager
def locked(root: Path, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """EXCLUSIVE: nobody else can read the gradebook. IMMEDIATE: nobody else can write it."""
    with closing(sqlite3.connect(root / "gradebook.db", isolation_level=None)) as holder:
        holder.execute(f"BEGIN {mode}")
        yield
        holder.execute("ROLLBACK")


def in_gradebook(root: Path) -> dict[str, float]:
    """Automatic points by student; nobody is there twice."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        found = book.assignment_submissions(ASSIGNMENT)
        points = [(one.student.id, one.score) for one in found]
    assert len(points) == len(dict(points))
    return dict(points)


def on_record(root: Path) -> dict[str, float]:
    return {one.student: one.score for one in results(root, ASSIGNMENT)}


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "IMMEDIATE"])
def test_what_could_not_be_written_at_first_is_written_at_the_end(
    course: Path, zygote: Zygote, mode: str
) -> None:
    events = graded(course, zygote)
    first = next(events)
    with locked(course, mode):
        last = [next(events), next(events)][-1]
    assert (first.done, last.done, last.total) == (1, 3, 3)
    assert list(events) == []
    assert in_gradebook(course) == EVERYBODY


def test_what_could_not_be_written_at_all_is_reported_and_the_next_run_writes_it(
    course: Path, zygote: Zygote
) -> None:
    events = graded(course, zygote)
    next(events)
    with locked(course), pytest.raises(GradebookError) as raised:
        list(events)
    assert "could not be written to the gradebook" in str(raised.value)
    assert "database is locked" in str(raised.value)
    assert "Run the same command again" in str(raised.value)
    assert on_record(course) == EVERYBODY
    assert in_gradebook(course) == {}
    assert [event.reused for event in graded(course, zygote)] == [True] * 3
    assert in_gradebook(course) == EVERYBODY


def test_a_gradebook_that_cannot_be_opened_is_reported_in_a_line(course: Path) -> None:
    command = ["grade", ASSIGNMENT, "--workers", "1", "--root", str(course)]
    with locked(course):
        refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    assert "cannot be opened" in refused.stderr
    assert "database is locked" in refused.stderr
    assert on_record(course) == {}
    finished = CliRunner().invoke(main, command)
    assert finished.exit_code == 0, finished.output
    assert "3 graded, 0 unchanged" in finished.output
    assert in_gradebook(course) == EVERYBODY
