"""What a source notebook must look like: balanced regions, known metadata, one canonical form."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests

from autograder.authoring.cell_ids import MINOR, name_cells
from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG
from autograder.errors import WrongUse
from autograder.files import write_text
from autograder.notebook.limits import LIMITS

#: What a notebook may carry besides its cells. Editors add more (widths, folds, Colab's views);
#: it would only make diffs noisy and releases different from machine to machine.
NOTEBOOK_METADATA = {
    # while grading
    "cs231n": (*LIMITS, "packages", "gpu"),
    "kernelspec": ("display_name", "language", "name"),
    "language_info": ("name",),
}
CELL_METADATA = ("nbgrader", "tags", "cs231n", "deletable", "editable")


class ReleaseError(WrongUse):
    """A source notebook cannot become a release: says where, what was found, what to do."""


def canonical(nb: NotebookNode) -> NotebookNode:
    """Copy of ``nb`` in the one form that is committed.

    Gone are metadata outside the allow-list, execution counts, trailing blank lines, and all
    outputs but those of cells tagged ``nbval-check-output``, which nbval compares.
    """
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, MINOR
    name_cells(nb.cells)
    nb.metadata = _only(nb.metadata, list(NOTEBOOK_METADATA))
    for key, names in NOTEBOOK_METADATA.items():
        if key in nb.metadata:
            nb.metadata[key] = _only(nb.metadata[key], names)
    for cell in nb.cells:
        cell.metadata = _only(cell.metadata, CELL_METADATA)
        cell.source = cell.source.rstrip("\n")
        if not cell.get("attachments"):
            cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            if CHECKED_OUTPUT_TAG not in cell.metadata.get("tags", ()):
                cell.outputs = []
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None
    return nb


def without_unused_pictures(nb: NotebookNode) -> NotebookNode:
    """Copy of ``nb`` without pasted pictures to which no text refers any more.

    Where a solution was taken out, the pictures pasted into it are one, too.
    """
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        shown = unquote(cell.source)
        kept = {n: p for n, p in cell.pop("attachments", {}).items() if f"attachment:{n}" in shown}
        if kept:
            cell.attachments = kept
    return nb


def _only(metadata: Mapping[str, Any], keys: Sequence[str]) -> NotebookNode:
    return NotebookNode({key: metadata[key] for key in keys if key in metadata})


def without_hooks(nb: NotebookNode) -> NotebookNode:
    """Copy of ``nb`` that runs in an ordinary kernel: the hidden hooks refuse to."""
    return ClearHiddenTests().preprocess(copy.deepcopy(nb), ResourcesDict())[0]


def read_source(path: Path) -> NotebookNode:
    """The notebook in a file, in today's format. Raises ReleaseError where there is none."""
    return _read(path)[0]


def bring_up_to_date(path: Path) -> str:
    """Write a source of an older format, or without ids, as one of today's.

    Names of cells are then in the file, and stay when their content is edited. Returns what was
    done, empty where there was nothing to do. Raises ReleaseError.
    """
    nb, older, named = _read(path)
    if not older and not named:
        return ""
    write_text(path, nbformat.writes(nb) + "\n")
    what = [f"was of nbformat {older}, is of 4.{MINOR}"] if older else []
    what += [f"{named} cell{'s' if named > 1 else ''} got an id"] if named else []
    return ", and ".join(what)


def _read(path: Path) -> tuple[NotebookNode, str, int]:
    """The notebook, the version of its format where that is older, and how many ids it lacked."""
    try:
        nb = nbformat.reader.reads(path.read_text("utf-8"))
        before = (int(nb.nbformat), int(nb.get("nbformat_minor", 0)))
        if before[0] != 4:
            nb = nbformat.convert(nb, 4)
            for cell in nb.cells:
                cell.pop("id", None)  # drawn at random
        cells = list(nb.cells)
        for cell in cells:
            cell.setdefault("metadata", NotebookNode())
        named = name_cells(cells)
        nb.nbformat_minor = max(MINOR, int(nb.get("nbformat_minor", 0)))
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error
    except (nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise _unreadable(path, error) from error
    try:
        nbformat.validator.validate(nb, relax_add_props=True)
    except nbformat.ValidationError as error:
        steps = list(error.absolute_path)
        at = f"cell {nb.cells[steps[1]].id!r}, " if steps[:1] == ["cells"] and steps[1:] else ""
        field = ".".join(str(step) for step in (steps[2:] if at else steps)) or "the notebook"
        raise ReleaseError(
            f"{path}: {at}field {field}: {error.message.splitlines()[0][:200]}; mend it, or open "
            "and save the notebook in Jupyter"
        ) from error
    for cell in nb.cells:
        if _has_half_a_character(cell.source):
            raise ReleaseError(f"{path}: cell {cell.id!r} holds half a character; type it again")
    older = f"{before[0]}.{before[1]}" if before < (4, MINOR) else ""
    return nb, older, named


def _has_half_a_character(text: str) -> bool:
    """As some editors leave an emoji; it is in no encoding."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _unreadable(path: Path, error: Exception) -> ReleaseError:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    return ReleaseError(f"{path}: not a readable notebook ({why}); restore it")


def enclosing_function(source: str, line: int) -> str | None:
    """Name of the innermost function (or method) around a line of ``source``."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: node.lineno).name if around else None
