"""Grade all mutants of a notebook, several at a time.

First it is measured which questions depend on which function: those whose checks fail when it is a
stub. A mutant is graded by these, in a kernel with definitions only; what survives that is graded
once more like a submission.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import NeedsHuman
from autograder.judge.warm import start_zygote
from autograder.judge.zygote import Zygote
from autograder.mutate import trial
from autograder.mutate.mutants import (
    Equivalent,
    Mutant,
    Region,
    automatic,
    equivalents,
    fits,
    regions,
    stale,
    written_by_hand,
)
from autograder.mutate.trial import Key, Subject, load_subject
from autograder.sandbox.policy import OWN_LIBRARY, Library, Packages


class ReferenceFailed(NeedsHuman):
    """The reference solution itself does not get full marks; there is nothing to measure."""


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    killed_by: tuple[Key, ...] = ()  # the checks that noticed
    equivalent: str = ""  # the reason, when a person has found it to be right
    questions: frozenset[str] = frozenset()  # that depend on the function it is in


@dataclass(frozen=True)
class Measured:
    """The mutants of one notebook, graded."""

    assignment: str
    notebook: str
    outcomes: tuple[Outcome, ...]
    checks: tuple[Key, ...]  # all that carry points
    unused: tuple[Equivalent, ...] = ()  # entries of equivalent.toml that fit no mutant


Progress = Callable[[int, int, str], None]  # done, in all, what


@dataclass
class Plan:
    """What was found out about the reference before any mutant is graded."""

    quick: frozenset[Key]  # checks that the reference passes with definitions only
    relevant: dict[str, frozenset[str]] = field(default_factory=dict)  # region -> questions

    def questions(self, mutant: Mutant) -> frozenset[str]:
        """Those whose checks fail when the mutant's function is a stub."""
        return self.relevant.get(_place(mutant), frozenset())


def measure(
    root: Path,
    assignment: str,
    notebook: str,
    pool: ProcessPoolExecutor,
    progress: Progress = lambda done, total, what: None,
    only: str = "",
) -> Measured:
    """Grade the mutants of a notebook (``only``: those of one function).

    Raises CourseError, CheckError, MutantError for wrong input, ReferenceFailed.
    """
    subject = load_subject(root, assignment, notebook)
    places = regions(subject.source)
    by_hand = written_by_hand(assignment, notebook, places, subject.course)
    mutants = [*by_hand, *(mutant for place in places for mutant in automatic(place))]
    mutants = [mutant for mutant in mutants if only in ("", mutant.of)]
    known = equivalents(assignment, notebook, subject.course)
    plan = _plan(subject, places, pool, progress)

    graded: list[Outcome] = []
    waiting: list[Mutant] = []
    for mutant in mutants:
        reason = _equivalent(mutant, known)
        if reason:
            graded.append(Outcome(mutant, equivalent=reason))
        else:
            waiting.append(mutant)
    tasks = {pool.submit(_quick, subject, m, plan.questions(m)): m for m in waiting}
    survivors = []
    for done, (mutant, failed) in enumerate(_finished(tasks), 1):
        progress(done, len(tasks), f"{notebook}: {mutant.of}")
        killers = tuple(key for key in failed if key in plan.quick)
        if killers:
            graded.append(Outcome(mutant, killers, questions=plan.questions(mutant)))
        else:
            survivors.append(mutant)
    tasks = {pool.submit(_thorough, subject, mutant): mutant for mutant in survivors}
    for done, (mutant, failed) in enumerate(_finished(tasks), 1):
        progress(done, len(tasks), f"{notebook}: survivors, whole notebook")
        graded.append(Outcome(mutant, tuple(failed), questions=plan.questions(mutant)))
    order = {id(mutant): number for number, mutant in enumerate(mutants)}
    graded.sort(key=lambda outcome: order[id(outcome.mutant)])
    unused = stale(known, mutants) if not only else []
    keys = [
        (name, check.name)
        for name, checks in subject.checks.items()
        for check in checks
        if not check.advice
    ]
    return Measured(assignment, notebook, tuple(graded), tuple(keys), tuple(unused))


def _plan(
    subject: Subject, places: Sequence[Region], pool: ProcessPoolExecutor, progress: Progress
) -> Plan:
    """Grade the reference both ways, and once with each region as a stub."""
    progress(0, 1, f"{subject.notebook}: the reference")
    whole = pool.submit(_thorough, subject, None)
    seeds = [pool.submit(_quick, subject, None, None, str(seed)) for seed in range(3)]
    stubs = {pool.submit(_quick, subject, _stub(place), None): place for place in places}
    if failed := whole.result():
        messages = "; ".join(f"{name}: {message}" for (_, name), message in failed.items())
        raise ReferenceFailed(
            f"{subject.notebook}: the reference solution loses points: {messages}"
        )
    needs_more = frozenset().union(*(task.result() for task in seeds))
    every = {(name, c.name) for name, checks in subject.checks.items() for c in checks}
    plan = Plan(frozenset(every - needs_more))
    for task, place in stubs.items():
        failed = frozenset(name for name, check in task.result() if (name, check) in plan.quick)
        place_key = _place(place)
        plan.relevant[place_key] = plan.relevant.get(place_key, frozenset()) | failed
    return plan


def _stub(region: Region) -> Mutant:
    """The region as a student finds it."""
    lines = region.source.split("\n")
    first = lines[region.first - 1]
    indent = first[: len(first) - len(first.lstrip())]
    lines[region.first - 1 : region.last] = [f"{indent}raise NotImplementedError"]
    return Mutant(region.cell, region.of, "stub", False, "\n".join(lines), "", "")


def _place(where: Mutant | Region) -> str:
    return f"{where.cell}/{where.of}"


def _equivalent(mutant: Mutant, known: Iterable[Equivalent]) -> str:
    if mutant.by_hand:
        return ""
    return next((entry.reason for entry in known if fits(mutant, entry)), "")


def _finished(tasks: dict[Future, Mutant]) -> Iterator[tuple[Mutant, dict[Key, str]]]:
    for task in as_completed(tasks):
        yield tasks[task], task.result()


# -- in the worker processes ----------------------------------------------------------------------

_zygotes: list[Zygote] = []


@contextmanager
def workers(jobs: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Processes that judge, each with a warm zygote of its own; one a core by default."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the judges; the kernels have their own
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs or os.cpu_count(), context, _print_to_stderr) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _print_to_stderr() -> None:
    """Standard output belongs to ``--json``; checks and data sets may have something to say."""
    sys.stdout = sys.stderr


def live_zygote(packages: Packages = "all", library: Library = OWN_LIBRARY) -> Zygote:
    """The zygote of this process; the first notebook's ``packages`` are what it has ready."""
    if not _zygotes:
        atexit.register(lambda: _zygotes[-1].close())
    if not _zygotes or not _zygotes[-1].alive:
        _zygotes[:] = [start_zygote(packages=packages, library=library)]
    return _zygotes[-1]


def _quick(
    subject: Subject, mutant: Mutant | None, grade_ids: frozenset[str] | None, seed: str = ""
) -> dict[Key, str]:
    document = subject.with_cell(mutant.cell, mutant.source) if mutant else subject.document
    zygote = live_zygote(subject.template.packages(), subject.course.library)
    return trial.quickly(subject, document, zygote, grade_ids, seed)


def _thorough(subject: Subject, mutant: Mutant | None) -> dict[Key, str]:
    document = subject.with_cell(mutant.cell, mutant.source) if mutant else subject.document
    zygote = live_zygote(subject.template.packages(), subject.course.library)
    return trial.thoroughly(subject, document, zygote)
