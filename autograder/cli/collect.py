"""``python -m autograder collect``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.command import NEEDS_HUMAN, reports_errors, root_option
from autograder.collect import FORMATS

PATH = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("assignment")
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "--from", "source", type=click.Choice(FORMATS), help="What the download is of. [default: auto]"
)
@click.option(
    "--roster",
    type=FILE,
    help="CSV: id,first_name,last_name,email,lms_user_id. [default: the gradebook's students]",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option("--latest", is_flag=True, help="Take the latest of each notebook (the default).")
@click.option(
    "--attempt",
    type=click.IntRange(1),
    help="Take each student's N-th attempt of those in the downloads, the oldest being 1.",
)
@click.option("--force", is_flag=True, help="Replace what is in submitted/, even if it is newer.")
@root_option
@reports_errors
def collect(
    assignment: str,
    paths: tuple[Path, ...],
    source: str | None,
    roster: Path | None,
    dry_run: bool,
    latest: bool,
    attempt: int | None,
    force: bool,
    root: Path,
) -> None:
    """Sort downloads from Canvas, Moodle or Gradescope into submitted/.

    Each PATH is a zip as downloaded, or a folder into which it was unpacked. Notebooks are
    recognised by their cells and by their names, students by the roster.

    A submission that was collected before is replaced by a newer attempt; the old one is kept in
    downloaded/ASSIGNMENT/attempts/STUDENT/. Where nothing shows which is newer, or somebody has
    edited the file in submitted/, it stays as it is unless you give --force. What cannot be
    attributed is listed and kept in downloaded/ASSIGNMENT/unattributed/. Running the same
    command again changes nothing.

    Exit status 1: a person has to look at something.
    """
    if latest and attempt:
        raise click.UsageError("--latest and --attempt exclude each other")
    from autograder.cli.collect_table import show
    from autograder.collect.run import collect as run

    options = {"source": source, "roster": roster, "attempt": attempt}
    done = run(root.resolve(), assignment, paths, force=force, dry_run=dry_run, **options)
    show(done, dry_run=dry_run)
    sys.exit(NEEDS_HUMAN if done.needs_human else 0)
