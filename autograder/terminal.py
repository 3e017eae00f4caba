"""What a TA sees while grading: a progress bar, then a table."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from autograder.judge.results import GradedNotebook
from autograder.progress import progress_bar
from autograder.workers import warm_zygote

if TYPE_CHECKING:
    from autograder.batch.engine import Event


def grade_with_progress(
    root: Path,
    assignment: str,
    students: str = "*",
    *,
    force: bool = False,
    isolation: str | None = None,
    report: Path | None = None,
) -> list[GradedNotebook]:
    """Grade, print a table, write the report (default: report/ASSIGNMENT) over all on record."""
    console = Console()
    with ExitStack() as stack:
        zygote = stack.enter_context(warm_zygote(isolation))
        from autograder.batch.run import grade_assignment  # imports nbgrader: a second, side by side

        progress = stack.enter_context(progress_bar(console))
        bar = progress.add_task(assignment, total=None)

        def show(event: Event) -> None:
            name = f"{event.student}/{event.notebook}"
            progress.update(bar, total=event.total, completed=event.done, description=name)
            if event.graded and not console.is_terminal:
                console.print(_line(event.graded, reused=event.reused))

        done = grade_assignment(
            root, assignment, zygote, students=students, force=force, on_event=show
        )
        tier = zygote().tier
        progress.update(bar, description=assignment)
    console.print(_table(assignment, done))
    folder = report or root / "report" / assignment
    console.print(f"report: {report_on(root, assignment, folder, {'isolation': tier})}")
    return done


def run_demo(course: Path, folder: Path) -> None:
    """Build the demo class in ``folder``, grade it, write report and feedback, say where."""
    from autograder.demo import ASSIGNMENTS, build_demo
    from autograder.feedback import make_feedback

    console = Console()
    students = build_demo(folder, course)
    console.print(f"{len(students)} sample students in {folder / 'submitted'}")
    for assignment in ASSIGNMENTS:
        grade_with_progress(folder, assignment)
    pages = [page for assignment in ASSIGNMENTS for page in make_feedback(folder, assignment)]
    for assignment in ASSIGNMENTS:
        console.print(f"grades: {folder / 'report' / assignment / 'grades.csv'}")
    console.print(f"feedback: {len(pages)} pages in {folder / 'feedback'}")


def report_on(root: Path, assignment: str, folder: Path, environment: Mapping[str, str]) -> Path:
    """Write the report into ``folder`` from everything on record."""
    from autograder.records import results
    from autograder.report import write_report

    about = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    about |= {name: version(name) for name in ("numpy", "torch", "nbgrader")}
    graded = list(results(root, assignment))
    return write_report(folder, assignment, graded, about | dict(environment))


def _line(graded: GradedNotebook, *, reused: bool) -> str:
    known = " (unchanged)" if reused else ""
    why = f": {graded.needs_human}" if graded.needs_human else ""
    score = f"{graded.score:g}/{graded.max_score:g}"
    return f"{graded.student}/{graded.notebook} {score}{known}{why}"


def _table(assignment: str, graded: Sequence[GradedNotebook]) -> Table:
    table = Table(title=assignment)
    for heading in ("student", "notebook", "score", "to read", "seconds", "needs a human"):
        right = heading in ("score", "to read", "seconds")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for one in graded:
        table.add_row(
            one.student,
            one.notebook,
            f"{one.score:g} / {one.max_score:g}",
            str(len(one.manual_pending)),
            f"{one.timings.get('total', 0):.1f}",
            one.needs_human,
        )
    return table
