"""What a TA sees of a regrade: what is being graded, then both verdicts side by side."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.batch.engine import Event
from autograder.batch.regrade import regrade
from autograder.batch.standing_workers import StandingWorkers
from autograder.cli.grade import report_on
from autograder.cli.grade_display import Display, explaining_interruption
from autograder.course.changes import Change


def regrade_with_progress(
    root: Path, assignment: str, student: str, note: str, notebooks: str, isolation: str | None
) -> bool:
    """Grade again, print what has changed, write the report. Whether anything needs a human."""
    console = Console()
    human: dict[str, str] = {}
    with (
        explaining_interruption(console),
        StandingWorkers(1, isolation) as workers,
        Display(console) as display,
    ):

        def show(event: Event) -> None:
            display.show(event)
            if event.graded:
                human[event.notebook] = event.graded.needs_human

        change = regrade(root, assignment, student, note, workers, show, notebooks=notebooks)
    report = report_on(root, assignment, root / "report" / assignment, {})
    if any(one.changed for one in change.questions):
        console.print(_table(change), markup=False)
    else:
        console.print(f"{change.student}, {change.assignment}: nothing has changed", markup=False)
    for line in (
        f"{change.old:g} of {change.max_score:g} automatic points before, {change.new:g} now",
        f"report: {report}",
        f"for the student: python -m autograder feedback {assignment} --student {student}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return any(human.values())


def _table(change: Change) -> Table:
    table = Table(title=Text(f"{change.student}, {change.assignment}: {change.note}"))
    for heading in ("question", "before", "now", "of", "said before", "said now"):
        right = heading in ("before", "now", "of")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for one in change.questions:
        if one.changed:
            points = [f"{value:g}" for value in (one.before.score, one.after.score, one.points)]
            said = [Text("\n".join(side.said)) for side in (one.before, one.after)]
            table.add_row(Text(f"{one.notebook}/{one.grade_id}"), *points, *said)
    return table
