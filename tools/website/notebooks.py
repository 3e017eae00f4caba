"""A released notebook as a page: text and code as students get them, a right solution's figures.

Nothing of ``source/`` is read: figures come from docs/figures, descriptions from docs/figures.md.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_TITLE = re.compile(r"^# .*$", re.M)


@dataclass(frozen=True)
class Shown:
    """A figure that stands below the cell that draws it: its file, and what it shows."""

    file: str  # relative to the page
    alt: str


def page(path: Path, figures: Mapping[str, Sequence[Shown]]) -> str:
    """The notebook as Markdown; ``figures`` by the ids of their cells."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    parts = [part for cell in cells for part in _parts(cell, figures.get(cell.get("id", ""), ()))]
    text = "\n\n".join(parts) + "\n"
    name = PurePosixPath(path).name
    note = f"This is the notebook as students get it: {{download}}`{name}`."
    if any(_about(cell) for cell in cells):
        note += " What is marked *yours to write* is for them to fill in."
    if figures:
        note += " The figures are those of a right solution."
    note = f"```{{note}}\n{note}\n```"
    return _TITLE.sub(lambda title: f"{title[0]}\n\n{note}", text, count=1)


def _parts(cell: Mapping, figures: Sequence[Shown]) -> list[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        about = _about(cell)
        return [f'<div class="cell {about[0]}">', about[1], source, "</div>"] if about else [source]
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", source)), default=0))
    kind, label = _about(cell) or ("given", "")
    code = f"{fence}ipython3\n{source}\n{fence}"
    parts = [f'<div class="cell {kind}">', *([label] if label else []), code, "</div>"]
    for figure in figures:
        alt = re.sub(r"([\[\]*_`$<\\])", r"\\\1", figure.alt)
        parts.append(f"![{alt}]({figure.file})")
    return parts


def _about(cell: Mapping) -> tuple[str, str] | None:
    """What a cell is to a student, as a class and as words: to be written, or tests."""
    told = cell["metadata"].get("nbgrader", {})
    points = f"{told.get('points', 0):g} point{'s' if told.get('points') != 1 else ''}"
    if told.get("solution"):
        worth = f" · {points}" if told.get("grade") else ""
        return "yours", f'<p class="about">Yours to write{worth}</p>'
    if told.get("grade"):
        return "tests", f'<p class="about">Tests · {points}</p>'
    return None
