"""What was graded, as a table that fits 80 columns, and below it what needs a human."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.judge.results import GradedNotebook

MAX_ROWS = 40  # rows of the table; the report has all
BETWEEN = 3  # characters between two columns
#: Columns beside the names, and whether a narrow terminal can do without.
NUMBERS = ("score", "to read", "seconds")
SPARED = ("seconds", "to read")  # in this order, where names would be cut otherwise


def show_table(console: Console, assignment: str, graded: Sequence[GradedNotebook]) -> None:
    """Print it: of a large class what needs a human, and not more than a few rows.

    No name is cut. Reasons are sentences, which would need a column of their own: they come below.
    """
    rows = graded if len(graded) <= MAX_ROWS else [one for one in graded if one.needs_human]
    rows = rows[:MAX_ROWS]
    table = _table(assignment, rows, _columns(rows, console.width))
    hidden = len(graded) - len(rows)
    if hidden:
        table.caption = f"and {hidden} more: see the report"
    console.print(table, markup=False)
    for one in rows:
        if one.needs_human:
            told = f"{one.student}/{one.notebook} needs a human: {one.needs_human}"
            console.print(Text(told), soft_wrap=not console.is_terminal)  # Text: no markup


def _cells(one: GradedNotebook) -> dict[str, str]:
    return {
        "score": f"{one.score:g} / {one.max_score:g}",
        "to read": str(len(one.manual_pending)),
        "seconds": f"{one.timings.get('total', 0):.1f}",
    }


def _columns(rows: Sequence[GradedNotebook], width: int) -> list[str]:
    """The numbers for which there is room beside the longest names."""
    shown: list[str] = list(NUMBERS)
    names = max((len(one.student) for one in rows), default=0) + max(
        (len(one.notebook) for one in rows), default=0
    )
    for spared in SPARED:
        numbers = sum(max(len(name), *(len(_cells(one)[name]) for one in rows)) for name in shown)
        if names + numbers + BETWEEN * (len(shown) + 1) > width:
            shown.remove(spared)
    return shown


def _table(assignment: str, rows: Sequence[GradedNotebook], columns: Sequence[str]) -> Table:
    table = Table(
        title=Text(assignment),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("student", overflow="fold")
    table.add_column("notebook", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for one in rows:
        cells = _cells(one)
        table.add_row(Text(one.student), Text(one.notebook), *(cells[name] for name in columns))
    return table
