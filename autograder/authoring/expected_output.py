"""The release tells what a cell prints with a right solution, folded, in a cell below it.

The text is what source/ keeps of a cell tagged ``nbval-check-output``. Cells that are tagged
``not-shown-to-students`` besides tell nothing: what they print answers a question, or depends on
what the reader chooses.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG, NOT_SHOWN_TAG, tolerance
from autograder.notebook.shown import SUFFIX, shown_output

SANITIZE = Path(__file__).with_name("sanitize.cfg")
_MAX_ID = 64  # nbformat's rule


class ExpectedOutputs(NbGraderPreprocessor):
    """A step of the release, before outputs are cleared: an ungraded cell below each that tells."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        taken = {cell.id for cell in nb.cells}
        nb.cells = [shown for cell in nb.cells for shown in _with_expected(cell, taken)]
        return nb, resources


def _with_expected(cell: NotebookNode, taken: set[str]) -> Iterator[NotebookNode]:
    yield cell
    text = expected_output(cell)
    if text:
        name = f"{cell.id[: _MAX_ID - len(SUFFIX) - 3]}{SUFFIX}"
        while name in taken:
            name += "s"
        taken.add(name)
        yield new_markdown_cell(shown_output(text, nearly=_differs(cell, text)), id=name)


def expected_output(cell: NotebookNode) -> str:
    """What students are told that the cell prints; empty where they are told nothing."""
    tags = cell.metadata.get("tags", ())
    if cell.cell_type != "code" or CHECKED_OUTPUT_TAG not in tags or NOT_SHOWN_TAG in tags:
        return ""
    return "".join(map(_text, cell.outputs)).strip("\n")


def _text(output: NotebookNode) -> str:
    """Of a stream or a value; nothing of what is displayed otherwise."""
    if output.output_type == "stream":
        return output.text
    return f"{output.data['text/plain']}\n" if "text/plain" in output.get("data", {}) else ""


def _differs(cell: NotebookNode, text: str) -> bool:
    """Whether another machine may print something else: other last digits, another duration."""
    measured = tolerance(cell.metadata.get("tags", ())) is not None
    return measured or any(pattern.search(text) for pattern in _varying())


@cache
def _varying() -> list[re.Pattern[str]]:
    """What nbval leaves out of its comparison."""
    settings = configparser.RawConfigParser()
    settings.read_string(SANITIZE.read_text("utf-8"))
    return [re.compile(settings[name]["regex"]) for name in settings.sections()]
