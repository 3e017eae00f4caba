"""Checks of the convolution forward, written with loops.

Shapes: x (N, C, H, W); w (F, C, HH, WW); b (F,); out (N, F, H', W').
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    Sizes,
    conv_layer,
    describe_conv,
    draw_conv,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.shared.layers import Array, unpack, value
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Student, advice, as_array, check, expect, expect_near
from cs231n_lib.fast_layers import conv_forward_fast

CONV, CELL = "conv_forward_naive", "cnn-conv-forward"

# H, W, HH, WW, stride, pad.
PADDED: tuple[Sizes, ...] = ((5, 5, 3, 3, 1, 1), (5, 5, 5, 5, 1, 2), (4, 6, 3, 5, 1, 1))
STRIDED: tuple[Sizes, ...] = ((4, 4, 4, 4, 2, 1), (7, 5, 3, 3, 2, 1), (7, 10, 3, 3, 3, 1))
UNPADDED: tuple[Sizes, ...] = ((6, 9, 3, 2, 1, 0), (8, 6, 2, 4, 2, 0))
# These restate the contract, so they are true whatever the answer is.
STRIDE = "the window moves by `stride` from one output to the next, down and across"
WINDOW = "each output is the sum of one window times one filter, over all channels, plus b"


@check_answer(CELL, probe="CONV-A1", weight=3)
def convolution_with_padding(student: Student, rng: Generator) -> None:
    """Padded images, stride 1, square and not."""
    for sizes in PADDED:
        _expect_convolution(student, draw_conv(rng, sizes), WINDOW)
    _expect_the_same_again(student, draw_conv(rng, PADDED[2]))


@check_answer(CELL, probe="CONV-A1", weight=2)
def convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """Stride 2 and 3, with padding."""
    for sizes in STRIDED:
        _expect_convolution(student, draw_conv(rng, sizes), STRIDE)
    _expect_the_same_again(student, draw_conv(rng, STRIDED[1]))


@check_answer(CELL, probe="CONV-A1", weight=2)
def convolution_without_padding(student: Student, rng: Generator) -> None:
    """No padding; the filter is not square."""
    for sizes in UNPADDED:
        _expect_convolution(student, draw_conv(rng, sizes), WINDOW)


@check_answer(CELL, probe="CONV-A1")
def convolution_of_single_things(student: Student, rng: Generator) -> None:
    """One image, one channel, one filter, an image that is all one window."""
    for counts in ((1, 3, 2), (3, 1, 2), (2, 2, 1), (1, 1, 1)):
        _expect_convolution(student, draw_conv(rng, (4, 5, 3, 3, 1, 1), *counts), WINDOW)
    _expect_convolution(student, draw_conv(rng, (3, 4, 3, 4, 1, 0)), WINDOW)


@check_answer(CELL, probe="CONV-A4", weight=2)
def kernel_of_a_single_one(student: Student, rng: Generator) -> None:
    """A filter with a single 1 in it moves the image: which way, and how far?"""
    case = draw_conv(rng, (6, 7, 3, 3, 1, 1), C=1, F=2)
    x, _, b = case.arrays
    for i, j in ((0, 1), (2, 0), (1, 2)):
        w = np.zeros((2, 1, 3, 3))
        w[:, :, i, j] = [[1.0], [-2.0]]
        hint = "w[f, c, i, j] is multiplied by row i, column j of the window"
        _expect_convolution(student, case.with_arrays(x, w, 0 * b), hint)


@check_answer(CELL, probe="CONV-A5")
def convolution_is_linear_in_b(student: Student, rng: Generator) -> None:
    """b changes, all else stays: each output of a filter moves by the same amount."""
    case = draw_conv(rng, (5, 4, 3, 3, 1, 1))
    x, w, b = case.arrays
    more = rng.normal(size=b.shape)
    before, after = (
        as_array(oracle.forward(student, CONV, case.with_arrays(x, w, bias))[0], "out")
        for bias in (b, b + more)
    )
    images = before.ndim == 4 and before.shape[1] == len(b)
    expect(images, f"out has shape {before.shape}: not one image for each of {len(b)} filters")
    # The larger numbers of out decide how many digits are left, so the sum is compared.
    want = before.astype(np.float64) + more[:, None, None]
    expect_near(after, want, what="out for another b", hint="each filter has one number in b")


@check_answer(CELL, probe="CONV-A6")
def convolution_agrees_with_the_fast_layer(student: Student, rng: Generator) -> None:
    """The same numbers as conv_forward_fast, on larger images."""
    case = draw_conv(rng, (12, 10, 5, 5, 1, 2), N=2, C=3, F=3)
    want, _ = conv_forward_fast(*case.arguments)
    got, _ = oracle.forward(student, CONV, case)
    what = f"out {describe_conv(case)}"
    expect_near(got, want, what=what, slips=_slips(case), hint=WINDOW)


@check(CELL, probe="CONV-A3", weight=2, condition=True)
def convolution_leaves_its_arguments(student: Student, rng: Generator) -> None:
    """x, w and b are as before after the call."""
    case = draw_conv(rng, (5, 4, 3, 3, 1, 1))
    arguments = dict(zip("xwb", case.arrays, strict=True))
    expect_arguments_unchanged(student, CONV, arguments, dict(case.more[0]))


@advice(CELL, probe="CONV-B2")
def convolution_with_one_by_one_filters(student: Student, rng: Generator) -> None:
    """Filters of one pixel, without padding: a matrix product at each pixel."""
    for stride in (1, 2):
        _expect_convolution(student, draw_conv(rng, (5, 3, 1, 1, stride, 0)), WINDOW)


def _expect_convolution(student: Student, case: Case, hint: str) -> None:
    got, _ = oracle.forward(student, CONV, case)
    what = f"out {describe_conv(case)}"
    expect_near(got, case.out, what=what, slips=_slips(case), hint=hint)


def _expect_the_same_again(student: Student, case: Case) -> None:
    """A second call with the same x, w and b: where these have changed, no net can be trained."""
    x, w, b = (student.put(array) for array in case.arrays)
    student.call(CONV, x, w, b, dict(case.more[0]), keep=True)
    answer = student.call(CONV, x, w, b, dict(case.more[0]), keep=(1,))
    out = unpack(CONV, answer, "out, cache")[0]
    expect_near(out, case.out, what="out of a second call, with the same x, w and b,")


def _slips(case: Case) -> dict[str, Array]:
    """What usual slips make of out, each with its message."""
    x, w, b = case.arrays
    stride, pad = case.more[0]["stride"], case.more[0]["pad"]
    bias, size = b[:, None, None], w[0].size
    plain = case.out - bias
    framed = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    slips = {
        "b is missing": plain,
        "b is added once for each number of the window; it should be added once": plain
        + size * bias,
        "the filter is turned by 180 degrees: in this course a convolution does not flip it": value(
            case.layer, x, w[:, :, ::-1, ::-1].copy(), b
        ),
        "each output is a mean over the window; it should be a sum": plain / size + bias,
        "only the first channel is used": value(case.layer, x[:, :1], w[:, :1], b),
        "the frame around x repeats its border; it holds zeros": value(
            conv_layer(stride, 0), framed, w, b
        ),
    }
    if w.shape[2] == w.shape[3]:
        swapped = value(case.layer, x, w.swapaxes(2, 3).copy(), b)
        slips["rows and columns of the filter are swapped"] = swapped
    return slips
