"""What a source notebook must look like: balanced regions, known metadata, one canonical form."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_solution

from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG, tolerance
from autograder.errors import WrongUse
from autograder.notebook.regions import MARKER, SLOPPY_MARKER

#: What a notebook may carry besides its cells. Editors add more (widths, folds, Colab's views);
#: it would only make diffs noisy and releases different from machine to machine.
NOTEBOOK_METADATA = {
    # while grading
    "cs231n": ("cell_seconds", "call_seconds", "notebook_seconds", "memory_mb", "packages", "gpu"),
    "kernelspec": ("display_name", "language", "name"),
    "language_info": ("name",),
}
CELL_METADATA = ("nbgrader", "tags", "cs231n", "deletable", "editable")


class ReleaseError(WrongUse):
    """A source notebook cannot become a release: says where, what was found, what to do."""


def canonical(nb: NotebookNode) -> NotebookNode:
    """Copy of ``nb`` in the one form that is committed.

    Gone are metadata outside the allow-list, attachments, execution counts, trailing blank lines,
    and all outputs but those of cells tagged ``nbval-check-output``, which nbval compares.
    """
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = _only(nb.metadata, list(NOTEBOOK_METADATA))
    for key, names in NOTEBOOK_METADATA.items():
        if key in nb.metadata:
            nb.metadata[key] = _only(nb.metadata[key], names)
    for cell in nb.cells:
        cell.metadata = _only(cell.metadata, CELL_METADATA)
        cell.source = cell.source.rstrip("\n")
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            if CHECKED_OUTPUT_TAG not in cell.metadata.get("tags", ()):
                cell.outputs = []
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None
    return nb


def _only(metadata: Mapping[str, Any], keys: Sequence[str]) -> NotebookNode:
    return NotebookNode({key: metadata[key] for key in keys if key in metadata})


def without_hooks(nb: NotebookNode) -> NotebookNode:
    """Copy of ``nb`` that runs in an ordinary kernel: the hidden hooks refuse to."""
    return ClearHiddenTests().preprocess(copy.deepcopy(nb), ResourcesDict())[0]


def read_source(path: Path) -> NotebookNode:
    """The notebook in a file. Raises ReleaseError where there is none to be read."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ReleaseError(f"{path}: not a readable notebook ({error}); restore it") from error


def check_source(path: Path) -> None:
    """Raise ReleaseError when the source notebook would leak a solution or confuse nbgrader."""
    nb = read_source(path)
    for cell in nb.cells:
        where = f"{path}: cell {cell.id!r}"
        regions = list(_regions(cell.source, where))
        try:
            tolerance(cell.metadata.get("tags", ()))
        except ValueError as error:
            raise ReleaseError(f"{where}: {error}") from None
        if "nbgrader" in cell.metadata and not cell.metadata.nbgrader.get("grade_id"):
            raise ReleaseError(f"{where} has no grade_id; add one, e.g. 'affine-forward'")
        if "SOLUTION" in regions and not is_solution(cell):
            raise ReleaseError(f"{where} holds a solution region; mark it nbgrader solution=true")
        if is_solution(cell) and cell.cell_type == "code":
            if "SOLUTION" not in regions:
                raise ReleaseError(
                    f"{where} is a solution cell without a region; put what the student writes "
                    "between '### BEGIN SOLUTION' and '### END SOLUTION'"
                )
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                raise ReleaseError(f"{where}, line {error.lineno}: {error.msg}; mend it") from error


def _regions(source: str, where: str) -> Iterator[str]:
    """Kinds of the marked regions, in order; raises ReleaseError unless they are balanced."""
    opened = ""
    for number, line in enumerate(source.split("\n"), start=1):
        marker = MARKER.match(line)
        if marker is None:
            if SLOPPY_MARKER.search(line):
                raise ReleaseError(
                    f"{where}, line {number}: found {line.strip()!r}; "
                    "a marker is a line of its own, e.g. '### BEGIN SOLUTION'"
                )
            continue
        edge, kind = marker.groups()
        if edge == "BEGIN" and not opened:
            opened = kind
            yield kind
        elif edge == "END" and kind == opened:
            opened = ""
        else:
            state = f"'### BEGIN {opened}' is still open" if opened else "no region is open"
            raise ReleaseError(
                f"{where}, line {number}: found '### {edge} {kind}' while {state}; "
                "close each region before the next"
            )
    if opened:
        raise ReleaseError(f"{where}: '### BEGIN {opened}' has no end; add '### END {opened}'")


def enclosing_function(source: str, line: int) -> str | None:
    """Name of the innermost function (or method) around a line of ``source``."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: node.lineno).name if around else None
