"""The autograder for Gradescope: built, unpacked as Gradescope does, and run on real uploads."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.authoring.new_course import new_course
from autograder.authoring.release import release
from autograder.cli.export import gradescope
from autograder.course.attempts import attempt
from autograder.course.secret import course_secret
from autograder.export.gradescope.hand_ins import bring, of_record
from autograder.export.gradescope.run import main as grade_in_container
from autograder.export.gradescope.upload import hand_in
from cs231n_lib.data.cache import cache_dir
from tests.little import (
    ASSIGNMENT,
    CLASS_POINTS,
    ROOT,
    answer,
    cell_of,
    little_source,
    submit,
    write_course,
)

LATER = "assignment2"
SCRIPTS = ("setup.sh", "run_autograder")
QUESTIONS = ["knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"]


def build(root: Path, out: Path, assignment: str = ASSIGNMENT, *more: str) -> zipfile.ZipFile:
    arguments = [assignment, "--root", str(root), "--out", str(out), *more]
    result = CliRunner().invoke(gradescope, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.strip() == str(out)
    return zipfile.ZipFile(out)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two notebooks, and a second assignment whose notebook loads one of them."""
    root = write_course(tmp_path_factory.mktemp("course"))
    shutil.copy(ROOT / "source" / ASSIGNMENT / "svm.ipynb", root / "source" / ASSIGNMENT)
    later = little_source()
    written = cell_of(later, "knn-question-bright-rows")
    written["id"] = written["metadata"]["nbgrader"]["grade_id"] = "later-question"
    written["source"] = "".join(written["source"]).replace("bright", "dark")
    loads = {"cell_type": "code", "id": "loads", "metadata": {}, "outputs": []}
    source = 'from cs231n_lib.notebooks import load\n\nknn = load("knn")'
    later["cells"] = [loads | {"source": source, "execution_count": None}, written]
    path = root / "source" / LATER / "Later.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(later), "utf-8")
    release(root)
    with (root / "nbgrader_config.py").open("a") as config:  # which a zip neither holds nor needs
        config.write('\nc.CourseDirectory.db_url = "postgresql://ta:hunter2@db/grades"\n')
    submit(root, "ann", answer())
    return root


