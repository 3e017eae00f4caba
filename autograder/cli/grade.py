"""What a TA sees while grading: progress, then a table."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from autograder.batch.executors import Executor, LazyExecutor
from autograder.batch.local_workers import LocalWorkers
from autograder.batch.run import Selection, grade_class
from autograder.cli.grade_display import Display, explaining_interruption
from autograder.cli.grade_table import show_table
from autograder.cli.grading_start import GradingOptions, Start
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook
from autograder.judge.shared_warm import SharedWarm
from autograder.notebook.order import order_of

if TYPE_CHECKING:
    from autograder.course.late import Late
    from autograder.report.beside import Beside


def grade_with_progress(
    root: Path,
    assignment: str,
    students: str = "*",
    notebooks: str = "*",
    *,
    force: bool = False,
    options: GradingOptions,
    start: Start,
) -> list[GradedNotebook]:
    """Grade, print a table, write report/ASSIGNMENT over all on record.

    ``start``: what has been `started` for this.

    Returns the verdicts without the graded notebooks.
    """
    console = Console(stderr=options.quiet)
    began = time.monotonic()
    found: dict[tuple[str, str], GradedNotebook] = {}
    reused = 0
    with explaining_interruption(console), _executor(start, options) as executor:
        command = f"grade {assignment}{' --force' if force else ''}"
        selection = Selection(students, notebooks, force, options.gpus, command=command)
        with Display(console, quiet=options.quiet) as display:
            for event in grade_class(root, assignment, selection, executor):
                display.show(event)
                if event.graded:
                    found[event.student, event.notebook] = replace(event.graded, document="")
                    reused += event.reused
    from autograder.report.beside import beside  # nbgrader, too: by now it is imported

    order = order_of(root, assignment)
    done = [found[key] for key in sorted(found, key=lambda key: (key[0], order(key[1])))]
    around = beside(root, assignment)
    report = report_on(root, assignment, root / "report" / assignment, {}, around)
    seconds = time.monotonic() - began
    if options.quiet:
        print(json.dumps(_summary(assignment, done, reused, seconds, report, around.late)))
        return done
    show_table(console, assignment, done, around.late)
    graded = len(done) - reused
    said = f"{graded} graded, {reused} unchanged, {seconds:.0f} s; report: {report}"
    console.print(said, markup=False)
    return done


@contextmanager
def _executor(start: Start, options: GradingOptions) -> Iterator[Callable[[Material], Executor]]:
    """A function from the course's material to an executor; no worker starts before a task."""
    with ExitStack() as stack:
        if options.scheduler:

            def on_dask(material: Material) -> Executor:
                from autograder.batch.cluster import DaskExecutor, connected

                client = stack.enter_context(connected(options.scheduler or ""))
                return stack.enter_context(DaskExecutor(client, material, options.isolation))

            yield lambda material: LazyExecutor(lambda: on_dask(material))
            return
        shared = SharedWarm(options.isolation, start.packages, start.library, start.warm)
        warm = stack.enter_context(shared)

        def here(material: Material) -> Executor:
            workers = (start.workers, material, options.isolation, warm, start.judges)
            return stack.enter_context(LocalWorkers(*workers))

        yield here


def report_on(
    root: Path,
    assignment: str,
    folder: Path,
    environment: dict[str, str],
    around: Beside | None = None,
) -> Path:
    """Write the report into ``folder`` from everything on record.

    ``around``: what the course folder has beside verdicts, where that has been read.
    """
    from autograder.course.records import results
    from autograder.report import write_report
    from autograder.report.beside import beside

    about = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    about |= {name: version(name) for name in ("numpy", "torch", "nbgrader")}
    seen = results(root, assignment)
    around = around or beside(root, assignment)
    return write_report(folder, assignment, seen, about | environment, around)


def _summary(
    assignment: str,
    done: Sequence[GradedNotebook],
    reused: int,
    seconds: float,
    report: Path,
    late: Mapping[str, Late],
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
            "days_late": late[one.student].lateness.days if one.student in late else 0,
            "late_penalty": (
                late[one.student].penalties.get(one.notebook, 0.0) if one.student in late else 0.0
            ),
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
