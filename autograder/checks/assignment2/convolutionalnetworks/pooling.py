"""Checks of max pooling, written with loops.

Shapes: x, dx (N, C, H, W); out and dout (N, C, H', W').
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    describe_pool,
    draw_pool,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.shared.layers import Array, value
from autograder.judge import Student, advice, check, expect_near, expect_shape

PAIR = ("max_pool_forward_naive", "max_pool_backward_naive")
FORWARD, BACKWARD = "cnn-pool-forward", "cnn-pool-backward"
# H, W, height and width of the window, stride.
TILES = (4, 6, 2, 2, 2)
OVERLAPPING = (7, 5, 3, 3, 2)
FLAT = (4, 6, 2, 3, 1)
GAPS = (5, 9, 2, 3, 3)  # rows and columns that no window sees
WHOLE = (4, 5, 4, 5, 1)
# Both restate the contract, so they are true whatever the answer is.
MAXIMUM = "each output is the largest number of one window, in one channel"
ROUTE = "the gradient of an output goes to the one number that was the maximum"


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_tiles(student: Student, rng: Generator) -> None:
    """Windows side by side, square and not, and with gaps between them."""
    for sizes in (TILES, (6, 4, 2, 2, 2), GAPS, (6, 4, 3, 1, 3)):
        _expect_maximum(student, draw_pool(rng, sizes))


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_overlapping_windows(student: Student, rng: Generator) -> None:
    """A stride smaller than the window; all numbers positive."""
    for sizes in (OVERLAPPING, FLAT, (5, 4, 3, 2, 1)):
        _expect_maximum(student, _positive(draw_pool(rng, sizes)))


@check_answer(FORWARD, probe="POOL-A1")
def maximum_of_the_whole_image(student: Student, rng: Generator) -> None:
    """One window as large as the image, one image, one channel; all numbers positive."""
    _expect_maximum(student, _positive(draw_pool(rng, WHOLE)))
    _expect_maximum(student, _positive(draw_pool(rng, WHOLE, N=1, C=1)))
    _expect_maximum(student, _positive(draw_pool(rng, TILES, N=1, C=4)))


@check_answer(FORWARD, probe="POOL-A1", weight=2)
def maximum_of_negative_numbers(student: Student, rng: Generator) -> None:
    """All numbers negative: the largest is negative as well."""
    for sizes in (TILES, FLAT):
        drawn = draw_pool(rng, sizes)
        _expect_maximum(student, drawn.with_arrays(-1.0 - np.abs(drawn.arrays[0])))


def _positive(case: Case) -> Case:
    """As after a ReLU, where a maximum that starts from 0 is right."""
    x = case.arrays[0]
    return case.with_arrays(x - x.min() + 0.1)


def _expect_maximum(student: Student, case: Case) -> None:
    got, _ = oracle.forward(student, PAIR[0], case)
    x, param = case.arrays[0], case.more[0]
    windows = _windows(x, param)
    flat = windows.reshape(*windows.shape[:4], -1)
    farthest = np.abs(flat).argmax(axis=-1)[..., None]
    slips = {
        "the maximum is never below 0 here: which number does it start from?": np.maximum(
            case.out, 0
        ),
        "this is the smallest number of each window": -value(case.layer, -x),
        "this is the mean of each window": flat.mean(axis=-1),
        "this is the number of the largest absolute value of each window": np.take_along_axis(
            flat, farthest, axis=-1
        )[..., 0],
        "this is the largest absolute value of each window": np.abs(flat).max(axis=-1),
        "the maximum is taken over the channels as well": np.broadcast_to(
            case.out.max(axis=1, keepdims=True), case.out.shape
        ),
    }
    what = f"out {describe_pool(case)}"
    expect_near(got, case.out, what=what, slips=slips, hint=MAXIMUM)


def _windows(x: Array, param: dict[str, int]) -> Array:
    """(N, C, H', W', height, width)."""
    size = (param["pool_height"], param["pool_width"])
    seen = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return seen[:, :, :: param["stride"], :: param["stride"]]


# -- backward -------------------------------------------------------------------------------------


@check_answer(BACKWARD, probe="POOL-A2", weight=4)
def gradient_goes_to_the_maximum(student: Student, rng: Generator) -> None:
    """Windows that do not overlap, square and not; then all numbers negative."""
    for sizes in (TILES, (6, 4, 3, 1, 3), (3, 8, 1, 2, 2)):
        _expect_gradient(student, draw_pool(rng, sizes))
    drawn = draw_pool(rng, TILES)
    x = drawn.arrays[0]
    _expect_gradient(student, drawn.with_arrays(x - x.max() - 1.0))


@check_answer(BACKWARD, probe="POOL-A2")
def gradient_of_single_windows_and_between_windows(student: Student, rng: Generator) -> None:
    """One window as large as the image, one image, one channel; gaps between the windows."""
    _expect_gradient(student, draw_pool(rng, WHOLE))
    _expect_gradient(student, draw_pool(rng, WHOLE, N=1, C=1))
    _expect_gradient(student, draw_pool(rng, TILES, N=3, C=1))
    _expect_gradient(student, draw_pool(rng, GAPS))


# In a net with two poolings all that comes before the second would get a wrong gradient.
@check(BACKWARD, probe="POOL-A2", weight=2, condition=True)
def pooling_depends_on_its_own_cache(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = (draw_pool(rng, TILES) for _ in range(2))
    oracle.expect_own_cache(student, PAIR, first, second, "dx")


@advice(BACKWARD, probe="POOL-B1")
def overlapping_windows_add_up(student: Student, rng: Generator) -> None:
    """A number that was the maximum of several windows collects all their gradients."""
    for sizes in (OVERLAPPING, FLAT):
        case = draw_pool(rng, sizes)
        (got,) = oracle.backward(student, PAIR, case, "dx")
        slips = {
            "a number that is the maximum of several windows gets the gradient of the last one "
            "only: `=` in a loop overwrites, `+=` adds": _assigned(case, whole_window=False),
            "each window overwrites the gradients of the windows that it overlaps: `=` in a loop "
            "overwrites, `+=` adds": _assigned(case, whole_window=True),
        }
        expect_near(got, case.gradients[0], what=f"dx {describe_pool(case)}", slips=slips)


@advice(BACKWARD, probe="POOL-B2")
def ties_share_one_gradient(student: Student, rng: Generator) -> None:
    """Several equal maxima: together they get the gradient once."""
    drawn = draw_pool(rng, TILES)
    ties = rng.integers(0, 2, size=drawn.arrays[0].shape).astype(np.float64)
    case = drawn.with_arrays(ties)
    (got,) = oracle.backward(student, PAIR, case, "dx")
    found = expect_shape(got, ties.shape, "dx").astype(np.float64)
    windows = _windows(ties, case.more[0])
    many = (windows == windows.max(axis=(4, 5), keepdims=True)).sum(axis=(4, 5))
    slip = "where several numbers of a window are its maximum, each gets the whole gradient"
    expect_near(
        _windows(found, case.more[0]).sum(axis=(4, 5)),
        case.dout,
        what="the sum of dx over each window, where several numbers are the maximum,",
        slips={f"{slip}: together they should get it once": many * case.dout},
    )


def _expect_gradient(student: Student, case: Case) -> None:
    (got,) = oracle.backward(student, PAIR, case, "dx")
    want = case.gradients[0]
    x, param = case.arrays[0], case.more[0]
    marks = (want != 0).astype(np.float64)
    slips = {
        "dout is not used: dx holds ones and zeros": marks,
        "dout is multiplied by the maximum; the slope of a maximum is 1": want * x,
        "every number of a window gets its gradient": _spread(case),
        "the gradient is shared by all numbers of a window": _spread(case)
        / (param["pool_height"] * param["pool_width"]),
        "the smallest number of each window gets the gradient": case.with_arrays(-x).gradients[0],
    }
    expect_near(got, want, what=f"dx {describe_pool(case)}", slips=slips, hint=ROUTE)


def _spread(case: Case) -> Array:
    """Every number of a window gets the gradient of each of its windows."""
    dx = np.zeros_like(case.arrays[0])
    for i, j in np.ndindex(*case.dout.shape[2:]):
        dx[_place(case, i, j)] += case.dout[:, :, i, j, None, None]
    return dx


def _assigned(case: Case, *, whole_window: bool) -> Array:
    """Gradients that are assigned, window by window, to the maximum or to all of its window."""
    dx = np.zeros_like(case.arrays[0])
    for i, j in np.ndindex(*case.dout.shape[2:]):
        window = case.arrays[0][_place(case, i, j)]
        marks = window == window.max(axis=(2, 3), keepdims=True)
        upstream = np.broadcast_to(case.dout[:, :, i, j, None, None], window.shape)
        before = 0 if whole_window else dx[_place(case, i, j)]
        dx[_place(case, i, j)] = np.where(marks, upstream, before)
    return dx


def _place(case: Case, i: int, j: int) -> tuple[slice, slice, slice, slice]:
    """The window of output (i, j) in all images and channels."""
    param = case.more[0]
    top, left = i * param["stride"], j * param["stride"]
    every = slice(None)
    rows = slice(top, top + param["pool_height"])
    return every, every, rows, slice(left, left + param["pool_width"])
