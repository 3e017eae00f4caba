"""What is asked of batchnorm_forward in training, and of layernorm_forward.

Shapes: x, out (N, D); gamma, beta (D,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.batchnormalization.cases import SHAPES, SMALL, draw_case
from autograder.checks.shared.layers import Array
from autograder.checks.shared.normalization import (
    BATCH,
    DEFAULT_EPS,
    LAYER,
    Case,
    Norm,
    right_output,
)
from autograder.checks.shared.normalization_answers import (
    ask_forward,
    expect_default_eps,
    expect_output,
)
from autograder.judge import (
    Student,
    advice,
    check,
    check_each,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    expect_unchanged,
)

OF_BATCH, OF_LAYER = {"bn-train": BATCH}, {"ln-forward": LAYER}
BOTH = OF_BATCH | OF_LAYER


@check_each(OF_BATCH, probe="BN-A1", weight=3)
@check_each(OF_LAYER, probe="LN-A1", weight=3)
def output(student: Student, rng: Generator, norm: Norm) -> None:
    """out for few and many rows and columns, with a gamma and a beta for each column."""
    for N, D in SHAPES:
        _expect_output(student, norm, draw_case(rng, N, D))


@check_each(OF_BATCH, probe="BN-A1")
@check_each(OF_LAYER, probe="LN-A3", weight=2)
def output_with_small_variance(student: Student, rng: Generator, norm: Norm) -> None:
    """out where the variance is no larger than eps, for several eps that are given."""
    for N, D in SHAPES:
        _expect_output(student, norm, draw_case(rng, N, D, **SMALL))
    for spread, eps in ((0.05, 1e-3), (1.0, 1.0), (3e-3, DEFAULT_EPS)):
        _expect_output(student, norm, draw_case(rng, 5, 4, spread=spread, eps=eps))


@check_each(OF_BATCH, probe="BN-A1", condition=True)
@check_each(OF_LAYER, probe="LN-A3", condition=True)
def default_eps(student: Student, rng: Generator, norm: Norm) -> None:
    """out where no eps is given, and the variance is about as large as the default one."""
    case = draw_case(rng, 5, 4, spread=3e-3, eps=None)
    expect_default_eps(student, norm, case)


@check_each(OF_BATCH, probe="BN-A1")
@check_each(OF_LAYER, probe="LN-A5")
def gamma_and_beta_of_columns(student: Student, rng: Generator, norm: Norm) -> None:
    """As many rows as columns, where gamma and beta could be taken the wrong way round."""
    _expect_output(student, norm, draw_case(rng, 6, 6))


@check("bn-train", probe="BN-A6", rare=True)
def output_of_a_single_row(student: Student, rng: Generator) -> None:
    """A batch of one: its variance is 0."""
    case = draw_case(rng, 1, 6)
    got, _ = ask_forward(student, BATCH, case)
    hint = "the only row is its own mean"
    expect_near(got, right_output(BATCH, case), what="out for N = 1", hint=hint)


@check("ln-forward", probe="LN-A4")
def output_of_a_row_alone(student: Student, rng: Generator) -> None:
    """A row alone, and the same row among others."""
    case = draw_case(rng, 5, 6)
    together = _own_output(student, case)
    for n in (0, 3):
        alone, _ = ask_forward(student, LAYER, case.rows(slice(n, n + 1)))
        hint = "each row is normalised by its own mean and variance"
        what = "out of a row alone, compared with the same row among others,"
        expect_near(alone, together[n : n + 1], what=what, hint=hint)


# Nothing asks for it: a layer norm is given no mode here, nor in any later notebook.
@advice("ln-forward", probe="LN-A3")
def settings_of_batchnorm_are_ignored(student: Student, rng: Generator) -> None:
    """An ln_param that also holds a mode and a momentum."""
    case = draw_case(rng, 3, 7)
    want = _own_output(student, case)
    for mode in ("test", "train"):
        got, _ = ask_forward(student, LAYER, case, {"mode": mode, "momentum": 0.5})
        hint = "layer normalisation has no modes: a row depends on nothing but itself"
        what = f"out for an ln_param with the mode {mode!r}, compared with none,"
        expect_near(got, want, what=what, hint=hint)


def _own_output(student: Student, case: Case) -> Array:
    """The student's out of layer normalisation, right or wrong, but not the same everywhere."""
    out = expect_shape(ask_forward(student, LAYER, case)[0], case.x.shape, "out")
    expect(np.ptp(out) > 0, "out is the same number everywhere")
    return out.astype(np.float64)


@check_each(BOTH, probe="BN-A8", rare=True)
def float32_with_variance_zero(student: Student, rng: Generator, norm: Norm) -> None:
    """float32 numbers; those that share one mean are all equal, so their variance is 0."""
    case = draw_case(rng, 6, 4)
    case.x[(slice(None), 1) if norm is BATCH else 2] = 3.0
    single, wide = (
        Case(
            x=case.x.astype(dtype),
            gamma=case.gamma.astype(dtype),
            beta=case.beta.astype(dtype),
            dout=case.dout,
            eps=case.eps,
        )
        for dtype in (np.float32, np.float64)
    )
    got, _ = ask_forward(student, norm, single)
    # Rounding of float32 (6e-8) in x grows by 1 / sqrt(eps) = 316 where all numbers are equal.
    expect_close(got, right_output(norm, wide), what="out for float32", rtol=1e-3, atol=1e-3)


@check_each(BOTH, probe="BN-A8", condition=True)
def x_is_unchanged(student: Student, rng: Generator, norm: Norm) -> None:
    """x is as before after the call."""
    case = draw_case(rng, 4, 5)
    kept = student.put(case.x)
    student.call(norm.forward, kept, case.gamma, case.beta, norm.settings(case), keep=True)
    expect_unchanged(student.fetch(kept), case.x, "x")


def _expect_output(student: Student, norm: Norm, case: Case) -> None:
    expect_output(ask_forward(student, norm, case)[0], norm, case)
