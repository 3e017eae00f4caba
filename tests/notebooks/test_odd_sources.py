"""What instructors may put into source/: mended where it is clear, else named to the field."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder.cli.main import main
from autograder.course.config import open_gradebook

PICTURE = {"image/png": "iVBORw0KGgo="}
WRONG_USE = 2


def markdown(source: str, **more: object) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code(source: str, **metadata: object) -> dict:
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def about(**changes: object) -> dict:
    """The metadata of a test cell; a change to ... takes a field away."""
    fields = {
        "grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3,
        "grade_id": "q1", "points": 1,
    } | changes  # fmt: skip
    return {name: value for name, value in fields.items() if value is not ...}


def test_cell(**changes: object) -> dict:
    return code("assert True", nbgrader=about(**changes))


test_cell.__test__ = False  # type: ignore[attr-defined]


def write(course: Path, cells: list[dict], minor: int = 5, **metadata: object) -> Path:
    if minor >= 5:
        cells = [{"id": f"c{number}"} | cell for number, cell in enumerate(cells)]
    path = course / "source" / "toy" / "toy.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": minor}
    path.write_text(json.dumps(document), "utf-8")
    return path


def release(course: Path) -> Result:
    return CliRunner().invoke(main, ["release", "--root", str(course)])


def cells_of(path: Path) -> list[dict]:
    return json.loads(path.read_text("utf-8"))["cells"]


# -- what cannot be released ----------------------------------------------------------------------

WRITTEN = about(solution=True, grade_id="w1")
COMPLAINTS: dict[str, tuple[dict, str]] = {
    "points null": (test_cell(points=None), "points is null; a graded cell has a number"),
    "points negative": (test_cell(points=-2), "points is -2; "),
    "points a word": (test_cell(points="2"), 'points is "2"; '),
    "points true": (test_cell(points=True), "points is true; "),
    "points infinite": (test_cell(points=float("inf")), "points is Infinity; "),
    "points missing": (test_cell(points=...), "points is missing; "),
    "grade_id with a blank": (test_cell(grade_id="q 1!"), 'grade_id is "q 1!"; use letters'),
    "grade_id a number": (test_cell(grade_id=7), "grade_id is 7; use letters"),
    "grade_id missing": (test_cell(grade_id=...), "grade_id is missing; add one"),
    "schema 1": (test_cell(schema_version=1), "schema_version is 1, where nbgrader now has 3; run"),
    "schema missing": (test_cell(schema_version=...), "schema_version is missing, where"),
    "schema a word": (test_cell(schema_version="3"), 'schema_version is "3", where'),
    "schema 4": (test_cell(schema_version=4), "schema_version is 4, from a newer nbgrader"),
    "grade a word": (test_cell(grade="yes"), 'grade is "yes"; make it true or false'),
    "locked missing": (test_cell(locked=...), "'locked' is a required property"),
    "unknown field": (test_cell(pionts=1), "'pionts' was unexpected"),
    "no metadata": (code("1", nbgrader=[3]), "nbgrader is [3]; make it what nbgrader writes"),
    "tags a word": (code("1", tags="skip"), "field metadata.tags: 'skip' is not of type"),
    "graded text": (markdown("x") | {"metadata": {"nbgrader": about()}}, "grade is true in a cell"),
    "answer without points": (
        markdown("x") | {"metadata": {"nbgrader": WRITTEN | {"grade": False}}},
        "solution is true in a cell of text without grade",
    ),
    "task of code": (test_cell(task=True), "task is true in a cell of code"),
    "half an emoji": (code("mood = '\ud83d'"), "half a character; type it again"),
    "source a number": (code("1") | {"source": 3}, "field source: 3 is not valid"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLAINTS)
def test_release_names_the_cell_and_the_field(tmp_path: Path, name: str) -> None:
    cell, complaint = COMPLAINTS[name]
    write(tmp_path, [code("1"), cell])
    result = release(tmp_path)
    assert result.exit_code == WRONG_USE, result.output
    assert re.search(r"toy\.ipynb: cell 'c1'[:, ]", result.output), result.output
    assert complaint in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"cell_seconds": "60s"}, 'cell_seconds is "60s"; make it a number above 0'),
        ({"notebook_seconds": 0}, "notebook_seconds is 0; "),
        ({"memory_mb": None}, "memory_mb is null; "),
        ({"gpu": {"share": 1, "memory_mb": "8G"}}, 'gpu: memory_mb is "8G"; '),
        ({"cell_secs": 60}, "there is no field 'cell_secs'; there are cell_seconds, call_"),
        (60, "metadata 'cs231n' is 60; make it what"),
    ],
)
def test_limits_of_a_notebook_are_numbers(tmp_path: Path, settings: object, complaint: str) -> None:
    write(tmp_path, [code("1")], cs231n=settings)
    result = release(tmp_path)
    assert (result.exit_code, complaint in result.output) == (WRONG_USE, True), result.output


def test_two_cells_with_one_grade_id_are_both_named(tmp_path: Path) -> None:
    write(tmp_path, [test_cell(), code("1"), test_cell()])
    said = release(tmp_path).output
    assert "toy.ipynb: cell 'c2': grade_id is 'q1', and so is that of cell 'c0'; " in said


def test_limits_of_a_release_that_somebody_edited_end_in_one_line(tmp_path: Path) -> None:
    write(tmp_path, [test_cell()], cs231n={"cell_seconds": "60s"})
    (tmp_path / "source").rename(tmp_path / "release")
    (tmp_path / "submitted" / "ann" / "toy").mkdir(parents=True)
    arguments = ["grade", "toy", "--workers", "2", "--root", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == WRONG_USE, result.output
    assert "toy.ipynb: metadata 'cs231n': cell_seconds is \"60s\"; " in result.output


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("SOLUTIONS.md", "see the lecture", "sounds like what students must not see"),
        ("notes/knn-rubric.txt", "2 points", "sounds like what students must not see"),
        ("helpers.py", "x = 1\n### BEGIN SOLUTION\nx = 2\n", "holds 'BEGIN SOLUTION'"),
        ("toy.ipynb.bak", "### BEGIN HIDDEN TESTS", "holds 'BEGIN HIDDEN TESTS'"),
    ],
)
def test_what_looks_like_a_solution_is_not_copied(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    other = write(tmp_path, [code("1")]).parent / name
    other.parent.mkdir(exist_ok=True)
    other.write_text(text)
    result = release(tmp_path)
    assert result.exit_code == WRONG_USE, result.output
    assert f"{other}: would be released as it is, and {why}; move it out" in result.output
    assert not (tmp_path / "release").exists()


# -- what is mended -------------------------------------------------------------------------------

OLD = [
    markdown("# Nearest neighbours: *how* far is near?"),
    markdown("# Nearest neighbours: *how* far is near?"),
    code("import numpy as np\n\ndistances = np.zeros(3)"),
    code("def twoLoops(X):\n    pass"),
    code("x = 1", id="from-colab"),
    code("%matplotlib inline"),
    code(""),
    test_cell(grade_id="knn-q1"),
    markdown(
        "![the proof](attachment:proof%201.png)",
        attachments={"proof 1.png": PICTURE},
    )
    | {"metadata": {"nbgrader": WRITTEN}},
    markdown("![p](attachment:my%20p.png)", attachments={"my p.png": PICTURE, "old.png": PICTURE}),
]
NAMES = [
    "nearest-neighbours-how-far-is",
    "nearest-neighbours-how-far-is-2",
    "distances-np-zeros-3",
    "two-loops",
    "from-colab",
    "matplotlib-inline",
    "code",
    "knn-q1",
    "w1",
    "p-attachment-my-20p-png",
]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A course whose source is of nbformat 4.2, with data beside it, released."""
    course = tmp_path_factory.mktemp("course")
    folder = write(course, OLD, minor=2).parent
    (folder / "data").mkdir()
    (folder / "data" / "heights.csv").write_text("1,2\n")
    return course, release(course)


