"""What is asked of batch normalisation's memory: running statistics, and test mode that uses them.

Shapes: x, out (N, D); gamma, beta and the running statistics (D,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.batchnormalization.oracle import (
    BATCH,
    DEFAULT_EPS,
    Case,
    draw_case,
)
from autograder.checks.shared.layers import Array, several
from autograder.judge import (
    Ref,
    Student,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

STATISTICS = ("running_mean", "running_var")
# Published solutions differ by eps in what they keep: 1e-5 of a variance of size 1.
RUNNING_RTOL = 1e-4

# -- running statistics ---------------------------------------------------------------------------


def running_statistics_follow(student: Student, rng: Generator) -> None:
    """running_mean and running_var after one and after three batches."""
    for momentum in (None, 0.9, 0.5):
        for calls in (1, 3):
            given = {} if momentum is None else {"momentum": momentum}
            _expect_running(student, [draw_case(rng, 7, 4) for _ in range(calls)], given)


def running_statistics_go_on(student: Student, rng: Generator) -> None:
    """The dictionary holds statistics of earlier batches: they are carried on."""
    start = rng.normal(size=4), rng.uniform(1.0, 3.0, size=4)
    cases = [draw_case(rng, 5, 4) for _ in range(2)]
    _expect_running(student, cases, {"momentum": 0.7}, start)


def momentum_0_and_1(student: Student, rng: Generator) -> None:
    """Momentum 0 keeps the last batch alone; momentum 1 keeps what was there."""
    start = rng.normal(size=3), rng.uniform(1.0, 3.0, size=3)
    cases = [draw_case(rng, 6, 3) for _ in range(2)]
    for momentum in (0.0, 1.0):
        _expect_running(student, cases, {"momentum": momentum}, start)


def _expect_running(
    student: Student,
    cases: list[Case],
    given: Mapping[str, Any],
    start: tuple[Array, Array] | None = None,
) -> None:
    before: dict[str, Any] = dict(zip(STATISTICS, start, strict=True)) if start else {}
    kept = _train_on(student, cases, {"mode": "train", **given, **_copies(before)})
    after = _dictionary(student.fetch(kept))
    batches, momentum = [case.x for case in cases], given.get("momentum", 0.9)
    wants = _running_after(batches, momentum, start)
    exchanged = _running_after(batches, 1 - momentum, start)
    N = len(batches[0])
    for name in STATISTICS:
        want = wants[name]
        got = expect_shape(after.get(name), want.shape, f"bn_param[{name!r}]")
        first = before.get(name, np.zeros_like(want)) * momentum ** len(cases)
        slips = {"momentum is the share of what was there, not of the new batch": exchanged[name]}
        if name == "running_var":
            slips["the variance is divided by N - 1, not by N"] = first + (want - first) * N / (
                N - 1
            )
        name_slip(got, want, slips)
        what = f"bn_param[{name!r}] after {len(cases)} batches with momentum {momentum:g}"
        hint = "momentum * what was there + (1 - momentum) * this batch's, and back into bn_param"
        expect_close(got, want, what=what, rtol=RUNNING_RTOL, atol=RUNNING_RTOL, hint=hint)


# -- test mode ------------------------------------------------------------------------------------


def test_mode_uses_running_statistics(student: Student, rng: Generator) -> None:
    """out in test mode for given running statistics, small variances and a larger eps too."""
    for spread, eps in ((1.0, None), (0.05, 1e-2)):
        case, given = _test_case(rng, spread=spread, eps=eps)
        mean, std = given["running_mean"], np.sqrt(given["running_var"] + case.root_eps)
        want = case.gamma * (case.x - mean) / std + case.beta
        got = _test_output(student, case, given)
        std_of_batch = np.sqrt(case.x.var(axis=0) + case.root_eps)
        own = (case.x - case.x.mean(axis=0)) / std_of_batch
        outside = np.sqrt(given["running_var"]) + case.root_eps
        fixed = np.sqrt(given["running_var"] + DEFAULT_EPS)
        slips = {
            "this batch's own mean and variance were used": case.gamma * own + case.beta,
            "gamma and beta are not used in test mode": (case.x - mean) / std,
            "eps stands outside the root": case.gamma * (case.x - mean) / outside + case.beta,
            "the eps that is given makes no difference": (
                case.gamma * (case.x - mean) / fixed + case.beta
            ),
        }
        name_slip(got, want, slips)
        expect_near(got, want, what=f"out in test mode with eps = {case.root_eps:g}")


def rows_are_independent_in_test_mode(student: Student, rng: Generator) -> None:
    """A row in test mode, alone and among others."""
    case, given = _test_case(rng)
    together = _test_output(student, case, given)
    expect(bool(np.ptp(together, axis=0).any()), "all rows give the same out in test mode")
    for n in (0, 2):
        alone = _test_output(student, case.rows(slice(n, n + 1)), given)
        hint = "in test mode, a row's output must not depend on the rows beside it"
        expect_near(alone[0], together[n], what="out of a row alone", hint=hint)


def what_was_learned_is_used(student: Student, rng: Generator) -> None:
    """Three batches in train mode, then test mode with what these have left in bn_param."""
    kept = _train_on(student, [draw_case(rng, 6, 4) for _ in range(3)], {"mode": "train"})
    learned = _dictionary(student.fetch(kept))
    # The student's own statistics: a mistake in them has been paid for elsewhere.
    mean, var = (expect_shape(learned.get(n), (4,), f"bn_param[{n!r}]") for n in STATISTICS)
    expect(bool(np.all(var >= 0)), "bn_param['running_var'] is negative after training")
    case = draw_case(rng, 5, 4)
    want = case.gamma * (case.x - mean) / np.sqrt(var + DEFAULT_EPS) + case.beta
    got = _test_output(student, case, {**learned, "mode": "test"})
    expect_near(got, want, what="out in test mode after training")


def test_mode_learns_nothing(student: Student, rng: Generator) -> None:
    """x and the running statistics are as before after a call in test mode."""
    case, given = _test_case(rng)
    kept = student.put(_copies(given))
    x = student.put(case.x)
    student.call(BATCH.forward, x, case.gamma, case.beta, kept, keep=True)
    after = _dictionary(student.fetch(kept))
    for name in STATISTICS:
        expect_unchanged(after.get(name), given[name], f"bn_param[{name!r}]")
    expect_unchanged(student.fetch(x), case.x, "x")


def _test_case(
    rng: Generator, spread: float = 1.0, eps: float | None = None
) -> tuple[Case, dict[str, Any]]:
    """A batch, and a bn_param whose statistics are quite others than the batch's."""
    case = draw_case(rng, 5, 4, spread=spread, eps=eps)
    given = {"mode": "test"} | ({} if eps is None else {"eps": eps})
    mean, var = rng.normal(size=4), rng.uniform(1.0, 4.0, size=4)
    return case, given | {"running_mean": spread * mean, "running_var": spread**2 * var}


