"""``cs231n check`` and ``cs231n submit``."""

import argparse
from pathlib import Path
from typing import Any

from cs231n_lib.hand_in.commands import check, submit

_CHECK = """\
Runs notebooks in a fresh kernel from top to bottom, leaving out what grading leaves out, and says
which visible checks hold, which questions are open, and what will be ignored or mended when they
are graded. What was saved counts, so save first. Exit status: 0 nothing is known to be open,
1 something is, 2 wrong use.
"""
_SUBMIT = """\
Checks an assignment and packs it into ASSIGNMENT.zip, with a receipt beside it, whether or not it
is complete; what is missing is said, and stands in the receipt. Nothing is sent: you upload the
zip. Exit status: 0 nothing is known to be open, 1 something is, 2 wrong use.
"""


def add_to(commands: Any) -> None:
    """Add both commands."""
    checker = commands.add_parser(
        "check", help="run notebooks as grading will, and say what is open", description=_CHECK
    )
    checker.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="NOTEBOOK",
        help="notebooks or folders; default: the notebooks in this folder",
    )
    _add_options(checker)
    checker.set_defaults(run=_check)
    packer = commands.add_parser(
        "submit", help="check an assignment and pack it for handing in", description=_SUBMIT
    )
    packer.add_argument("what", metavar="ASSIGNMENT", help="its name, or the folder it is in")
    packer.add_argument(
        "--to", type=Path, default=Path(), metavar="FOLDER", help="default: this folder"
    )
    _add_options(packer)
    packer.set_defaults(run=_submit)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-run", action="store_true", help="only look, and run nothing")
    parser.add_argument(
        "--seconds",
        type=_seconds,
        metavar="N",
        help="how long a cell may take; default: four times as long as when it is graded",
    )


def _seconds(text: str) -> float:
    seconds = float(text)  # argparse tells of a ValueError
    if not 1 <= seconds <= 86_400:
        raise ValueError(text)
    return seconds


def _check(options: argparse.Namespace) -> int:
    return check(options.paths, with_run=not options.no_run, seconds=options.seconds)


def _submit(options: argparse.Namespace) -> int:
    return submit(options.what, to=options.to, with_run=not options.no_run, seconds=options.seconds)
