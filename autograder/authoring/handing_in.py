"""The release tells how to hand in: a last cell in words, and a note that `cs231n check` reads.

The words are the course's, in source/handing_in.md. There ``$assignment`` and ``$notebook`` stand
for the names of both; ``$$`` is a dollar sign. A course without that file has no such cell.
"""

from __future__ import annotations

from pathlib import Path
from string import Template as Text
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.authoring.lessons import used_names
from autograder.authoring.source import ReleaseError, read_source
from autograder.course.submissions import siblings
from autograder.notebook.shown import HANDING_IN, handing_in, is_told
from autograder.notebook.template import (
    is_answer,
    is_auto_graded,
    is_manual,
    is_skipped,
    nbgrader,
    source_of,
)
from cs231n_lib.hand_in.note import ANSWER, GIVEN, LOOKING, NOTE, TESTS, WRITTEN, Note, digest

WORDS = "handing_in.md"  # in source/


class HandingIn(NbGraderPreprocessor):
    """The last step of the release: what it tells depends on all that was done before."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        folder = Path(resources["metadata"]["path"])
        note = make_note(nb, folder, resources["metadata"]["name"])
        nb.cells = [cell for cell in nb.cells if cell.id != HANDING_IN]
        words = folder.parent / WORDS
        if words.is_file():
            text = fill_in(words, assignment=note.assignment, notebook=note.notebook)
            nb.cells.append(new_markdown_cell(handing_in(text), id=HANDING_IN))
        about = nb.metadata.setdefault("cs231n", NotebookNode())
        about[NOTE] = note.as_metadata()
        return nb, resources


def fill_in(words: Path, **names: str) -> str:
    """The course's words, with its names. Raises ReleaseError."""
    try:
        return Text(words.read_text("utf-8")).substitute(names)
    except KeyError as error:
        raise ReleaseError(
            f"{words}: ${error.args[0]} is none of {', '.join(f'${name}' for name in names)}; "
            "correct it, or write $$ for a dollar sign"
        ) from None
    except ValueError as error:
        raise ReleaseError(f"{words}: {error}; write $$ for a dollar sign") from None


def make_note(nb: NotebookNode, folder: Path, notebook: str) -> Note:
    """What is to be known of a released notebook whose source is in ``folder``."""
    cells, points = {}, {}
    for cell in nb.cells:
        kind = _kind(cell)
        if kind:
            cells[cell.id] = (kind, digest(source_of(cell)))
        if kind in (TESTS, WRITTEN):
            points[cell.id] = float(nbgrader(cell).get("points", 0))
    return Note(
        folder.name,
        notebook,
        tuple(sorted(path.stem for path in folder.glob("*.ipynb"))),
        tuple(_loads(nb, folder)),
        cells,
        points,
    )


def _kind(cell: Any) -> str:
    """Empty for text of the course, which nothing depends on."""
    if is_told(cell):
        return ""
    if is_auto_graded(cell):
        return TESTS
    if is_manual(cell):
        return WRITTEN
    if cell.cell_type != "code":
        return ""
    return ANSWER if is_answer(cell) else LOOKING if is_skipped(cell) else GIVEN


def _loads(nb: NotebookNode, folder: Path) -> list[str]:
    """``assignment/notebook`` of what it loads, and of what that loads in turn."""
    places = {path.stem: path for path in siblings(folder)}
    found: dict[str, None] = {}
    waiting = list(used_names(nb))
    while waiting:
        name = waiting.pop(0)
        path = places.get(name)
        if path is not None and f"{path.parent.name}/{name}" not in found:
            found[f"{path.parent.name}/{name}"] = None
            waiting += used_names(read_source(path))
    return sorted(found)
