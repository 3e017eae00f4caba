"""Broken submissions get what a fair TA would give, in real kernels, and lose nothing."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.authoring.release import release
from autograder.batch.run import grade_assignment
from autograder.course.submissions import Submission
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.sandbox.policy import SandboxError
from tests.little import ASSIGNMENT, CLASS_POINTS, answer, cell_of, submit, write_course


def code(source: str) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}


def insert(index: int, source: str) -> Callable[[dict], None]:
    return lambda document: document["cells"].insert(index, code(source))


def strip(document: dict) -> None:
    for cell in document["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


def retype(document: dict) -> None:
    cell_of(document, "k-nearest-neighbor")["cell_type"] = "raw"
    cell_of(document, "knn-no-loops")["cell_type"] = "markdown"


def duplicate(document: dict) -> None:
    document["cells"] += copy.deepcopy(document["cells"])


def edit_locked(document: dict) -> None:
    cell_of(document, "knn-no-loops")["source"] = "1000"
    cell_of(document, "knn-no-loops")["metadata"]["nbgrader"]["points"] = 1000


def delete_tests(document: dict) -> None:
    document["cells"] = [c for c in document["cells"] if not c["id"].startswith("knn-")]


# name: (bytes handed in, score, part of what the TA is told, part of the repairs)
BROKEN: dict[str, tuple[bytes, float, str, str]] = {
    "whole": (answer(), CLASS_POINTS, "", ""),
    "not-json": (b"{'cells': ", 0, "not JSON", ""),
    "empty": (b"", 0, "the file is empty", ""),
    "stripped": (answer(strip), CLASS_POINTS, "", "had lost its name"),
    "duplicated": (answer(duplicate), CLASS_POINTS, "", "a copy of the test cell"),
    "reordered": (answer(lambda d: d["cells"].reverse()), CLASS_POINTS, "", "another order"),
    "tests-deleted": (answer(delete_tests), CLASS_POINTS, "", "was missing: restored"),
    "answer-deleted": (answer(lambda d: d["cells"].pop(1)), 0, "", "'k-nearest-neighbor' was mis"),
    "retyped": (answer(retype), CLASS_POINTS, "", "had become a raw cell"),
    "locked-edited": (answer(edit_locked), CLASS_POINTS, "", "had been edited: restored"),
    "extra-cells": (answer(insert(3, "import numpy as np; y = 1")), CLASS_POINTS, "", ""),
    "bom-crlf": (
        b"\xef\xbb\xbf" + answer().replace(rb"\n", rb"\r\n"),
        CLASS_POINTS,
        "",
        "byte order mark",
    ),
    "input": (answer(insert(1, "name = input('who? ')")), CLASS_POINTS, "", ""),
    "syntax-error": (answer(insert(1, "def broken(:")), CLASS_POINTS, "", ""),
    "dies-in-the-middle": (
        answer(insert(5, "import os; os._exit(0)")),
        4,
        "ended (exit status 0) in cell 'extra-1'",
        "",
    ),
    "segfault": (answer(insert(3, "import ctypes; ctypes.string_at(0)")), 2, "'extra-1'", ""),
    "endless-loop": (answer(insert(3, "while True: pass")), CLASS_POINTS, "", ""),
    "floods": (answer(insert(3, "for _ in range(50): print('x' * 2**20)")), CLASS_POINTS, "", ""),
    "nests-deeply": (answer(insert(1, f"y = {'-' * 100_000}1")), CLASS_POINTS, "", ""),
    "chains-deeply": (answer(insert(1, f"y = 0{' + 1' * 2_000}")), CLASS_POINTS, "", ""),
    "stderr": (answer(insert(1, "import warnings; warnings.warn('x')")), CLASS_POINTS, "", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The whole broken class graded in one go: no submission may disturb another."""
    root = write_course(tmp_path_factory.mktemp("course"))
    release(root)
    for name, (data, *_) in BROKEN.items():
        submit(root, name, data)
    submit(root, "misnamed", answer(), "KNN (1).ipynb")
    (root / "submitted" / "absent" / ASSIGNMENT).mkdir(parents=True)
    done = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    return {one.student: one for one in done}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_submission_gets_what_is_fair(graded, name) -> None:
    _, score, human, repairs = BROKEN[name]
    one: GradedNotebook = graded[name]
    assert one.score == score
    assert one.max_score == CLASS_POINTS
    assert human in one.needs_human
    assert bool(human) == bool(one.needs_human)
    assert repairs in "; ".join(one.repairs)


