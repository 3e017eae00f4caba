"""What a TA sees while grading: progress, then a table."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from autograder.judge.results import GradedNotebook
from autograder.judge.warm import warm_zygote

if TYPE_CHECKING:
    from autograder.batch.graders import Grader
    from autograder.grading.material import Material

FEW = 2  # notebooks for which it does not pay to start workers
SHOWN = 40  # rows of the table; the report has all


@dataclass(frozen=True)
class How:
    """Where to grade: ``scheduler`` is the address of a dask cluster, ``workers`` of processes."""

    workers: int | None = None
    scheduler: str | None = None
    isolation: str | None = None
    gpus: bool = False
    quiet: bool = False  # print the verdicts as JSON, and nothing else


def grade_with_progress(
    root: Path,
    assignment: str,
    students: str = "*",
    notebooks: str = "*",
    *,
    force: bool = False,
    how: How = How(),
) -> list[GradedNotebook]:
    """Grade, print a table, write report/ASSIGNMENT over all on record.

    Returns the verdicts without the graded notebooks.
    """
    from autograder.cli.grade_display import Display, interrupted_politely

    console = Console(stderr=how.quiet)
    started = time.monotonic()
    done: list[GradedNotebook] = []
    reused = 0
    with interrupted_politely(console), _graders(root, assignment, how) as grader:
        from autograder.batch.run import Choice, grade_class  # imports nbgrader: a second

        choice = Choice(students, notebooks, force, how.gpus)
        with Display(console, quiet=how.quiet) as display:
            for event in grade_class(root, assignment, choice, grader):
                display.show(event)
                if event.graded:
                    done.append(replace(event.graded, document=""))
                    reused += event.reused
    done.sort(key=lambda graded: (graded.student, graded.notebook))
    report = report_on(root, assignment, root / "report" / assignment, {})
    seconds = time.monotonic() - started
    if how.quiet:
        print(json.dumps(_summary(assignment, done, reused, seconds, report)))
        return done
    console.print(_table(assignment, done))
    news = len(done) - reused
    console.print(f"{news} graded, {reused} unchanged, {seconds:.0f} s; report: {report}")
    return done


@contextmanager
def _graders(root: Path, assignment: str, how: How) -> Iterator[Any]:
    """A function from the course's material to who grades. Nobody starts before there is work."""
    from contextlib import ExitStack

    few = len(list((root / "submitted").glob(f"*/{assignment}/*.ipynb"))) <= FEW
    with ExitStack() as stack:
        if how.scheduler is None and (how.workers == 1 or (how.workers is None and few)):
            zygote = stack.enter_context(warm_zygote(how.isolation))
            from autograder.batch.desk import Desk
            from autograder.batch.graders import Here

            yield lambda material: Here(Desk(material, zygote))
            return

        def on_dask(material: Material) -> Grader:
            from autograder.batch.graders import Lazy

            def start() -> Grader:
                from autograder.batch.cluster import OnDask, connected

                client = stack.enter_context(connected(how.scheduler, how.workers, gpus=how.gpus))
                return stack.enter_context(OnDask(client, material, how.isolation))

            return Lazy(start)

        yield on_dask


def report_on(root: Path, assignment: str, folder: Path, environment: Mapping[str, str]) -> Path:
    """Write the report into ``folder`` from everything on record."""
    from autograder.course.records import results
    from autograder.report import write_report

    about = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    about |= {name: version(name) for name in ("numpy", "torch", "nbgrader")}
    return write_report(folder, assignment, results(root, assignment), about | dict(environment))


def _summary(
    assignment: str, done: Sequence[GradedNotebook], reused: int, seconds: float, report: Path
) -> dict[str, Any]:
    """What --json prints."""
    graded = [
        {
            "student": one.student,
            "notebook": one.notebook,
            "score": one.score,
            "max_score": one.max_score,
            "outcome": one.outcome or "graded",
            "needs_human": one.needs_human,
            "manual_pending": list(one.manual_pending),
            "attempts": one.attempts,
            "device": one.device,
            "seconds": one.timings.get("total", 0.0),
        }
        for one in done
    ]
    return {
        "assignment": assignment,
        "graded": graded,
        "unchanged": reused,
        "seconds": round(seconds, 3),
        "report": str(report),
    }


def _table(assignment: str, graded: Sequence[GradedNotebook]) -> Table:
    """What needs a human first; of a large class not more than that and a few rows."""
    table = Table(title=assignment)
    for heading in ("student", "notebook", "score", "to read", "seconds", "needs a human"):
        right = heading in ("score", "to read", "seconds")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    rows = graded if len(graded) <= SHOWN else [one for one in graded if one.needs_human]
    for one in rows[:SHOWN]:
        table.add_row(
            one.student,
            one.notebook,
            f"{one.score:g} / {one.max_score:g}",
            str(len(one.manual_pending)),
            f"{one.timings.get('total', 0):.1f}",
            one.needs_human,
        )
    hidden = len(graded) - len(rows[:SHOWN])
    if hidden:
        table.caption = f"and {hidden} more: see the report"
    return table
