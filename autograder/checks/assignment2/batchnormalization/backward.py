"""What is asked of the backward functions: two of batch normalisation, one of layer normalisation.

Each is called with the cache of the student's own forward function.

Shapes: x, dout, dx (N, D); gamma, beta, dgamma, dbeta (D,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.batchnormalization.cases import SHAPES, SMALL, draw_case
from autograder.checks.shared.normalization import BATCH, LAYER, Norm, right_gradients
from autograder.checks.shared.normalization_answers import (
    Backward,
    ask_backward,
    ask_forward,
    expect_gradient,
    gradients_from,
)
from autograder.judge import Student, check_each, expect_shape

PLAIN, ALT = (
    {"bn-backward": BATCH},
    {"bn-backward-alt": replace(BATCH, backward="batchnorm_backward_alt")},
)
OF_LAYER = {"ln-backward": LAYER}
NormCheck = Callable[[Student, Generator, Norm], None]


def check_backward(
    *,
    plain: str,
    alt: str,
    layer: str,
    weight: float = 1.0,
    condition: bool = False,
    rare: bool = False,
) -> Callable[[NormCheck], NormCheck]:
    """Declare a check for all three, each with the curriculum's name of its probe."""

    def register(function: NormCheck) -> NormCheck:
        for cells, probe in ((PLAIN, plain), (ALT, alt), (OF_LAYER, layer)):
            options = {"weight": weight, "condition": condition, "rare": rare}
            check_each(cells, probe=probe, **options)(function)
        return function

    return register


@check_backward(plain="BN-A4", alt="BN-A5", layer="LN-A2")
def dbeta(student: Student, rng: Generator, norm: Norm) -> None:
    """dbeta, for few and many rows and columns."""
    for N, D in SHAPES:
        case = draw_case(rng, N, D)
        expect_gradient("dbeta", ask_backward(student, norm, case), norm, case)


@check_backward(plain="BN-A4", alt="BN-A5", layer="LN-A2", weight=2)
def dgamma(student: Student, rng: Generator, norm: Norm) -> None:
    """dgamma, for few and many rows and columns, and where the variance is as small as eps."""
    for more in ({}, SMALL):
        for N, D in SHAPES:
            case = draw_case(rng, N, D, **more)
            expect_gradient("dgamma", ask_backward(student, norm, case), norm, case)


@check_backward(plain="BN-A4", alt="BN-A5", layer="LN-A2", weight=4)
def dx(student: Student, rng: Generator, norm: Norm) -> None:
    """dx, for few and many rows and columns; each call goes back with its own cache."""
    for N, D in SHAPES:
        cases = [draw_case(rng, N, D) for _ in range(2)]
        calls = [(case, *ask_forward(student, norm, case)) for case in cases]
        for (case, out, cache), other in zip(calls, reversed(cases), strict=True):
            found = Backward(out, gradients_from(student, norm, case, cache))
            mixed = right_gradients(norm, replace(other, dout=case.dout))["dx"]
            slip = f"dx belongs to another call of {norm.forward}: everything must be in the cache"
            expect_gradient("dx", found, norm, case, slips={slip: mixed})


@check_backward(plain="BN-A7", alt="BN-A7", layer="LN-A3", weight=2)
def dx_with_small_variance(student: Student, rng: Generator, norm: Norm) -> None:
    """dx where eps is about as large as the variance; numbers that are all equal."""
    for N, D in SHAPES:
        case = draw_case(rng, N, D, **SMALL)
        expect_gradient("dx", ask_backward(student, norm, case), norm, case)
    case = draw_case(rng, 5, 4)
    case.x[(slice(None), 1) if norm.axes == (0,) else 2] = 3.0  # and an eps of 1e-5
    expect_gradient("dx", ask_backward(student, norm, case), norm, case)


@check_backward(plain="BN-A6", alt="BN-A6", layer="LN-A2", rare=True)
def dx_of_a_single_row(student: Student, rng: Generator, norm: Norm) -> None:
    """dx for a single row."""
    case = draw_case(rng, 1, 6)
    if not np.isfinite(ask_forward(student, norm, case)[0]).all():  # that has cost its points
        case = draw_case(rng, 2, 6)
    expect_gradient("dx", ask_backward(student, norm, case), norm, case)


@check_backward(plain="BN-A4", alt="BN-A5", layer="LN-A2", condition=True)
def shapes(student: Student, rng: Generator, norm: Norm) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    case = draw_case(rng, 4, 5)
    found = ask_backward(student, norm, case).gradients
    for (what, got), like in zip(found.items(), case.arrays, strict=True):
        expect_shape(got, like.shape, what)
