"""What the metadata of a source notebook may say: every complaint names the cell and the field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator, ValidationError
from nbgrader.nbgraderformat.common import SchemaMismatchError

from autograder.notebook.limits import limit_complaint

SCHEMA_VERSION = 3
ROLES = ("grade", "solution", "locked", "task")
GRADE_ID = re.compile(r"[a-zA-Z0-9_-]+")


def notebook_complaints(nb: NotebookNode, fields: Sequence[str]) -> Iterator[str]:
    """What is wrong with the notebook's own settings, which may be these ``fields``."""
    settings = nb.metadata.get("cs231n", {})
    if complaint := limit_complaint(settings):
        yield complaint
    elif unknown := sorted(set(settings) - set(fields)):
        known = ", ".join(fields)
        yield f"metadata 'cs231n': there is no field {unknown[0]!r}; there are {known}"


def duplicate_grade_ids(nb: NotebookNode) -> Iterator[str]:
    """Each grade_id that two cells have."""
    seen: dict[Any, str] = {}
    for cell in nb.cells:
        if "nbgrader" in cell.metadata:
            name = cell.metadata.nbgrader.get("grade_id")
            if name in seen:
                yield (
                    f"cell {cell.id!r}: grade_id is {name!r}, and so is that of cell "
                    f"{seen[name]!r}; give each its own"
                )
            seen[name] = cell.id


def cell_complaints(cell: NotebookNode, path: object) -> Iterator[str]:
    """What is wrong with a cell's nbgrader metadata; ``path`` is for the next step."""
    about = cell.metadata.get("nbgrader")
    if about is None:
        return
    if not isinstance(about, dict):
        yield f"nbgrader is {_shown(about)}; make it what nbgrader writes, or remove it"
        return
    yield from _schema(about, path)
    for role in ROLES:
        if role in about and not isinstance(about[role], bool):
            yield f"{role} is {_shown(about[role])}; make it true or false"
    name = about.get("grade_id")
    if not name:
        yield "grade_id is missing; add one, e.g. 'affine-forward'"
    elif not isinstance(name, str) or not GRADE_ID.fullmatch(name):
        yield f"grade_id is {_shown(name)}; use letters, digits, '-' and '_', e.g. 'affine-forward'"
    if about.get("grade"):
        yield from _points(about)
    if cell.cell_type == "markdown" and not about.get("task"):
        if about.get("grade") and not about.get("solution"):
            yield (
                "grade is true in a cell of text without solution; a written answer has both, "
                "a test is a cell of code"
            )
        if about.get("solution") and not about.get("grade"):
            yield "solution is true in a cell of text without grade; a written answer has both"
    if about.get("task") and cell.cell_type != "markdown":
        yield f"task is true in a cell of {cell.cell_type}; tasks are cells of text"
    yield from _whatever_nbgrader_minds(cell)


def _schema(about: dict[str, Any], path: object) -> Iterator[str]:
    version = about.get("schema_version")
    if version == SCHEMA_VERSION and isinstance(version, int):
        return
    found = "is missing" if version is None else f"is {_shown(version)}"
    if isinstance(version, int) and version > SCHEMA_VERSION:
        yield f"schema_version {found}, from a newer nbgrader; this one reads {SCHEMA_VERSION}"
    else:
        yield (
            f"schema_version {found}, where nbgrader now has {SCHEMA_VERSION}; "
            f"run `nbgrader update {path}`"
        )


def _points(about: dict[str, Any]) -> Iterator[str]:
    points = about.get("points", math.nan)
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if not (number and 0 <= points < math.inf):
        found = f"is {_shown(points)}" if "points" in about else "is missing"
        yield f"points {found}; a graded cell has a number of points, not below 0, e.g. 2"


def _whatever_nbgrader_minds(cell: NotebookNode) -> Iterator[str]:
    try:
        MetadataValidator().validate_cell(cell)
    except ValidationError as error:
        field = ".".join(str(step) for step in error.path)
        yield f"nbgrader's metadata{field and f', field {field}'}: {error.message}"
    except (SchemaMismatchError, TypeError) as error:
        yield f"nbgrader's metadata: {error}"


def _shown(value: Any) -> str:
    """As it stands in the file."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."
