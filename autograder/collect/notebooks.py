"""Which released notebook is it? By the cells it holds, then by its name.

Browsers, systems and people rename notebooks; the ids and the prompts of cells mostly stay.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from autograder.notebook.template import grade_id, notebooks_of, source_of

LOOK_INSIDE = 32 << 20  # bytes; what is larger goes by its name
NAMED = re.compile(r"(?P<stem>.*?)\.ipynb(?:\.(?:txt|json))*", re.IGNORECASE | re.DOTALL)
TEXT = (".txt", ".json")
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".rar", ".7z", ".bz2", ".xz")

Keys = frozenset[str]
Cells = dict[tuple[str, str], list[Keys]]  # by assignment and notebook


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
    cells: Cells  # those that no other notebook has
    graded: Cells  # of these, the ones with a grade_id
    sources: dict[str, Keys]  # of every cell, by notebook of this assignment
    other_files: frozenset[str]  # SHA-256

    @property
    def names(self) -> list[str]:
        """The notebooks of this assignment."""
        return [name for assignment, name in self.cells if assignment == self.assignment]


def load_released(root: Path, assignment: str) -> Released:
    """Read release/. Raises TemplateError when the assignment is not there."""
    notebooks_of(root, assignment)
    documents = {
        (path.parent.name, path.stem): _cells(_document(path.read_bytes()))
        for path in sorted((root / "release").glob("*/*.ipynb"))
    }
    all_keys = {name: [_keys(cell) for cell in cells] for name, cells in documents.items()}
    count = Counter(key for cells in all_keys.values() for key in frozenset().union(*cells))
    common = {key for key, number in count.items() if number > 1}

    def own(cells: list[dict[str, Any]]) -> list[Keys]:
        return [keys for keys in (_keys(cell) - common for cell in cells) if keys]

    sources = {
        notebook: _sources(frozenset().union(*cells))
        for (of, notebook), cells in all_keys.items()
        if of == assignment
    }
    beside = (root / "release" / assignment).rglob("*")
    files = [path for path in beside if path.is_file() and path.suffix != ".ipynb"]
    digests = frozenset(_sha256(path.read_bytes()) for path in files)
    return Released(
        assignment,
        {name: own(cells) for name, cells in documents.items()},
        {name: own([c for c in cells if grade_id(c)]) for name, cells in documents.items()},
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
    submitted = frozenset().union(*map(_keys, _cells(document)))
    by_cells = _by_cells(submitted, released)
    stem = named["stem"] if named else name.rpartition(".")[0]
    by_name = _by_name(stem, released.names)
    if by_cells and by_cells[0] != released.assignment:
        reason = f"by its cells it is {by_cells[1]} of {by_cells[0]}, not of {released.assignment}"
        return Identified(digest, reason=reason)
    notebook = by_cells[1] if by_cells else by_name[0] if len(by_name) == 1 else ""
    if not notebook:
        reason = "neither its name nor its cells are those of a released notebook"
        if by_name:
            reason = f"its name may mean {' or '.join(by_name)}"
        return Identified(digest, reason=reason)
    note = "" if name == f"{notebook}.ipynb" else f"was called {name!r}"
    if by_cells and by_name and notebook not in by_name:
        note = f"is called {name!r}, but its cells are those of {notebook}"
    if document is None and len(data) <= LOOK_INSIDE:
        notes = "; ".join(filter(None, (note, "cannot be read as a notebook")))
        return Identified(digest, notebook, Worth.UNREADABLE, notes)
    old = document and "cells" in document and _sources(submitted) <= released.sources[notebook]
    return Identified(digest, notebook, Worth.AS_RELEASED if old else Worth.WORK, note)


def _by_cells(submitted: Keys, released: Released) -> tuple[str, str] | None:
    """The one notebook of which a good part is there: of all its cells, or of the graded ones."""
    shares: dict[tuple[str, str], float] = {}
    for cells_of in (released.cells, released.graded):
        for name, cells in cells_of.items():
            found = sum(bool(cell & submitted) for cell in cells)
            if cells and found >= min(2, len(cells)) and found * 4 >= len(cells):
                shares[name] = max(shares.get(name, 0), found / len(cells))
    best = sorted(shares, key=lambda name: shares[name], reverse=True)[:2]
    if not best or (len(best) == 2 and shares[best[1]] * 2 > shares[best[0]]):
        return None
    return best[0]


def _by_name(stem: str, names: Iterable[str]) -> list[str]:
    """The notebooks whose name is in this one: "Copy of knn (1)", "KNN_solved", "knn-2"."""
    words = _words(stem)
    found = [name for name in names if re.search(rf"(?:^| ){_words(name)}\d*(?= |$)", words)]
    found = found or [name for name in names if _words(name).replace(" ", "") == words]
    within = {n for n in found for other in found if n != other and _words(n) in _words(other)}
    return [name for name in found if name not in within]


def _words(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", " ", text).strip()


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


def _keys(cell: dict[str, Any]) -> Keys:
    """By what a cell can be known again: its id, its grade_id, its source."""
    names = {str(cell.get("id") or ""), grade_id(cell)} - {""}
    source = source_of(cell).strip()
    text = {f"source {_sha256(source.encode('utf-8', 'replace'))}"} if source else set()
    return frozenset({f"id {name}" for name in names} | text)


def _sources(keys: Keys) -> Keys:
    return frozenset(key for key in keys if key.startswith("source "))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
