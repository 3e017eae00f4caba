"""`cs231n check`: what it says of a notebook, with a real kernel where that is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from handed import CELLS, RIGHT, TEST, document, write

from cs231n_lib.cli import main
from cs231n_lib.hand_in.note import GIVEN, note_of


def cs231n(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cs231n_lib.cli", *arguments],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def rows(text: str) -> dict[str, str]:
    """What the table says of each question: its state, with a mark before it where it is open."""
    found = {}
    for line in text.splitlines():
        mark, name, *rest = (line[2:3], *line[4:].split()) if line[:2] == "  " else ("", "", "")
        if name in ("test-double", "test-halve", "why"):
            found[name] = f"{mark} {' '.join(rest)}".strip()
    return found


def test_a_finished_notebook_is_ready(tmp_path: Path) -> None:
    """One that uses an earlier notebook, a module beside it, and a cell that would hand it in."""
    write(tmp_path / "assignment1" / "little.ipynb", document(RIGHT))
    (tmp_path / "assignment2").mkdir()
    (tmp_path / "assignment2" / "helper.py").write_text("THREE = 3\n")
    (tmp_path / "assignment2" / "notes.csv").write_text("1,2\n")
    extra = (
        "%pip install nothing-of-this-name\nif True:\n    !python -m pip install nor-this",
        "from helper import THREE\nfrom cs231n_lib.notebooks import load\n"
        'assert load("little").double(THREE) == 6',
        "from cs231n_lib import submit\nsubmit.check(); submit.submit()",
        'import os\nassert not os.path.exists("notes.csv")',
    )
    second = document(
        RIGHT, extra, notebook="second", assignment="assignment2", loads=("assignment1/little",)
    )
    write(tmp_path / "assignment2" / "second.ipynb", second)
    done = cs231n("check", folder=tmp_path / "assignment2")
    assert rows(done.stdout) == {
        "test-double": "2 2 passed 1. Doubling",
        "test-halve": "3 2 passed 2. Halving",
        "why": "4 answered Question 1",
    }
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "second.ipynb: assignment2, 3 questions, 9 points; 9 cells run in ",
        "1 cell only to be looked at: left out",
        "4 cells of your own: run, but worth no points.",
        "Lines that install packages do nothing",
        "Nothing is known to be open.",
        "This is no mark: ",
        "hidden checks",
    ):
        assert said in " ".join(done.stdout.split()), said
    assert "running 9 cells" in done.stderr
    left = sorted(path.name for path in (tmp_path / "assignment2").iterdir())
    assert left == ["helper.py", "notes.csv", "second.ipynb"], "nothing is left behind"


def test_what_is_open_is_named(tmp_path: Path) -> None:
    """A wrong answer, a stub, no answer in words, and changes to what is not one's own."""
    answers = {
        "double": "def double(x):\n    return x + 2",
        "setup": "from cs231n_lib.feedback import check_equal\n1 / 0",
        "test-halve": "halve(1)",
    }
    path = write(tmp_path / "Copy of little.ipynb", document(answers, loads=("a0/zero",)))
    done = cs231n("check", path.name, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert rows(done.stdout) == {
        "test-double": "! 2 1 passed, 1 failed 1. Doubling",
        "test-halve": "! 3 not written yet 2. Halving",
        "why": "! 4 not answered Question 1",
    }
    for said in (
        "✗ double of 3: it is 5, but 6 was expected",
        "To be written: halve.",
        "! The cell 'setup' stops: ZeroDivisionError: division by zero",
        "is called 'Copy of little.ipynb' and is graded as little.ipynb",
        "! It uses zero of a0, which is not here.",
        "Locked cells were changed; the released ones count: test-halve.",
        "Cells of the course were changed; yours are run",
        "Open: questions worth 9 of 9 points.",
    ):
        assert said in " ".join(done.stdout.split()), said


def test_a_cell_that_stops_at_its_stub_is_not_written(tmp_path: Path) -> None:
    """Its test then meets what stands above the stub, such as an empty list, or no name at all."""
    stub = 'raise NotImplementedError("{0}: write your code here")'
    answers = {"double": f"double = int\n{stub.format('double')}", "halve": stub.format("halve")}
    path = write(tmp_path / "little.ipynb", document(answers))
    done = cs231n("check", path.name, folder=tmp_path)
    assert rows(done.stdout) == {
        "test-double": "! 2 not written yet 1. Doubling",
        "test-halve": "! 3 not written yet 2. Halving",
        "why": "! 4 not answered Question 1",
    }
    assert "was expected" not in done.stdout
    written = answers | {"double": "double = int"}  # finished, and wrong: the test has the word
    done = cs231n("check", write(path, document(written)).name, folder=tmp_path)
    assert rows(done.stdout)["test-double"] == "! 2 0 passed, 1 failed 1. Doubling"
    assert "double of 2: it is 2, but 4 was expected" in done.stdout


def test_a_cell_of_the_course_waits_for_what_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of results that a stub would have defined is no mistake of anybody's."""
    monkeypatch.setitem(CELLS, "table", (GIVEN, "print(doubled)", 0))
    stub = 'raise NotImplementedError("double: write your code here")\ndoubled = 2'
    path = write(tmp_path / "little.ipynb", document(RIGHT | {"double": stub}))
    said = cs231n("check", path.name, folder=tmp_path).stdout
    assert "- The cell 'table' waits for code of yours." in said
    assert "stops" not in said
    for other in ("def double(x):\n    return 2 * x", stub.partition("\n")[0]):  # none gives it
        write(path, document(RIGHT | {"double": other}))
        said = cs231n("check", path.name, folder=tmp_path).stdout
        assert "! The cell 'table' stops: NameError: name 'doubled' is not defined" in said


def test_a_cell_that_never_ends_and_a_kernel_that_dies(tmp_path: Path) -> None:
    """Nothing is imported, so that each of the other cells takes no time on any machine."""
    answers = RIGHT | {"setup": "import time", "test-halve": 'print("✓ one half")'}
    answers["test-double"] = 'print("✓ first")\nwhile True:\n    time.sleep(0.01)'
    path = write(tmp_path / "little.ipynb", document(answers, ("import os\nos._exit(1)", "1")))
    done = cs231n("check", path.name, "--seconds", "10", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert rows(done.stdout)["test-double"] == "! 2 1 passed, 1 failed 1. Doubling"
    assert "interrupted after 10 s: is there a loop that never ends?" in done.stdout
    assert rows(done.stdout)["test-halve"] == "3 1 passed 2. Halving", "the rest is run"
    said = " ".join(done.stdout.split())
    assert "! Your own cell (number 11 in the notebook) stops: the kernel died here" in said
    assert "! Nothing below was run: the kernel died in a cell of your own" in said


def look(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["check", "--no-run", str(path)])
    return status, " ".join(capsys.readouterr().out.split())


def test_looking_without_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "little.ipynb", document(RIGHT))
    status, said = look(path, capsys)
    assert status == 0
    assert "It was not run, so nothing is known of its visible checks." in said
    assert "no mark" in said


def test_cells_that_are_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = ("test-halve", "halve", "setup", "picture", "title")
    path = write(tmp_path / "little.ipynb", document(RIGHT, without=gone))
    status, said = look(path, capsys)
    assert status == 1
    assert "Graded cells are missing, 3 points in all, and come back as released: test-halv" in said
    assert "Cells for your code are missing and come back empty: halve." in said
    assert "Cells of the course come back as released: setup." in said
    assert "! test-halve 3 the cell is missing" in said


def test_cells_are_known_without_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As editors leave them: other ids, no metadata, other line ends."""
    changed = document(RIGHT)
    for number, cell in enumerate(changed["cells"]):
        cell["metadata"] = {"id": cell["id"]} if cell["id"] in RIGHT else {}
        cell["id"] = f"cell-{number}"
        cell["source"] = cell["source"].replace("\n", "\r\n").splitlines(keepends=True)
    status, said = look(write(tmp_path / "little.ipynb", changed), capsys)
    assert status == 0, said
    assert "3 questions, 9 points" in said
    assert "1 cell only to be looked at" in said


def test_where_the_note_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """nbgrader's metadata of the cells still tell what is graded."""
    lost = document({"double": RIGHT["double"]})
    del lost["metadata"]["cs231n"]
    status, said = look(write(tmp_path / "assignment7" / "little.ipynb", lost), capsys)
    assert status == 1
    assert "little.ipynb: assignment7, 3 questions, 9 points" in said
    assert "To be written: halve." in said
    assert "! why 4 not answered" in said
    assert "What the release says about this notebook is lost" in said


def test_packages_that_are_not_there_when_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = RIGHT | {"double": f"import scipy.linalg\nfrom torch import nn\n{RIGHT['double']}"}
    path = write(tmp_path / "little.ipynb", document(answers, packages="numpy"))
    status, said = look(path, capsys)
    assert status == 1
    assert "! It is graded without scipy, torch: its questions are to be answered with" in said
    write(path, document(answers, packages="all"))
    assert look(path, capsys)[0] == 0


def test_a_large_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = document(RIGHT)
    large["cells"][1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 6_000_000}
    ]
    status, said = look(write(tmp_path / "little.ipynb", large), capsys)
    assert status == 1
    assert "It has 5.7 MB: no later notebook can load more than 5. Clear its outputs" in said


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["check", "nothing.ipynb"], 2, "there is no such file or folder"),
        (["check"], 2, "no notebook of a course is in this folder"),
        (["check", "text.ipynb"], 1, "not a notebook (its JSON is damaged)"),
        (["submit", "assignment1"], 2, "no notebooks of 'assignment1' here"),
        (["check", "own.ipynb"], 2, "a notebook of your own, not one of a course"),
        (["submit", "."], 2, "no notebook of a course is in this folder"),
        (["check", "--seconds", "0"], 2, "invalid"),
        (["--version"], 0, ""),
    ],
)
def test_wrong_use(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    if arguments[-1] == "text.ipynb":
        Path("text.ipynb").write_text("no notebook")
    if arguments[-1] == "own.ipynb":
        write(Path("own.ipynb"), {"cells": [], "metadata": [], "nbformat": 4})
    try:
        returned = main(arguments)
    except SystemExit as stop:  # argparse's way
        returned = stop.code
    assert returned == status
    assert words in capsys.readouterr().err


def test_without_jupyter_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    write(tmp_path / "little.ipynb", document(RIGHT))
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "nbclient.py").write_text("raise ModuleNotFoundError('hidden', name='nbclient')\n")
    done = cs231n("check", "little.ipynb", folder=tmp_path, PYTHONPATH=str(hidden))
    assert done.returncode == 1
    assert 'pip install ".[jupyter]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_note_is_stable() -> None:
    found = note_of(document())
    assert found is not None
    assert found == note_of({"metadata": {"cs231n": {"hand_in": found.as_metadata()}}})
    assert TEST not in str(found.as_metadata()), "digests only"
    assert note_of({"metadata": {"cs231n": {"hand_in": {"assignment": 3}}}}) is None
    assert note_of({"metadata": []}) is None
