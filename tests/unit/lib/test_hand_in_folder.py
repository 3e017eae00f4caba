"""`cs231n submit`: what goes along from a folder, the zip, and its receipt."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from handed import RIGHT, document, write

from autograder.course import beside, helpers
from autograder.course.submissions import MAX_SIBLING
from autograder.notebook import pictures
from autograder.notebook import reading as graders_reading
from autograder.sandbox import packages
from cs231n_lib import submit as submit_in_cell
from cs231n_lib.cli import main
from cs231n_lib.hand_in import folder, look

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an assignment of two notebooks, of which one is there."""
    place = tmp_path / "assignment1"
    write(place / "little.ipynb", document(RIGHT, notebooks=("little", "other")))
    monkeypatch.chdir(tmp_path)
    return place


def submit(*arguments: str) -> int:
    return main(["submit", "--no-run", *arguments])


def test_an_incomplete_assignment_is_packed_and_said_to_be_so(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit("assignment1") == 1
    said = capsys.readouterr().out
    assert "! other.ipynb is missing." in said
    assert "assignment1.zip: 1 files, as it is, NOT COMPLETE: see above." in said
    with zipfile.ZipFile("assignment1.zip") as archive:
        assert archive.namelist() == ["little.ipynb"]
        assert archive.read("little.ipynb") == (work / "little.ipynb").read_bytes()
    receipt = Path("assignment1-receipt.txt").read_text("utf-8")
    digest = hashlib.sha256(Path("assignment1.zip").read_bytes()).hexdigest()
    assert f"SHA-256  {digest}" in receipt
    assert digest in said
    assert re.search(r"packed   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", receipt)
    assert "other.ipynb is missing." in receipt
    assert "The notebooks were not run." in receipt
    assert f"{hashlib.sha256((work / 'little.ipynb').read_bytes()).hexdigest()}" in receipt


def test_the_same_work_gives_the_same_bytes(work: Path, tmp_path: Path) -> None:
    """Whatever the time, and wherever it is packed from."""
    write(work / "other.ipynb", document(RIGHT, notebook="other", notebooks=("little", "other")))
    assert submit("assignment1") == 0
    first = (tmp_path / "assignment1.zip").read_bytes()
    (work / "little.ipynb").touch()
    assert submit(str(work), "--to", str(tmp_path / "elsewhere")) == 0
    assert (tmp_path / "elsewhere" / "assignment1.zip").read_bytes() == first
    kept = [path.name for path in tmp_path.iterdir()]
    assert sorted(kept) == [
        "assignment1", "assignment1-receipt.txt", "assignment1.zip", "elsewhere",
    ]  # fmt: skip


def test_what_goes_along(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = RIGHT | {"why": "See data.csv and sketch.svg."}
    write(work / "little.ipynb", document(answers))
    (work / "helper.py").write_text("A = 1\n")
    (work / "sketch.png").write_bytes(PNG)
    (work / "images").mkdir()
    (work / "images" / "deep.JPG").write_bytes(b"\xff\xd8\xff0")
    (work / ".ipynb_checkpoints").mkdir()
    (work / ".ipynb_checkpoints" / "old.png").write_bytes(PNG)
    (work / "fake.png").write_bytes(b"no picture")
    (work / "large.gif").write_bytes(b"GIF89a" + b"0" * folder.MAX_PICTURE)
    (work / "large.py").write_bytes(b"#" * (folder.MAX_MODULE + 1))
    (work / "linked.py").symlink_to("helper.py")
    for name in ("data.csv", "sketch.svg", "unnamed.csv"):
        (work / name).write_text("1,2\n")
    write(work / "scratch.ipynb", {"cells": [], "metadata": {}, "nbformat": 4})
    assert submit("assignment1") == 0
    with zipfile.ZipFile("assignment1.zip") as archive:
        assert archive.namelist() == ["helper.py", "images/deep.JPG", "little.ipynb", "sketch.png"]
    said = capsys.readouterr().out
    left = sorted(line.split()[3] for line in said.splitlines() if line[4:12] == "Left out")
    assert left == [
        "data.csv,", "fake.png", "large.gif", "large.py", "linked.py", "scratch.ipynb",
        "sketch.svg,",
    ]  # fmt: skip
    assert "unnamed.csv" not in said


def test_renamed_and_doubled_notebooks(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "little.ipynb").rename(work / "little (1).ipynb")
    write(work / "Copy of other.ipynb", document(RIGHT, notebook="other"))
    write(work / "other-2.ipynb", document(notebook="other"))
    assert submit("assignment1") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "other.ipynb may be 'Copy of other.ipynb' or 'other-2.ipynb', and they differ." in said
    assert "is called 'little (1).ipynb' and is graded as little.ipynb" in said
    with zipfile.ZipFile("assignment1.zip") as archive:
        assert archive.namelist() == ["little.ipynb"]
    (work / "other-2.ipynb").rename(work / "other.ipynb")
    assert submit("assignment1") == 1, "it has nothing in it"
    said = " ".join(capsys.readouterr().out.split())
    assert "Copy of other.ipynb is another copy of other.ipynb, and other.ipynb is taken." in said
    with zipfile.ZipFile("assignment1.zip") as archive:
        assert archive.namelist() == ["little.ipynb", "other.ipynb"]
        assert archive.read("other.ipynb") == (work / "other.ipynb").read_bytes()


def test_an_assignment_is_found_by_its_name(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(work)
    write(work / "third.ipynb", document(RIGHT, notebook="third", assignment="assignment3"))
    assert submit("assignment1") == 1
    assert submit("assignment3") == 1
    with zipfile.ZipFile(work / "assignment3.zip") as archive:
        assert archive.namelist() == ["third.ipynb"]
    assert submit(".") == 2
    assert "holds notebooks of assignment1 and assignment3: say which" in capsys.readouterr().err
    (work / "below").mkdir()
    monkeypatch.chdir(work / "below")
    assert submit("assignment2") == 2
    assert submit("..", "--to", str(work / "little.ipynb" / "x")) == 2, "still two"


def test_from_a_cell(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is known which notebook this is where Jupyter says so; else all in the folder are."""
    monkeypatch.chdir(work)
    write(work / "other.ipynb", document(notebook="other", notebooks=("little", "other")))
    monkeypatch.setenv("JPY_SESSION_NAME", "courses/assignment1/little.ipynb")
    submit_in_cell.check(run=False)
    said = capsys.readouterr().out
    assert "little.ipynb: assignment1" in said
    assert "other.ipynb: assignment1" not in said
    monkeypatch.delenv("JPY_SESSION_NAME")
    submit_in_cell.check(run=False)
    assert "other.ipynb: assignment1" in capsys.readouterr().out
    submit_in_cell.submit(run=False)
    assert "assignment1.zip: 2 files, as it is, NOT COMPLETE" in capsys.readouterr().out
    assert (work / "assignment1.zip").is_file()
    monkeypatch.setenv("CS231N_CHECKING", "1")
    (work / "assignment1.zip").unlink()
    submit_in_cell.submit(run=False)
    words = "submit.submit does nothing while the notebook is checked.\n"
    assert capsys.readouterr().out == words
    assert not (work / "assignment1.zip").exists()


def test_a_folder_that_cannot_be_written(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit("assignment1", "--to", str(work / "little.ipynb")) == 1
    assert "say with --to where the zip may be written" in capsys.readouterr().err


def test_a_damaged_notebook_is_said_and_the_rest_packed(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "other.ipynb").write_text("<<<<<<< HEAD\n")
    assert submit("assignment1") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "other.ipynb: not a notebook (its JSON is damaged)" in said
    assert "other.ipynb is missing" in said
    with zipfile.ZipFile("assignment1.zip") as archive:
        assert archive.namelist() == ["little.ipynb"]


def test_the_limits_are_those_of_the_graders() -> None:
    assert (folder.MAX_MODULE, folder.MAX_MODULES) == (helpers.MAX_BYTES, helpers.MAX_FILES)
    assert (folder.MAX_PICTURE, folder.MAX_PICTURES) == (
        pictures.MAX_PICTURE, pictures.MAX_PICTURES,
    )  # fmt: skip
    assert (folder.MAX_BESIDE, folder.MAX_FOLDERS) == (beside.MAX_BESIDE, beside.MAX_FOLDERS)
    assert folder.MAX_BESIDE_NOTEBOOK == MAX_SIBLING
    assert pictures.SUFFIXES.keys() == folder.PICTURES
    assert beside.JUNK == folder.JUNK
    assert look.MAX_BYTES == graders_reading.MAX_BYTES
    names = {"scikit-image": "skimage", "scikit-learn": "sklearn"}
    assert {names.get(name, name) for name in packages.ABSENT} <= look.HIDDEN
