"""Cells of a release that show what the cell above prints: the course's text, and nobody's work.

`release` writes them anew from the outputs that source/ keeps (`authoring/expected_output.py`), so
that the same cell may say other numbers in a later release, and none at all in an earlier one.
Nothing about a submission may depend on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autograder.notebook.template import nbgrader, source_of

SUFFIX = "-prints"  # of their ids, after the id of the cell that prints
SUMMARY = "What this prints with a right solution"
EXACT = "On the embedded data:"
NEARLY = "On the embedded data; numbers that depend on the machine are approximate:"

_WHOLE = re.compile(
    rf"<details>\s*<summary>{SUMMARY}</summary>\s*(?:{EXACT}|{NEARLY})\s*"
    r"(?P<fence>`{3,})text\n(?:(?!(?P=fence)).)*(?P=fence)\s*</details>",
    re.DOTALL,
)


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


def without_shown_outputs(document: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook but for such cells: as a release without them has it."""
    return {**document, "cells": [c for c in document["cells"] if not is_shown_output(c)]}
