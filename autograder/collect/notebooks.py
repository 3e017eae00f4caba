"""Which released notebook is it? By the cells it holds, then by its name.

Browsers, systems and people rename notebooks; the ids and the prompts of cells mostly stay.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from autograder.notebook.likeness import NAMED, Keys, Signatures, by_name, keys, signatures
from autograder.notebook.shown import is_told
from autograder.notebook.template import notebooks_of

LOOK_INSIDE = 32 << 20  # bytes; what is larger goes by its name
TEXT = (".txt", ".json")
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".rar", ".7z", ".bz2", ".xz")


class Worth(IntEnum):
    """How far a file is somebody's work."""

    UNREADABLE, AS_RELEASED, WORK = range(3)


@dataclass(frozen=True)
class Identified:
    """A file, known for what it is. ``notebook`` is empty where that is not clear: see `reason`."""

    sha256: str
    notebook: str = ""
    worth: Worth = Worth.WORK
    note: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Released:
    """What is characteristic of every released notebook, and what was released beside them."""

    assignment: str
    signatures: Signatures
    sources: dict[str, Keys]  # of every cell, by notebook of this assignment
    other_files: frozenset[str]  # SHA-256

    @property
    def names(self) -> list[str]:
        """The notebooks of this assignment."""
        return [name for assignment, name in self.signatures.cells if assignment == self.assignment]


def load_released(root: Path, assignment: str) -> Released:
    """Read release/. Raises TemplateError when the assignment is not there."""
    notebooks_of(root, assignment)
    documents = {
        (path.parent.name, path.stem): _cells(_document(path.read_bytes()))
        for path in sorted((root / "release").glob("*/*.ipynb"))
    }
    sources = {
        notebook: _sources(frozenset().union(*map(keys, cells)))
        for (of, notebook), cells in documents.items()
        if of == assignment
    }
    beside = (root / "release" / assignment).rglob("*")
    files = [path for path in beside if path.is_file() and path.suffix != ".ipynb"]
    digests = frozenset(_sha256(path.read_bytes()) for path in files)
    return Released(
        assignment,
        signatures({name: {"cells": cells} for name, cells in documents.items()}),
        sources,
        digests,
    )


def identify(data: bytes, name: str, released: Released) -> Identified:
    """Say which of the released notebooks a file called ``name`` is, or why that is not clear."""
    digest = _sha256(data)
    if digest in released.other_files:
        return Identified(digest, worth=Worth.AS_RELEASED)
    named = NAMED.fullmatch(name)
    document = _document(data) if named or name.casefold().endswith(TEXT) else None
    if not named and document is None:
        return Identified(digest, reason=_unknown(name))
    cells = [cell for cell in _cells(document) if not is_told(cell)]
    submitted = frozenset().union(*map(keys, cells))
    by_cells = released.signatures.of(submitted)
    stem = named["stem"] if named else name.rpartition(".")[0]
    named_so = by_name(stem, released.names)
    if by_cells and by_cells[0] != released.assignment:
        reason = f"by its cells it is {by_cells[1]} of {by_cells[0]}, not of {released.assignment}"
        return Identified(digest, reason=reason)
    notebook = by_cells[1] if by_cells else named_so[0] if len(named_so) == 1 else ""
    if not notebook:
        reason = "neither its name nor its cells are those of a released notebook"
        if named_so:
            reason = f"its name may mean {' or '.join(named_so)}"
        return Identified(digest, reason=reason)
    note = "" if name == f"{notebook}.ipynb" else f"was called {name!r}"
    if by_cells and named_so and notebook not in named_so:
        note = f"is called {name!r}, but its cells are those of {notebook}"
    if document is None and len(data) <= LOOK_INSIDE:
        notes = "; ".join(filter(None, (note, "cannot be read as a notebook")))
        return Identified(digest, notebook, Worth.UNREADABLE, notes)
    old = document and "cells" in document and _sources(submitted) <= released.sources[notebook]
    return Identified(digest, notebook, Worth.AS_RELEASED if old else Worth.WORK, note)


def _unknown(name: str) -> str:
    if name.casefold().endswith(ARCHIVES):
        return "an archive that was not unpacked, or not altogether: unpack it by hand"
    return "not a notebook"


def _document(data: bytes) -> dict[str, Any] | None:
    """The notebook, or None where it is none or too large to look into."""
    if len(data) > LOOK_INSIDE:
        return None
    try:
        document = json.loads(data.decode("utf-8-sig" if data[:1] != b"\xff" else "utf-16"))
    except (ValueError, RecursionError):
        return None
    good = isinstance(document, dict) and isinstance(document.get("nbformat"), int)
    return document if good or _cells(document) else None


def _cells(document: Any) -> list[dict[str, Any]]:
    cells = document.get("cells") if isinstance(document, dict) else None
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def _sources(keys: Keys) -> Keys:
    return frozenset(key for key in keys if key.startswith("source "))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
