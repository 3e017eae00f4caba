"""``python -m autograder calendar``: due dates into the gradebook, and what lateness costs."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.command import reports_errors, root_option


@click.command()
@root_option
@reports_errors
def calendar(root: Path) -> None:
    """Write due dates into the gradebook, and list what was handed in late.

    The dates, and what lateness costs, stand in calendar.toml, in the course folder; without that
    file this says what to write there. See docs/calendar.md.

    Penalties of all hand-ins are worked out anew, also after points were changed by hand. `grade`
    works them out for what it grades.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.course.late import apply_calendar

    unknown, late = apply_calendar(root.resolve())
    for assignment in unknown:
        click.echo(f"{assignment} is not released yet: run this again when it is", err=True)
    console = Console()
    table = Table(title="handed in late", title_justify="left")
    for heading in ("assignment", "student", "days", "of the budget", "penalty", "points"):
        text = heading in ("assignment", "student")
        table.add_column(heading, justify="left" if text else "right", overflow="fold")
    for one in late:
        days, free = str(one.lateness.days), str(one.lateness.free)
        off = f"-{one.points:g}" if one.points else "0"
        numbers = (days, free, f"{one.lateness.percent:g} %", off)
        table.add_row(Text(one.assignment), Text(one.student), *numbers)
    if late:
        console.print(table)
    else:
        click.echo("nothing was handed in late")
