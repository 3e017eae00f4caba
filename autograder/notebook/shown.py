"""Cells that only a release has: the course's text, and nobody's work.

They show what the cell above prints, or say how to hand in. `release` writes them anew from the
outputs that source/ keeps (`authoring/expected_output.py`) and from the course's words
(`authoring/handing_in.py`), so that the same cell may say something else in a later release, and
may be missing from an earlier one. Nothing about a submission may depend on them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from autograder.notebook.template import nbgrader, source_of
from cs231n_lib.hand_in.note import NOTE

SUFFIX = "-prints"  # of their ids, after the id of the cell that prints
SUMMARY = "What this prints with a right solution"
EXACT = "On the embedded data:"
NEARLY = "On the embedded data; numbers that depend on the machine are approximate:"

_WHOLE = re.compile(
    rf"<details>\s*<summary>{SUMMARY}</summary>\s*(?:{EXACT}|{NEARLY})\s*"
    r"(?P<fence>`{3,})text\n(?:(?!(?P=fence)).)*(?P=fence)\s*</details>",
    re.DOTALL,
)

HANDING_IN = "handing-in"  # the id of the cell that says how to hand in
_HANDING_IN = re.compile(r"(?P<text>.*)\n\n<!-- handing in: (?P<mark>[0-9a-f]{8}) -->", re.DOTALL)


def shown_output(text: str, *, nearly: bool) -> str:
    """The Markdown of such a cell. ``nearly``: its numbers depend on the machine."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    about = NEARLY if nearly else EXACT
    return (
        f"<details>\n<summary>{SUMMARY}</summary>\n\n{about}\n\n{fence}text\n{text}\n{fence}\n\n"
        "</details>"
    )


def is_shown_output(cell: Mapping[str, Any]) -> bool:
    """Whether it is such a cell, of whichever release, with nothing added to it."""
    return not nbgrader(dict(cell)) and bool(_WHOLE.fullmatch(source_of(dict(cell)).strip()))


def handing_in(text: str) -> str:
    """The Markdown of the cell that says how to hand in, marked so that it is known again."""
    text = text.strip()
    return f"{text}\n\n<!-- handing in: {_mark(text)} -->"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def is_told(cell: Mapping[str, Any]) -> bool:
    """Whether it is a cell that only a release has, of whichever release, with nothing changed."""
    if is_shown_output(cell):
        return True
    found = _HANDING_IN.fullmatch(source_of(dict(cell)).strip())
    return not nbgrader(dict(cell)) and found is not None and _mark(found["text"]) == found["mark"]


def without_told(document: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook without such cells, and without what it tells `cs231n check` about itself."""
    metadata = dict(document.get("metadata") or {})
    if isinstance(about := metadata.get("cs231n"), Mapping):
        metadata["cs231n"] = {name: about[name] for name in about if name != NOTE}
        if not metadata["cs231n"]:
            del metadata["cs231n"]
    cells = [cell for cell in document["cells"] if not is_told(cell)]
    return {**document, "cells": cells} | ({"metadata": metadata} if metadata else {})
