"""``python -m autograder similar``. No logic here."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.command import NEEDS_HUMAN, ROOT, reports_errors, root_option
from autograder.similar import THRESHOLD

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("assignment")
@click.option("--notebooks", default="*", metavar="GLOB", help="Only notebooks whose name matches.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, min_open=True),
    default=THRESHOLD,
    show_default=True,
    help="Unusual lines in common from which a pair is listed.",
)
@click.option(
    "--with",
    "others",
    type=ROOT,
    multiple=True,
    metavar="FOLDER",
    help="Compare with the submissions in here too, but not these with each other (repeatable).",
)
@click.option("--out", type=FOLDER, help="Where to write. [default: report/ASSIGNMENT/similar]")
@root_option
@reports_errors
def similar(
    assignment: str,
    notebooks: str,
    threshold: float,
    others: tuple[Path, ...],
    out: Path | None,
    root: Path,
) -> None:
    """List pairs of suspiciously similar submissions.

    Reads submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb, and writes a list and a page for each pair
    with both sides. It advises people and never scores. What the course gave to everybody does not
    count, and what many in the class write in the same way counts little.

    Exit status 1: there is something to look at: a pair, identical files or an unreadable one.
    """
    from autograder.cli.similar_display import compare_with_progress
    from autograder.similar.run import ComparisonOptions

    root = root.resolve()
    options = ComparisonOptions(notebooks, threshold, others)
    nothing_found = compare_with_progress(
        root, assignment, out or root / "report" / assignment / "similar", options
    )
    sys.exit(0 if nothing_found else NEEDS_HUMAN)
