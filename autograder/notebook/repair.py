"""Mend a submission as a fair TA would, and say what was mended.

Editors strip metadata, students copy, move, retype and delete cells. The result is always the
released notebook, cell by cell, with the student's answers in their places and the student's own
extra cells between them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from autograder.notebook import template as released
from autograder.notebook.likeness import Keys, keys
from autograder.notebook.reading import MAX_BYTES, UnreadableError, as_type, read_notebook
from autograder.notebook.shown import is_told
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import Cell, Template

__all__ = ["MAX_BYTES", "Repaired", "UnreadableError", "repair"]


@dataclass(frozen=True)
class Repaired:
    """A well-formed notebook (nbformat 4.5, no outputs) and what it took to get there.

    ``concerns``: what of it a human has to look at. ``keys``: by what its cells can be known.
    """

    document: dict[str, Any]
    repairs: tuple[str, ...]
    concerns: tuple[str, ...] = ()
    keys: Keys = frozenset()


def repair(data: bytes, template: Template) -> Repaired:
    """The submission in the shape of its release. Raises UnreadableError."""
    reading = read_notebook(data)
    submitted = [cell for cell in reading.cells if not is_told(cell)]
    notes = reading.notes
    matches = _match(template.cells, submitted, notes)
    order = [matches[i] for i in sorted(matches)]
    if order != sorted(order):
        notes.append("cells were in another order: put back as released")
    cells: list[Cell] = []
    extras = _extras(submitted, set(order), template, notes)
    own = extras.pop(-1, [])  # they wait for the end of what belongs to the cell above
    for number, original in enumerate(template.cells):
        index = matches.get(number)
        if index is not None or not is_told(original):
            cells += own
            own = []
        mine = None if index is None else submitted[index]
        cells.append(_restore(original, mine, notes))
        if index is not None:
            own = extras.pop(index, [])
    cells += own
    for number, cell in enumerate(_unnamed(cells), start=1):
        cell["id"] = f"extra-{number}"
    document = {
        "cells": cells,
        "metadata": copy.deepcopy(template.document["metadata"]),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    found = {f"id {template.cells[number]['id']}" for number in matches}
    return Repaired(
        document,
        tuple(dict.fromkeys(notes)),
        tuple(reading.concerns),
        frozenset(found).union(*map(keys, reading.cells)),
    )


# -- which submitted cell is which released cell --------------------------------------------------


def _match(originals: list[Cell], submitted: list[Cell], notes: list[str]) -> dict[int, int]:
    """Index of a released cell -> index of the submitted one: by id, grade_id, source, names."""
    matches: dict[int, int] = {}
    free = set(range(len(submitted)))

    def take(rule: Callable[[Cell, Cell], bool], note: str) -> None:
        for number, original in enumerate(originals):
            if number in matches:
                continue
            same = [i for i in sorted(free) if rule(original, submitted[i])]
            if same:
                matches[number] = best = _choose(original, [(i, submitted[i]) for i in same])
                free.discard(best)
                if note and released.nbgrader(original):
                    notes.append(f"cell {original['id']!r} {note}")

    take(_same_name, "")
    take(lambda o, s: bool(s["source"].strip()) and _same_source(o, s), "was found by its source")
    take(_same_definitions, "had lost its name: found by what it defines")
    for number, original in enumerate(originals):
        neighbour = matches.get(_before(number, originals, matches), len(submitted)) + 1
        beside = neighbour in free and submitted[neighbour]["cell_type"] == original["cell_type"]
        if number not in matches and beside and released.is_answer(original):
            matches[number] = neighbour
            free.discard(neighbour)
            notes.append(f"cell {original['id']!r} had lost its name: found by its position")
    stripped = [
        originals[n]["id"]
        for n, i in matches.items()
        if released.nbgrader(originals[n]) and not released.nbgrader(submitted[i])
    ]
    if stripped:
        notes.append(f"grading metadata was missing from {len(stripped)} cells: restored")
    return matches


def _before(number: int, originals: list[Cell], matches: dict[int, int]) -> int:
    """The released cell before this one, past what only this release shows of an output."""
    number -= 1
    while number >= 0 and number not in matches and is_told(originals[number]):
        number -= 1
    return number


def _choose(original: Cell, candidates: list[tuple[int, Cell]]) -> int:
    """Among copies of an answer the last one worked on, as in the kernel; else the first."""
    if released.is_answer(original):
        worked_on = [i for i, cell in candidates if not _same_source(original, cell)]
        if worked_on:
            return worked_on[-1]
    return candidates[0][0]


def _same_name(original: Cell, cell: Cell) -> bool:
    name = original["id"]
    return name in (cell["id"], released.grade_id(cell)) and bool(name)


def _same_source(original: Cell, cell: Cell) -> bool:
    return original["source"].strip() == cell["source"].strip()


def _same_definitions(original: Cell, cell: Cell) -> bool:
    """An answer under no name at all: it defines what the released cell was to define."""
    if not (released.is_answer(original) and original["cell_type"] == "code"):
        return False
    wanted = _defined(original["source"])
    return bool(wanted) and wanted <= _defined(cell["source"])


def _defined(source: str) -> set[str]:
    """Names that a cell's top level binds."""
    names = set()
    for node in parse_cell(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {t.id for t in targets if isinstance(t, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


# -- putting it together --------------------------------------------------------------------------


def _extras(
    submitted: list[Cell], matched: set[int], template: Template, notes: list[str]
) -> dict[int, list[Cell]]:
    """The student's own cells, by the index of the matched cell they follow (-1: none)."""
    locked = {c["id"] for c in template.cells if released.is_locked(c)}
    names = {c["id"] for c in template.cells}
    after: dict[int, list[Cell]] = {}
    anchor = -1
    for index, cell in enumerate(submitted):
        if index in matched:
            anchor = index
            continue
        copied = {cell["id"], released.grade_id(cell)} & names
        if copied & locked:
            notes.append(f"a copy of the test cell {min(copied & locked)!r} was left out")
            continue
        if copied:
            notes.append(f"a copy of cell {min(copied)!r} was kept as an ordinary cell")
        plain = {**cell, "metadata": {}, "id": ""}
        after.setdefault(anchor, []).append(plain)
    return after


def _restore(original: Cell, mine: Cell | None, notes: list[str]) -> Cell:
    """The released cell, holding the student's source where that is theirs to write."""
    name = original["id"]
    cell = copy.deepcopy(original)
    if mine is None:
        if released.nbgrader(original) or original["cell_type"] == "code":
            notes.append(f"cell {name!r} was missing: restored as released")
    elif released.is_locked(original):
        if not _same_source(original, mine):
            notes.append(f"the locked cell {name!r} had been edited: restored")
    else:
        cell["source"] = mine["source"]
        if pictures := cell.get("attachments", {}) | mine.get("attachments", {}):
            cell["attachments"] = pictures
        if mine["cell_type"] != original["cell_type"]:
            notes.append(f"cell {name!r} had become a {mine['cell_type']} cell: changed back")
    return as_type(cell, original["cell_type"])


def _unnamed(cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if not cell["id"]]
