"""Names for cells that have none, as in notebooks of nbformat 4.0 to 4.4.

The same cells get the same names, so that grading finds again what was released. A cell that has
a usable id keeps it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograder.notebook.template import grade_id, source_of

MINOR = 5  # of nbformat 4: the first with ids
MAX_WORDS = 5
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # nbformat's rule
_RANDOM = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){0,3}(-?[0-9a-f]{12})?")  # JupyterLab, VS Code
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_DEFINITION = re.compile(r"^(?:async def|def|class)\s+(\w+)", re.MULTILINE)
_DULL = re.compile(r"^\s*(#.*|%.*|!.*|import\s.*|from\s.*)?$")  # says little of what a cell does
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Cell = dict[str, Any]


def name_cells(cells: Sequence[Cell]) -> int:
    """Give an id to every cell without a usable one of its own; return how many it were."""
    taken: set[str] = set()
    nameless = []
    for cell in cells:
        found = cell.get("id")
        if isinstance(found, str) and _ID.fullmatch(found) and found not in taken:
            taken.add(found)
        else:
            nameless.append(cell)
    for cell in nameless:
        cell["id"] = next(name for name in _numbered(_name(cell)) if name not in taken)
        taken.add(cell["id"])
    return len(nameless)


def rename_cells(cells: Sequence[Cell]) -> dict[str, str]:
    """Give a graded cell its grade_id as a name, and a cell with a random one another.

    Returns the new names by the old ones.
    """
    before = {index: str(cell["id"]) for index, cell in enumerate(cells)}
    for cell in cells:
        wanted = grade_id(cell)
        if wanted and _ID.fullmatch(wanted) and cell["id"] != wanted:
            for other in cells:
                if other["id"] == wanted and grade_id(other) != wanted:
                    other["id"] = ""  # it is named after its content below
            cell["id"] = wanted
        elif not wanted and _RANDOM.fullmatch(cell["id"]):
            cell["id"] = ""
    name_cells(cells)
    now = {index: str(cell["id"]) for index, cell in enumerate(cells)}
    return {before[i]: now[i] for i in before if before[i] != now[i]}


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _name(cell: Cell) -> str:
    """The grade_id; else the id that Colab keeps in the metadata; else after the content."""
    if _ID.fullmatch(grade_id(cell)):
        return grade_id(cell)
    metadata = cell.get("metadata")
    kept = metadata.get("id") if isinstance(metadata, Mapping) else None
    if isinstance(kept, str) and len(kept) <= 64 and _KEBAB.fullmatch(kept):
        return kept
    source = source_of(cell)
    if cell.get("cell_type") != "code":
        return _kebab(source) or "text"
    if definition := _DEFINITION.search(source):
        return _kebab(definition[1]) or "code"
    telling = [line for line in source.split("\n") if not _DULL.match(line)]
    return _kebab(next(iter(telling or source.split("\n")), "")) or "code"


def _kebab(text: str) -> str:
    """The first words of a text, as ``in-this-form``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", _CAMEL.sub(" ", plain).lower())
    while words and words[0].isdigit():
        del words[0]
    return "-".join(words[:MAX_WORDS])[:40].rstrip("-")
