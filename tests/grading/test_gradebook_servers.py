"""A gradebook on a PostgreSQL server: nothing is other than in nbgrader's own file."""

from __future__ import annotations

import csv
import datetime
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.authoring.release import release
from autograder.batch.executors import LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task_grader import TaskGrader
from autograder.cli.export import export
from autograder.course.config import open_gradebook
from autograder.course.records import results
from autograder.judge.zygote import Zygote
from tests.little import (
    ASSIGNMENT,
    CLASS_POINTS,
    NOTEBOOK,
    ROOT,
    answer,
    cell_of,
    submit,
    write_course,
)

pytestmark = pytest.mark.sandbox

WRITTEN = "knn-question-bright-rows"
NAMES = (NOTEBOOK, ASSIGNMENT)
DUE = datetime.datetime(2031, 3, 1, 12)
CONFIG = """
from nbgrader.plugins import LateSubmissionPlugin

class TenPercentADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0 if student_id == "excused" else 0.1 * score * total_seconds_late / (24 * 3600)

c.AssignLatePenalties.plugin_class = TenPercentADay
c.CourseDirectory.db_url = {address!r}
"""
DAYS_LATE = {"ada": -1, "bob": -1, "late": 2, "excused": 2, "read": 1}


def lacks_a_method(document: dict) -> None:
    cell = cell_of(document, "k-nearest-neighbor")
    cell["source"] += "\ndel KNearestNeighbor.compute_distances_one_loop"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, postgresql: str) -> Path:
    root = write_course(tmp_path_factory.mktemp("server") / "course")
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(CONFIG.format(address=postgresql))
    release(root)
    with open_gradebook(root) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=DUE)
    for student, days in DAYS_LATE.items():
        submit(root, student, answer(lacks_a_method if student == "bob" else None))
        when = f"{DUE + datetime.timedelta(days=days)} UTC\n"
        submit(root, student, when.encode(), "timestamp.txt")
    return root


@pytest.fixture(scope="module")
def pages(course: Path) -> list[dict]:
    """Grade the class; what a formgrader read of the gradebook at the same time."""
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(course)]
    with formgrader(course) as pages:
        done = subprocess.run([*command, "--workers", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return pages


@contextmanager
def formgrader(root: Path) -> Iterator[list[dict]]:
    """One asks for page after page, from before the block begins until it has ended."""
    command = [sys.executable, "-m", "benchmarks.class_scale.gradebook", str(root)]
    pages: list[dict] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        lines = reader.stdout
        listening = threading.Thread(target=lambda: pages.extend(map(json.loads, lines)))
        listening.start()
        try:
            yield pages
        finally:
            reader.terminate()  # it finishes the page
            listening.join()
    assert reader.returncode == 0


def regrade(root: Path, zygote: Zygote, selection: Selection) -> dict[str, bool]:
    """Grade in this process; by student, whether the verdict on record was taken."""
    events = grade_class(
        root, ASSIGNMENT, selection, lambda m: LocalExecutor(TaskGrader(m, lambda: zygote))
    )
    return {event.student: event.reused for event in events if event.graded}


def test_all_grades_are_there_and_a_formgrader_reads_meanwhile(
    course: Path, pages: list[dict]
) -> None:
    assert {page["page"] for page in pages} >= {"all submissions", "grades of one submission"}
    assert [page for page in pages if page["error"]] == []
    with open_gradebook(course) as book:
        assert len(book.assignment_submissions(ASSIGNMENT)) == len(DAYS_LATE)
        for verdict in results(course, ASSIGNMENT):
            notebook = book.find_submission_notebook(*NAMES, verdict.student)
            grades = {one.name: one.auto_score for one in notebook.grades}
            expected = {cell.grade_id: cell.score for cell in verdict.cells}
            assert grades == expected | {WRITTEN: None}
            lacking = 2 if verdict.student == "bob" else 0
            assert verdict.score == CLASS_POINTS - lacking


@pytest.mark.usefixtures("pages")
def test_the_courses_plugin_is_reported_who_how_much_and_how_late(course: Path) -> None:
    with open_gradebook(course) as book:
        found = {
            student: book.find_submission_notebook(*NAMES, student).late_submission_penalty
            for student in ("ada", "late", "excused")
        }
        assert found == {"ada": None, "late": pytest.approx(0.2 * CLASS_POINTS), "excused": 0}
        assert book.find_submission(ASSIGNMENT, "late").total_seconds_late == 2 * 24 * 3600


@pytest.mark.usefixtures("pages")
def test_what_people_gave_survives_another_grading(course: Path, zygote: Zygote) -> None:
    with open_gradebook(course) as book:
        for student in ("ada", "read"):
            grade_of = book.find_grade(WRITTEN, *NAMES, student)
            grade_of.manual_score, grade_of.needs_manual_grade = 1.5, False
            book.find_comment(WRITTEN, *NAMES, student).manual_comment = "Well seen: \u2713"
        book.db.commit()
    assert regrade(course, zygote, Selection("read", force=True)) == {"read": False}
    assert regrade(course, zygote, Selection()) == dict.fromkeys(DAYS_LATE, True)
    with open_gradebook(course) as book:
        for student in ("ada", "read"):
            assert book.find_grade(WRITTEN, *NAMES, student).score == 1.5
            assert book.find_comment(WRITTEN, *NAMES, student).comment == "Well seen: \u2713"
            assert book.find_submission(ASSIGNMENT, student).score == CLASS_POINTS + 1.5
        assert book.find_grade(WRITTEN, *NAMES, "read").needs_manual_grade  # another look
        assert not book.find_grade(WRITTEN, *NAMES, "ada").needs_manual_grade  # nothing new
        penalty = book.find_submission_notebook(*NAMES, "read").late_submission_penalty
        assert penalty == pytest.approx(0.1 * (CLASS_POINTS + 1.5))
        book.find_grade(WRITTEN, *NAMES, "read").needs_manual_grade = False
        book.db.commit()
    regrade(course, zygote, Selection())  # writes late work again: its penalty may have changed
    with open_gradebook(course) as book:
        assert not book.find_grade(WRITTEN, *NAMES, "read").needs_manual_grade


@pytest.mark.usefixtures("pages")
def test_the_exported_table_agrees(course: Path) -> None:
    rows = exported(course)
    assert set(rows) == set(DAYS_LATE)
    with open_gradebook(course) as book:
        for student, row in rows.items():
            submission = book.find_submission(ASSIGNMENT, student)
            penalty = submission.late_submission_penalty
            assert float(row["points"]) == submission.score
            assert float(row["late_penalty"]) == pytest.approx(penalty)
            assert float(row["score"]) == pytest.approx(submission.score - penalty)
            assert float(row["max_score"]) == submission.max_score


def exported(root: Path) -> dict[str, dict[str, str]]:
    """A line for each student."""
    out = root / "out.csv"
    words = [ASSIGNMENT, "--format", "assignment", "--out", str(out), "--anyway"]
    done = CliRunner().invoke(export, [*words, "--root", str(root)])
    assert done.exit_code == 0, done.output
    table = csv.DictReader(io.StringIO(out.read_text("utf-8"), newline=""))
    return {row["student"]: row for row in table}
