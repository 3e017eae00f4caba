"""What keeps a source notebook from being released: every cell at fault is named at once."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_solution

from autograder.authoring.fields import (
    cell_complaints,
    duplicate_grade_ids,
    notebook_complaints,
)
from autograder.authoring.source import NOTEBOOK_METADATA, ReleaseError, read_source
from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG, NOT_SHOWN_TAG, tolerance
from autograder.notebook.regions import MARKER, SLOPPY_MARKER

MOST = 40  # complaints shown


def check_sources(paths: Iterable[Path]) -> None:
    """Raise ReleaseError, a line for each fault, when sources would leak or confuse nbgrader."""
    found = [complaint for path in paths for complaint in _complaints(path)]
    if len(found) > MOST:
        found[MOST:] = [f"... and {len(found) - MOST} more"]
    if found:
        raise ReleaseError("\n".join(found))


def _complaints(path: Path) -> Iterator[str]:
    try:
        nb = read_source(path)
    except ReleaseError as error:
        yield str(error)
        return
    for complaint in notebook_complaints(nb, NOTEBOOK_METADATA["cs231n"]):
        yield f"{path}: {complaint}"
    faulty = False
    for cell in nb.cells:
        where = f"{path}: cell {cell.id!r}"
        # One complaint a cell: those after it mostly follow from it.
        if complaint := next(iter(cell_complaints(cell, path)), None):
            faulty = True
            yield f"{where}: {complaint}"
        else:
            try:
                _check_content(cell, where)
            except ReleaseError as error:
                yield str(error)
    if not faulty:  # else there may be no such fields to compare
        for complaint in duplicate_grade_ids(nb):
            yield f"{path}: {complaint}"


def _check_content(cell: NotebookNode, where: str) -> None:
    """Regions, tags and syntax of a cell. Raises ReleaseError."""
    regions = list(_regions(cell.source, where))
    try:
        tolerance(cell.metadata.get("tags", ()))
    except ValueError as error:
        raise ReleaseError(f"{where}: {error}") from None
    tags = cell.metadata.get("tags", ())
    if NOT_SHOWN_TAG in tags and CHECKED_OUTPUT_TAG not in tags:
        raise ReleaseError(
            f"{where}: the tag {NOT_SHOWN_TAG!r} does nothing without {CHECKED_OUTPUT_TAG!r}; add "
            "that one or take this one away"
        )
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
