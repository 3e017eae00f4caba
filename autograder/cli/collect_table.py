"""What went where, as a table on a terminal that has room for one, and as plain lines elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from autograder.collect.place import UNATTRIBUTED, Row
from autograder.collect.run import Collected

COLUMNS = ("student", "notebook", "outcome", "from", "remark")
ALIKE = 3  # more files of one student with the same remark are one line


def show(done: Collected, *, dry_run: bool) -> None:
    """Print every row, those for a person last, then how many there are of each kind."""
    console = Console(markup=False, emoji=False, highlight=False)
    rows = sorted(_gathered(done.rows), key=lambda row: (row.human, row.student, row.notebook))
    table = Table(title="Nothing was written" if dry_run else None)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row), style="yellow" if row.human else None)
    # What has no room for the longest word of each column would cut names in two.
    roomy = console.options.update(max_width=10_000)
    narrow = Measurement.get(console, roomy, table).minimum > console.width
    if console.is_terminal and not narrow:
        console.print(table)
    else:
        for row in rows:
            click.echo(_line(row))
    click.echo(_summary(done, dry_run=dry_run))


def _cells(row: Row) -> tuple[str, ...]:
    return row.student, row.notebook, row.outcome, row.where, row.note


def _line(row: Row) -> str:
    whose = "/".join(filter(None, (row.student, row.notebook)))
    source = f"from {row.where}" if row.where and whose else row.where
    note = f": {row.note}" if row.note else ""
    return " ".join(filter(None, (f"{row.outcome:12}", whose, source))) + note


def _gathered(rows: Iterable[Row]) -> Iterable[Row]:
    """A student's data set is one row, not a thousand."""

    def kind(row: Row) -> tuple[str, ...]:
        return row.student, row.notebook, row.outcome, row.note

    for _, group in groupby(sorted(rows, key=kind), key=kind):
        alike = list(group)
        if alike[0].notebook or len(alike) <= ALIKE:
            yield from alike
        else:
            yield replace(alike[0], where=f"{alike[0].where} and {len(alike) - 1} more")


def _summary(done: Collected, *, dry_run: bool) -> str:
    counted = Counter(row.outcome for row in done.rows)
    parts = [f"{number} {outcome}" for outcome, number in sorted(counted.items())]
    if done.ignored:
        parts.append(f"{done.ignored} ignored (unchanged copies of the release, or system files)")
    students = len({row.student for row in done.rows if row.notebook})
    head = "would be: " if dry_run else ""
    kept = f"; deal with what is in {done.kept}" if UNATTRIBUTED in counted and not dry_run else ""
    return f"{head}{', '.join(parts)}; {students} student{'' if students == 1 else 's'}{kept}"
