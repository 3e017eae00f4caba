"""`python -m autograder` for instructors: `checks` and `refresh` from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import little
from tests.e2e.courses import Course, run
from tests.little import ASSIGNMENT, NOTEBOOK, cell_of

WRONG_USE = 2


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(little.write_course(tmp_path_factory.mktemp("instructor") / "course"))
    run(made.autograder("release"))
    return made


def test_checks_lists_each_question_with_points_weights_and_probes(course: Course) -> None:
    lines = run(course.autograder("checks", ASSIGNMENT, NOTEBOOK)).splitlines()
    rows = [[part.strip() for part in line.split("│")[1:-1]] for line in lines if "│" in line]
    first = next(row for row in rows if row[0] == "knn-two-loops")
    assert first[1] == "2"  # points
    assert first[4].startswith("KNN-A")
    assert [row for row in rows if row[3] == "advice"]
    assert [row for row in rows if row[3].endswith("condition")]
    asked = [row[0] for row in rows if row[0]]
    assert asked == ["knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("assignment7",), "assignment7 has no notebooks"),
        ((ASSIGNMENT, "knm"), "has no notebook 'knm'; it has knn"),
    ],
)
def test_checks_of_what_is_not_there_is_wrong_use(course: Course, words, says) -> None:
    printed = run(course.autograder("checks", *words), WRONG_USE)
    assert says in " ".join(printed.split())
    assert "Traceback" not in printed


def test_refresh_stores_the_outputs_that_nbval_compares(course: Course) -> None:
    copy = course.copy(course.root.with_name("refreshed"))
    path = copy.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(path.read_text("utf-8"))
    cell = cell_of(document, "imports")
    cell["source"], cell["metadata"] = "print(6 * 7)", {"tags": ["nbval-check-output"]}
    path.write_text(json.dumps(document), "utf-8")
    assert f"refreshed {path}" in run(copy.autograder("refresh", str(path)))
    after = cell_of(json.loads(path.read_text("utf-8")), "imports")
    assert "".join(after["outputs"][0]["text"]) == "42\n"
    assert after["execution_count"] is None


def broken(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    cell_of(document, "imports")["source"] = "1 / 0"
    path.write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (broken, "a cell failed, so nothing was written"),
        (lambda path: path.write_text("{", "utf-8"), "not a readable notebook"),
        (lambda path: path.unlink(), "not a readable notebook"),
    ],
)
def test_refresh_says_what_is_wrong_and_writes_nothing(
    course: Course, tmp_path: Path, change, says
) -> None:
    copy = course.copy(tmp_path / "course")
    path = copy.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    change(path)
    before = path.read_bytes() if path.exists() else None
    printed = run(copy.autograder("refresh", str(path)), WRONG_USE)
    assert says in " ".join(printed.split())
    assert "site-packages" not in printed
    assert (path.read_bytes() if path.exists() else None) == before
