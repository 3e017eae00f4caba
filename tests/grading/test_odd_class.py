"""A class in which nearly everybody handed in something odd, graded once by the public command.

Everybody gets what a fair TA would give; nobody's file is in anybody's way.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from click.testing import CliRunner

from autograder.authoring.release import release
from autograder.cli.main import main
from autograder.course.records import results
from autograder.feedback import pages
from autograder.judge.results import ANOTHER, MISSING, UNREADABLE, GradedNotebook
from autograder.notebook.reading import MAX_CELLS, MAX_CODE
from tests.little import ASSIGNMENT, CLASS_POINTS, answer, cell_of, submit, write_course

pytestmark = pytest.mark.sandbox

WRITTEN = "knn-question-bright-rows"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = base64.b64encode(PNG).decode()
CONFLICT = (
    '{\n "cells": [\n<<<<<<< HEAD\n  {"cell_type": "raw"}\n=======\n  {}\n>>>>>>> theirs\n ]\n}'
)


def written(text: str) -> Callable[[dict], None]:
    def change(document: dict) -> None:
        cell_of(document, WRITTEN)["source"] = text

    return change


def half_emoji(document: dict) -> None:
    """In text, in an answer, in code, in what the code prints, and in a message of a check."""
    written("very bright \ud83d")(document)
    document["cells"].insert(0, text_cell("x \ud83d"))
    cell = cell_of(document, "k-nearest-neighbor")
    cell["source"] = "".join(cell["source"]) + "\n# well done \ud83d\nprint('\\ud83d')"


def pictures(document: dict) -> None:
    cell = cell_of(document, WRITTEN)
    names = ("attachment:pasted.png", "attachment:gone.png", "attachment:run.svg")
    shown = "".join(f"![it]({name})\n\n" for name in (*names, "my%20notes.png", "fake.png"))
    cell["source"] = f"{shown}<img src='../../bob/x.png'><img src='/x.png'>"
    svg = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    cell["attachments"] = {
        "pasted.png": {"image/png": PICTURE},
        "run.svg": {"image/svg+xml": svg, "image/png": svg},
    }
    document["cells"].append(text_cell("![own](attachment:own.png)"))
    document["cells"][-1]["attachments"] = {"own.png": {"image/png": PICTURE}}


def text_cell(source: str) -> dict:
    return {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": source}


def another_course(document: dict) -> None:
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    document["cells"] = [code | {"id": f"c{n}", "source": f"x{n} = {n}"} for n in range(30)]


def very_long_cell(document: dict) -> None:
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    document["cells"].append(code | {"id": "long", "source": "x = [" + "1, " * MAX_CODE + "]"})


def very_many_cells(document: dict) -> None:
    document["cells"] += [text_cell("x")] * MAX_CELLS


def environments(document: dict) -> None:
    document["cells"].append(text_cell("\\begin{a}" * 30_000))


def cp1252(text: str = "bright \u2013 it\u2019s the pixels\u2026 caf\u00e9") -> bytes:
    data = answer(written("@@")).replace(b"@@", text.encode("cp1252"))
    return data + b" " * (len(data) % 2)  # an even length passes for UTF-16


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("knn.ipynb", answer())
    return file.getvalue()


class Odd(NamedTuple):
    """What is handed in under which name, what the student gets, what the TA is told."""

    data: bytes
    name: str = "knn.ipynb"
    score: float = CLASS_POINTS
    repair: str = ""
    human: str = ""
    outcome: str = ""


def refused(data: bytes, human: str, outcome: str = UNREADABLE, name: str = "knn.ipynb") -> Odd:
    return Odd(data, name, 0.0, "", human, outcome)


CLASS = {
    "plain": Odd(answer(written("Because."))),
    "doe [auditor]": Odd(answer(written("Because."))),
    "[bold]x[i] <b>&": Odd(answer()),
    "half-emoji": Odd(answer(half_emoji), repair="held half of a character"),
    "pictures": Odd(answer(pictures), repair="the picture 'run.svg'"),
    "ansi": Odd(cp1252(), repair="cp1252"),
    "rubbish": Odd(answer() + b"\n</body>", repair="7 characters: left out"),
    "upper": Odd(answer(), "knn.IPYNB", repair="handed in as 'knn.IPYNB'"),
    "nested": Odd(answer(), "knn/knn.ipynb", repair="handed in as 'knn/knn.ipynb'"),
    "copy": Odd(answer(), "Copy of knn.ipynb", repair="handed in as 'Copy of knn.ipynb'"),
    "long-cell": Odd(answer(very_long_cell), human="cell 'long' has 600,006 characters, and at"),
    "environments": Odd(answer(environments)),
    "many-cells": refused(answer(very_many_cells), f"cells, and at most {MAX_CELLS:,} are read"),
    "conflict": refused(CONFLICT.encode(), "both sides of a merge conflict"),
    "page": refused(b"<!DOCTYPE html>\n<p>log in", "an HTML page"),
    "zip": refused(zipped(), "a zip archive"),
    "gzip": refused(gzip.compress(answer()), "packed with gzip"),
    "lfs": refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "Git LFS"),
    "script": refused(b"import numpy as np\nx = np.zeros(3)\n", "a Python script"),
    "torn": refused(answer()[:-500], "it is truncated after"),
    "py": refused(b"import numpy", "there is 'knn.py', a Python script", MISSING, "knn.py"),
    "stranger": refused(answer(another_course), "this is another notebook: of the 7", ANOTHER),
}  # fmt: skip
TWO, LATIN, BLOCKED = "two-copies", "caf%E9", "blocked"


class Course(NamedTuple):
    root: Path
    verdicts: dict[str, GradedNotebook]
    grading: str  # what was printed
    feedback: str
    warnings: str
    statuses: tuple[int, int]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = write_course(tmp_path_factory.mktemp("odd"))
    release(root)
    for student, odd in CLASS.items():
        submit(root, student, odd.data, odd.name)
    beside = submit(root, "pictures", PNG, "my notes.png").parent
    (beside / "fake.png").write_bytes(b"not really a png")
    (beside / "link.png").symlink_to("/etc/passwd")
    submit(root, TWO, answer(), "knn (1).ipynb")
    submit(root, TWO, answer(written("Other.")), "Copy of knn.ipynb")
    latin = os.fsencode(root / "submitted") + b"/caf\xe9/" + ASSIGNMENT.encode()
    folder = Path(os.fsdecode(latin))
    folder.mkdir(parents=True)
    (folder / "knn.ipynb").write_bytes(answer())
    submit(root, BLOCKED, answer())
    (root / "autograded").mkdir()
    (root / "autograded" / BLOCKED).write_text("a file where a folder has to be")
    graded = CliRunner().invoke(main, ["grade", ASSIGNMENT, "--workers", "1", "--root", str(root)])
    assert graded.exception is None or isinstance(graded.exception, SystemExit), graded.exception
    made = CliRunner().invoke(main, ["feedback", ASSIGNMENT, "--root", str(root)])
    assert made.exception is None or isinstance(made.exception, SystemExit), made.exception
    return Course(
        root,
        {one.student: one for one in results(root, ASSIGNMENT)},
        graded.output,
        made.stdout,
        made.stderr,
        (graded.exit_code, made.exit_code),
    )


@pytest.mark.parametrize("student", CLASS)
def test_everybody_gets_what_is_fair(course: Course, student: str) -> None:
    odd, one = CLASS[student], course.verdicts[student]
    assert (one.score, one.outcome) == (odd.score, odd.outcome), one.needs_human
    assert odd.repair in "; ".join(one.repairs)
    assert bool(odd.repair) == bool(one.repairs)
    assert odd.human in one.needs_human
    assert bool(odd.human) == bool(one.needs_human)


def test_a_notebook_of_another_course_takes_one_sentence(course: Course) -> None:
    one = course.verdicts["stranger"]
    assert one.repairs == ()
    assert "Is it of another course, or of another year?" in one.needs_human
    assert {cell.note for cell in one.cells} == {one.needs_human.removeprefix("knn: ")}


def test_between_two_lookalikes_nobody_chooses(course: Course) -> None:
    assert course.verdicts[TWO].needs_human == (
        "knn.ipynb is missing, and 2 files may be meant for it: 'Copy of knn.ipynb', "
        "'knn (1).ipynb'. Rename the right one and grade again"
    )


def test_a_folder_whose_name_is_no_text_is_graded_and_named(course: Course) -> None:
    one = course.verdicts[LATIN]
    assert one.score == CLASS_POINTS
    assert "the name of the folder is not UTF-8: graded as 'caf%E9'" in one.needs_human


def test_what_cannot_be_written_is_that_students_alone(course: Course) -> None:
    assert course.statuses[0] == 1
    assert re.search(rf"{BLOCKED}/knn 11/11: .*could not be recorded", course.grading)


def test_names_are_shown_as_they_are(course: Course) -> None:
    index = (course.root / "report" / ASSIGNMENT / "index.html").read_text("utf-8")
    for student in CLASS:
        assert f"{student}/knn" in course.grading
        assert html.escape(student, quote=False) in index
        assert f"feedback/{student}/{ASSIGNMENT}/knn.html" in course.feedback


def test_notebooks_on_record_are_valid(course: Course) -> None:
    for student in CLASS:
        path = course.root / "autograded" / student / ASSIGNMENT / "knn.ipynb"
        nbformat.validate(nbformat.read(path, as_version=4))


def page_of(course: Course, student: str) -> str:
    path = course.root / "feedback" / student / ASSIGNMENT / "knn.html"
    return path.read_text("utf-8").partition("<body")[2]


def test_pictures_go_along_and_are_shown(course: Course) -> None:
    one, page = course.verdicts["pictures"], page_of(course, "pictures")
    assert any("'fake.png'" in note and "not a picture" in note for note in one.repairs)
    assert page.count(f'src="data:image/png;base64,{PICTURE}"') == 2
    assert 'src="my%20notes.png"' in page
    assert "svg" not in page
    assert "bob" not in page
    assert 'src="/x.png"' not in page
    for step in ("autograded", "feedback"):
        there = course.root / step / "pictures" / ASSIGNMENT
        assert (there / "my notes.png").read_bytes() == PNG
        assert not (there / "fake.png").exists()
        assert not (there / "link.png").exists()


def test_unread_is_not_zero(course: Course) -> None:
    page = " ".join(re.sub(r"<[^>]+>", " ", page_of(course, "plain")).split())
    assert f"knn (Score: {CLASS_POINTS} / {CLASS_POINTS})" in page
    assert "1 answer has not been read yet, worth 2 points" in page
    assert "read by a person not read yet" in page  # in the contents
    assert page.count("Score: not read yet / 2.0") == 1  # beside it
    assert "Everything that has been read is shown." in course.warnings
    assert "written answers still to read: " in course.warnings
    assert course.statuses[1] == 1
    empty = page_of(course, "zip")  # nothing was handed in that could be read
    assert "not read yet" not in empty


def test_a_page_beyond_the_limits_shows_what_was_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit of memory that tags by the hundred thousand do not keep, and a usual page does."""
    path = course.root / "autograded" / "copy" / ASSIGNMENT / "knn.ipynb"
    document = json.loads(path.read_text("utf-8"))
    data = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": "<b>x</b>" * 4_500},
    }
    code = {"cell_type": "code", "id": "big", "metadata": {}, "execution_count": None}
    document["cells"].append(code | {"source": "x", "outputs": [data] * 60})
    path.write_text(json.dumps(document), "utf-8")
    monkeypatch.setattr(pages, "LIMITS", replace(pages.LIMITS, memory_bytes=100 << 20))
    words = ["feedback", ASSIGNMENT, "--root", str(course.root), "--student", "copy"]
    done = CliRunner().invoke(main, [*words, "--student", "plain", "--anyway"])
    assert done.exit_code == 1
    assert "copy/knn: the page shows only what was graded" in done.stderr
    assert "plain/knn" not in done.stderr
    page = page_of(course, "copy")
    assert "This notebook cannot be shown as it ran" in page
    assert f"Score: {CLASS_POINTS} / {CLASS_POINTS}" in page
