"""``python -m autograder checks``: what is asked in which question, and for how much."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.command import NEEDS_HUMAN, reports_errors, root_option


@click.command()
@click.argument("assignment")
@click.argument("notebook", required=False)
@root_option
@reports_errors
def checks(assignment: str, notebook: str | None, root: Path) -> None:
    """List the hidden checks: question, points, check, weight, probe, title.

    A check's share of the points is its weight over the sum of the question's weights. Advice has
    no weight; a condition counts only together with an answer.

    Exit status 1: a question has no hidden check that carries points.
    """
    from autograder.cli.checks_table import print_checks

    complete = print_checks(root.resolve(), assignment, notebook)
    sys.exit(0 if complete else NEEDS_HUMAN)
