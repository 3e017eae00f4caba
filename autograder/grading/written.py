"""Written answers: which a person has to read, and where one stands that is not in its cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.notebook.template import Cell, Template, grade_id, is_answer, is_manual

_MARKUP = re.compile(r"[\s*_#>`-]+")
NOTE = "*(A note from the grader: this cell is empty, but {}. Please read there.)*"


@dataclass(frozen=True)
class Written:
    """Of one notebook: grade_ids to be read, those without an answer, and what to tell a person."""

    pending: tuple[str, ...]
    unanswered: tuple[str, ...]
    notes: tuple[str, ...]


def sort_written(cells: list[Cell], template: Template) -> Written:
    """Sort the written answers of a repaired notebook.

    An empty one with a new or changed cell beside it is to be read; its cell then says where.
    """
    released = {cell["id"]: cell["source"] for cell in template.cells}
    pending, unanswered, notes = [], [], []
    for index, cell in enumerate(cells):
        if not is_manual(cell):
            continue
        name = grade_id(cell)
        blank = _bare(cell["source"]) in ("", _bare(released.get(cell["id"], "")))
        beside = _beside(cells, index, released) if blank else ""
        if beside:
            notes.append(
                f"the written answer {name!r} is empty, but {beside}: a person reads there"
            )
            cell["source"] = f"{cell['source']}\n\n{NOTE.format(beside)}".strip()
        (unanswered if blank and not beside else pending).append(name)
    return Written(tuple(pending), tuple(unanswered), tuple(notes))


def _bare(text: str) -> str:
    return _MARKUP.sub("", text)


def _beside(cells: list[Cell], index: int, released: dict[str, str]) -> str:
    """``the cell below it is new``, or what else an answer may stand in; empty where nothing is."""
    known = {_bare(source) for source in released.values()} | {""}
    for side, numbers in (("below", range(index + 1, len(cells))), ("above", range(index)[::-1])):
        for cell, new in _reach(cells, numbers, released):
            if _bare(cell["source"]) in known or (not new and is_answer(cell)):
                continue
            return f"the cell {side} it is {'new' if new else 'changed'}"
    return ""


def _reach(
    cells: list[Cell], numbers: range, released: dict[str, str]
) -> Iterator[tuple[Cell, bool]]:
    """Cells of the student's own, each with True, and the first of the course's after them."""
    for number in numbers:
        new = cells[number]["id"] not in released
        yield cells[number], new
        if not new:
            return
