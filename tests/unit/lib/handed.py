"""A notebook of a made-up course, with the note that its release would have put there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cs231n_lib.hand_in.note import ANSWER, GIVEN, LOOKING, TESTS, WRITTEN, Note, digest

SETUP = "from cs231n_lib.feedback import check_equal, check_that"
STUB = 'def {0}(x):\n    raise NotImplementedError("{0}: write your code here")'
TEST = 'check_equal("{0} of 2", {0}(2), {1})\ncheck_equal("{0} of 3", {0}(3), {2}, "Look again.")'
#: id -> kind, source as released, points.
CELLS: dict[str, tuple[str, str, float]] = {
    "title": ("", "# A little notebook\n\n## 1. Doubling", 0),
    "setup": (GIVEN, SETUP, 0),
    "picture": (LOOKING, "raise SystemExit('not to be run')", 0),
    "double": (ANSWER, STUB.format("double"), 0),
    "test-double": (TESTS, TEST.format("double", 4, 6), 2),
    "halving": ("", "## 2. Halving", 0),
    "halve": (ANSWER, STUB.format("halve"), 0),
    "test-halve": (TESTS, TEST.format("halve", 1, 1.5), 3),
    "why-text": ("", "**Question 1.** Why?", 0),
    "why": (WRITTEN, "*Your answer:*", 4),
}
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "halve": "def halve(x):\n    return x / 2",
    "why": "Because two halves are one.",
}


def document(
    answers: dict[str, str] | None = None,
    extra: tuple[str, ...] = (),
    *,
    without: tuple[str, ...] = (),
    notebook: str = "little",
    assignment: str = "assignment1",
    loads: tuple[str, ...] = (),
    notebooks: tuple[str, ...] = ("little",),
    **settings: Any,
) -> dict[str, Any]:
    """The notebook with ``answers`` in place of what was released, and cells of one's own."""
    answers = answers or {}
    note = Note(
        assignment,
        notebook,
        notebooks,
        loads,
        {name: (kind, digest(text)) for name, (kind, text, _) in CELLS.items() if kind},
        {name: points for name, (_, _, points) in CELLS.items() if points},
    )
    cells = [
        _cell(name, kind, answers.get(name, text), points)
        for name, (kind, text, points) in CELLS.items()
        if name not in without
    ]
    cells += [_cell(f"own-{n}", GIVEN, source, 0) for n, source in enumerate(extra)]
    about = {"cs231n": {"hand_in": note.as_metadata(), **settings}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, document: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")
    return path


def _cell(name: str, kind: str, source: str, points: float) -> dict[str, Any]:
    code = kind not in ("", WRITTEN)
    metadata: dict[str, Any] = {"tags": ["skip-when-grading"]} if kind == LOOKING else {}
    if kind in (ANSWER, TESTS, WRITTEN):
        metadata["nbgrader"] = {
            "grade_id": name,
            "grade": kind != ANSWER,
            "solution": kind != TESTS,
            "points": points,
        }
    cell = {"cell_type": "code" if code else "markdown", "id": name, "metadata": metadata}
    return cell | {"source": source} | ({"outputs": [], "execution_count": None} if code else {})
