"""``python -m autograder hand-out``: the folder that students get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from autograder.cli.command import reports_errors, root_option

SHOWN = 5


@click.command("hand-out")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("assignments", nargs=-1)
@click.option("--update", is_flag=True, help="FOLDER has an earlier state: change what differs.")
@click.option("--zip", "zipped", is_flag=True, help="Write FOLDER.zip, too.")
@root_option
@reports_errors
def hand_out(
    folder: Path, assignments: tuple[str, ...], update: bool, zipped: bool, root: Path
) -> None:
    """Write into FOLDER what students get: notebooks, library, and a README for them.

    Takes the released notebooks of ASSIGNMENTS (default: all) as they are: run `release` first.
    Nothing of source/, of the hidden checks or of what came back can come along. Put FOLDER into a
    repository, or give out the zip; for the next assignment, or a mended notebook, run it again
    with --update. That brings what FOLDER has already up to date, too, takes nothing away, and
    names what is there besides.

    A course of your own hands out its release, which has the library beside the notebooks, and its
    students.md, if there is one, as README.md.
    """
    from autograder.authoring.hand_out import hand_out as make
    from autograder.authoring.hand_out import pack

    done = make(root, folder, assignments, update=update)
    size = sum(done.files.values()) / 1e6
    click.echo(f"{folder}: {len(done.files)} files, {size:.1f} MB")
    for place, count in sorted(_places(done.files).items()):
        click.echo(f"  {place}: {count} notebook{'s' * (count > 1)}")
    if update:
        click.echo(f"  new: {_listed(done.new)}")
        click.echo(f"  changed: {_listed(done.changed)}")
    if done.others:
        click.echo(f"  not part of it, left alone: {_listed(done.others)}")
    if zipped:
        click.echo(pack(folder, done))


def _places(files: Iterable[str]) -> Counter[str]:
    names = [name for name in files if name.endswith(".ipynb")]
    return Counter(name.rpartition("/")[0] for name in names)


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - SHOWN
    return ", ".join([*names[:SHOWN], *([f"and {more} more"] if more > 0 else [])]) or "nothing"
