"""The memory of batch normalisation: running statistics, and test mode that uses them.

Shapes: x, out (N, D) or (N, C, H, W); gamma, beta and the running statistics (D,) or (C,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks.shared.layers import Array, unpack
from autograder.checks.shared.normalization import DEFAULT_EPS, Case, Norm, right_output
from autograder.judge import Ref, Student, as_array, expect, expect_close, expect_near

STATISTICS = ("running_mean", "running_var")
# Published solutions differ by the default eps in what they keep: 1e-5 of a variance of size 1.
RTOL = 1e-4
LARGE_EPS = 0.1  # of which it shows whether it was stored
Statistics = Mapping[str, Array]


# -- training -------------------------------------------------------------------------------------


def train_on(
    student: Student, norm: Norm, cases: Sequence[Case], bn_param: Mapping[str, Any]
) -> dict[str, Any]:
    """Call the student's forward with each of these batches; what bn_param holds afterwards."""
    kept = student.put({"mode": "train", **copies(bn_param)})
    for case in cases:
        answer = student.call(norm.forward, *case.arrays, kept, keep=(1,))
        unpack(norm.forward, answer, "out, cache")
    return fetch(student, kept)


def fetch(student: Student, bn_param: Ref) -> dict[str, Any]:
    value = student.fetch(bn_param)
    expect(isinstance(value, dict), "bn_param is no longer a dictionary")
    return dict(value)


def copies(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in given.items()}


def moments(norm: Norm, x: Array) -> Statistics:
    """Mean and biased variance of a batch."""
    return {"running_mean": x.mean(axis=norm.axes), "running_var": x.var(axis=norm.axes)}


def running_after(
    norm: Norm, cases: Sequence[Case], momentum: float, before: Statistics
) -> Statistics:
    """The running statistics after training calls with these batches."""
    after = dict(before)
    for case in cases:
        new = moments(norm, case.x)
        after = {name: momentum * after[name] + (1 - momentum) * new[name] for name in STATISTICS}
    return after


def expect_running(
    student: Student, norm: Norm, cases: Sequence[Case], given: Mapping[str, Any]
) -> None:
    """The running statistics after these batches; ``given`` may hold a momentum and a start."""
    after = train_on(student, norm, cases, given)
    momentum, columns = given.get("momentum", 0.9), cases[0].x.shape[1]
    before = {name: np.asarray(given.get(name, np.zeros(columns))) for name in STATISTICS}
    wants = running_after(norm, cases, momentum, before)
    for name in STATISTICS:
        called = f"bn_param[{name!r}]"
        expect(name in after, f"bn_param has no entry {name!r} after training")
        slips = {
            f"{called} is the same after training as before: it has to follow the batches": (
                before[name]
            )
        } | _running_slips(norm, cases, momentum, before, wants, name)
        expect_close(
            after.get(name),
            wants[name],
            what=f"{called} after {len(cases)} batches with momentum {momentum:g}",
            slips=slips,
            hint="momentum * what was there + (1 - momentum) * this batch's, and into bn_param",
            rtol=RTOL,
            atol=RTOL,
        )


def _running_slips(
    norm: Norm,
    cases: Sequence[Case],
    momentum: float,
    before: Statistics,
    wants: Statistics,
    name: str,
) -> dict[str, Array]:
    swapped = running_after(norm, cases, 1 - momentum, before)
    last, kept = moments(norm, cases[-1].x)[name], momentum ** len(cases)
    slips = {
        f"{name} is that of the last batch alone": last,
        f"{name}: momentum is the share of what was there before, not of the new batch": (
            swapped[name]
        ),
    }
    if name == "running_var":
        numbers = np.prod([cases[0].x.shape[axis] for axis in norm.axes])
        of_batches = wants[name] - kept * before[name]
        slips[f"running_var: the variance is divided by {norm.count} - 1, not by {norm.count}"] = (
            kept * before[name] + of_batches * numbers / (numbers - 1)
        )
    return slips


def expect_eps_is_not_stored(student: Student, norm: Norm, cases: Sequence[Case]) -> None:
    """running_var must not depend on eps, which is added under the root and nowhere else.

    Compared with the student's own running_var for another eps: only eps is asked for.
    """
    what = "bn_param['running_var']"
    found = [train_on(student, norm, cases, {"eps": eps}) for eps in (DEFAULT_EPS, LARGE_EPS)]
    missing = any("running_var" not in bn_param for bn_param in found)
    expect(not missing, "bn_param has no entry 'running_var' after training")
    small, large = (as_array(bn_param["running_var"], what) for bn_param in found)
    slip = f"{what} contains eps: it is an average of variances; eps is added under the root only"
    added = (1 - 0.9 ** len(cases)) * (LARGE_EPS - DEFAULT_EPS)
    expect_close(
        large,
        small,
        what=f"{what} with eps = {LARGE_EPS:g}, compared with the one for eps = {DEFAULT_EPS:g},",
        slips={slip: small + added},
        rtol=RTOL,
        atol=RTOL,
    )


# -- test mode ------------------------------------------------------------------------------------


def output_in_test_mode(student: Student, norm: Norm, case: Case, statistics: Statistics) -> Any:
    """The student's out in test mode; nothing in it has been looked at."""
    given = {**copies(statistics), "mode": "test"}
    given |= {} if case.eps is None else {"eps": case.eps}
    answer = student.call(norm.forward, *case.arrays, given, keep=(1,))
    return unpack(norm.forward, answer, "out, cache")[0]


def right_in_test_mode(case: Case, statistics: Statistics) -> Array:
    mean, var = (case.wide(statistics[name]) for name in STATISTICS)
    hat = (case.x - mean) / np.sqrt(var + case.root_eps)
    return case.wide(case.gamma) * hat + case.wide(case.beta)


def expect_output_in_test_mode(got: Any, norm: Norm, case: Case, statistics: Statistics) -> None:
    """``got`` must be out in test mode; the usual slips are named."""
    mean, var = (case.wide(statistics[name]) for name in STATISTICS)
    gamma, beta = case.wide(case.gamma), case.wide(case.beta)
    want = right_in_test_mode(case, statistics)
    slips = {
        "this batch's own mean and variance were used": right_output(norm, case),
        "gamma and beta are not used in test mode": (want - beta) / gamma,
        "in test mode, eps is outside the square root": (
            gamma * (case.x - mean) / (np.sqrt(var) + case.root_eps) + beta
        ),
        "in test mode, the eps that is given makes no difference": (
            gamma * (case.x - mean) / np.sqrt(var + DEFAULT_EPS) + beta
        ),
        "running_var is taken for a standard deviation: the square root is missing": (
            gamma * (case.x - mean) / (var + case.root_eps) + beta
        ),
    }
    what = f"out in test mode for x of shape {case.x.shape} and eps = {case.root_eps:g}"
    expect_near(got, want, what=what, slips=slips)
