"""A table of its own: grades written to the gradebook while a formgrader reads it all the time.

python -m benchmarks.class_scale.gradebook COURSE    # the formgrader alone, until SIGTERM
"""

from __future__ import annotations

import datetime
import json
import logging
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from nbgrader.api import Base, Gradebook
from nbgrader.apps.api import NbGraderAPI
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from autograder.authoring.release import make_release
from autograder.batch.recorder import GradebookRecorder
from autograder.course.config import course_config, open_gradebook
from autograder.course.records import results
from autograder.judge.results import GradedNotebook
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, ROOT
from tests import little, postgresql

READER = "benchmarks.class_scale.gradebook"
WHEN = datetime.datetime(2031, 3, 1, 12)


@dataclass(frozen=True)
class Reading:
    """One page that the formgrader showed: its milliseconds, and the error, if any."""

    page: str
    milliseconds: float
    error: str


@dataclass(frozen=True)
class Writing:
    """Grades written: seconds, rows, submissions that had to wait for another turn."""

    server: str
    seconds: float
    rows: int
    again: int
    pages: list[Reading]


def measure_gradebook(count: int, scratch: Path) -> None:
    """Write ``count`` submissions, on each server alone and with a reader; print the table."""
    one = graded_once(scratch / "graded")
    print("  one submission graded: done", file=sys.stderr)
    kinds = ["SQLite"]
    if postgresql.programs():
        kinds.append("PostgreSQL")
    else:
        print(postgresql.MISSING, file=sys.stderr)
    rows = []
    for kind in kinds:
        for reads in (False, True):
            root = scratch / f"{kind}-{reads}"
            with ExitStack() as stack:
                on = kind == "PostgreSQL"
                address = stack.enter_context(postgresql.server(durable=True)) if on else ""
                rows.append(write_class(kind, root, address, one, count, reads=reads))
            print(f"  {kind}, {'with' if reads else 'no'} reader: done", file=sys.stderr)
    print_table(count, rows)


def graded_once(root: Path) -> GradedNotebook:
    little.write_course(root)
    make_release(root, ASSIGNMENT)
    little.submit(root, "student", little.answer())
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(root)]
    subprocess.run(command, check=True, capture_output=True)
    return next(results(root, ASSIGNMENT))


def write_class(
    kind: str, root: Path, address: str, one: GradedNotebook, count: int, *, reads: bool
) -> Writing:
    """Write the class into a new gradebook, as grading does."""
    little.write_course(root)
    if address:
        with (root / "nbgrader_config.py").open("a") as config:
            config.write(f"\nc.CourseDirectory.db_url = {address!r}\n")
    make_release(root, ASSIGNMENT)
    students = [f"student-{number:04}" for number in range(count)]
    for student in students:  # the formgrader looks which files are there
        for folder in ("submitted", "autograded"):
            place = root / folder / student / ASSIGNMENT
            place.mkdir(parents=True)
            (place / f"{NOTEBOOK}.ipynb").touch()
    before = rows_in(root)
    with reading(root, on=reads) as pages:
        began = time.monotonic()
        with GradebookRecorder(root, ASSIGNMENT) as recorder:
            for number, student in enumerate(students):
                recorder.record(student, [of(one, student, number)], WHEN, regraded=True)
        seconds = time.monotonic() - began
        again = len(recorder._failed)  # these were locked, and were written at the end
    with open_gradebook(root) as book:
        if len(book.assignment_submissions(ASSIGNMENT)) != count:
            sys.exit(f"{kind}: not all {count} submissions are in the gradebook")
    return Writing(kind, seconds, rows_in(root) - before, again, pages)


def of(one: GradedNotebook, student: str, number: int) -> GradedNotebook:
    """This student's verdict: some questions are wrong."""
    cells = [
        replace(cell, score=0.0 if (number + place) % 5 == 0 else cell.score)
        for place, cell in enumerate(one.cells)
    ]
    return replace(one, student=student, cells=tuple(cells))


def rows_in(root: Path) -> int:
    with open_gradebook(root) as book:
        return sum(
            book.db.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        )


