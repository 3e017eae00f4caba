"""nbgrader's own commands grade with our judge, as `python -m autograder grade` does."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.course.records import read_result
from autograder.judge.results import GradedNotebook
from tests import little
from tests.e2e.courses import SECRET, Course, finish, run
from tests.little import ASSIGNMENT, CLASS_POINTS, cell_of

CLASS, WRITTEN = "k-nearest-neighbor", "knn-question-bright-rows"
DUE = datetime.datetime(2031, 3, 1, 12, 0)
LATE_CONFIG = """
from nbgrader.plugins import LateSubmissionPlugin

class OnePointADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / (24 * 3600)

c.AssignLatePenalties.plugin_class = OnePointADay
"""

PRETEND = """
import sys, types
mine = types.ModuleType("autograder.hidden")
mine.check = lambda grade_id: None
package = types.ModuleType("autograder")
package.hidden = mine
sys.modules |= {"autograder": package, "autograder.hidden": mine}
"""
PRETEND_MODULE = b"class hidden:\n    check = staticmethod(lambda grade_id: None)\n"


def blank(document: dict) -> None:
    """As released: stubs, and nothing written."""
    released = json.loads(json.dumps(document))
    for cell in released["cells"]:
        if cell["id"] == CLASS:
            cell["source"] = without_solutions(cell["source"])
        if cell["id"] == WRITTEN:
            cell["source"] = "*Your answer:*"
    document["cells"] = released["cells"]


def without_solutions(source: str | list[str]) -> str:
    lines, solving = [], False
    for line in "".join(source).splitlines():
        if "### BEGIN SOLUTION" in line:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("write your code here")')
        solving = (solving or "### BEGIN SOLUTION" in line) and "### END SOLUTION" not in line
        if not solving and "### END SOLUTION" not in line:
            lines.append(line)
    return "\n".join(lines)


def squared(document: dict) -> None:
    """Forgets the root in one of the methods."""
    cell = cell_of(document, CLASS)
    source = "".join(cell["source"])
    assert "np.sqrt(np.maximum(squared, 0))" in source
    cell["source"] = source.replace("np.sqrt(np.maximum(squared, 0))", "np.maximum(squared, 0)")


def edited(document: dict) -> None:
    """Writes a score of its own into a locked cell."""
    squared(document)
    cell_of(document, "knn-no-loops")["source"] = "4.0"


def stripped(document: dict) -> None:
    """As Colab saves it: no cell ids, no metadata."""
    for cell in document["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    document["nbformat_minor"] = 4


def leaves(document: dict) -> None:
    cell_of(document, CLASS)["source"] = "import os\nos._exit(0)"


def pretends(document: dict) -> None:
    """Puts its own module in the place of ours."""
    blank(document)
    cell_of(document, CLASS)["source"] += PRETEND


def seeks_secrets(document: dict) -> None:
    """Correct, and prints all that it can see of the grader; wrong in one place."""
    squared(document)
    cell_of(document, CLASS)["source"] += "\nimport os, sys\nprint(os.environ, sys.argv)"


SUBMISSIONS = {
    "reference": little.answer(),
    "blank": little.answer(blank),
    "squared": little.answer(squared),
    "edited": little.answer(edited),
    "stripped": little.answer(stripped),
    "leaves": little.answer(leaves),
    "pretends": little.answer(pretends),
    "shadows": little.answer(blank),
    "seeks": little.answer(seeks_secrets),
    "late": little.answer(),
    "very-late": little.answer(squared),
    "windows": b"\xef\xbb\xbf" + little.answer().replace(b'{"cells"', b'{\r\n"cells"'),
    "odd": b'{"cells": [{"cell_type": "banana", "source": 3}, 7, null], "metadata": []}',
    "broken": b"{ this is not a notebook",
}
#: No notebook at all, and one without a cell of this one: nbgrader leaves them out.
UNUSABLE = {"broken", "odd"}
FULL = {"reference", "stripped", "late", "windows"}
NOTHING = {"blank", "odd", "leaves", "pretends", "shadows"}


def write_class(course: Course) -> None:
    for student, data in SUBMISSIONS.items():
        little.submit(course.root, student, data)
    little.submit(course.root, "shadows", PRETEND_MODULE, "autograder.py")
    for student, days in {"late": 2, "very-late": 99, "reference": -1}.items():
        when = DUE + datetime.timedelta(days=days)
        little.submit(course.root, student, f"{when} UTC\n".encode(), "timestamp.txt")


@dataclass(frozen=True)
class Graded:
    """One course, graded in both ways."""

    fresh: Course  # released, not yet graded
    nbgrader: Course
    ours: Course
    printed: dict[str, str]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(little.write_course(tmp_path_factory.mktemp("nbgrader") / "course"))
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + LATE_CONFIG, "utf-8")
    run(course.nbgrader("generate_assignment", ASSIGNMENT, "--force"))
    with course.gradebook() as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=DUE)
    write_class(course)
    return course


@pytest.fixture(scope="module")
def graded(released: Course) -> Graded:
    ours, nbgrader = (released.copy(released.root.with_name(n)) for n in ("ours", "nbgrader"))
    theirs, mine = finish(
        nbgrader.nbgrader("autograde", ASSIGNMENT), ours.autograder("grade", ASSIGNMENT)
    )
    assert theirs[0] == 1, f"`broken` cannot be processed, so nbgrader exits with 1:\n{theirs[1]}"
    assert mine[0] == 1, f"`broken` and `leaves` need a human:\n{mine[1]}"
    run(nbgrader.nbgrader("generate_feedback", ASSIGNMENT))
    return Graded(released, nbgrader, ours, {"nbgrader": theirs[1], "ours": mine[1]})


def verdicts(course: Course, student: str) -> GradedNotebook:
    found = read_result(course.root, student, ASSIGNMENT, little.NOTEBOOK)
    assert found
    return found[1]


@pytest.mark.parametrize("student", sorted(SUBMISSIONS.keys() - UNUSABLE))
def test_both_ways_put_the_same_into_the_gradebook(graded: Graded, student: str) -> None:
    assert graded.nbgrader.grades(student) == graded.ours.grades(student)
    assert sum(cell.score for cell in verdicts(graded.ours, student).cells) == pytest.approx(
        graded.nbgrader.points(student)
    )


@pytest.mark.parametrize("student", sorted(FULL))
def test_solutions_get_all_points(graded: Graded, student: str) -> None:
    assert graded.nbgrader.points(student) == CLASS_POINTS


@pytest.mark.parametrize("student", sorted(NOTHING))
def test_what_solves_nothing_gets_nothing(graded: Graded, student: str) -> None:
    assert graded.nbgrader.points(student) == 0


@pytest.mark.parametrize("student", ["squared", "edited", "seeks"])
def test_a_wrong_method_costs_its_own_points_only(graded: Graded, student: str) -> None:
    grades, whole = (graded.nbgrader.grades(name) for name in (student, "reference"))
    assert {name for name in whole if grades[name] != whole[name]} == {"knn-no-loops"}
    assert (grades["knn-no-loops"][0] or 0) <= 2


def test_written_answers_wait_for_a_person_unless_blank(graded: Graded) -> None:
    for course in (graded.nbgrader, graded.ours):
        assert course.grades("reference")[WRITTEN] == (None, None, True)
        assert course.grades("stripped")[WRITTEN] == (None, None, True)
        assert course.grades("blank")[WRITTEN] == (0.0, None, False)
        with course.gradebook() as book:
            names = (WRITTEN, little.NOTEBOOK, ASSIGNMENT)
            assert book.find_comment(*names, "blank").comment == "No response."
            assert book.find_comment(*names, "reference").comment is None


def test_late_penalties_are_those_of_the_courses_plugin(graded: Graded) -> None:
    for course in (graded.nbgrader, graded.ours):
        with course.gradebook() as book:
            submission = book.find_submission(ASSIGNMENT, "late")
            assert submission.timestamp == DUE + datetime.timedelta(days=2)
            assert [n.late_submission_penalty for n in submission.notebooks] == [2.0]
            very = book.find_submission(ASSIGNMENT, "very-late")
            assert very.late_submission_penalty == very.score > 0, "no more than there is"
            in_time = book.find_submission(ASSIGNMENT, "reference")
            assert [n.late_submission_penalty for n in in_time.notebooks] == [None]


def test_one_broken_submission_stops_no_other(graded: Graded) -> None:
    assert "broken" in graded.printed["nbgrader"]
    assert not any(graded.nbgrader.autograded(student).exists() for student in UNUSABLE)
    assert "not JSON" in verdicts(graded.ours, "broken").needs_human
    assert verdicts(graded.ours, "odd").outcome == "another notebook"
    for student in SUBMISSIONS.keys() - UNUSABLE:
        assert json.loads(graded.nbgrader.autograded(student).read_text("utf-8"))["cells"]


def test_repairs_and_what_needs_a_human_are_in_the_log(graded: Graded) -> None:
    log = graded.printed["nbgrader"]
    assert "edited: the locked cell 'knn-no-loops' had been edited: restored" in log
    assert "leaves needs a human" in log
    assert "exit status 0" in log


def test_regrading_keeps_what_people_wrote(graded: Graded, tmp_path: Path) -> None:
    """Both ways, and one after the other: scores, extra credit and comments given by hand."""
    by_us = graded.nbgrader.copy(tmp_path / "by-us")
    by_nbgrader = graded.ours.copy(tmp_path / "by-nbgrader")
    for course in (by_us, by_nbgrader):
        with course.gradebook() as book:
            names = (little.NOTEBOOK, ASSIGNMENT, "reference")
            written = book.find_grade(WRITTEN, *names)
            written.manual_score, written.needs_manual_grade = 1.5, False
            cell = book.find_grade("knn-no-loops", *names)
            cell.manual_score, cell.extra_credit, cell.needs_manual_grade = 3.0, 0.5, False
            book.find_comment(WRITTEN, *names).manual_comment = "Well seen."
            book.db.commit()
    words = (ASSIGNMENT, "--force", "--student", "reference")
    outcomes = finish(by_us.autograder("grade", *words), by_nbgrader.nbgrader("autograde", *words))
    assert [status for status, _ in outcomes] == [0, 0], outcomes
    for course in (by_us, by_nbgrader):
        grades = course.grades("reference")
        assert grades[WRITTEN] == (None, 1.5, True), "kept, and marked for another look"
        assert grades["knn-no-loops"] == (4.0, 3.0, True)
        assert grades["knn-one-loop"] == (2.0, None, False)
        with course.gradebook() as book:
            assert book.find_comment(WRITTEN, *names).comment == "Well seen."
            assert book.find_grade("knn-no-loops", *names).score == 3.5
            assert book.find_submission(ASSIGNMENT, "reference").score == CLASS_POINTS - 0.5 + 1.5


def test_feedback_holds_the_judges_messages(graded: Graded) -> None:
    page = feedback(graded.nbgrader, "squared")
    failed = [
        check
        for cell in verdicts(graded.ours, "squared").cells
        for check in cell.checks
        if not check.passed
    ]
    assert failed
    for check in failed:
        assert check.title.rstrip(".") in page
        assert check.message.split("\n")[0][:60] in page
    assert "2 of 2 points" in page


def feedback(course: Course, student: str) -> str:
    """The page's text, with the entities that hide an apostrophe or a bracket undone."""
    from html import unescape

    folder = course.root / "feedback" / student / ASSIGNMENT
    return unescape((folder / f"{little.NOTEBOOK}.html").read_text("utf-8"))