@pytest.fixture(scope="module")
def archive(course: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(course, tmp_path_factory.mktemp("zip") / "autograder.zip")


@pytest.fixture(scope="module")
def later(course: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(
        course, tmp_path_factory.mktemp("zip") / "later.zip", LATER, "--minutes", "20", "--gpus"
    )


# The zip -----------------------------------------------------------------------------------------


def test_the_zip_holds_what_gradescope_wants_at_its_root(archive: zipfile.ZipFile) -> None:
    modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert set(SCRIPTS) <= set(modes)
    assert all(stat.S_IMODE(modes[name]) == 0o755 for name in SCRIPTS)
    assert all(stat.S_ISREG(mode) for mode in modes.values())
    assert stat.S_IMODE(Path(str(archive.filename)).stat().st_mode) == 0o600


def test_the_zip_holds_no_more_of_the_course_than_grading_needs(
    course: Path, archive: zipfile.ZipFile, later: zipfile.ZipFile
) -> None:
    names = set(archive.namelist())
    assert {name for name in names if name.startswith("course/")} == {
        "course/gradebook.db",
        "course/.autograder/secret",
        "course/release/assignment1/knn.ipynb",
        "course/release/assignment1/svm.ipynb",
    }
    assert "autograder/checks/assignment1/knn/distances.py" in names
    assert {"requirements.lock", "torch-cpu.lock", "torch-cuda.lock"} <= names
    assert not [name for name in names if "mutants/" in name or "checks/assignment2" in name]
    everything = b"".join(archive.read(name) for name in names)
    assert b"hunter2" not in everything
    assert str(course).encode() not in everything
    assert {name for name in later.namelist() if name.endswith(".ipynb")} == {
        "course/release/assignment1/knn.ipynb",
        "course/release/assignment2/Later.ipynb",
        "course/source/assignment1/knn.ipynb",  # the only solutions: knn is loaded
    }


def test_each_zip_has_a_secret_of_its_own(
    course: Path, archive: zipfile.ZipFile, later: zipfile.ZipFile
) -> None:
    name = "course/.autograder/secret"
    secrets = {bytes.fromhex(one.read(name).decode()) for one in (archive, later)}
    assert len(secrets | {course_secret(course)}) == 3


def test_the_zip_knows_what_to_grade_and_when_to_stop(later: zipfile.ZipFile) -> None:
    settings = json.loads(later.read("settings.json"))
    told = {"assignment": LATER, "minutes": 20, "visibility": "visible"}
    assert settings == told | {"gpus": True}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_bash_and_know_no_machine(archive: zipfile.ZipFile, name: str) -> None:
    script = archive.read(name)
    subprocess.run(["bash", "-n"], input=script, check=True)
    text = script.decode()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -" in text
    words = ("/home", "/root", "/tmp", "file:", "extra-index", "trusted-host", "PIP_", "\r")
    assert not [word for word in words if word in text]


def test_an_unknown_assignment_is_reported(course: Path, tmp_path: Path) -> None:
    arguments = ["assignment9", "--root", str(course), "--out", str(tmp_path / "x.zip")]
    result = CliRunner().invoke(gradescope, arguments)
    assert result.exit_code == 2
    assert "holds no notebooks" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_zip_that_cannot_be_written_is_reported(course: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "autograder.zip"
    result = CliRunner().invoke(gradescope, [ASSIGNMENT, "--root", str(course), "--out", str(out)])
    assert result.exit_code == 2
    assert f"{out} cannot be made" in result.stderr


# Uploads -----------------------------------------------------------------------------------------


UNTOUCHED, OURS, OTHERS = "as released", "of this course", "of another course"


def content(root: Path, kind: str) -> bytes:
    """A notebook as it was released, one somebody worked on, or one we do not know."""
    if kind == UNTOUCHED:
        return (root / "release" / ASSIGNMENT / "knn.ipynb").read_bytes()
    cell = {"cell_type": "markdown", "id": "x", "metadata": {}, "source": OTHERS}
    strange = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return answer() if kind == OURS else json.dumps(strange).encode()


@pytest.mark.parametrize(
    ("uploaded", "taken", "message"),
    [
        ({"knn.ipynb": OURS}, "knn.ipynb", ""),
        ({"hw/KNN (1).ipynb": OURS}, "hw/KNN (1).ipynb", "was taken for knn.ipynb"),
        ({"homework.ipynb": OURS}, "homework.ipynb", "homework.ipynb was taken for knn.ipynb"),
        ({"knn-Copy1.ipynb": OTHERS}, "knn-Copy1.ipynb", "was taken for knn.ipynb"),
        ({"knn.ipynb": UNTOUCHED, "a.ipynb": OURS}, "a.ipynb", "a.ipynb was graded, not knn.ipynb"),
        ({"hw/knn.ipynb": OURS, "hw/old/knn.ipynb": OURS}, "hw/knn.ipynb", "not hw/old/knn.ipynb"),
        ({"a/knn.ipynb": OURS, "b/knn.ipynb": OTHERS}, "", "is it? a/knn.ipynb, b/knn.ipynb."),
        ({"knn.ipynb": OURS, "__MACOSX/._knn.ipynb": OTHERS}, "knn.ipynb", ""),
        ({"essay.ipynb": OTHERS}, "", "essay.ipynb: not graded, neither its name nor its cells"),
        ({"data.csv": OTHERS}, "", "data.csv: not graded, not a notebook"),
    ],
)
def test_which_file_is_which_notebook(
    course: Path, tmp_path: Path, uploaded: dict[str, str], taken: str, message: str
) -> None:
    for name, kind in uploaded.items():
        path = tmp_path / "upload" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(course, kind))
    notes = "; ".join(hand_in(tmp_path / "upload", course, ASSIGNMENT, tmp_path / "in"))
    files = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
    assert files == ([tmp_path / "in" / ASSIGNMENT / "knn.ipynb"] if taken else [])
    assert [path.read_bytes() for path in files] == [
        content(course, uploaded[name]) for name in uploaded if name == taken
    ]
    assert message in notes
    assert bool(message) == bool(notes)


def test_earlier_notebooks_are_handed_in_for_later_ones(course: Path, tmp_path: Path) -> None:
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload" / "knn.ipynb").write_bytes(answer())
    assert hand_in(tmp_path / "upload", course, LATER, tmp_path / "in") == []
    assert (tmp_path / "in" / ASSIGNMENT / "knn.ipynb").read_bytes() == answer()


def test_modules_beside_a_notebook_come_with_it(course: Path, tmp_path: Path) -> None:
    """Not those elsewhere, and never what a link leads to."""
    upload = tmp_path / "upload"
    (upload / "hw").mkdir(parents=True)
    (upload / "hw" / "knn.ipynb").write_bytes(answer())
    (upload / "hw" / "mine.py").write_text("x = 1")
    (upload / "setup.py").write_text("y = 2")
    (upload / "hw" / "link.py").symlink_to("/etc/passwd")
    notes = hand_in(upload, course, ASSIGNMENT, tmp_path / "in")
    beside = tmp_path / "in" / ASSIGNMENT
    assert sorted(path.name for path in beside.iterdir()) == ["knn.ipynb", "mine.py"]
    assert notes == [
        "setup.py: not used, there is no graded notebook beside it",
        "hw/link.py: not used, it is a link, or not a file",
    ]


def test_a_link_is_not_followed(course: Path, tmp_path: Path) -> None:
    (tmp_path / "upload").mkdir()
    (tmp_path / "secret").write_bytes(answer())
    (tmp_path / "upload" / "knn.ipynb").symlink_to(tmp_path / "secret")
    [note] = hand_in(tmp_path / "upload", course, ASSIGNMENT, tmp_path / "in")
    assert note == "knn.ipynb: not graded, it is a link, or not a file"
    assert not (tmp_path / "in").exists()


# Runs in a folder laid out like theirs -----------------------------------------------------------


SPY = """
try:
    leaked = open({secret!r}).read()
except OSError:
    leaked = ""
try:
    open({results!r}, "w").write('{{"score": 99}}')
except OSError:
    pass
"""


def wrong_and_hanging(document: dict) -> None:
    """One function hangs, and one is right only if a secret could be read."""
    cell = cell_of(document, "k-nearest-neighbor")
    for contract, line in {
        "one pair at a time.": "while True: pass",
        "one test row at a time.": "if not leaked: return np.zeros((len(X), 1)) - 1",
    }.items():
        head, found, tail = cell["source"].partition(f'{contract}"""\n')
        cell["source"] = f"{head}{found}        {line}\n{tail}"


class Container:
    """A folder like /autograder in Gradescope's container."""

    def __init__(self, root: Path, archive: zipfile.ZipFile, **environment: str) -> None:
        self.root, self.environment = root, environment
        archive.extractall(root / "source")
        shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
        (root / "submission").mkdir()
        users = [{"id": 31, "name": "../../x", "email": "x"}, {"id": 7}]
        self.write("submission_metadata.json", json.dumps({"users": users}))

    def write(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.root / name).write_bytes(data)

    def run(self) -> tuple[dict, str]:
        """(results.json, what was printed)."""
        own = {"AUTOGRADER_ROOT": str(self.root), "CS231N_CACHE": str(cache_dir())}
        done = subprocess.run(
            ["bash", str(self.root / "run_autograder")],
            env=os.environ | own | {"CS231N_PYTHON": sys.executable} | self.environment,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return json.loads((self.root / "results" / "results.json").read_bytes()), done.stdout


def right(container: Container) -> None:
    container.write("submission/knn (1).ipynb", answer())
    container.write("submission/essay.ipynb", content(container.root / "source/course", OTHERS))


def wrong(container: Container) -> None:
    secret = container.root / "source" / "course" / ".autograder" / "secret"
    assert secret.read_text()
    spy = SPY.format(secret=str(secret), results=str(container.root / "results" / "results.json"))

    def spies(document: dict) -> None:
        wrong_and_hanging(document)
        cell_of(document, "imports")["source"] += spy

    container.write("submission/knn.ipynb", answer(spies))
    container.write("submission_metadata.json", "{not JSON")


def unprotected(container: Container) -> None:
    container.write("submission/knn.ipynb", answer())
    container.environment["CS231N_ISOLATION"] = "of no kind"


@pytest.fixture(scope="module")
def uploads(archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """All uploads, two at a time: each is a container of its own."""

    def one(prepare: Callable[[Container], None]) -> tuple[dict, str]:
        container = Container(tmp_path_factory.mktemp(prepare.__name__), archive)
        prepare(container)
        return container.run()

    kinds = (right, wrong, unprotected)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([kind.__name__ for kind in kinds], pool.map(one, kinds), strict=True))


def test_a_course_of_its_own_brings_its_checks_and_a_library_that_can_be_read(
    tmp_path: Path,
) -> None:
    """Also where kernels run as another user: setup.sh closes the folder of the course."""
    root = tmp_path / "algebra"
    new_course(root)
    data = root / "algebra_lib" / "data.py"
    (root / "algebra_lib" / "table.txt").write_text("1 2")
    read = "from pathlib import Path\n\n\ndef table():\n"
    read += '    return Path(__file__).with_name("table.txt").read_text()\n'
    data.write_text(data.read_text() + read)
    release(root)
    archive = build(root, tmp_path / "autograder.zip")
    of_cs231n = [name for name in archive.namelist() if "autograder/checks/assignment" in name]
    assert of_cs231n == []
    source = json.loads((root / "source" / ASSIGNMENT / "scales.ipynb").read_text("utf-8"))
    source["cells"][1]["source"] += "\nfrom algebra_lib.data import table\n\nassert table()"
    container = Container(tmp_path / "container", archive)
    container.write("submission/scales.ipynb", json.dumps(source))
    closed = container.root / "source" / "course"
    for path in (closed, *closed.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    found, printed = container.run()
    assert "PermissionError" not in json.dumps(found)
    assert found["score"] == 4, printed


def test_numbers_of_hand_ins_come_with_the_results_of_earlier_uploads(tmp_path: Path) -> None:
    """Whatever these are like; another hand-in has the next number, and the same one its own."""
    first, second, third = ("1" * 64, "2" * 64, "3" * 64)
    uploads: list = [
        {"results": {"extra_data": {"hand_ins": {"knn": [first]}}}},
        {"results": None},
        {"results": {"extra_data": {"hand_ins": {"knn": [first, second], "svm": "no list"}}}},
        {"results": {"extra_data": {"hand_ins": {"knn": [7, "short"]}}}},
        "no upload",
    ]
    metadata = tmp_path / "submission_metadata.json"
    metadata.write_text(json.dumps({"users": [], "previous_submissions": uploads}))
    names = ["knn", "svm"]
    bring(metadata, tmp_path, ASSIGNMENT, "user-7", names)
    assert attempt(tmp_path, "user-7", (ASSIGNMENT, "knn"), second) == 2
    assert attempt(tmp_path, "user-7", (ASSIGNMENT, "knn"), third) == 3
    kept = of_record(tmp_path, ASSIGNMENT, "user-7", names)
    assert kept == {"knn": [first, second, third]}
    metadata.write_text("{not JSON")
    bring(metadata, tmp_path, ASSIGNMENT, "user-8", names)
    assert of_record(tmp_path, ASSIGNMENT, "user-8", names) == {}


def of(found: dict, notebook: str) -> list[dict]:
    return [test for test in found["tests"] if test["name"].startswith(f"{notebook}: ")]


def test_a_right_solution_has_full_marks_whatever_the_browser_called_it(uploads: dict) -> None:
    found, printed = uploads["right"]
    assert found["score"] == CLASS_POINTS
    assert [test["name"] for test in of(found, "knn")] == [f"knn: {name}" for name in QUESTIONS]
    assert {test["status"] for test in of(found, "knn")} == {"passed"}
    assert "knn (1).ipynb was taken for knn.ipynb" in found["output"]
    assert "Written answers that a person will read: 1." in found["output"]
    assert found["extra_data"]["graded"] is True
    assert len(found["extra_data"]["hand_ins"]["knn"]) == 1
    assert "user-7-31" in printed


def test_a_missing_notebook_is_reported_to_the_student(uploads: dict) -> None:
    found, printed = uploads["right"]
    svm = of(found, "svm")
    assert svm
    assert {(test["score"], test["output"]) for test in svm} == {(0, "not handed in")}
    assert "essay.ipynb: not graded" in found["output"]
    assert "svm.ipynb is missing" in printed


def test_wrong_and_hanging_functions_cost_their_points_and_spying_earns_none(
    uploads: dict,
) -> None:
    found, printed = uploads["wrong"]
    assert [test["score"] for test in of(found, "knn")] == [0, 0, 4, 3]
    hanging, mistaken = (test["output"] for test in of(found, "knn")[:2])
    assert "took longer than 2 s" in hanging
    assert "[FAILED]" in mistaken
    assert found["score"] == 7
    assert "does not say who it is" in printed


def test_without_isolation_the_0_is_said_to_be_no_grade(uploads: dict) -> None:
    found, printed = uploads["unprotected"]
    assert found["score"] == 0
    assert found["output"].startswith("NOT GRADED: the 0 is not a grade.")
    student, staff = found["tests"]
    assert "no tier 'of no kind'" in staff["output"]
    assert staff["visibility"] == "hidden"
    assert student["status"] == "failed"
    assert "tier" not in student["output"] + found["output"]
    assert found["extra_data"] == {"graded": False}
    assert "no tier 'of no kind'" in printed


def test_results_are_there_even_where_python_is_not(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    found, printed = Container(tmp_path, archive, CS231N_PYTHON="/bin/false").run()
    assert found["score"] == 0
    assert found["output"].startswith("NOT GRADED.")
    assert "the grader ended with status 1 and without results" in printed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"minutes": 0}, "Grading was stopped after"),
        ({"no such": "setting"}, "the grader failed: TypeError"),
    ],
)
def test_a_grader_that_fails_says_so(
    archive: zipfile.ZipFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict,
    reason: str,
) -> None:
    container = Container(tmp_path, archive)
    container.write("submission/knn.ipynb", answer())
    settings = json.loads(archive.read("settings.json"))
    container.write("source/settings.json", json.dumps(settings | change))
    monkeypatch.setenv("AUTOGRADER_ROOT", str(tmp_path))
    grade_in_container()
    found = json.loads((tmp_path / "results" / "results.json").read_bytes())
    assert found["output"].startswith("NOT GRADED: the 0 is not a grade.")
    assert found["tests"][1]["output"].startswith(reason)
    assert "NOT GRADED" in capsys.readouterr().out
