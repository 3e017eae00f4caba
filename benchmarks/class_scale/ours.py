"""Our own command, as a TA runs it."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from autograder.course.records import results
from autograder.judge.results import GradedNotebook
from benchmarks.class_scale.figures import Stages, Took
from benchmarks.class_scale.submissions import first_cell_at
from benchmarks.measure import ASSIGNMENT, watched

VERDICT = re.compile(r"\[\d+/\d+\] ([^/]+)/")


@dataclass(frozen=True)
class Run:
    """One run of ours."""

    took: Took
    stages: Stages
    graded: list[GradedNotebook]

    def scores(self) -> dict[str, float]:
        return {one.student: one.score for one in self.graded}


def run_ours(course: Path, workers: int) -> Run:
    """Grade all that is handed in there, for the first time."""
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--workers", str(workers)]
    began = time.time()
    ran = watched(command, course, os.environ)
    verdicts = [line for line in ran.said if VERDICT.match(line.text)]
    graded = list(results(course, ASSIGNMENT))
    if ran.status not in (0, 1) or not verdicts or len(verdicts) != len(graded):  # 1: who crashes
        sys.exit(f"our grading failed:\n{ran.end()}")
    first, last = verdicts[0], verdicts[-1]
    more = len(verdicts) - workers  # as many as there are workers come together at first
    each = (last.at - first.at) / more if more > 0 else ran.wall / len(verdicts)
    timings = [one.timings for one in graded if not one.outcome]
    cells, checks, total = (mean(t[name] for t in timings) for name in ("cells", "checks", "total"))
    stages = Stages(
        cells,
        checks,
        total - cells - checks,
        first_cell_at(course) - began,
        first.at,
        ran.wall - last.at,
    )
    return Run(Took(len(verdicts), ran.wall, ran.cpu, each), stages, graded)
