"""The first table: submissions a minute of stock nbgrader, Otter, ours, and the limit."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import mean

from autograder.course.records import results
from autograder.judge.results import GradedNotebook
from benchmarks.class_scale.limit import Cost, run_limit
from benchmarks.class_scale.peers import (
    OTTER_SECONDS,
    Graded,
    Took,
    install_otter,
    run_nbgrader,
    run_otter,
)
from benchmarks.class_scale.submissions import (
    CALL_SECONDS,
    CELL_SECONDS,
    DO_NOT_HANG,
    Class,
    fresh,
    full_points,
    make_class,
    write_course,
    wrong_grades,
)
from benchmarks.measure import ASSIGNMENT, OUR_CONFIG, STOCK_CONFIG, watched

ALL, BOTH_HALVES = ("*",), ("a*", "b*")
BARE, SHOWN = "without the cells for looking", "as handed in"
VERDICT = re.compile(r"\[\d+/\d+\] ([^/]+)/")
STOCK_BOUND = f"each cell after {CELL_SECONDS} s"
OTTER_BOUND = f"not by Otter; ended by hand after {OTTER_SECONDS} s"
LIMIT_BOUND = f"cell {CELL_SECONDS} s + check {CALL_SECONDS} s"
OUR_BOUND = {1: LIMIT_BOUND, 2: f"{LIMIT_BOUND}, then the cell once more, alone"}


@dataclass(frozen=True)
class Run:
    """One run of ours: seconds until it ended, and at which second each verdict was there."""

    seconds: float
    verdicts: list[float]
    graded: list[GradedNotebook]


@dataclass(frozen=True)
class Row:
    """One line of the table; ``took`` is None where there is nothing to measure."""

    name: str
    took: Took | None
    bound: str


def measure_speed(count: int, scratch: Path, *, looking: bool) -> None:
    """Measure everything, print the table, what follows from it, and whether the goals are met.

    ``looking``: stock nbgrader also with the cells for looking, which ours does not run.
    """
    who = make_class(count)
    handed_in = write_course(scratch / "handed-in", who)
    shown = write_course(scratch / "shown", who, hooks=False)
    bare = write_course(scratch / "bare", who, looking=False, hooks=False)
    full = full_points(handed_in)
    rows, ours, limits = [], {}, {}

    def add(name: str, graded: Graded | None, bound: str) -> None:
        if graded and (error := wrong_grades(name, who, graded.scores, full)):
            sys.exit(error)
        rows.append(Row(name, graded and graded.took, bound))
        result = f"{graded.took.everybody:.1f} s" if graded else "not to be had"
        print(f"  {name}: {result}", file=sys.stderr)

    for workers in (1, 2):
        limits[workers], took = limit_of(handed_in, workers)
        ours[workers], graded = ours_of(handed_in, scratch / f"ours-{workers}", workers)
        scores = {cost.student: cost.score for cost in limits[workers]}
        add(f"limit, {workers} at a time", Graded(took, scores), LIMIT_BOUND)
        add(f"ours, {workers} worker{'s' * (workers > 1)}", graded, OUR_BOUND[workers])
        if differ := [s for s in who.right + who.wrong if scores[s] != graded.scores[s]]:
            sys.exit(f"the limit and ours do not agree about {differ}")
    for halves, schedule in ((ALL, "one process"), (BOTH_HALVES, "two by hand")):
        for course, what in ((bare, BARE), (shown, SHOWN))[: 1 + looking]:
            copy = fresh(course, scratch / f"{course.name}-{len(halves)}", STOCK_CONFIG)
            graded = run_nbgrader(copy, halves)
            add(f"nbgrader, {schedule}, {what}", graded, STOCK_BOUND)
    otter = install_otter()
    for halves, schedule in ((ALL, "one at a time"), (BOTH_HALVES, "two at a time")):
        folder = scratch / f"otter-{len(halves)}"
        graded = run_otter(otter, bare, folder, halves) if otter else None
        add(f"Otter, {schedule}", graded, OTTER_BOUND)
    print_table(who, rows)
    print_goals(who, {row.name: row.took for row in rows})
    print_profile(ours, limits)


def limit_of(course: Path, workers: int) -> tuple[list[Cost], Took]:
    everybody, costs = run_limit(course, workers, "*")
    ended, _ = run_limit(course, workers, DO_NOT_HANG)
    return costs, Took(everybody, ended)


def ours_of(course: Path, folder: Path, workers: int) -> tuple[Run, Graded]:
    """The run over those who do not hang, and the times of both runs with all the points."""
    everybody = run_ours(fresh(course, folder, OUR_CONFIG), workers, "*")
    quick = folder.with_name(f"{folder.name}-ended")
    ended = run_ours(fresh(course, quick, OUR_CONFIG), workers, DO_NOT_HANG)
    scores = {one.student: one.score for one in everybody.graded}
    return ended, Graded(Took(everybody.seconds, ended.seconds), scores)


def run_ours(course: Path, workers: int, pattern: str) -> Run:
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT]
    command += ["--workers", str(workers), "--students", pattern]
    status, said, seconds = watched(command, course, os.environ)
    verdicts = [at for at, line in said if VERDICT.match(line)]
    graded = list(results(course, ASSIGNMENT))
    if status not in (0, 1) or len(verdicts) != len(graded):  # 1: who hangs or crashes
        sys.exit("\n".join(["our grading failed:", *(line for _, line in said[-20:])]))
    return Run(seconds, verdicts, graded)


def print_table(who: Class, rows: list[Row]) -> None:
    every = len(who.all)
    ended = every - len(who.hang)
    print(f"\n1. {every} kNN submissions: {who}")
    print(f"{'':54}{f'all {every}':>18}{f'{ended} that do not hang':>22}")
    units = f"{'s':>8}{'a minute':>10}"
    print(f"{'':54}{units}    {units}   how one that hangs is stopped")
    for row in sorted(rows, key=lambda row: row.took.ended if row.took else 0, reverse=True):
        numbers = f"{'-':>8}{'-':>10}    {'-':>8}{'-':>10}"
        if row.took:
            first, second = row.took.everybody, row.took.ended
            numbers = f"{first:8.1f}{60 * every / first:10.1f}"
            numbers += f"    {second:8.1f}{60 * ended / second:10.1f}"
        print(f"{row.name:54}{numbers}   {row.bound}")


def print_goals(who: Class, took: dict[str, Took | None]) -> None:
    """Ratios of throughput. The goals are about the whole machine: both workers."""
    one, two = "ours, 1 worker", "ours, 2 workers"
    over = {
        f"nbgrader, one process, {BARE}": 8.0,
        f"nbgrader, one process, {SHOWN}": 8.0,
        f"nbgrader, two by hand, {BARE}": 4.0,
        f"nbgrader, two by hand, {SHOWN}": 4.0,
        "Otter, one at a time": 12.0,
        "Otter, two at a time": 0.0,
    }
    goals = [(f"{two}, over {name}", name, two, goal) for name, goal in over.items()]
    goals += [(f"{one}, over {name}", name, one, 0.0) for name in over if " one " in name]
    goals += [
        (f"{one}, of the limit", "limit, 1 at a time", one, 0.8),
        (f"{two}, of the limit", "limit, 2 at a time", two, 0.8),
        ("ours, two workers over one", one, two, 1.8),
        ("the limit, two at a time over one", "limit, 1 at a time", "limit, 2 at a time", 0.0),
    ]
    print(f"\n{'':76}{'goal':>8}{'not hanging':>20}{f'all {len(who.all)}':>20}")
    for text, base, mine, goal in goals:
        if base not in took:
            continue
        before, after = took[base], took[mine]
        cells = "".join(f"{'-':>20}" for _ in range(2))
        if before and after:
            pairs = ((before.ended, after.ended), (before.everybody, after.everybody))
            cells = "".join(f"{verdict(slow / fast, goal):>20}" for slow, fast in pairs)
        print(f"{text:76}{f'>= {goal:g}' if goal else '':>8}{cells}")


def verdict(ratio: float, goal: float) -> str:
    return f"{ratio:.2f}" + (" met" if ratio >= goal else " NOT MET") * bool(goal)


def print_profile(ours: dict[int, Run], limits: dict[int, list[Cost]]) -> None:
    """Where the seconds between ours and the limit are, of those who do not hang."""
    print("\nwhere the seconds are, of those that do not hang:")
    heads = (f"{f'{kind}, {n}':>12}" for n in ours for kind in ("limit", "ours"))
    print(f"{'':52}{''.join(heads)}")
    columns = []
    for workers, run in ours.items():
        whole = [one for one in run.graded if not one.outcome]
        costs = [c for c in limits[workers] if fnmatch(c.student, DO_NOT_HANG)]
        timings = [one.timings for one in whole]
        columns.append([mean(c.cells for c in costs), mean(c.checks for c in costs)])
        columns.append([mean(t[name] for t in timings) for name in ("cells", "checks")])
        columns[-1].append(mean(t["total"] - t["cells"] - t["checks"] for t in timings))
        steady = (run.verdicts[-1] - run.verdicts[0]) / (len(run.verdicts) - workers)
        columns[-1] += [steady, run.verdicts[0], run.seconds - run.verdicts[-1]]
    names = (
        "cells, a submission",
        "checks, a submission",
        "start and end of the kernel, a submission",
        "from one verdict to the next, on average",
        "until the first verdict, once",
        "from the last verdict to the end, once",
    )
    for number, name in enumerate(names):
        cells = [f"{c[number]:12.3f}" if number < len(c) else f"{'':12}" for c in columns]
        print(f"{name:52}{''.join(cells)}")
