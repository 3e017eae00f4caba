"""What grading starts before it imports: the processes that take longest to be ready.

Importing this takes a twentieth of a second; importing what grades takes half a second, and the
gradebook two more. Meanwhile the warm process imports what students use, and the judges import
themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from autograder.course.calendar import read_calendar
from autograder.host.memory import default_worker_count
from autograder.host.server_process import ServerProcess
from autograder.host.warm_process import WarmProcess
from autograder.notebook.template import load_template, notebooks_of, packages_first
from autograder.sandbox.policy import Library, Packages
from autograder.settings import settings_of

JUDGE = "autograder.batch.judge_process"
MAX_FOR_ONE = 2  # notebooks for which it does not pay to start a second worker


@dataclass(frozen=True)
class GradingOptions:
    """Where to grade: ``scheduler`` is the address of a dask cluster, ``workers`` of processes."""

    workers: int | None = None
    scheduler: str | None = None
    isolation: str | None = None
    gpus: bool = False
    quiet: bool = False  # print the verdicts as JSON, and nothing else


@dataclass
class Start:
    """What has been started: nothing, where workers of a cluster grade, or nothing is new."""

    packages: Packages
    workers: int
    library: Library
    warm: WarmProcess | None = None
    judges: list[ServerProcess] = field(default_factory=list)
    submitted: int = 0  # notebooks
    new: int = 0  # of these, without a verdict yet, at a glance

    def told(self, options: GradingOptions) -> str:
        """What there is to wait for until the first notebook is graded, in a line.

        Empty where nothing was handed in, which is an error that is about to be told.
        """
        if not self.submitted:
            return ""
        if not self.new:
            return "nothing new at first sight; looking closer ..."
        notebooks = f"{self.new} notebook{'' if self.new == 1 else 's'}"
        if options.scheduler:
            return f"asking the scheduler at {options.scheduler} for workers, for {notebooks} ..."
        workers = f"{len(self.judges)} worker{'' if len(self.judges) == 1 else 's'}"
        return f"starting {workers} for {notebooks} ..."


@contextmanager
def started(
    root: Path,
    assignment: str,
    options: GradingOptions,
    students: str = "*",
    notebooks: str = "*",
    *,
    force: bool = False,
) -> Iterator[Start]:
    """Start what grading an assignment takes, or what of it these patterns name.

    Raises TemplateError, SettingsError and CalendarError: a wrong due date is said before hours of
    grading, not after them.
    """
    library = settings_of(root).library
    templates = [load_template(root, assignment, name) for name in notebooks_of(root, assignment)]
    submitted = sorted((root / "submitted").glob(f"*/{assignment}/*.ipynb"))
    wanted = [
        path
        for path in submitted
        if fnmatch(path.stem, notebooks)
        and (path.parts[-3] == students or fnmatch(path.parts[-3], students))
    ]
    start = Start(packages_first(templates), _workers(options, len(wanted)), library)
    new = len(wanted) if force else sum(_seems_new(root, path) for path in wanted)
    start.submitted, start.new = len(submitted), new
    try:
        if new and not options.scheduler:
            start.warm = WarmProcess.launch(start.packages, library=library)
            for _ in range(min(start.workers, new)):
                start.judges.append(ServerProcess(JUDGE))
        read_calendar(root)  # while these start
        yield start
    finally:
        for judge in start.judges:  # those that were not needed
            judge.kill()
        if start.warm is not None:
            start.warm.close()


def _workers(options: GradingOptions, submitted: int) -> int:
    if options.workers is None and submitted <= MAX_FOR_ONE:
        return 1
    return options.workers or default_worker_count()


def _seems_new(root: Path, path: Path) -> bool:
    """Whether a notebook has no verdict yet, or was handed in after it.

    At a glance, and only to start in time what will be needed: what is graded is found out by
    `batch.fingerprints`.
    """
    place = root / ".autograder" / "results" / path.parent.name / path.parent.parent.name
    try:
        return (place / f"{path.stem}.json").stat().st_mtime < path.stat().st_mtime
    except OSError:
        return True