@contextmanager
def reading(root: Path, *, on: bool) -> Iterator[list[Reading]]:
    """A process that asks for one page after the other until the block ends; yields what it saw."""
    pages: list[Reading] = []
    if not on:
        yield pages
        return
    command = [sys.executable, "-m", READER, str(root)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()  # it has imported everything
        yield pages
        reader.send_signal(signal.SIGTERM)  # it finishes the page
        pages += [Reading(**json.loads(line)) for line in reader.stdout]
    if reader.returncode:
        sys.exit("the reader of the gradebook failed")


def print_table(count: int, rows: list[Writing]) -> None:
    print(f"\n{count} graded submissions written, one transaction each")
    heads = ("s", "a second", "rows", "rows/s", "pages read", "locked: pages", "writes")
    print(f"{'':26}" + "".join(f"{head:>{max(10, len(head) + 2)}}" for head in heads))
    for row in rows:
        name = f"{row.server}{', formgrader reads' if row.pages else ''}"
        print(
            f"{name:26}{row.seconds:10.1f}{count / row.seconds:10.0f}{row.rows:10}"
            f"{row.rows / row.seconds:10.0f}{len(row.pages):12}"
            f"{sum(bool(page.error) for page in row.pages):15}{row.again:10}"
        )
    for row in rows:
        if row.pages:
            print(f"\n{row.server}, milliseconds until a page is there:")
            print(f"{'':34}{'times':>8}{'median':>8}{'95 %':>8}{'longest':>9}")
        for name in dict.fromkeys(page.page for page in row.pages):
            spent = sorted(page.milliseconds for page in row.pages if page.page == name)
            late = spent[math.ceil(0.95 * len(spent)) - 1]
            numbers = f"{len(spent):8}{median(spent):8.0f}{late:8.0f}{spent[-1]:9.0f}"
            print(f"  {name:32}{numbers}")
        for error in dict.fromkeys(page.error for page in row.pages if page.error):
            print(f"  error: {error}")


class Formgrader:
    """Its pages, by what a TA calls them, as a busy TA asks for them.

    They make the same calls of nbgrader's API as the formgrader's own handlers: a new NbGraderAPI,
    and in it a new connection, for each list, and one connection kept open for single submissions.
    """

    def __init__(self, root: Path) -> None:
        self._config = course_config(root)
        course: Any = self._api().coursedir
        self._kept = Gradebook(course.db_url, course.course_id)
        self._chosen = 0
        self.pages: dict[str, Callable[[], Any]] = {
            "all assignments": lambda: self._api().get_assignments(),
            "all submissions": lambda: self._api().get_submissions(ASSIGNMENT),
            "submissions of a notebook": lambda: self._list(),
            "all students": lambda: self._api().get_students(),
            "grades of one submission": self._one,
        }

    def _api(self) -> NbGraderAPI:
        api = NbGraderAPI(config=self._config)
        api.log_level = logging.CRITICAL
        return api

    def _list(self) -> list[dict]:
        return self._api().get_notebook_submissions(ASSIGNMENT, NOTEBOOK)

    def _one(self) -> list[dict]:
        """Another submission each time, with what has been committed since."""
        self._kept.db.rollback()
        written: Any = self._kept.notebook_submissions(NOTEBOOK, ASSIGNMENT)
        if not written:
            return []
        self._chosen = (self._chosen + 37) % len(written)
        found: Any = self._kept.find_submission_notebook_by_id(written[self._chosen].id)
        return [one.to_dict() for one in (*found.grades, *found.comments)]


def main() -> None:
    """Ask for page after page until SIGTERM; then print a line of JSON for each."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    formgrader = Formgrader(Path(sys.argv[1]))
    print("ready", flush=True)
    seen = []
    for name, page in cycle(formgrader.pages.items()):
        if stopping:
            break
        began, error = time.monotonic(), ""
        try:
            page()
        except SQLAlchemyError as failure:
            error = str(failure).splitlines()[0]
        seconds = time.monotonic() - began
        seen.append({"page": name, "milliseconds": 1000 * seconds, "error": error})
    for one in seen:  # at the end, not to measure the pipe
        print(json.dumps(one))


if __name__ == "__main__":
    main()
