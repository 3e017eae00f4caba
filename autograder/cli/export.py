"""``python -m autograder export`` and ``gradescope``. No logic here."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.command import NEEDS_HUMAN, reports_errors, root_option

FORMATS = ("checks", "questions", "assignment", "canvas", "moodle", "gradescope")
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("assignment")
@click.option("--format", "kind", type=click.Choice(FORMATS), required=True)
@click.option("--out", type=FILE, help="Where to write. [default: in report/ASSIGNMENT/]")
@click.option(
    "--roster",
    type=FILE,
    help="The list to fill in: Canvas' exported gradebook, Moodle's grading worksheet.",
)
@click.option("--grade-column", default="", help="Title of the column to fill in, as in the list.")
@click.option("--scale", is_flag=True, help="Make our points fit the platform's highest grade.")
@click.option("--student", default="", help="Whose submission (for gradescope).")
@click.option("--anyway", is_flag=True, help="Exit with 0 even if grading is not complete.")
@root_option
@reports_errors
def export(
    assignment: str,
    kind: str,
    out: Path | None,
    roster: Path | None,
    grade_column: str,
    scale: bool,
    student: str,
    anyway: bool,
    root: Path,
) -> None:
    """Write grades for other programs.

    \b
    checks       CSV, one line for each student and hidden check
    questions    CSV, one line for each student and question: automatic, manual, total
    assignment   CSV, one line for each student: score after the late penalty, answers to read
    canvas       to be imported into Canvas' gradebook; with --roster, the list Canvas exported
    moodle       Moodle's grading worksheet (--roster) with the grades filled in
    gradescope   results.json for one submission (--student)

    The file is written in any case, with the grades as they are now. Where these are not final
    (a submission needs a human, a written answer is unread) or a grade finds no row on the list,
    stderr says so and the exit status is 1. --anyway turns the former into 0, but never the
    latter. Exit status 2: wrong use, and nothing is written.
    """
    from autograder.export.write import Request, write_export

    request = Request(assignment, kind, out, roster, grade_column, scale, student)
    written = write_export(root.resolve(), request)
    click.echo(written.path)
    for line in (*written.notes, *written.unfinished, *written.problems):
        click.echo(line, err=True)
    sys.exit(NEEDS_HUMAN if written.problems or (written.unfinished and not anyway) else 0)


@click.command()
@click.argument("assignment")
@click.option("--out", type=FILE, required=True, help="Where to write, such as autograder.zip.")
@click.option(
    "--minutes",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    help="Gradescope's time limit (Settings > Autograder): grading stops half a minute before it.",
)
@click.option(
    "--visibility",
    type=click.Choice(VISIBILITIES),
    default="visible",
    show_default=True,
    help="When students see points and messages.",
)
@click.option(
    "--gpus", is_flag=True, help="For a runner of your own with a GPU, see docs/runners.md."
)
@root_option
@reports_errors
def gradescope(
    assignment: str, out: Path, minutes: int, visibility: str, gpus: bool, root: Path
) -> None:
    """Build an autograder for Gradescope, or for CI runners: a zip.

    It holds hidden checks, and solutions of notebooks that later ones load, so keep it as private
    as source/. It has a secret of its own, which is new each time.
    """
    from autograder.export.gradescope.package import build_zip

    click.echo(build_zip(root.resolve(), assignment, out, minutes, visibility, gpus=gpus))
