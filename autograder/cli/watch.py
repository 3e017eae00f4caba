"""``python -m autograder watch``. No logic here."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from autograder.cli.command import ROOT, isolation_option, reports_errors, root_option


@click.command()
@click.argument("assignment")
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="How many hand-ins of a student are graded on one day, in the course's time zone.",
)
@click.option(
    "--exchange", is_flag=True, help="Collect from nbgrader's exchange, and release there."
)
@click.option(
    "--incoming",
    type=ROOT,
    metavar="FOLDER",
    help="Sort zips that are put into this folder into submitted/, as `collect` does.",
)
@click.option("--until", metavar="DATE", default="", help="End then. [default: until Ctrl-C]")
@click.option(
    "--every",
    type=click.FloatRange(0.1),
    default=5,
    show_default=True,
    help="Seconds between two looks at the folders.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: as for `grade`]")
@isolation_option
@root_option
@reports_errors
def watch(
    assignment: str,
    attempts: int,
    exchange: bool,
    incoming: Path | None,
    until: str,
    every: float,
    workers: int | None,
    isolation: str | None,
    root: Path,
) -> None:
    """Grade what arrives in submitted/ while an assignment is open.

    Each hand-in that differs from the last one is an attempt, graded with inputs of its own. Its
    feedback is written as soon as it is graded, and says how many attempts of the day are left.
    What arrives when they are used up is kept, and graded on the next day.

    Ctrl-C ends it with exit status 0. Started again, it continues where it stopped. `grade` may be
    run meanwhile: the two wait for each other.
    """
    from rich.console import Console

    from autograder.cli.grade import report_on
    from autograder.feedback.pages import clean_line
    from autograder.watch.run import WatchOptions, keep_watching

    console = Console()

    def say(line: str) -> None:
        text = f"{datetime.datetime.now():%H:%M:%S} {clean_line(line)}"
        console.print(text, highlight=False, soft_wrap=True, markup=False, emoji=False)

    root = root.resolve()
    incoming = incoming.resolve() if incoming else None
    options = WatchOptions(attempts, every, exchange, incoming, until, workers, isolation)

    def after_round() -> None:
        report_on(root, assignment, root / "report" / assignment, {})

    keep_watching(root, assignment, options, say, after_round)
