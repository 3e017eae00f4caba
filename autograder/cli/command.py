"""What the commands share: the course folder, and errors as one line with an exit status."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from autograder.errors import AutograderError, NeedsHuman

NEEDS_HUMAN = NeedsHuman.exit_status
ROOT = click.Path(exists=True, file_okay=False, path_type=Path)


def reports_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that users can do something about into one line and an exit status."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except AutograderError as error:
            raise CommandFailed(str(error), error.next_step, error.exit_status) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            message = f"the disk is full ({error.filename or error}). Nothing is half-written"
            todo = "make room and run the same command again"
            raise CommandFailed(f"{message}: {todo}", "", NEEDS_HUMAN) from None

    return run


class CommandFailed(click.ClickException):
    """One line on stderr, a second one where there is a next step to name, and an exit status."""

    def __init__(self, message: str, next_step: str, status: int) -> None:
        super().__init__(f"{message}\n{next_step}" if next_step else message)
        self.exit_code = status  # type: ignore[misc]  (a class variable in click)


root_option = click.option(
    "--root", type=ROOT, default=".", show_default="this folder", help="The course folder."
)

isolation_option = click.option(
    "--isolation",
    type=click.Choice(["root", "userns", "flat", "none"]),
    help="Use this tier instead of the best one; `none` only for solutions you wrote yourself.",
)
