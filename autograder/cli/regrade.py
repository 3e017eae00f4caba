"""``python -m autograder regrade``. No logic here."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.command import NEEDS_HUMAN, isolation_option, reports_errors, root_option


@click.command()
@click.argument("student")
@click.argument("assignment")
@click.option("--note", required=True, help="Why: for the report and the log, not for the student.")
@click.option("--notebooks", default="*", metavar="GLOB", help="Only notebooks whose name matches.")
@isolation_option
@root_option
@reports_errors
def regrade(
    student: str, assignment: str, note: str, notebooks: str, isolation: str | None, root: Path
) -> None:
    """Grade one student again, and keep the old and the new verdict side by side.

    The report shows both, who asked for it, and the note; the student's feedback shows the points
    that have changed. Points and comments that people gave are kept, and marked for another look
    as nbgrader does it. .autograder/changes.jsonl has a line for each regrade.

    Exit status 1: something needs a human.
    """
    from autograder.cli.regrade_display import regrade_with_progress

    if not note.strip():
        raise click.UsageError("--note says why: it must not be empty")
    human = regrade_with_progress(
        root.resolve(), assignment, student, note.strip(), notebooks, isolation
    )
    sys.exit(NEEDS_HUMAN if human else 0)
