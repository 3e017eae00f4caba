"""`python -m autograder` from a terminal: what it says, its exit status, and being interrupted."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from autograder.course.records import results
from tests import little
from tests.e2e.courses import Course, finish, run
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, cell_of
from tests.processes import below, running
from tests.waiting import is_waiting, wait_until

FINE, NEEDS_HUMAN, WRONG_USE = 0, 1, 2
VERBS = {
    "release": "Generate release/ from source/",
    "grade": "Grade submissions; write autograded/, gradebook, report/.",
    "feedback": "Write the feedback pages, as students will see them.",
    "notebooks": "Run source notebooks and compare their outputs.",
    "calendar": "Write due dates into the gradebook, and list what was handed in late.",
    "checks": "List the hidden checks: question, points, check, weight, probe, title.",
    "refresh": "Run edited source notebooks and write them back in canonical form.",
    "collect": "Sort downloads from Canvas, Moodle or Gradescope into",
    "export": "Write grades for other programs.",
    "gradescope": "Build an autograder for Gradescope, or for CI runners: a zip.",
    "watch": "Grade what arrives in submitted/ while an assignment is open.",
    "regrade": "Grade one student again, and keep the old and the new verdict",
    "similar": "List pairs of suspiciously similar submissions.",
    "doctor": "Show which isolation this host offers, and the versions installed.",
    "demo": "Build a sample class, grade it, and write its report and feedback.",
    "new-course": "Write a small complete course into FOLDER: your own begins there.",
    "add-question": "Append question NAME (as in fit-line) to NOTEBOOK, a path in source/.",
}
GRADE_HELP = """\
Usage: python -m autograder grade [OPTIONS] ASSIGNMENT
--students, --student GLOB
--notebooks GLOB
--workers INTEGER RANGE
--scheduler ADDRESS
--force
--json
--isolation [root|userns|flat|none]
only for solutions you wrote yourself
--root DIRECTORY
-h, --help
"""


def leaves(document: dict) -> None:
    cell_of(document, "k-nearest-neighbor")["source"] = "import os\nos._exit(0)"


def takes_a_while(document: dict) -> None:
    cell_of(document, "imports")["source"] += "\nimport time; time.sleep(1)"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(little.write_course(tmp_path_factory.mktemp("cli") / "course"))
    run(course.autograder("release"))
    return course


@pytest.fixture(scope="module")
def graded(released: Course) -> tuple[Course, str]:
    """A graded course, and what was printed."""
    course = released.copy(released.root.with_name("graded"))
    little.submit(course.root, "reference", little.answer())
    little.submit(course.root, "reader", little.answer())
    little.submit(course.root, "leaves", little.answer(leaves))
    little.submit(course.root, "misnamed", little.answer(), "KNN (1).ipynb")
    little.submit(course.root, "undated", little.answer())
    little.submit(course.root, "undated", b"yesterday evening", "timestamp.txt")
    return course, run(course.autograder("grade", ASSIGNMENT), NEEDS_HUMAN)


def words(text: str) -> str:
    """The text without its line breaks and the frames of tables."""
    return " ".join(text.replace("│", " ").split())


def test_help_names_every_verb_and_the_exit_statuses(released: Course) -> None:
    text = words(run(released.autograder("--help")))
    for verb, promise in VERBS.items():
        assert f"{verb} {promise}" in text
        assert promise in words(run(released.autograder(verb, "--help")))
    assert "0 everything was graded, 1 something needs a human, 2 wrong use." in text


def test_help_of_grade_names_every_option(released: Course) -> None:
    text = words(run(released.autograder("grade", "--help")))
    for line in GRADE_HELP.splitlines():
        assert line in text


def test_wrong_use_ends_with_2_and_a_hint(released: Course, tmp_path: Path) -> None:
    command = released.autograder
    outcomes = finish(
        command("grade", "assignment7"),
        command("grade", ASSIGNMENT),
        command("grade"),
        command("grade", ASSIGNMENT, "--root", str(tmp_path / "nowhere")),
        command("release", "assignment7"),
    )
    assert [status for status, _ in outcomes] == [WRONG_USE] * 5, outcomes
    texts = [words(text) for _, text in outcomes]
    assert "holds no notebooks; there are: assignment1" in texts[0]
    assert f"expected {released.root}/submitted/STUDENT/{ASSIGNMENT}/" in texts[1]
    assert "Missing argument 'ASSIGNMENT'" in texts[2]
    assert "does not exist" in texts[3]
    assert "no source notebook" in texts[4]
    assert not any("Traceback" in text for text in texts)


def test_grading_names_what_needs_a_human(graded: tuple[Course, str]) -> None:
    course, printed = graded
    text = words(printed)
    assert f"reference/{NOTEBOOK} 11/11" in text
    assert f"leaves/{NOTEBOOK} 0/11: knn: the notebook's process ended (exit status 0)" in text
    assert f"misnamed/{NOTEBOOK} 11/11" in text  # handed in as "KNN (1).ipynb"
    assert "undated/knn 11/11: timestamp.txt says 'yesterday evening', which is not a time" in text
    assert course.points("undated") == CLASS_POINTS
    assert (course.root / "report" / ASSIGNMENT / "index.html").is_file()


def test_grading_again_skips_what_is_unchanged(graded: tuple[Course, str]) -> None:
    course, _ = graded
    before = course.autograded("reference").stat().st_mtime_ns
    little.submit(course.root, "reader", little.answer(takes_a_while))
    text = run(course.autograder("grade", ASSIGNMENT), NEEDS_HUMAN)  # leaves still does
    assert text.count("(unchanged)") == 4
    assert f"reader/{NOTEBOOK} 11/11\n" in text
    assert "1 graded, 4 unchanged" in words(text)
    assert course.autograded("reference").stat().st_mtime_ns == before


def test_force_and_student_choose_what_is_graded(graded: tuple[Course, str]) -> None:
    course, _ = graded
    before = course.autograded("reference").stat().st_mtime_ns
    text = run(course.autograder("grade", ASSIGNMENT, "--force", "--student", "ref*"), FINE)
    assert "(unchanged)" not in text
    assert "leaves" not in text
    assert course.autograded("reference").stat().st_mtime_ns > before
    wrong = run(course.autograder("grade", ASSIGNMENT, "--student", "nobody"), WRONG_USE)
    assert "there are: leaves, misnamed, reader, reference, undated" in words(wrong)


def test_no_isolation_is_said_in_red(graded: tuple[Course, str]) -> None:
    course, _ = graded
    only = ("--student", "reference", "--force", "--isolation", "none")
    text = run(course.autograder("grade", ASSIGNMENT, *only), FINE)
    assert "\033[1;31mNO ISOLATION: grade nothing with this but solutions you wrote" in text
    variable = {"CS231N_ISOLATION": "no-such-tier"}
    refused = course.autograder("grade", ASSIGNMENT, *only[:3], **variable)
    text = run(refused, NEEDS_HUMAN)
    assert "no tier 'no-such-tier'" in text
    assert "Traceback" not in text


def test_doctor_names_the_tier(released: Course) -> None:
    text = words(run(released.autograder("doctor")))
    assert "will be used, the best that works here" in text


def test_releasing_twice_gives_the_same_bytes(released: Course) -> None:
    path = released.root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    before = path.read_bytes()
    assert f"release/{ASSIGNMENT}/{NOTEBOOK}.ipynb" in run(released.autograder("release"))
    assert path.read_bytes() == before


def test_a_killed_run_leaves_nothing_half_written_and_resumes(
    released: Course, tmp_path: Path
) -> None:
    course = released.copy(tmp_path / "killed")
    students = [f"student-{number}" for number in range(5)]
    for student in students:
        little.submit(course.root, student, little.answer(takes_a_while))
    driver = course.autograder("grade", ASSIGNMENT)
    wait_until(lambda: len(list(results(course.root, ASSIGNMENT))) >= 2, driver)
    family = list(below(driver.pid))
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    done = [graded.student for graded in results(course.root, ASSIGNMENT)]
    assert 2 <= len(done) < len(students)
    wait_until(lambda: not [pid for pid in family if running(pid)])
    for path in course.root.glob("autograded/*/*/*.ipynb"):
        assert json.loads(path.read_text("utf-8"))["cells"]
    with closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)

    text = run(course.autograder("grade", ASSIGNMENT), FINE)
    assert text.count("(unchanged)") == len(done)
    assert [course.points(student) for student in students] == [CLASS_POINTS] * len(students)
    left = [p.name for p in (course.root / "autograded").rglob("*") if p.name.startswith(".")]
    assert not left, "temporary files of the killed run"


def test_ctrl_c_says_what_is_kept(released: Course, tmp_path: Path) -> None:
    """A terminal sends it to the driver, its workers and their warm processes alike."""
    course = released.copy(tmp_path / "interrupted")
    for number in range(6):
        little.submit(course.root, f"student-{number}", little.answer(takes_a_while))
    driver = course.autograder("grade", ASSIGNMENT, "--workers", "2", in_a_terminal=True)
    wait_until(lambda: len(list(results(course.root, ASSIGNMENT))) >= 2, driver)
    family = list(below(driver.pid))
    os.killpg(driver.pid, signal.SIGINT)
    status, text = finish(driver)[0]
    assert status == NEEDS_HUMAN
    assert "what is graded is kept; run the same command again" in words(text)
    assert "Traceback" not in text
    wait_until(lambda: not [pid for pid in family if running(pid)])


def test_a_gradebook_that_is_busy_for_a_moment_is_waited_for(
    released: Course, tmp_path: Path
) -> None:
    """Somebody grades by hand in the formgrader, say."""
    course = released.copy(tmp_path / "busy")
    for student in ("ada", "zoe"):
        little.submit(course.root, student, little.answer(takes_a_while))
    driver = course.autograder("grade", ASSIGNMENT)
    wait_until(lambda: list(results(course.root, ASSIGNMENT)), driver)
    with closing(sqlite3.connect(course.root / "gradebook.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        wait_until(lambda: len(list(results(course.root, ASSIGNMENT))) == 2, driver)
        wait_until(lambda: is_waiting(driver.pid), driver, times=20)  # for the gradebook
        other.execute("rollback")
    status, text = finish(driver)[0]
    assert status == FINE, text
    assert course.points("zoe") == CLASS_POINTS
