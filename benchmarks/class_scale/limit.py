"""The limit: what grading takes when only the cells and the hidden checks cost anything.

    python -m benchmarks.class_scale.limit COURSE WORKERS

Each submission runs in a fork of a process that has everything imported. The checks are asked in
the same fork: what they call is the student's function itself. No isolation, no kernel, no files,
no gradebook. What hangs is stopped at the same limits as in our grading, once for each cell and
once for its checks. Prints a line of JSON for each submission, then the seconds and CPU seconds of
them all.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib

from autograder.judge.registry import checks_for
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.notebook.template import (
    Cell,
    grade_id,
    is_auto_graded,
    load_template,
    nbgrader,
    source_of,
)
from benchmarks.class_scale.direct import Direct, Late, limited
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, ONE_THREAD, ROOT, skipped


@dataclass(frozen=True)
class Cost:
    """One submission: its score, and the seconds its cells and the checks took."""

    student: str
    score: float
    cells: float
    checks: float


@dataclass(frozen=True)
class Limit:
    """Seconds and CPU seconds for a class, and what each took. Who crashes is not in ``costs``."""

    wall: float
    cpu: float
    costs: tuple[Cost, ...]

    def __add__(self, other: Limit) -> Limit:
        return Limit(self.wall + other.wall, self.cpu + other.cpu, self.costs + other.costs)


def run_limit(course: Path, workers: int) -> Limit:
    """Grade all submissions, so many at a time."""
    module = "benchmarks.class_scale.limit"
    command = [sys.executable, "-m", module, str(course), str(workers)]
    environment = os.environ | ONE_THREAD
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    *graded, (wall, cpu) = map(json.loads, done.stdout.splitlines())
    return Limit(wall, cpu, tuple(Cost(**one) for one in graded))


def grade(student: str, cells: list[Cell], limits: tuple[float, float]) -> Cost:
    """Grade one submission; this process is not to be used again."""
    cell_seconds, call_seconds = limits
    space: dict[str, Any] = {"__name__": "__main__"}
    sources: dict[str, str] = {}
    asked: Any = Direct(space)
    proxy = Student(asked, sources, call_seconds)
    checks = checks_for(ASSIGNMENT, NOTEBOOK)
    total = in_cells = in_checks = 0.0
    for cell in cells:
        sources[cell["id"]] = cell["source"]
        began = time.monotonic()
        try:
            with limited(cell_seconds):
                exec(compile(cell["source"], cell["id"], "exec"), space)
        except (Exception, Late):
            pass  # the checks will notice
        done = time.monotonic()
        in_cells += done - began
        if is_auto_graded(cell):
            name, points = grade_id(cell), float(nbgrader(cell)["points"])
            seed = Seed(b"of the limit", ASSIGNMENT, NOTEBOOK, student)
            total += grade_cell(proxy, name, points, checks[name], seed).verdict.score
            in_checks += time.monotonic() - done
    return Cost(student, total, in_cells, in_checks)


def read(path: Path) -> list[Cell]:
    """The code cells that grading runs."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and not skipped(cell)]
    return [cell | {"source": source_of(cell)} for cell in code]


def main() -> None:
    course, workers = Path(sys.argv[1]), int(sys.argv[2])
    template = load_template(course, ASSIGNMENT, NOTEBOOK)
    limits = (template.limit("cell_seconds", 60), template.limit("call_seconds", 20))
    paths = sorted((course / "submitted").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}.ipynb"))
    waiting = {path.parents[1].name: read(path) for path in paths}
    warm_up()
    began, before = time.monotonic(), cpu_of_forks()
    running = 0
    for student, cells in waiting.items():
        if running == workers:
            os.wait()
            running -= 1
        running += 1
        if os.fork() == 0:
            out = os.dup(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            cost = grade(student, cells, limits)
            os.write(out, f"{json.dumps(asdict(cost))}\n".encode())
            os._exit(0)
    for _ in range(running):
        os.wait()
    print(json.dumps((time.monotonic() - began, cpu_of_forks() - before)))


def cpu_of_forks() -> float:
    """Processor seconds of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def warm_up() -> None:
    """Import what the notebook and its checks do; what is here is copied by no fork."""
    matplotlib.use("agg")
    importlib.import_module("matplotlib.pyplot")
    for module in ("data", "plotting", "timing"):
        importlib.import_module(f"cs231n_lib.{module}")
    checks_for(ASSIGNMENT, NOTEBOOK)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
