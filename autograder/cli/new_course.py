"""``python -m autograder new-course``: a small course of one's own to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.command import reports_errors

NEXT = """\
Next, in a minute:
  cd {folder}
  python -m autograder release
  python -m autograder doctor
README.md has the rest; docs/new-course.md of the autograder shows how to make it yours."""


@click.command("new-course")
@click.argument("folder", type=click.Path(path_type=Path))
@reports_errors
def new_course(folder: Path) -> None:
    """Write a small complete course into FOLDER: your own begins there.

    One notebook with a question and a written answer, its hidden checks, wrong solutions to measure
    them with, a library for students, and settings. `release`, `grade`, `mutate` and all other
    commands work in it.

    FOLDER is new or empty. Its name becomes that of the course's packages.
    """
    from autograder.authoring.new_course import new_course as make

    for path in make(folder):
        click.echo(path.relative_to(folder.absolute()))
    click.echo(NEXT.format(folder=folder))
