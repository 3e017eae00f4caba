"""What a course knows of its notebooks: points, hours, and whose functions each of them uses.

Everything is read out of source/: points from nbgrader's metadata, the rest from the table in a
notebook's first cell and from its ``load("...")``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.authoring.source import read_source
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import is_auto_graded, is_manual, nbgrader

#: The rows of a title table, in their order.
ROWS = ("You need first", "Time", "Points", "Afterwards you can", "Lecture")
HALF = "half an hour"

_ROW = re.compile(r"^\|\s*\*\*(.+?)\*\*\s*\|\s*(.*?)\s*\|\s*$", re.MULTILINE)
_HOURS = re.compile(r"about (?:(?P<number>\d+(?:\.\d+)?) hours?|half an hour)\b")


@dataclass(frozen=True)
class Lesson:
    """A notebook. ``uses``: names of the reader's own, by the notebook that they were written in.

    ``hours`` is None where its first cell does not say.
    """

    assignment: str
    name: str
    title: str
    points: float
    hours: float | None
    uses: dict[str, tuple[str, ...]]


def read_lessons(source: Path) -> list[Lesson]:
    """Every notebook of ``source/ASSIGNMENT/``, by name. Raises ReleaseError."""
    return [read_lesson(path) for path in sorted(source.glob("*/*.ipynb"))]


def read_lesson(path: Path) -> Lesson:
    """Raises ReleaseError."""
    nb = read_source(path)
    first = nb.cells[0].source if nb.cells else ""
    heading = re.search(r"^#\s+(.+)$", first, re.MULTILINE)
    return Lesson(
        path.parent.name,
        path.stem,
        heading[1].strip() if heading else path.stem,
        total_points(nb),
        hours_of(title_table(first).get("Time", "")),
        used_names(nb),
    )


def title_table(first: str) -> dict[str, str]:
    """The rows of the table in a notebook's first cell; empty where it has none."""
    return {label: text for label, text in _ROW.findall(first) if label in ROWS}


def hours_of(text: str) -> float | None:
    """``about 3 hours`` as a number; None where the text does not say it like this."""
    found = _HOURS.match(text)
    if found is None:
        return None
    return float(found["number"] or 0.5)


def total_points(nb: NotebookNode) -> float:
    """Of the cells that the judge grades, and of those that a person reads."""
    graded = (cell for cell in nb.cells if is_auto_graded(cell) or is_manual(cell))
    return sum(float(nbgrader(cell).get("points", 0)) for cell in graded)


def used_names(nb: NotebookNode) -> dict[str, tuple[str, ...]]:
    """What a notebook takes out of those that it loads, in the order in which it does."""
    trees = [parse_cell(cell.source) for cell in nb.cells if cell.cell_type == "code"]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules: dict[str, str] = {}  # by the variable they are kept in
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        if name := _loaded(node):
            found.setdefault(name, {})
        if isinstance(node, ast.Assign) and (name := _loaded(node.value)):
            modules |= dict.fromkeys(_names(node.targets), name)
    for node in nodes:
        if isinstance(node, ast.Attribute):
            kept = modules.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
            if name := _loaded(node.value) or kept:
                found[name][node.attr] = None
    return {name: tuple(names) for name, names in found.items()}


def _loaded(node: ast.AST) -> str:
    """``svm`` for ``load("svm")``, empty for everything else."""
    match node:
        case ast.Call(func=ast.Name(id="load"), args=[ast.Constant(value=str(name)), *_]):
            return name.removesuffix(".ipynb")
    return ""


def _names(targets: Iterable[ast.expr]) -> Iterator[str]:
    return (target.id for target in targets if isinstance(target, ast.Name))