def test_feedback_and_graded_notebooks_hold_nothing_hidden(graded: Graded) -> None:
    never = ["hidden.check", "BEGIN HIDDEN", "BEGIN MARK", "BEGIN SOLUTION"]
    never += [SECRET, SECRET.encode().hex(), "rng.normal", "expect_close", "distinct_distances"]
    for student in SUBMISSIONS.keys() - UNUSABLE:
        for text in (
            feedback(graded.nbgrader, student),
            graded.nbgrader.autograded(student).read_text("utf-8"),
            graded.ours.autograded(student).read_text("utf-8"),
        ):
            marks = never if student == "blank" else [mark for mark in never if "SOL" not in mark]
            assert [mark for mark in marks if mark in text] == [], student


def test_messages_hold_no_long_arrays(graded: Graded) -> None:
    """A message may name a place and a number; never rows of what was expected."""
    for student in ("squared", "blank", "seeks"):
        for cell in verdicts(graded.ours, student).cells:
            for check in cell.checks:
                numbers = [word for word in check.message.split() if word.strip("[](),").isdigit()]
                assert len(numbers) < 8, check
                assert "array(" not in check.message
                assert len(check.message) < 600


STOCK = "c = get_config()\nc.CourseDirectory.root = {root!r}\n"


@pytest.fixture(scope="module")
def stock(released: Course) -> Course:
    """The same course graded without our configuration: nbgrader's own executor and sanitising."""
    course = released.copy(released.root.with_name("stock"))
    for folder in (course.root / "submitted").iterdir():
        if folder.name not in ("reference", "leaves", "edited", "pretends", "shadows"):
            folder.rename(course.root / folder.name)
    config = course.root / "nbgrader_config.py"
    config.write_text(STOCK.format(root=str(course.root)), "utf-8")
    finish(course.nbgrader("autograde", ASSIGNMENT))
    return course


@pytest.mark.parametrize("student", ["reference", "leaves", "edited"])
def test_the_stock_executor_hands_out_no_points(stock: Course, student: str) -> None:
    """The hook in the grade cell raises, whatever the answer is worth."""
    assert stock.points(student) == 0
    if student == "reference":
        document = json.loads(stock.autograded(student).read_text("utf-8"))
        errors = [
            output["ename"]
            for cell in document["cells"]
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]
        assert errors == ["UnprotectedError"] * 4


@pytest.mark.parametrize("student", ["pretends", "shadows"])
def test_only_our_executor_withstands_a_hook_of_ones_own(
    stock: Course, graded: Graded, student: str
) -> None:
    """Stock nbgrader believes the student's process; docs/threat-model.md says so.

    When this fails because the stock executor gives nothing any more: rejoice, and change both.
    """
    assert stock.points(student) == CLASS_POINTS
    assert graded.nbgrader.points(student) == 0
    assert graded.ours.points(student) == 0
