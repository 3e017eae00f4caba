"""What a released notebook says about itself, in its metadata, for those who check it.

`python -m autograder release` writes it: which cells there are, what they are worth, and a digest
of each, by which one sees whether a cell has been changed. No answer can be had from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOTE = "hand_in"  # its name, under "cs231n" in a notebook's metadata

#: The kinds of cells: of the course; of it, and left out when the notebook is graded; to be
#: answered in code; visible tests; to be answered in words.
GIVEN, LOOKING, ANSWER, TESTS, WRITTEN = "given", "looking", "answer", "tests", "written"
KINDS = (GIVEN, LOOKING, ANSWER, TESTS, WRITTEN)


@dataclass(frozen=True)
class Note:
    """``cells`` holds (kind, digest) by id; ``points`` those of the graded ones.

    ``notebooks`` are all of the assignment, ``loads`` those that this one loads, each written
    ``assignment/notebook``.
    """

    assignment: str
    notebook: str
    notebooks: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    points: Mapping[str, float] = field(default_factory=dict)

    def as_metadata(self) -> dict[str, Any]:
        """As it is stored, under the name `NOTE`."""
        cells: dict[str, dict[str, str]] = {}
        for name, (kind, digest) in self.cells.items():
            cells.setdefault(kind, {})[name] = digest
        return {
            "assignment": self.assignment,
            "notebook": self.notebook,
            "notebooks": " ".join(self.notebooks),
            "loads": " ".join(self.loads),
            "cells": cells,
            "points": {name: _short(points) for name, points in self.points.items()},
        }


def note_of(document: Mapping[str, Any]) -> Note | None:
    """The note in a notebook; None where it has none, or one that cannot be read."""
    try:
        found = document["metadata"]["cs231n"][NOTE]
        return Note(
            str(found["assignment"]),
            str(found["notebook"]),
            tuple(str(found["notebooks"]).split()),
            tuple(str(found["loads"]).split()),
            {
                str(name): (kind, str(digest))
                for kind in KINDS
                for name, digest in found["cells"].get(kind, {}).items()
            },
            {str(name): float(points) for name, points in found["points"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def digest(source: str) -> str:
    """By which the source of a cell is known again, whatever line ends an editor has given it."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _short(points: float) -> float | int:
    return int(points) if points == int(points) else points