def test_a_source_of_an_older_format_gets_ids_that_say_something(released) -> None:
    course, result = released
    assert result.exit_code == 0, result.output
    source = course / "source" / "toy" / "toy.ipynb"
    assert [cell["id"] for cell in cells_of(source)] == NAMES
    assert json.loads(source.read_text())["nbformat_minor"] == 5
    assert [cell["id"] for cell in cells_of(course / "release" / "toy" / "toy.ipynb")] == NAMES


def test_release_lists_whatever_it_writes(released) -> None:
    assert released[1].output.splitlines() == [
        "source/toy/toy.ipynb: was of nbformat 4.2, is of 4.5, and 10 cells got an id",
        "release/toy/data/heights.csv (not a notebook: copied unchanged)",
        "release/toy/toy.ipynb",
    ]


def test_pasted_pictures_are_released_but_for_those_of_solutions(released) -> None:
    course, _ = released
    kept = {cell["id"]: cell for cell in cells_of(course / "source" / "toy" / "toy.ipynb")}
    assert set(kept[NAMES[-1]]["attachments"]) == {"my p.png", "old.png"}
    students = {cell["id"]: cell for cell in cells_of(course / "release" / "toy" / "toy.ipynb")}
    assert students[NAMES[-1]]["attachments"] == {"my p.png": PICTURE}
    assert "".join(students["w1"]["source"]) == "*Your answer:*"
    assert "attachments" not in students["w1"]


def test_names_stay_when_the_content_changes_and_a_second_run_changes_nothing(
    released, tmp_path: Path
) -> None:
    course = shutil.copytree(released[0], tmp_path / "course")
    source = course / "source" / "toy" / "toy.ipynb"
    before = source.read_bytes()
    assert release(course).output.splitlines()[-1] == "release/toy/toy.ipynb"
    assert source.read_bytes() == before
    source.write_text(before.decode().replace("twoLoops", "one_loop"))
    release(course)
    assert [cell["id"] for cell in cells_of(course / "release" / "toy" / "toy.ipynb")] == NAMES


def test_ids_that_cannot_be_used_are_replaced_and_others_kept(released, tmp_path: Path) -> None:
    """Whatever wrote them: two cells with one id, one with blanks in it, one that has none."""
    course = shutil.copytree(released[0], tmp_path / "course")
    ids = ["mine", "mine", "not an id", ""]
    cells = [code(f"step{n} = {n}") | {"id": name} for n, name in enumerate(ids)]
    source = write(course, cells)
    assert "3 cells got an id" in release(course).output
    assert [c["id"] for c in cells_of(source)] == ["mine", "step1-1", "step2-2", "step3-3"]


# -- grading without what release makes -----------------------------------------------------------


def test_a_gradebook_is_made_without_an_activated_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    open_gradebook(tmp_path).close()
    assert (tmp_path / "gradebook.db").is_file()


def test_grade_without_gradebook_and_source_says_what_to_do(released, tmp_path: Path) -> None:
    shutil.copytree(released[0] / "release" / "toy", tmp_path / "release" / "assignment1")
    toy = tmp_path / "release" / "assignment1" / "toy.ipynb"
    toy.rename(toy.with_name("knn.ipynb"))  # a notebook that has checks
    (tmp_path / "submitted" / "ann" / "assignment1").mkdir(parents=True)
    arguments = ["grade", "assignment1", "--workers", "2", "--root", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == WRONG_USE, result.output
    assert "the gradebook does not know assignment1, and " in result.output
    assert "copy gradebook.db, or source/assignment1, from where" in result.output
