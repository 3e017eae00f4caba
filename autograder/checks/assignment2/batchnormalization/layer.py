"""What is asked of batch and layer normalisation. Notebooks declare which, where.

Shapes: x, out, dout (N, D); gamma, beta (D,). ``norm`` says which of the two layers is meant.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.batchnormalization.oracle import (
    BATCH,
    GRADIENTS,
    Case,
    Norm,
    ask_backward,
    ask_forward,
    draw_case,
    expect_gradient,
    gradients_from,
    gradients_that_fit,
    nearly_right_outputs,
    right_gradients,
    right_output,
)
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    StudentError,
    expect,
    expect_close,
    expect_near,
    expect_unchanged,
    name_slip,
)

# N and D differ, so that no axis fits by chance; one is much larger than the other, both ways.
SHAPES = ((4, 5), (40, 3), (3, 30))
SMALL = {"spread": 0.05, "eps": 1e-2}  # the variance is about as large as eps

# -- forward --------------------------------------------------------------------------------------


def output_is_normalized(student: Student, rng: Generator, norm: Norm) -> None:
    """out for few and many rows and columns, with gamma and beta of their own."""
    for N, D in SHAPES:
        _expect_output(student, norm, draw_case(rng, N, D))


def variance_and_eps_are_right(student: Student, rng: Generator, norm: Norm) -> None:
    """out for numbers so alike that their variance is no larger than eps."""
    for N, D in SHAPES:
        _expect_output(student, norm, draw_case(rng, N, D, **SMALL))
    _expect_output(student, norm, draw_case(rng, 5, 4, spread=3e-3))  # and the default eps


def gamma_and_beta_belong_to_columns(student: Student, rng: Generator, norm: Norm) -> None:
    """As many rows as columns, where gamma and beta could be taken the wrong way round."""
    _expect_output(student, norm, draw_case(rng, 6, 6))


def single_row_is_normalized(student: Student, rng: Generator, norm: Norm) -> None:
    """A single row."""
    case = draw_case(rng, 1, 6)
    got, _ = ask_forward(student, norm, case)
    hint = "a batch of one has variance 0: what is left of x?" if norm is BATCH else ""
    expect_near(got, right_output(norm, case), what="out for N = 1", hint=hint)


def float32_stays_finite(student: Student, rng: Generator, norm: Norm) -> None:
    """float32 numbers; those of one mean are all equal, so their variance is 0."""
    case = _in_float32(rng, norm)
    got, _ = ask_forward(student, norm, case)
    wide = Case(*(a.astype(np.float64) for a in (*case.arrays, case.dout)), eps=None)
    # Rounding of float32 (6e-8) in x grows by 1 / sqrt(eps) = 316 where all numbers are equal.
    expect_close(got, right_output(norm, wide), what="out for float32", rtol=1e-3, atol=1e-3)


def forward_leaves_x(student: Student, rng: Generator, norm: Norm) -> None:
    """x is as before after the call."""
    case = draw_case(rng, 4, 5)
    kept = student.put(case.x)
    student.call(norm.forward, kept, case.gamma, case.beta, norm.settings(case), keep=True)
    expect_unchanged(student.fetch(kept), case.x, "x")


def _expect_output(student: Student, norm: Norm, case: Case) -> None:
    got, _ = ask_forward(student, norm, case)
    want = right_output(norm, case)
    name_slip(got, want, nearly_right_outputs(norm, case))
    eps = "" if case.eps is None else f" and eps = {case.eps:g}"
    expect_near(got, want, what=f"out for x of shape {case.x.shape}{eps}")


# -- layer normalisation only ---------------------------------------------------------------------


def eps_is_read_and_other_settings_ignored(student: Student, rng: Generator, norm: Norm) -> None:
    """Several eps, and a dictionary that holds settings of the other kind of normalisation."""
    more = {"mode": "train", "momentum": 0.5}
    for eps in (None, 1e-3, 1.0):
        case = draw_case(rng, 3, 7, spread=0.05, eps=eps)
        got, _ = ask_forward(student, norm, case, more)
        want = right_output(norm, case)
        name_slip(got, want, nearly_right_outputs(norm, case))
        expect_near(got, want, what=f"out for eps = {case.root_eps:g}")
    for mode in ("test", "train"):
        case = draw_case(rng, 3, 7)
        got, _ = ask_forward(student, norm, case, {"mode": mode})
        hint = "there are no two modes here: a row needs nothing but itself"
        expect_near(got, right_output(norm, case), what=f"out for mode {mode!r}", hint=hint)


def rows_do_not_know_each_other(student: Student, rng: Generator, norm: Norm) -> None:
    """A row alone, and the same row among others."""
    case = draw_case(rng, 5, 6)
    together, _ = ask_forward(student, norm, case)
    for n in (0, 3):
        alone, _ = ask_forward(student, norm, case.rows(slice(n, n + 1)))
        hint = "each row is normalised by its own mean and variance"
        expect_near(alone[0], together[n], what="out of a row alone", hint=hint)


# -- backward -------------------------------------------------------------------------------------


def dx_is_right(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """dx, for few and many rows and columns."""
    for N, D in SHAPES:
        _expect_gradients(student, norm, draw_case(rng, N, D), name, "dx")


def dgamma_is_right(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """dgamma, for few and many rows and columns."""
    for N, D in SHAPES:
        _expect_gradients(student, norm, draw_case(rng, N, D), name, "dgamma")


def dbeta_is_right(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """dbeta, for few and many rows and columns."""
    for N, D in SHAPES:
        _expect_gradients(student, norm, draw_case(rng, N, D), name, "dbeta")


def gradients_with_eps(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """dx and dgamma where eps is about as large as the variance."""
    for N, D in SHAPES:
        _expect_gradients(student, norm, draw_case(rng, N, D, **SMALL), name, "dx", "dgamma")


def gradients_of_a_single_row(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """dx, dgamma, dbeta for a single row."""
    case = draw_case(rng, 1, 6)
    if not np.isfinite(ask_forward(student, norm, case)[0]).all():  # that has cost its points
        case = draw_case(rng, 2, 6)
    _expect_gradients(student, norm, case, name, *GRADIENTS)


def gradients_after_another_call(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """Two forward calls, then backward for the second and for the first: each its own cache."""
    cases = [draw_case(rng, 4, 3) for _ in range(2)]
    caches = [ask_forward(student, norm, case)[1] for case in cases]
    for case, cache in reversed(list(zip(cases, caches, strict=True))):
        _compare(student, norm, case, gradients_from(student, name, case, cache), GRADIENTS)


def one_cache_serves_both(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """Both backward functions, one after the other, with one and the same cache."""
    case = draw_case(rng, 5, 4)
    cache = ask_forward(student, norm, case)[1]
    with suppress(StudentError):  # the plain one has a question of its own
        student.call(norm.backward, case.dout.copy(), cache)
    _compare(student, norm, case, gradients_from(student, name, case, cache), GRADIENTS)


def float32_gradients_stay_finite(student: Student, rng: Generator, norm: Norm, name: str) -> None:
    """Gradients for float32 numbers; those of one mean are all equal."""
    for what, gradient in ask_backward(student, norm, _in_float32(rng, norm), name).items():
        expect(np.isfinite(gradient).all(), f"{what} for float32 holds nan or infinite entries")


def _in_float32(rng: Generator, norm: Norm) -> Case:
    """A case with variance 0 in one column, or row: eps alone prevents a division by zero."""
    case = draw_case(rng, 6, 4)
    x = case.x.copy()
    if norm is BATCH:
        x[:, 1] = 3.0
    else:
        x[2] = 3.0
    return Case(*(a.astype(np.float32) for a in (x, case.gamma, case.beta, case.dout)), eps=None)


def _expect_gradients(student: Student, norm: Norm, case: Case, name: str, *asked: str) -> None:
    _compare(student, norm, case, ask_backward(student, norm, case, name), asked)


def _compare(
    student: Student, norm: Norm, case: Case, got: dict[str, Array], asked: tuple[str, ...]
) -> None:
    fitting = gradients_that_fit(student, norm, case)
    for what in asked:
        if len(fitting) == 1 and len(case.x) > 1:
            name_slip(got[what], fitting[0][what], _slips(norm, case, what))
        expect_gradient(got[what], fitting, what, norm, case, HINTS[what])


HINTS = {
    "dx": "each number of x acts in three ways: by itself, through the mean, through the variance",
    "dgamma": "gamma is used in every row: where are the other rows' parts?",
    "dbeta": "beta is used in every row: where are the other rows' parts?",
}


def _slips(norm: Norm, case: Case, what: str) -> dict[str, Array]:
    """What usual slips lead to, each with its message."""
    if what == "dbeta":
        total = case.dout.sum(axis=0)
        return {
            "dbeta is divided by N here; only the loss takes the mean, once": total / len(case.x)
        }
    std = np.sqrt(case.x.var(axis=norm.axis, keepdims=True) + case.root_eps)
    hat = (case.x - case.x.mean(axis=norm.axis, keepdims=True)) / std
    if what == "dgamma":
        total = np.sum(case.dout * hat, axis=0)
        return {
            "dgamma is divided by N here; only the loss takes the mean, once": total / len(case.x),
            "gamma multiplies the normalised x, not x": np.sum(case.dout * case.x, axis=0),
        }
    dhat = case.gamma * case.dout
    mean = dhat.mean(axis=norm.axis, keepdims=True)
    along = hat * np.mean(dhat * hat, axis=norm.axis, keepdims=True)
    plain = Case(case.x, np.ones_like(case.gamma), case.beta, case.dout, case.eps)
    after = right_gradients(norm, plain)["dx"]
    return {
        "dx lacks the paths through mean and variance: both depend on x": dhat / std,
        "dx lacks the path through the variance": (dhat - mean) / std,
        "dx lacks the path through the mean": (dhat - along) / std,
        "gamma is forgotten: dout first becomes the gradient of the normalised x": after,
        "gamma multiplies at the end: it belongs to the gradient before the means are taken": (
            after * case.gamma
        ),
    }
