"""What is asked of batch normalisation's memory: running statistics, and test mode that uses them.

Shapes: x, out (N, D); gamma, beta and the running statistics (D,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.batchnormalization.cases import draw_case
from autograder.checks.shared import running_statistics as running
from autograder.checks.shared.normalization import BATCH, DEFAULT_EPS, Case
from autograder.checks.shared.running_statistics import STATISTICS, Statistics, expect_running
from autograder.judge import Student, check, expect, expect_unchanged

TRAIN, TEST = "bn-train", "bn-test"

# -- training -------------------------------------------------------------------------------------


@check(TRAIN, probe="BN-A2", weight=4)
def running_statistics(student: Student, rng: Generator) -> None:
    """running_mean and running_var after one and three batches; from zeros, and from others."""
    for given in ({}, {"momentum": 0.9}, {"momentum": 0.5}):
        for calls in (1, 3):
            expect_running(student, BATCH, [draw_case(rng, 7, 4) for _ in range(calls)], given)
    cases = [draw_case(rng, 5, 4) for _ in range(2)]
    expect_running(student, BATCH, cases, {"momentum": 0.7, **_statistics(rng, 4)})


@check(TRAIN, probe="BN-A9", rare=True)
def momentum_0_and_1(student: Student, rng: Generator) -> None:
    """Momentum 0 keeps the last batch alone; momentum 1 keeps what was there."""
    cases, start = [draw_case(rng, 6, 3) for _ in range(2)], _statistics(rng, 3)
    for momentum in (0.0, 1.0):
        expect_running(student, BATCH, cases, {"momentum": momentum, **start})


@check(TRAIN, probe="BN-A2", condition=True)
def running_var_without_eps(student: Student, rng: Generator) -> None:
    """running_var after three batches, for a large eps and for a small one."""
    cases = [draw_case(rng, 7, 4) for _ in range(3)]
    running.expect_eps_is_not_stored(student, BATCH, cases)


# -- test mode ------------------------------------------------------------------------------------


@check(TEST, probe="BN-A3", weight=4)
def test_mode_uses_running_statistics(student: Student, rng: Generator) -> None:
    """out in test mode, for given running statistics: of several rows, and of each alone."""
    for spread, eps in ((1.0, DEFAULT_EPS), (0.05, 1e-2)):
        case = draw_case(rng, 5, 4, spread=spread, eps=eps)
        _expect_output(student, case, given := _statistics(rng, 4, spread))
        _expect_output(student, case.rows(slice(1, 2)), given)


@check(TEST, probe="BN-A3")
def test_mode_after_training(student: Student, rng: Generator) -> None:
    """Three batches in train mode, then test mode with what these have left in bn_param."""
    cases = [draw_case(rng, 6, 4) for _ in range(3)]
    learned = running.train_on(student, BATCH, cases, {})
    # The student's own statistics, if there are any: what is wrong in them costs points above.
    if any(np.shape(learned.get(name, ())) != (4,) for name in STATISTICS):
        learned |= running.running_after(BATCH, cases, 0.9, dict.fromkeys(STATISTICS, np.zeros(4)))
    _expect_output(student, draw_case(rng, 5, 4), learned)


@check(TEST, probe="BN-A3", condition=True)
def test_mode_changes_nothing(student: Student, rng: Generator) -> None:
    """x and the running statistics are as before after a call in test mode."""
    case, given = draw_case(rng, 5, 4), _statistics(rng, 4)
    kept, x = student.put({"mode": "test", **running.copies(given)}), student.put(case.x)
    student.call(BATCH.forward, x, case.gamma, case.beta, kept, keep=True)
    after = running.fetch(student, kept)
    for name in STATISTICS:
        same = np.array_equal(np.asarray(after.get(name)), given[name])
        expect(same, f"test mode has changed bn_param[{name!r}]: only training does that")
    expect_unchanged(student.fetch(x), case.x, "x")


def _statistics(rng: Generator, D: int, spread: float = 1.0) -> Statistics:
    """Running statistics that are quite others than those of a batch."""
    mean, var = rng.normal(size=D), rng.uniform(1.0, 4.0, size=D)
    return {"running_mean": spread * mean, "running_var": spread**2 * var}


def _expect_output(student: Student, case: Case, statistics: Statistics) -> None:
    got = running.output_in_test_mode(student, BATCH, case, statistics)
    running.expect_output_in_test_mode(got, BATCH, case, statistics)