def _test_output(student: Student, case: Case, given: Mapping[str, Any]) -> Array:
    answer = student.call(BATCH.forward, *case.arrays, _copies(given), keep=(1,))
    return expect_shape(several(BATCH.forward, answer, "out, cache")[0], case.x.shape, "out")


def _copies(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in given.items()}


def _dictionary(value: Any) -> dict[str, Any]:
    expect(isinstance(value, dict), "bn_param is no dictionary any more")
    return dict(value)


def _running_after(
    batches: list[Array], momentum: float, start: tuple[Array, Array] | None = None
) -> dict[str, Array]:
    """The running mean and variance (D,) after training calls with these batches (N, D)."""
    D = batches[0].shape[1]
    mean, var = start or (np.zeros(D), np.zeros(D))
    for x in batches:
        mean = momentum * mean + (1 - momentum) * x.mean(axis=0)
        var = momentum * var + (1 - momentum) * x.var(axis=0)
    return {"running_mean": mean, "running_var": var}


def _train_on(student: Student, cases: list[Case], bn_param: Mapping[str, Any]) -> Ref:
    """Call the student's forward with each of these batches; the dictionary, in the kernel."""
    kept = student.put(dict(bn_param))
    for case in cases:
        answer = student.call(BATCH.forward, *case.arrays, kept, keep=(1,))
        several(BATCH.forward, answer, "out, cache")
    return kept
