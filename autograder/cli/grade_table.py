"""What was graded, as a table that fits 80 columns, and below it what needs a human."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.judge.results import GradedNotebook

if TYPE_CHECKING:
    from autograder.course.late import Late

MAX_ROWS = 40  # rows of the table; the report has all
BETWEEN = 3  # characters between two columns
#: Columns beside the names, and whether a narrow terminal can do without.
LATE = "late"  # a column only where somebody is
NUMBERS = ("score", LATE, "to read", "seconds")
SPARED = ("seconds", "to read", LATE)  # in this order, where names would be cut otherwise


def show_table(
    console: Console,
    assignment: str,
    graded: Sequence[GradedNotebook],
    late: Mapping[str, Late] | None = None,
) -> None:
    """Print it: of a large class what needs a human, and not more than a few rows.

    ``late``: by student. No name is cut. Reasons are sentences, which would need a column of their
    own: they come below. So does lateness, where there is no room for its column.
    """
    rows = graded if len(graded) <= MAX_ROWS else [one for one in graded if one.needs_human]
    rows = rows[:MAX_ROWS]
    mine = {one.student: late[one.student] for one in graded if late and one.student in late}
    cells = [_cells(one, mine.get(one.student)) for one in rows]
    columns = _columns(rows, cells, console.width)
    table = _table(assignment, rows, cells, columns)
    hidden = len(graded) - len(rows)
    if hidden:
        table.caption = f"and {hidden} more: see the report"
    console.print(table, markup=False)
    if mine and hidden:
        off = sum(one.points for one in mine.values())
        told = f"handed in late: {len(mine)} of these students, {off:g} points off in all"
        console.print(Text(told), soft_wrap=not console.is_terminal)
    elif LATE not in columns:
        for one in mine.values():
            told = f"{one.student} {one.told}"
            console.print(Text(told), soft_wrap=not console.is_terminal)
    for one in rows:
        if one.needs_human:
            told = f"{one.student}/{one.notebook} needs a human: {one.needs_human}"
            console.print(Text(told), soft_wrap=not console.is_terminal)  # Text: no markup


def _cells(one: GradedNotebook, late: Late | None) -> dict[str, str]:
    off = late.penalties.get(one.notebook, 0.0) if late else 0.0
    return {
        "score": f"{one.score:g} / {one.max_score:g}",
        LATE: f"{late.days}{f', -{off:g}' if off else ''}" if late else "",
        "to read": str(len(one.manual_pending)),
        "seconds": f"{one.timings.get('total', 0):.1f}",
    }


def _columns(
    rows: Sequence[GradedNotebook], cells: Sequence[Mapping[str, str]], width: int
) -> list[str]:
    """The numbers for which there is room beside the longest names."""
    shown = [name for name in NUMBERS if name != LATE or any(row[LATE] for row in cells)]
    names = max((len(one.student) for one in rows), default=0) + max(
        (len(one.notebook) for one in rows), default=0
    )
    for spared in SPARED:
        numbers = sum(max(len(name), *(len(row[name]) for row in cells), 0) for name in shown)
        if spared in shown and names + numbers + BETWEEN * (len(shown) + 1) > width:
            shown.remove(spared)
    return shown


def _table(
    assignment: str,
    rows: Sequence[GradedNotebook],
    cells: Sequence[Mapping[str, str]],
    columns: Sequence[str],
) -> Table:
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
    for one, numbers in zip(rows, cells, strict=True):
        table.add_row(Text(one.student), Text(one.notebook), *(numbers[name] for name in columns))
    return table
