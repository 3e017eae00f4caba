"""The speed of a class: stock nbgrader, Otter, ours and the limit, on a heavy and a light notebook.

What is slow is measured on fewer submissions; all of a notebook's submissions cost the same, so a
whole class is computed from one submission more (``Took.of``). The limit is measured in two halves,
before ours and after it: a machine's speed drifts.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.class_scale.figures import (
    BY_HAND,
    HEAVY,
    LIGHT,
    NBGRADER,
    OTTER,
    Measured,
    Stages,
    Took,
    limit,
    ours,
)
from benchmarks.class_scale.limit import Limit, run_limit
from benchmarks.class_scale.ours import Run, run_ours
from benchmarks.class_scale.peers import install_otter, run_nbgrader, run_otter
from benchmarks.class_scale.submissions import (
    Class,
    fresh,
    full_points,
    make_class,
    right_class,
    write_course,
    write_light_course,
    wrong_grades,
)
from benchmarks.measure import OUR_CONFIG, STOCK_CONFIG

BOTH_HALVES = ("a*", "b*")
MANY = 16  # workers of a machine that has so many processors
WRITE = {HEAVY: write_course, LIGHT: write_light_course}


@dataclass(frozen=True)
class Sizes:
    """How many submissions each run has."""

    heavy: int = 16
    many: int = 160  # of the heavy one, for 16 workers
    mixed: int = 10
    light: int = 1000
    light_alone: int = 100  # with one worker, and at the limit
    nbgrader: tuple[int, int] = (8, 20)  # heavy, light
    otter: tuple[int, int] = (4, 8)


QUICK = Sizes(4, 16, 5, 12, 4, (2, 2), (1, 1))


@dataclass
class Bench:
    """Runs, one after the other, which go into ``measured``."""

    scratch: Path
    measured: Measured
    runs: int = 0

    def folder(self, name: str) -> Path:
        self.runs += 1
        return self.scratch / f"{self.runs}-{name}"

    def class_of(self, notebook: str, who: Class, *, hooks: bool = True) -> Path:
        return WRITE[notebook](self.folder(notebook), who, hooks=hooks)

    def add(
        self, notebook: str, name: str, who: Class, course: Path, took: Took, scores: dict
    ) -> None:
        """Put a run down, and say so where what is right did not get its points."""
        if error := wrong_grades(name, who, scores, full_points(course)):
            self.problem(f"{notebook}: {error}")
        self.measured.took[notebook, name] = took
        say(f"{notebook}: {name}", took)

    def problem(self, text: str) -> None:
        """It does not stop the rest, which takes long."""
        self.measured.problems.append(text)
        print(f"  PROBLEM: {text}", file=sys.stderr, flush=True)

    def limit(self, notebook: str, count: int, workers: int) -> Limit:
        """Half of a class at the limit."""
        course = self.class_of(notebook, right_class(max(workers, count // 2)))
        return run_limit(course, workers)

    def ours(self, course: Path, workers: int) -> Run:
        return run_ours(fresh(course, self.folder("ours"), OUR_CONFIG), workers)

    def ours_beside_the_limit(
        self, notebook: str, count: int, workers: int, at_limit: int = 0
    ) -> None:
        """Ours with a class of ``count`` between two halves of the limit's, of ``at_limit``."""
        who = right_class(count)
        course = self.class_of(notebook, who)
        before = self.limit(notebook, at_limit or count, workers)
        run = self.ours(course, workers)
        least = before + self.limit(notebook, at_limit or count, workers)
        took = Took.evenly(len(least.costs), least.wall, least.cpu)
        scores = {cost.student: cost.score for cost in least.costs}
        known = Class(tuple(scores), (), (), ())
        self.add(notebook, limit(workers), known, course, took, scores)
        self.add(notebook, ours(workers), who, course, run.took, run.scores())
        self.measured.stages[notebook, limit(workers)] = stages_of(least)
        self.measured.stages[notebook, ours(workers)] = run.stages

    def mixed(self, count: int) -> None:
        """A class in which some hang and some crash, with two workers; the grades must agree."""
        who = make_class(count)
        course = self.class_of(HEAVY, who)
        least, run = run_limit(course, 2), self.ours(course, 2)
        scores = {cost.student: cost.score for cost in least.costs}
        if differ := [s for s in who.right + who.wrong if scores.get(s) != run.scores().get(s)]:
            self.problem(f"the limit and ours do not agree about {', '.join(differ)}")
        self.measured.mixed[limit(2)] = Took.evenly(count, least.wall, least.cpu)
        self.measured.mixed[ours(2)] = run.took
        for name, took in self.measured.mixed.items():
            say(f"{HEAVY}, of whom some hang or crash: {name}", took)

    def nbgrader(self, notebook: str, count: int) -> None:
        who = right_class(count)
        course = self.class_of(notebook, who, hooks=False)
        for name, halves in ((NBGRADER, ("*",)), (BY_HAND, BOTH_HALVES)):
            if len(halves) > len(os.sched_getaffinity(0)):
                continue
            copy = fresh(course, self.folder("nbgrader"), STOCK_CONFIG)
            graded = run_nbgrader(copy, halves)
            self.add(notebook, name, who, course, graded.took, graded.scores)

    def otter(self, program: Path, notebook: str, count: int) -> None:
        who = right_class(count)
        course = self.class_of(notebook, who, hooks=False)
        graded = run_otter(program, course, self.folder("otter"))
        self.add(notebook, OTTER, who, course, graded.took, graded.scores)


def measure_speed(sizes: Sizes, scratch: Path, *, otter: bool) -> Measured:
    """Measure everything. A machine with one processor has no two workers, and so on."""
    processors = len(os.sched_getaffinity(0))
    bench = Bench(scratch, Measured({HEAVY: sizes.heavy, LIGHT: sizes.light}))
    program = install_otter() if otter else None
    bench.ours_beside_the_limit(HEAVY, sizes.heavy, 1)
    if processors >= 2:
        bench.ours_beside_the_limit(HEAVY, sizes.heavy, 2)
        bench.mixed(sizes.mixed)
    if processors >= MANY:
        bench.ours_beside_the_limit(HEAVY, sizes.many, MANY)
    bench.ours_beside_the_limit(LIGHT, sizes.light_alone, 1)
    if processors >= 2:
        bench.ours_beside_the_limit(LIGHT, sizes.light, 2, sizes.light_alone)
    for place, notebook in enumerate((HEAVY, LIGHT)):
        bench.nbgrader(notebook, sizes.nbgrader[place])
        if program:
            bench.otter(program, notebook, sizes.otter[place])
    return bench.measured


def stages_of(least: Limit) -> Stages:
    return Stages(mean(c.cells for c in least.costs), mean(c.checks for c in least.costs))


def say(name: str, took: Took) -> None:
    print(f"  {name}: {took.count} in {took.wall:.1f} s", file=sys.stderr, flush=True)
