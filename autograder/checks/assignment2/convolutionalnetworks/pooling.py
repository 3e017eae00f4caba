"""Checks of max pooling, written with loops.

Shapes: x (N, C, H, W); out and dout (N, C, H', W').
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    draw_pool,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.shared.layers import value
from autograder.judge import (
    Student,
    advice,
    expect_near,
    name_slip,
)

PAIR = ("max_pool_forward_naive", "max_pool_backward_naive")
FORWARD, BACKWARD = "cnn-pool-forward", "cnn-pool-backward"
# H, W, height and width of the window, stride.
TILES = (4, 6, 2, 2, 2)
OVERLAPPING = (7, 5, 3, 3, 2)
FLAT = (4, 6, 2, 3, 1)
GAPS = (5, 9, 2, 3, 3)  # rows and columns that no window sees
WHOLE = (4, 5, 4, 5, 1)
MAXIMUM = "each output is the largest number of one window, in one channel"


def _said(case: Case) -> str:
    (H, W), param = case.arrays[0].shape[2:], case.more[0]
    window = f"{param['pool_height']}x{param['pool_width']}"
    return f"x {H}x{W}, window {window}, stride {param['stride']}"


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_tiles(student: Student, rng: Generator) -> None:
    """Windows side by side, square and not, and with gaps between them."""
    for sizes in (TILES, (6, 4, 2, 2, 2), GAPS, (6, 4, 3, 1, 3)):
        _expect_maximum(student, draw_pool(rng, sizes))


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_overlapping_windows(student: Student, rng: Generator) -> None:
    """A stride smaller than the window."""
    for sizes in (OVERLAPPING, FLAT, (5, 4, 3, 2, 1)):
        _expect_maximum(student, draw_pool(rng, sizes))


@check_answer(FORWARD, probe="POOL-A1")
def maximum_of_the_whole_image(student: Student, rng: Generator) -> None:
    """One window as large as the image, one image, one channel."""
    _expect_maximum(student, draw_pool(rng, WHOLE))
    _expect_maximum(student, draw_pool(rng, WHOLE, N=1, C=1))
    _expect_maximum(student, draw_pool(rng, TILES, N=1, C=4))


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_negative_numbers(student: Student, rng: Generator) -> None:
    """All numbers negative: the largest is negative as well."""
    for sizes in (TILES, FLAT):
        drawn = draw_pool(rng, sizes)
        x = -1.0 - np.abs(drawn.arrays[0])
        _expect_maximum(student, Case((x,), drawn.more, drawn.layer, drawn.dout))


def _expect_maximum(student: Student, case: Case) -> None:
    got, _ = oracle.forward(student, PAIR[0], case)
    slips = {
        "the maximum is never below 0 here: with which number do you begin?": np.maximum(
            case.out, 0
        ),
        "this is the smallest number of each window": -value(case.layer, -case.arrays[0]),
    }
    name_slip(got, case.out, slips)
    expect_near(got, case.out, what=f"out for {_said(case)}", hint=MAXIMUM)


# -- backward -------------------------------------------------------------------------------------

ROUTE = "the gradient of an output goes to the one number that was the maximum"


@check_answer(BACKWARD, probe="POOL-A2", weight=3)
def gradient_goes_to_the_maximum(student: Student, rng: Generator) -> None:
    """Windows that do not overlap, square and not."""
    for sizes in (TILES, (6, 4, 3, 1, 3), (3, 8, 1, 2, 2)):
        _expect_gradient(student, draw_pool(rng, sizes))


@check_answer(BACKWARD, probe="POOL-A2")
def gradient_where_no_window_was(student: Student, rng: Generator) -> None:
    """Gaps between the windows: these numbers have no influence."""
    _expect_gradient(student, draw_pool(rng, GAPS))


@check_answer(BACKWARD, probe="POOL-A2")
def gradient_of_single_windows(student: Student, rng: Generator) -> None:
    """One window as large as the image, one image, one channel."""
    _expect_gradient(student, draw_pool(rng, WHOLE))
    _expect_gradient(student, draw_pool(rng, WHOLE, N=1, C=1))
    _expect_gradient(student, draw_pool(rng, TILES, N=3, C=1))


@check_answer(BACKWARD, probe="POOL-A2")
def gradient_for_negative_numbers(student: Student, rng: Generator) -> None:
    """All numbers negative."""
    drawn = draw_pool(rng, TILES)
    x = drawn.arrays[0] - drawn.arrays[0].max() - 1.0
    _expect_gradient(student, Case((x,), drawn.more, drawn.layer, drawn.dout))


@check_answer(BACKWARD, probe="POOL-A2")
def gradient_after_another_pooling(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = (draw_pool(rng, TILES) for _ in range(2))
    _, cache = oracle.forward(student, PAIR[0], first)
    oracle.forward(student, PAIR[0], second)
    (got,) = oracle.from_cache(student, PAIR[1], first, cache, "dx")
    expect_near(got, first.gradients[0], what="dx", hint="keep what backward needs in the cache")


@advice(BACKWARD, probe="POOL-B1")
def overlapping_windows_add_up(student: Student, rng: Generator) -> None:
    """A number that was the maximum of several windows collects all their gradients."""
    for sizes in (OVERLAPPING, FLAT):
        case = draw_pool(rng, sizes)
        (got,) = oracle.backward(student, PAIR, case, "dx")
        expect_near(got, case.gradients[0], what=f"dx for {_said(case)}", hint="add, do not assign")


@advice(BACKWARD, probe="POOL-B2")
def ties_share_one_gradient(student: Student, rng: Generator) -> None:
    """Several equal maxima: together they get the gradient once."""
    drawn = draw_pool(rng, TILES)
    ties = rng.integers(0, 2, size=drawn.arrays[0].shape).astype(np.float64)
    case = Case((ties,), drawn.more, drawn.layer, drawn.dout)
    (got,) = oracle.backward(student, PAIR, case, "dx")
    windows = got.reshape(2, 3, 2, 2, 3, 2).sum(axis=(3, 5))
    hint = "a window hands on exactly what it was given"
    expect_near(windows, case.dout, what="the sum of dx over each window", hint=hint)


def _expect_gradient(student: Student, case: Case) -> None:
    (got,) = oracle.backward(student, PAIR, case, "dx")
    want = case.gradients[0]
    marks = (want != 0).astype(np.float64)
    name_slip(got, want, {"the upstream gradient is not used: dx holds ones and zeros": marks})
    expect_near(got, want, what=f"dx for {_said(case)}", hint=ROUTE)
