"""How a student's normalisation layer is asked, and how its answers are judged.

Shapes: x, out, dout (N, D) or (N, C, H, W); gamma, beta (D,), (C,) or (1, C, 1, 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.checks.shared.layers import Array, unpack
from autograder.checks.shared.normalization import (
    DEFAULT_EPS,
    GRADIENTS,
    Case,
    Norm,
    Spread,
    gradient_slips,
    near_spreads,
    output_slips,
    right_gradients,
    right_output,
    spreads,
)
from autograder.judge import (
    RTOL,
    Failed,
    Student,
    as_array,
    expect,
    expect_close,
    expect_near,
    expect_shape,
)

Gradients = dict[str, Array]
OTHER_EPS = (1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
HINTS = {
    "dx": "each number of x acts in three ways: by itself, through the mean, through the variance",
    "dgamma": "gamma multiplies every number of its column, or channel: dgamma is a sum over them",
    "dbeta": "beta is added to every number of its column, or channel: dbeta is a sum over them",
}


@dataclass(frozen=True)
class Backward:
    """What the student's pair of functions made of a case; nothing in it has been looked at."""

    out: Any
    gradients: Mapping[str, Any]


# -- asking ---------------------------------------------------------------------------------------


def ask_forward(
    student: Student, norm: Norm, case: Case, more: Mapping[str, Any] | None = None
) -> tuple[Any, Any]:
    """The student's out, and the cache left in the kernel. ``more`` are further settings."""
    settings = norm.settings(case) | dict(more or {})
    groups = (norm.groups,) if norm.groups else ()
    answer = student.call(norm.forward, *case.arrays, *groups, settings, keep=(1,))
    out, cache = unpack(norm.forward, answer, "out, cache")
    return out, cache


def gradients_from(student: Student, norm: Norm, case: Case, cache: Any) -> dict[str, Any]:
    """dx, dgamma and dbeta, as the student's backward function returns them for a copy of dout."""
    answer = student.call(norm.backward, case.dout.copy(), cache)
    return dict(zip(GRADIENTS, unpack(norm.backward, answer, ", ".join(GRADIENTS)), strict=True))


def ask_backward(student: Student, norm: Norm, case: Case) -> Backward:
    """The student's gradients, from the cache of their own forward function."""
    out, cache = ask_forward(student, norm, case)
    return Backward(out, gradients_from(student, norm, case, cache))


# -- judging --------------------------------------------------------------------------------------


def describe(case: Case) -> str:
    """Which case it is, for a message."""
    eps = "" if case.eps is None else f" and eps = {case.eps:g}"
    return f"x of shape {case.x.shape}{eps}"


def expect_output(got: Any, norm: Norm, case: Case, hint: str = "") -> None:
    """``got`` must be out; the usual slips are named."""
    expect_near(
        got,
        right_output(norm, case),
        what=f"out for {describe(case)}",
        slips=output_slips(norm, case),
        hint=hint,
    )


def expect_default_eps(student: Student, norm: Norm, case: Case) -> None:
    """out where no eps is given must be the student's own for the default one, given.

    Others that are in use are named. The variance of ``case`` should be about as large.
    """

    def out(eps: float | None) -> Array:
        got, _ = ask_forward(student, norm, replace(case, eps=eps))
        return expect_shape(got, case.x.shape, "out").astype(np.float64)

    got, want = out(None), out(DEFAULT_EPS)
    expect(np.ptp(want) > 0, "out is the same number everywhere")
    if np.allclose(got, want, rtol=1e-9, atol=1e-9):
        return
    slips = {
        f"where no eps is given, it is {eps:g} here; the default is {DEFAULT_EPS:g}": out(eps)
        for eps in OTHER_EPS
    }
    hint = f"the default eps is {DEFAULT_EPS:g}"
    what = f"out where no eps is given, compared with eps = {DEFAULT_EPS:g},"
    expect_near(got, want, what=what, slips=slips, hint=hint)


def expect_gradient(
    what: str, found: Backward, norm: Norm, case: Case, slips: Mapping[str, Array] | None = None
) -> None:
    """dx, dgamma or dbeta must have the right numbers. Its shape has a check of its own.

    ``slips``: more than the usual ones. Where forward makes a known slip it has lost the points for
    that already: a backward function that differentiates just that is right.
    """
    want, *others = (gradients[what] for gradients in fitting_gradients(found.out, norm, case))
    rtol = RTOL["float64"]
    atol = rtol * size_of_terms(norm, case, what, want) + 1e-8
    got = as_array(found.gradients[what], what)
    for other in others:
        alike = np.squeeze(got).shape == np.squeeze(other).shape
        if alike and np.allclose(got.reshape(other.shape), other, rtol=rtol, atol=atol):
            return
    usual = {} if others or len(case.x) == 1 else gradient_slips(norm, case, what)
    expect_close(
        got,
        want,
        what=f"{what} for {describe(case)}",
        hint=HINTS[what],
        slips={**(slips or {}), **usual},
        rtol=rtol,
        atol=atol,
        squeeze=True,
    )


def size_of_terms(norm: Norm, case: Case, what: str, want: Array) -> float:
    """The largest of the numbers that add up to an entry of this gradient.

    dx is what is left of terms of the size gamma * dout / std when most of them have cancelled, and
    rounding does not cancel with them.
    """
    largest = float(np.max(np.abs(want), initial=0.0))
    if what != "dx":
        return largest
    terms = np.abs(case.wide(case.gamma) * case.dout) / spreads(norm, case)
    return max(largest, float(terms.max()))


def fitting_gradients(out: Any, norm: Norm, case: Case) -> list[Gradients]:
    """The gradients that are right for whoever's forward function returned ``out``.

    Somebody whose forward function makes a known slip has lost its points already. A backward
    function that differentiates just that is right, and so is one that is right in itself: by
    its own numbers, or by those that the slip has left in the cache.
    """
    right = [right_gradients(norm, case)]
    numbers = np.empty(0)
    with suppress(Failed):  # no numbers: forward has lost its points for that
        numbers = as_array(out).astype(np.float64)
    # Strictly: with the default eps, one outside the root makes a difference of 1e-5 only.
    if _near(numbers, right_output(norm, case), rtol=1e-9, atol=1e-12):
        return right
    for by in near_spreads(norm, case).values():
        if _near(numbers, right_output(norm, case, by), rtol=1e-4, atol=1e-6):
            return [*right, right_gradients(norm, case, by), _right_formulas_on(norm, case, by)]
    return right


def _near(got: Array, want: Array, rtol: float, atol: float) -> bool:
    return got.shape == want.shape and np.allclose(got, want, rtol=rtol, atol=atol)


def _right_formulas_on(norm: Norm, case: Case, by: Spread) -> Gradients:
    """What right formulas make of the normalised x and the spread that a slip left in the cache."""
    std = spreads(norm, case, by)
    hat, dhat = (case.x - norm.mean(case.x)) / std, case.wide(case.gamma) * case.dout
    dx = (dhat - norm.mean(dhat) - hat * norm.mean(dhat * hat)) / std
    rows = tuple(axis for axis in range(hat.ndim) if axis != 1)
    dgamma, dbeta = np.sum(case.dout * hat, axis=rows), case.dout.sum(axis=rows)
    shape = case.gamma.shape
    return dict(zip(GRADIENTS, (dx, dgamma.reshape(shape), dbeta.reshape(shape)), strict=True))
