"""What the commands share: the course folder, and errors as one line with an exit status."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

ROOT = click.Path(exists=True, file_okay=False, path_type=Path)
NEEDS_HUMAN, WRONG_USE = 1, 2


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that users can do something about into one line and an exit status."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from autograder.batch.errors import ClusterError
        from autograder.collect import CollectError
        from autograder.course import CourseError
        from autograder.export import ExportError
        from autograder.gradebook import GradebookError
        from autograder.judge.registry import CheckError
        from autograder.mutate.mutants import MutantError
        from autograder.mutate.run import ReferenceFailed
        from autograder.release import ReleaseError
        from autograder.sandbox.policy import SandboxError
        from autograder.similar.writings import SimilarError
        from autograder.template import TemplateError

        wrong_use = (
            *(CheckError, CollectError, CourseError, ExportError),
            *(MutantError, ReleaseError, SimilarError, TemplateError),
        )
        try:
            return command(*args, **kwargs)
        except wrong_use as error:
            raise Told(str(error), WRONG_USE) from None
        except (ClusterError, GradebookError, ReferenceFailed) as error:
            raise Told(str(error), NEEDS_HUMAN) from None
        except SandboxError as error:
            raise Told(f"{error}\nRun `python -m autograder doctor`.", NEEDS_HUMAN) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Told(
                f"the disk is full ({error.filename or error}). Nothing is half-written: make room "
                "and run the same command again",
                NEEDS_HUMAN,
            ) from None

    return run


class Told(click.ClickException):
    """One line on stderr and an exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.exit_code = status  # type: ignore[misc]  (a class variable in click)


root_option = click.option(
    "--root", type=ROOT, default=".", show_default="this folder", help="The course folder."
)
