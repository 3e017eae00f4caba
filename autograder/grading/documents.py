"""What grading adds to a notebook, and how the notebook is written to disk."""

from __future__ import annotations

import json
from typing import Any

from autograder.notebook.characters import whole
from autograder.notebook.template import Cell


def to_json(document: dict[str, Any]) -> str:
    """A notebook as it is written to disk."""
    return whole(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)) + "\n"


def message(text: str) -> dict[str, Any]:
    """An output of a cell, as if it had been printed to stderr."""
    return {"output_type": "stream", "name": "stderr", "text": f"{text}\n"}


def substituted(notes: tuple[str, ...]) -> Cell:
    """A cell that lists what was not the student's own."""
    text = "**From earlier notebooks:**\n\n" + "\n".join(f"- {note}." for note in notes)
    return {"cell_type": "markdown", "id": "earlier-notebooks", "metadata": {}, "source": text}


def second_run() -> Cell:
    """A cell that says why nothing below was run on a GPU."""
    text = (
        "**Run on the CPU:** the first run, on a GPU, reported a CUDA error after which a program "
        "can no longer use the GPU. The results below are from a second run, on the CPU, starting "
        "with the first cell. An index out of range is one cause of such an error; on the CPU it "
        "stops the cell in which it occurs, with a message that says what it is."
    )
    return {"cell_type": "markdown", "id": "second-run", "metadata": {}, "source": text}


def annotated(document: dict[str, Any], note: str) -> dict[str, Any]:
    """The released notebook with the reason on top."""
    copy = json.loads(json.dumps(document))
    cell = {"cell_type": "markdown", "id": "not-graded", "metadata": {}}
    copy["cells"].insert(0, cell | {"source": f"**This notebook could not be graded:** {note}."})
    return copy
