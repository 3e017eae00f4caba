"""A notebook as it lies there, cell by cell, beside what its release says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cs231n_lib.hand_in.note import (
    ANSWER,
    GIVEN,
    LOOKING,
    TESTS,
    WRITTEN,
    Note,
    digest,
    note_of,
)
from cs231n_lib.notebooks import read_document

SKIP_TAG = "skip-when-grading"

_STUB = re.compile(r"raise NotImplementedError\([\"']([^\"':]+): write your code here[\"']\)")
_MARKUP = re.compile(r"[\s*_#>`-]+")
_EMPTY = ("", "Youranswer:")


@dataclass(frozen=True)
class Cell:
    """``id`` is its name in the release, ``kind`` what it is there; both empty for one's own."""

    id: str
    kind: str
    type: str
    source: str
    released: str = ""  # a digest
    points: float = 0.0
    tags: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it is another than in the release, as far as that is known."""
        return bool(self.released) and digest(self.source) != self.released

    @property
    def skipped(self) -> bool:
        """Whether it is left out when the notebook is graded."""
        return self.kind == LOOKING and not self.changed

    @property
    def stubs(self) -> tuple[str, ...]:
        """What still says that code is missing."""
        return tuple(_STUB.findall(self.source)) if self.kind == ANSWER else ()

    @property
    def unanswered(self) -> bool:
        """Whether it is to be answered in words, and is not."""
        empty = _MARKUP.sub("", self.source) in _EMPTY
        return self.kind == WRITTEN and (empty or bool(self.released and not self.changed))


@dataclass(frozen=True)
class Notebook:
    """``found`` is False where the note was lost: then it is made from the cells' own metadata."""

    path: Path
    size: int
    document: Mapping[str, Any]
    note: Note
    found: bool
    cells: list[Cell] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the release calls it, without suffix."""
        return self.note.notebook

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it says of how it is graded: limits, packages."""
        about = self.document.get("metadata")
        found = about.get("cs231n") if isinstance(about, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def missing(self) -> list[str]:
        """The ids of cells of the release that are not there."""
        there = {cell.id for cell in self.cells}
        return [name for name in self.note.cells if name not in there]


def is_of_a_course(document: Mapping[str, Any]) -> bool:
    """Whether it is a notebook to be graded, and not one of somebody's own."""
    cells = [cell for cell in document["cells"] if isinstance(cell, Mapping)]
    return note_of(document) is not None or any(_nbgrader(cell).get("grade") for cell in cells)


def read(path: Path) -> Notebook:
    """Raises NotebookError."""
    data, document = read_document(path)
    cells = [cell for cell in document["cells"] if isinstance(cell, Mapping)]
    note = note_of(document)
    found = note is not None
    note = note or _made_up(path, cells)
    return Notebook(path, len(data), document, note, found, _named(cells, note))


def source_of(cell: Mapping[str, Any]) -> str:
    """The source as one string."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _named(cells: list[Mapping[str, Any]], note: Note) -> list[Cell]:
    """The cells by their names in the release: by id or grade_id, else by what is in them."""
    taken: set[str] = set()
    names: dict[int, str] = {}
    for number, cell in enumerate(cells):
        about = cell.get("metadata")
        colabs = about.get("id") if isinstance(about, Mapping) else None
        for name in (cell.get("id"), _nbgrader(cell).get("grade_id"), colabs):
            if isinstance(name, str) and name in note.cells and name not in taken:
                taken.add(name)
                names[number] = name
                break
    by_digest: dict[str, list[str]] = {}
    for name, (_, known) in note.cells.items():
        if name not in taken and known:
            by_digest.setdefault(known, []).append(name)
    for number, cell in enumerate(cells):
        if number not in names and (waiting := by_digest.get(digest(source_of(cell)))):
            names[number] = waiting.pop(0)
    return [_cell(cell, names.get(number, ""), note) for number, cell in enumerate(cells)]


def _cell(cell: Mapping[str, Any], name: str, note: Note) -> Cell:
    kind, released = note.cells.get(name, ("", ""))
    return Cell(
        name,
        kind,
        str(cell.get("cell_type", "")),
        source_of(cell),
        released,
        note.points.get(name, 0.0),
        _tags(cell),
    )


def _made_up(path: Path, cells: list[Mapping[str, Any]]) -> Note:
    """What can still be said where the note was lost: from nbgrader's metadata in the cells."""
    kinds: dict[str, tuple[str, str]] = {}
    points: dict[str, float] = {}
    for cell in cells:
        about = _nbgrader(cell)
        name = about.get("grade_id")
        if isinstance(name, str):
            graded, solution = about.get("grade"), about.get("solution")
            kind = (WRITTEN if solution else TESTS) if graded else ANSWER if solution else GIVEN
            kinds[name] = (kind, "")
            if graded:
                worth = about.get("points", 0)
                points[name] = float(worth) if isinstance(worth, int | float) else 0.0
        elif SKIP_TAG in _tags(cell) and isinstance(cell.get("id"), str):
            kinds[str(cell["id"])] = (LOOKING, "")
    return Note(path.resolve().parent.name, path.stem, (), (), kinds, points)


def _tags(cell: Mapping[str, Any]) -> tuple[str, ...]:
    about = cell.get("metadata")
    tags = about.get("tags") if isinstance(about, Mapping) else None
    return tuple(map(str, tags)) if isinstance(tags, list) else ()


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    about = cell.get("metadata")
    found = about.get("nbgrader") if isinstance(about, Mapping) else None
    return found if isinstance(found, Mapping) else {}
