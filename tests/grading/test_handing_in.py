"""From a release to what is collected: `cs231n submit`, and the words in each notebook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring.handing_in import fill_in
from autograder.authoring.release import ReleaseError, make_release
from autograder.batch.fingerprints import without_told
from autograder.cli.main import main as autograder
from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.judge.registry import checks_for
from autograder.judge.zygote import Zygote
from autograder.notebook.repair import repair
from autograder.notebook.shown import HANDING_IN, is_told
from autograder.notebook.template import load_template
from cs231n_lib.hand_in.note import digest, note_of
from tests import little

ROOT = Path(__file__).parents[2]
WORDS = (ROOT / "source" / "handing_in.md").read_text("utf-8")
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = little.write_course(tmp_path_factory.mktemp("course"))
    (root / "source" / "handing_in.md").write_text(WORDS, "utf-8")
    make_release(root, little.ASSIGNMENT)
    return root


@pytest.fixture
def released(course: Path) -> dict:
    return json.loads((course / "release" / little.ASSIGNMENT / "knn.ipynb").read_text("utf-8"))


# -- the words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_every_released_notebook_ends_with_how_to_hand_in(path: Path) -> None:
    text = path.read_text("utf-8")
    document = json.loads(text)
    last = document["cells"][-1]
    assert (last["id"], last["cell_type"]) == (HANDING_IN, "markdown")
    assert is_told(last)
    words = "".join(last["source"])
    assert f"cs231n check {path.stem}.ipynb" in words
    assert f"cs231n submit {path.parent.name}" in words
    assert len(text.encode()) <= 120 * 1024, "what is added counts too"
    note = note_of(document)
    assert note is not None
    assert (note.assignment, note.notebook) == (path.parent.name, path.stem)
    assert set(note.notebooks) == {other.stem for other in path.parent.glob("*.ipynb")}
    released = {f"{other.parent.name}/{other.stem}" for other in RELEASED}
    assert set(note.loads) <= released
    graded = {c["id"] for c in document["cells"] if c["metadata"].get("nbgrader", {}).get("grade")}
    assert set(note.points) == graded
    for cell in document["cells"]:
        if cell["id"] in note.cells:
            assert note.cells[cell["id"]][1] == digest("".join(cell["source"]))


def test_the_words_are_the_courses(tmp_path: Path) -> None:
    words = tmp_path / "handing_in.md"
    words.write_text("Hand in $assignment for $$5.\n")
    assert fill_in(words, assignment="a1", notebook="n") == "Hand in a1 for $5.\n"
    words.write_text("Hand in $asignment.\n")
    with pytest.raises(ReleaseError, match=r"\$asignment is none of \$assignment, \$notebook"):
        fill_in(words, assignment="a1", notebook="n")
    words.write_text("It costs 5 $.\n")
    with pytest.raises(ReleaseError, match=r"write \$\$ for a dollar sign"):
        fill_in(words, assignment="a1", notebook="n")


def test_nothing_depends_on_them(course: Path, released: dict) -> None:
    """An older hand-in has no such cell, or other words; a changed one stays the student's."""
    template = load_template(course, little.ASSIGNMENT, "knn")
    ids = [cell["id"] for cell in released["cells"]]
    for change in (
        lambda cells: cells[:-1],
        lambda cells: [*cells[:-1], cells[-1] | {"source": cells[-1]["source"]}],
    ):
        handed = json.dumps(released | {"cells": change(released["cells"])}).encode()
        repaired = repair(handed, template)
        assert [cell["id"] for cell in repaired.document["cells"]] == ids
        assert repaired.repairs == ()
    mine = released["cells"][-1] | {"source": "I have worked with Ann."}
    handed = json.dumps(released | {"cells": [*released["cells"][:-1], mine]}).encode()
    assert repair(handed, template).document["cells"][-1]["source"] == "I have worked with Ann."
    without = without_told(template.document)
    assert [cell["id"] for cell in without["cells"]] == ids[:-1]
    assert "hand_in" not in without["metadata"]["cs231n"]


# -- the road -------------------------------------------------------------------------------------


def test_what_is_submitted_is_collected(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole course, a notebook with another name, a module, a picture in a folder."""
    root = little.copy_course(course, tmp_path / "course")
    work = tmp_path / "ann" / "assignment1"
    (work / "images").mkdir(parents=True)
    own = little.answer(lambda document: None)
    document = json.loads((root / "release" / "assignment1" / "knn.ipynb").read_text("utf-8"))
    solved = {cell["id"]: cell["source"] for cell in json.loads(own)["cells"]}
    for cell in document["cells"]:
        cell["source"] = solved.get(cell["id"], cell["source"])
    (work / "knn (1).ipynb").write_text(json.dumps(document), "utf-8")
    (work / "helper.py").write_text("A = 1\n")
    (work / "images" / "sketch.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 9)
    command = [sys.executable, "-m", "cs231n_lib.cli", "submit", "assignment1"]
    done = subprocess.run(command, cwd=work.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    download = tmp_path / "download"
    download.mkdir()
    shutil.copy(work.parent / "assignment1.zip", download / "ann.zip")
    arguments = ["collect", "assignment1", str(download), "--from", "folder", "--root", str(root)]
    with pytest.raises(SystemExit) as stop:
        autograder(arguments)
    assert stop.value.code == 0, capsys.readouterr()
    found = root / "submitted" / "ann" / "assignment1"
    names = sorted(p.relative_to(found).as_posix() for p in found.rglob("*") if p.is_file())
    assert [name for name in names if name != "timestamp.txt"] == [
        "helper.py", "images/sketch.png", "knn.ipynb",
    ]  # fmt: skip
    assert (found / "knn.ipynb").read_bytes() == (work / "knn (1).ipynb").read_bytes()


@pytest.mark.sandbox
def test_a_cell_that_hands_in_does_nothing_while_it_is_graded(course: Path, zygote: Zygote) -> None:
    template = load_template(course, little.ASSIGNMENT, "knn")
    source = "from cs231n_lib import submit\nsubmit.check()\nsubmit.submit(to='.')"
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "source": source}
    handed = little.answer(lambda d: d["cells"].append(cell | {"execution_count": None}))
    job = Job(
        student="ann",
        template=template,
        submission=handed,
        checks=checks_for(little.ASSIGNMENT, "knn"),
        secret=b"s" * 32,
    )
    graded = grade(job, zygote)
    assert graded.score == little.CLASS_POINTS
    assert not graded.needs_human
    printed = [
        "".join(output["text"])
        for each in json.loads(graded.document)["cells"]
        if "".join(each["source"]) == source
        for output in each["outputs"]
    ]
    assert "".join(printed).splitlines() == [
        "submit.check does nothing where the notebook is graded.",
        "submit.submit does nothing where the notebook is graded.",
    ]


def test_no_process_is_started_where_there_can_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser: one sentence, with what to type elsewhere."""
    from cs231n_lib import submit
    from cs231n_lib.errors import CourseError

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(submit.subprocess, "Popen", refuse)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with pytest.raises(CourseError, match=r"no other process .* run `cs231n check` in a terminal"):
        submit.check()
    assert os.environ.get(submit.GRADING) is None