def test_every_graded_notebook_is_valid_and_says_its_score_to_nbgrader(graded) -> None:
    for one in graded.values():
        document = nbformat.reads(one.document, as_version=4)
        nbformat.validate(document)
        if not one.timings:
            continue  # nothing ran
        scores = {
            cell.metadata.nbgrader.grade_id: determine_grade(cell)[0]
            for cell in document.cells
            if cell.metadata.get("nbgrader", {}).get("locked")
        }
        assert scores == {cell.grade_id: cell.score for cell in one.cells}


def test_what_was_not_reached_says_why(graded) -> None:
    notes = {c.grade_id: c.note for c in graded["dies-in-the-middle"].cells}
    assert notes["knn-two-loops"] == notes["knn-one-loop"] == ""
    assert "not reached: the notebook's process ended" in notes["knn-no-loops"]


def test_one_clear_lookalike_is_graded_and_named(graded) -> None:
    assert graded["misnamed"].needs_human == ""
    assert graded["misnamed"].repairs == ("knn.ipynb was handed in as 'KNN (1).ipynb'",)
    assert graded["misnamed"].score == CLASS_POINTS
    assert graded["absent"].score == 0
    assert graded["absent"].cells[0].note == "not handed in"
    assert graded["absent"].needs_human == "knn.ipynb is missing"


def test_a_link_to_somebody_elses_work_is_not_followed(zygote, tmp_path: Path) -> None:
    root = write_course(tmp_path)
    release(root)
    theirs = submit(root, "bob", answer())
    link = submit(root, "eve", b"")
    link.unlink()
    link.symlink_to(theirs)
    (link.parent / "sibling.ipynb").symlink_to(theirs)
    bob, eve = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    assert bob.score == CLASS_POINTS
    assert eve.score == 0
    assert eve.needs_human == "knn.ipynb is a symbolic link, which is not followed"
    assert Submission("eve", link.parent).files() == {}


def test_the_time_out_is_reported_in_the_cell(graded) -> None:
    document = json.loads(graded["endless-loop"].document)
    [cell] = [c for c in document["cells"] if c["id"] == "extra-1"]
    assert cell["outputs"][-1]["text"].startswith("Interrupted after 4 s")


def test_a_function_that_hangs_costs_one_time_out_a_cell(zygote, tmp_path: Path) -> None:
    def hang(document: dict) -> None:
        cell = cell_of(document, "k-nearest-neighbor")
        head, _, tail = cell["source"].partition("dists = np.zeros((len(X)")
        cell["source"] = f"{head}while True: pass\n        dists = np.zeros((len(X){tail}"

    root = write_course(tmp_path)
    release(root)
    submit(root, "hangs", answer(hang))
    [one] = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    first = one.cells[0]
    assert first.score == 0
    assert "took longer than 2 s" in first.checks[0].message
    assert all("not run" in check.message for check in first.checks[1:])
    assert one.score == CLASS_POINTS - first.points


def test_what_is_unchanged_is_not_graded_again(zygote, tmp_path: Path) -> None:
    root = write_course(tmp_path)
    release(root)
    path = submit(root, "ann", answer())
    submit(root, "bob", b"")
    events = []

    def grade(**options) -> list[bool]:
        events.clear()
        grade_assignment(root, ASSIGNMENT, lambda: zygote, on_event=events.append, **options)
        return [event.reused for event in events if event.graded]

    assert grade() == [False, False]
    assert grade() == [True, True]
    assert grade(force=True) == [False, False]
    path.write_bytes(answer(insert(1, "x = 1")))
    assert grade() == [False, True]
    assert grade(students="b*") == [True]


def test_without_isolation_nobody_is_graded(tmp_path: Path) -> None:
    """A host on which nothing can be run safely is no reason to give everybody 0 points."""
    root = write_course(tmp_path / "course")
    submit(root, "ada", answer())
    release(root)

    def nothing_works() -> Zygote:
        raise SandboxError("probe", "no tier works here")

    with pytest.raises(SandboxError, match="no tier works here"):
        grade_assignment(root, ASSIGNMENT, nothing_works)
    assert not (root / "autograded").exists()
