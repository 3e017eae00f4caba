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
from rich.text import Text

from autograder.judge.results import GradedNotebook
from autograder.judge.warm import warm_zygote
from autograder.notebook.template import load_template, notebooks_of, packages_first

if TYPE_CHECKING:
    from autograder.batch.executors import Executor
    from autograder.grading.material import Material

MAX_IN_PROCESS = 2  # notebooks for which it does not pay to start workers
MAX_ROWS = 40  # rows of the table; the report has all


@dataclass(frozen=True)
class GradingOptions:
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
    options: GradingOptions = GradingOptions(),
) -> list[GradedNotebook]:
    """Grade, print a table, write report/ASSIGNMENT over all on record.

    Returns the verdicts without the graded notebooks.
    """
    from autograder.cli.grade_display import Display, explaining_interruption

    console = Console(stderr=options.quiet)
    started = time.monotonic()
    found: dict[tuple[str, str], GradedNotebook] = {}
    reused = 0
    with explaining_interruption(console), _executor(root, assignment, options) as executor:
        from autograder.batch.run import Selection, grade_class  # imports nbgrader: a second

        selection = Selection(students, notebooks, force, options.gpus)
        with Display(console, quiet=options.quiet) as display:
            for event in grade_class(root, assignment, selection, executor):
                display.show(event)
                if event.graded:
                    found[event.student, event.notebook] = replace(event.graded, document="")
                    reused += event.reused
    done = [found[key] for key in sorted(found)]
    report = report_on(root, assignment, root / "report" / assignment, {})
    seconds = time.monotonic() - started
    if options.quiet:
        print(json.dumps(_summary(assignment, done, reused, seconds, report)))
        return done
    console.print(_table(assignment, done), markup=False)
    graded = len(done) - reused
    said = f"{graded} graded, {reused} unchanged, {seconds:.0f} s; report: {report}"
    console.print(said, markup=False)
    return done


@contextmanager
def _executor(root: Path, assignment: str, options: GradingOptions) -> Iterator[Any]:
    """A function from the course's material to an executor; no worker starts before a task."""
    from contextlib import ExitStack

    few = len(list((root / "submitted").glob(f"*/{assignment}/*.ipynb"))) <= MAX_IN_PROCESS
    with ExitStack() as stack:
        if options.scheduler is None and (
            options.workers == 1 or (options.workers is None and few)
        ):
            packages = packages_first(
                load_template(root, assignment, name) for name in notebooks_of(root, assignment)
            )
            zygote = stack.enter_context(warm_zygote(options.isolation, packages))
            from autograder.batch.executors import LocalExecutor
            from autograder.batch.task_grader import TaskGrader

            yield lambda material: LocalExecutor(TaskGrader(material, zygote))
            return

        def on_dask(material: Material) -> Executor:
            from autograder.batch.executors import LazyExecutor

            def start() -> Executor:
                from autograder.batch.cluster import DaskExecutor, connected

                client = stack.enter_context(
                    connected(options.scheduler, options.workers, gpus=options.gpus)
                )
                return stack.enter_context(DaskExecutor(client, material, options.isolation))

            return LazyExecutor(start)

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
    table = Table(title=Text(assignment))
    for heading in ("student", "notebook", "score", "to read", "seconds", "needs a human"):
        right = heading in ("score", "to read", "seconds")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    rows = graded if len(graded) <= MAX_ROWS else [one for one in graded if one.needs_human]
    for one in rows[:MAX_ROWS]:
        table.add_row(
            Text(one.student),  # not markup, whatever is in it
            Text(one.notebook),
            f"{one.score:g} / {one.max_score:g}",
            str(len(one.manual_pending)),
            f"{one.timings.get('total', 0):.1f}",
            Text(one.needs_human),
        )
    hidden = len(graded) - len(rows[:MAX_ROWS])
    if hidden:
        table.caption = f"and {hidden} more: see the report"
    return table
