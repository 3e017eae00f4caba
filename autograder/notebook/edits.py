"""A sample file, applied to released notebooks as a student would have edited them.

A sample is a Python file cut into sections by marker lines, as in editors with cells:

    # %% notebook knn                       what follows is about this notebook
    # %% start from release                 or solutions, or solutions-and-answers
    # %% cell best-k                        this is now the source of the cell
    # %% definitions of k-nearest-neighbor  these replace functions or methods of the same name
    # %% new cell after setup               a cell of the student's own
    # %% answer knn-question-bright-rows    a written answer, as comment lines

What stands above the first marker, a docstring and the imports that the notebook has already, is
for readers and editors. A sample is never imported: some of them are hostile. Files about one
notebook only (``autograder/mutants``) need no ``notebook`` line.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.notebook.regions import MARKER
from autograder.notebook.template import is_answer, source_of

Document = dict[str, Any]

_SECTION = re.compile(
    r"^# %% (notebook|start from|cell|definitions of|new cell after|answer) (\S+)\n", re.MULTILINE
)


@dataclass(frozen=True)
class Section:
    """One part of a sample: what to do with which cell."""

    action: str
    target: str
    text: str


def read_sample(path: Path) -> list[Section]:
    """The sections of a file about one notebook. Raises ValueError when it has no start."""
    sections = _read(path)
    _check_start(path, sections)
    return sections


def read_samples(path: Path) -> dict[str, list[Section]]:
    """The sections of a sample by notebook.

    Raises ValueError when one stands before the first notebook, or a notebook has no start.
    """
    by_notebook: dict[str, list[Section]] = {}
    current: list[Section] | None = None
    for section in _read(path):
        if section.action == "notebook":
            if section.target in by_notebook:
                raise ValueError(f"{path}: notebook {section.target} comes twice")
            current = by_notebook[section.target] = []
        elif current is None:
            raise ValueError(f"{path}: the first marker must be '# %% notebook ...'")
        else:
            current.append(section)
    for sections in by_notebook.values():
        _check_start(path, sections)
    return by_notebook


def _read(path: Path) -> list[Section]:
    _, *parts = _SECTION.split(path.read_text("utf-8"))
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [Section(action, target, text.strip("\n")) for action, target, text in triples]


def _check_start(path: Path, sections: list[Section]) -> None:
    if not sections or sections[0].action != "start from":
        raise ValueError(f"{path}: the first marker must be '# %% start from ...'")


def apply(sections: list[Section], release: Document, source: Document) -> Document:
    """The submitted notebook: ``release`` with the sections' edits. ``source`` has the solutions.

    Raises ValueError when a section names a cell or a start that does not exist.
    """
    document = copy.deepcopy(release)
    cells = document["cells"]
    for number, section in enumerate(sections):
        if section.action == "start from":
            _start(document, section.target, source)
            continue
        at = next((i for i, cell in enumerate(cells) if cell["id"] == section.target), None)
        if at is None:
            raise ValueError(f"{section.action} {section.target}: the release has no such cell")
        match section.action:
            case "cell":
                cells[at]["source"] = section.text
            case "definitions of":
                cells[at]["source"] = replace_definitions(source_of(cells[at]), section.text)
            case "new cell after":
                cells.insert(at + 1, _code_cell(f"own-{number}", section.text))
            case "answer":
                lines = [line.removeprefix("#").removeprefix(" ") for line in _lines(section.text)]
                cells[at]["source"] = "\n".join(lines)
    return document


def _start(document: Document, start: str, source: Document) -> None:
    if start not in ("release", "solutions", "solutions-and-answers"):
        raise ValueError(f"a sample cannot start from {start!r}")
    solved = {cell["id"]: cell for cell in source["cells"]}
    for cell in document["cells"]:
        is_code = cell["cell_type"] == "code"
        wanted = start == "solutions-and-answers" or (start == "solutions" and is_code)
        if wanted and is_answer(cell):
            cell["source"] = solution_of(source_of(solved[cell["id"]]))


def solution_of(source: str) -> str:
    """A source cell as a student would have it: no markers, no mark scheme, no hidden tests."""
    kept, hidden = [], False
    for line in _lines(source):
        marker = MARKER.match(line)
        if marker is None and not hidden:
            kept.append(line)
        elif marker is not None and marker[2] != "SOLUTION":
            hidden = marker[1] == "BEGIN"
    return "\n".join(kept).strip("\n")


def solve(source: Document) -> Document:
    """A source notebook as the best student would hand it in."""
    document = copy.deepcopy(source)
    for cell in document["cells"]:
        cell["source"] = solution_of(source_of(cell))
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return document


def replace_definitions(cell: str, definitions: str) -> str:
    """The cell with its functions, or its classes' methods, replaced by those of the same name.

    Other functions are helpers, and go in front. Raises ValueError for what is no function.
    """
    for new in ast.parse(definitions).body:
        if not isinstance(new, ast.FunctionDef):
            raise ValueError(f"line {new.lineno} of the section is no function")
        text, lines = "\n".join(_lines(definitions)[_span(new)]), _lines(cell)
        found = find_definition(cell, new.name)
        if found is None:
            lines = [*_lines(text), "", "", *lines]
        else:
            lines[_span(found)] = _lines(textwrap.indent(text, " " * found.col_offset))
        cell = "\n".join(lines)
    return cell


def find_definition(cell: str, name: str) -> ast.FunctionDef | None:
    """The function ``name`` of a cell: at top level, or a method (``Class.method`` or bare)."""
    owner, _, function = name.rpartition(".")
    for node in ast.parse(cell).body:
        inside = node.body if isinstance(node, ast.ClassDef) and owner in ("", node.name) else []
        candidates = inside if owner or isinstance(node, ast.ClassDef) else [node]
        for candidate in candidates:
            if isinstance(candidate, ast.FunctionDef) and candidate.name == function:
                return candidate
    return None


def _span(node: ast.FunctionDef) -> slice:
    return slice(node.lineno - 1, node.end_lineno)


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _code_cell(name: str, source: str) -> dict[str, Any]:
    empty = {"metadata": {}, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "id": name, "source": source, **empty}
