"""Cells that the course gives (imports, data, plots) as the student left them; their modules."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from autograder.notebook.syntax import parse_cell, unreadable
from autograder.notebook.template import Cell, Template, is_answer, source_of


class GivenCells:
    """Which cells of a repaired notebook are changed versions of the course's own code."""

    def __init__(self, template: Template, cells: list[Cell]) -> None:
        code = [cell for cell in template.cells if cell["cell_type"] == "code"]
        self._released = {cell["id"]: cell["source"] for cell in code if not is_answer(cell)}
        self._cells = [cell for cell in cells if cell["cell_type"] == "code"]
        self._reached: list[Cell] = []
        self._failed: set[str] = set()
        self._given_back: set[str] = set()  # found to lack something: once is enough

    def reach(self, cell: Cell) -> None:
        """This one's turn has come."""
        self._reached.append(cell)

    def lost_with(self, cell: Cell) -> Iterator[tuple[Cell, str]]:
        """The cells above whose names were to be defined by this one, which has failed."""
        self._failed.add(cell["id"])
        names = _bound(cell["source"])
        for above in self._reached:
            given = _bound(self._released.get(above["id"], ""))
            concerned = given & names and above["id"] not in self._given_back | self._failed
            if concerned and (missing := self.missing(above)):
                yield above, missing

    def changed(self, cell: Cell) -> bool:
        """Whether it is one, with another source than was given."""
        given = self._released.get(cell["id"])
        return given is not None and cell["source"].strip() != given.strip()

    def missing(self, cell: Cell) -> str:
        """The names that the cell was to define, that others use, and that no cell defines now."""
        if not self.changed(cell) or unreadable(cell["source"]):
            return ""
        given = _bound(self._released[cell["id"]])
        sound = [one for one in self._cells if one["id"] not in self._failed]
        bound = {name for one in sound for name in _bound(one["source"])}
        lacking = given - bound if "*" not in bound else set()
        used = {name for one in self._cells for name in _used(one["source"])}
        if lacking & used:
            self._given_back.add(cell["id"])
        return ", ".join(sorted(lacking & used))


@lru_cache(maxsize=1024)
def _bound(source: str) -> frozenset[str]:
    """The names that a cell may bind, wherever in it; ``*`` where that cannot be said."""
    found: set[str] = set()
    for node in ast.walk(parse_cell(source)):
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {one.asname or one.name.split(".")[0] for one in names}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                found.add(name)
    return frozenset(found)


@lru_cache(maxsize=1024)
def _used(source: str) -> frozenset[str]:
    nodes = ast.walk(parse_cell(source))
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def imported_modules(files: Mapping[str, bytes], cells: list[Cell]) -> dict[str, str]:
    """Source by file name of the modules that a notebook's cells, or these modules, import.

    They were handed in beside it, or a cell writes them.
    """
    modules = {name: data.decode("utf-8", "replace") for name, data in files.items()}
    modules = {name: text for name, text in modules.items() if name.endswith(".py")}
    modules |= _written(cells)
    waiting = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    found: dict[str, str] = {}
    while waiting:
        text = waiting.pop()
        named = {word for line in _IMPORT.findall(text) for word in re.findall(r"\w+", line)}
        for name, source in modules.items():
            if name.removesuffix(".py") in named and name not in found:
                found[name] = source
                waiting.append(source)
    return found


def modules_written_by(notebook: bytes) -> dict[str, bytes]:
    """The modules that the cells of a student's notebook write; none where it is no notebook."""
    try:
        cells = [one for one in json.loads(notebook)["cells"] if isinstance(one, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    code = [{**one, "source": source_of(one)} for one in cells if one.get("cell_type") == "code"]
    return {name: text.encode("utf-8", "replace") for name, text in _written(code).items()}


def _written(cells: list[Cell]) -> dict[str, str]:
    found: dict[str, str] = {}
    for cell in cells:
        first, _, text = cell["source"].lstrip().partition("\n")
        if match := _WRITES.fullmatch(first[:200].strip()):
            before = found.get(match["name"], "") if match["more"] else ""
            found[match["name"]] = f"{before}{text}\n"
    return found


_IMPORT = re.compile(r"^\s*(?:import|from|%run)\b(.{0,500})", re.MULTILINE)
_WRITES = re.compile(
    r"%%(?:writefile|file)\s+(?P<more>-a\s+|--append\s+)?[\"']?(?P<name>\w+\.py)[\"']?"
)
