"""``python -m autograder``: one verb per stage. No logic here.

Exit status: 0 everything was graded, 1 something needs a human, 2 wrong use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

ROOT = click.Path(exists=True, file_okay=False, path_type=Path)
NEEDS_HUMAN, WRONG_USE = 1, 2


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit status: 0 everything was graded, 1 something needs a human, 2 wrong use.",
)
def main() -> None:
    """Release assignments, grade what comes back in isolation, and give feedback.

    Run it in a course folder (the one with source/, release/ and submitted/).
    """


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that users can do something about into one line and an exit status."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from autograder.course import CourseError
        from autograder.gradebook import GradebookError
        from autograder.judge.registry import CheckError
        from autograder.mutate.mutants import MutantError
        from autograder.mutate.run import ReferenceFailed
        from autograder.release import ReleaseError
        from autograder.sandbox.policy import SandboxError
        from autograder.template import TemplateError

        try:
            return command(*args, **kwargs)
        except (CourseError, CheckError, MutantError, ReleaseError, TemplateError) as error:
            raise Told(str(error), WRONG_USE) from None
        except (GradebookError, ReferenceFailed) as error:
            raise Told(str(error), NEEDS_HUMAN) from None
        except SandboxError as error:
            raise Told(f"{error}\nRun `python -m autograder doctor`.", NEEDS_HUMAN) from None

    return run


class Told(click.ClickException):
    """One line on stderr and an exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.exit_code = status  # type: ignore[misc]  (a class variable in click)


root_option = click.option(
    "--root", type=ROOT, default=".", show_default="this folder", help="The course folder."
)


@main.command()
@click.argument("assignments", nargs=-1)
@root_option
@told
def release(assignments: tuple[str, ...], root: Path) -> None:
    """Generate release/ from source/ (default: every assignment)."""
    from autograder.release import release as make

    for path in make(root, assignments or None):
        click.echo(path.relative_to(root.resolve()))


@main.command()
@click.argument("assignment")
@click.option("--student", "students", default="*", help="Only students matching this pattern.")
@click.option("--force", is_flag=True, help="Grade again what is unchanged.")
@click.option(
    "--isolation",
    type=click.Choice(["root", "userns", "flat", "none"]),
    help="Use this tier instead of the best one; `none` only for solutions you wrote yourself.",
)
@root_option
@told
def grade(assignment: str, students: str, force: bool, isolation: str | None, root: Path) -> None:
    """Grade submissions; write autograded/, gradebook, report/.

    Reads submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb. What is graded and unchanged is not graded
    again. Written answers are left to people: see the formgrader.
    """
    from autograder.terminal import grade_with_progress

    root = root.resolve()
    done = grade_with_progress(root, assignment, students, force=force, isolation=isolation)
    sys.exit(NEEDS_HUMAN if any(graded.needs_human for graded in done) else 0)


@main.command()
@click.argument("assignment")
@click.option("--student", "students", multiple=True, help="Only this student (repeatable).")
@root_option
@told
def feedback(assignment: str, students: tuple[str, ...], root: Path) -> None:
    """Write the feedback pages, as students will see them."""
    from autograder.feedback import make_feedback

    for path in make_feedback(root.resolve(), assignment, students or None):
        click.echo(path.relative_to(root.resolve()))


@main.command()
@click.argument("what", nargs=-1, metavar="[ASSIGNMENT | PATH]...")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks at a time (default: as cores).")
@root_option
@told
def notebooks(what: tuple[str, ...], jobs: int | None, root: Path) -> None:
    """Run source notebooks, compare their outputs.

    Default: all of source/. Each cell runs under nbval; see docs/notebooks.md.
    Exit status 1: a cell is red, that is, it raised or its output is not the one stored.
    """
    from autograder.regression.summary import run_with_summary

    sys.exit(0 if run_with_summary(root.resolve(), what, jobs) else NEEDS_HUMAN)


@main.command()
def doctor() -> None:
    """Say which isolation this host offers, and versions."""
    from autograder.doctor import main as examine

    sys.exit(examine())


@main.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo",
    show_default=True,
    help="Where to build it.",
)
@root_option
@told
def demo(folder: Path, root: Path) -> None:
    """Build a sample class, grade it, write report and feedback."""
    from autograder.terminal import run_demo

    run_demo(root.resolve(), folder.resolve())


@main.command()
@click.argument("assignment")
@click.argument("notebooks", nargs=-1)
@click.option("--only", default="", help="Only mutants of this function (Class.method, cell ID).")
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print every mutant as JSON.")
@click.option(
    "--document",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the tables into this Markdown file.",
)
@root_option
@told
def mutate(
    assignment: str,
    notebooks: tuple[str, ...],
    only: str,
    jobs: int | None,
    as_json: bool,
    document: Path | None,
    root: Path,
) -> None:
    """Measure the hidden checks: break the solutions in many ways, see what is noticed.

    Exit status 1 when fewer than 97 % of the automatic mutants are noticed, or a hand-written one
    is not.
    """
    from autograder.mutate.terminal import mutate as run

    options = {"jobs": jobs, "only": only, "as_json": as_json, "document": document}
    good = run(root.resolve(), assignment, notebooks, **options)
    sys.exit(0 if good else 1)


@main.command()
@click.argument("assignment")
@click.argument("notebooks", nargs=-1)
@click.option("--times", type=click.IntRange(1), default=200, show_default=True)
@click.option(
    "--others",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Times for each right solution in another style.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: one a core]")
@root_option
@told
def flakes(
    assignment: str,
    notebooks: tuple[str, ...],
    times: int,
    others: int,
    jobs: int | None,
    root: Path,
) -> None:
    """Grade right solutions, ours and others, with many seeds: does one ever lose a point?"""
    from autograder.mutate.terminal import flakes as run

    options = {"times": times, "others": others, "jobs": jobs}
    sys.exit(0 if run(root.resolve(), assignment, notebooks, **options) else 1)
