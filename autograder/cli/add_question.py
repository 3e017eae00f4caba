"""``python -m autograder add-question``: the beginnings of a question, with the right names."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.command import reports_errors, root_option


@click.command("add-question")
@click.argument("notebook", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("name")
@click.option("--points", type=click.FloatRange(0), default=1, show_default=True)
@root_option
@reports_errors
def add_question(notebook: Path, name: str, points: float, root: Path) -> None:
    """Append question NAME (as in fit-line) to NOTEBOOK, a path in source/.

    It gets a cell of text (NAME-idea), a solution cell (NAME-code) and a cell of tests (NAME), with
    nbgrader's metadata; and, in files, the beginning of a hidden check and of a wrong solution.
    Fill them in. A notebook that does not exist is made.
    """
    from autograder.authoring.add_question import add_question as add

    number = int(points) if points == int(points) else points
    add(root, notebook, name, number, click.echo)
