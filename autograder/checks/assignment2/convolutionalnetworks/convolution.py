"""Checks of the convolution, written with loops.

Shapes: x (N, C, H, W); w (F, C, HH, WW); b (F,); out and dout (N, F, H', W').
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    Sizes,
    draw_conv,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.shared.layers import Array, value
from autograder.judge import (
    Student,
    advice,
    check,
    expect_near,
    expect_unchanged,
    name_slip,
)
from cs231n_lib.fast_layers import conv_backward_fast, conv_forward_fast

PAIR = ("conv_forward_naive", "conv_backward_naive")
FORWARD, BACKWARD = "cnn-conv-forward", "cnn-conv-backward"

# H, W, HH, WW, stride, pad.
PADDED: tuple[Sizes, ...] = ((5, 5, 3, 3, 1, 1), (5, 5, 5, 5, 1, 2), (4, 6, 3, 5, 1, 1))
STRIDE_2: tuple[Sizes, ...] = ((4, 4, 4, 4, 2, 1), (7, 5, 3, 3, 2, 1))
UNPADDED: tuple[Sizes, ...] = ((6, 9, 3, 2, 1, 0), (8, 6, 2, 4, 2, 0))
STRIDE = "the window moves by `stride` from one output to the next, down and across"
WINDOW = "each output is the sum of one window times one filter, over all channels, plus b"


def _said(case: Case) -> str:
    (H, W), (HH, WW) = case.arrays[0].shape[2:], case.arrays[1].shape[2:]
    param = case.more[0]
    return f"x {H}x{W}, filter {HH}x{WW}, stride {param['stride']}, pad {param['pad']}"


# -- forward --------------------------------------------------------------------------------------


@check_answer(FORWARD, probe="CONV-A1", weight=3)
def convolution_with_padding(student: Student, rng: Generator) -> None:
    """Padded images, stride 1, square and not."""
    for sizes in PADDED:
        _expect_convolution(student, draw_conv(rng, sizes), WINDOW)


@check_answer(FORWARD, probe="CONV-A1", weight=2)
def convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """Stride 2 and 3, with padding."""
    for sizes in (*STRIDE_2, (7, 10, 3, 3, 3, 1)):
        _expect_convolution(student, draw_conv(rng, sizes), STRIDE)


@check_answer(FORWARD, probe="CONV-A1", weight=2)
def convolution_without_padding(student: Student, rng: Generator) -> None:
    """No padding; the filter is not square."""
    for sizes in UNPADDED:
        _expect_convolution(student, draw_conv(rng, sizes), WINDOW)


@check_answer(FORWARD, probe="CONV-A1")
def convolution_of_single_things(student: Student, rng: Generator) -> None:
    """One image, one channel, one filter, an image that is all one window."""
    for counts in ((1, 3, 2), (3, 1, 2), (2, 2, 1), (1, 1, 1)):
        _expect_convolution(student, draw_conv(rng, (4, 5, 3, 3, 1, 1), *counts), WINDOW)
    _expect_convolution(student, draw_conv(rng, (3, 4, 3, 4, 1, 0)), WINDOW)


@check_answer(FORWARD, probe="CONV-A4", weight=2)
def kernel_of_a_single_one(student: Student, rng: Generator) -> None:
    """A filter with a single 1 in it moves the image: which way, and how far?"""
    case = draw_conv(rng, (6, 7, 3, 3, 1, 1), C=1, F=2)
    x, _, b = case.arrays
    for i, j in ((0, 1), (2, 0), (1, 2)):
        w = np.zeros((2, 1, 3, 3))
        w[:, :, i, j] = [[1.0], [-2.0]]
        moved = Case((x, w, 0 * b), case.more, case.layer, case.dout)
        _expect_convolution(student, moved, "w[f, c, i, j] meets row i, column j of the window")


@check_answer(FORWARD, probe="CONV-A5")
def convolution_is_linear_in_b(student: Student, rng: Generator) -> None:
    """b changes, all else stays: each output of a filter moves by the same amount."""
    case = draw_conv(rng, (5, 4, 3, 3, 1, 1))
    x, w, b = case.arrays
    more = rng.normal(size=b.shape)
    before, after = (
        oracle.forward(student, PAIR[0], Case((x, w, bias), case.more, case.layer, case.dout))[0]
        for bias in (b, b + more)
    )
    # The larger numbers of out decide how many digits are left, so the sum is compared.
    want = _numbers(before, case) + more[:, None, None]
    expect_near(after, want, what="out for another b", hint="each filter has one number in b")


@check_answer(FORWARD, probe="CONV-A6")
def convolution_agrees_with_the_fast_layer(student: Student, rng: Generator) -> None:
    """The same numbers as conv_forward_fast, on larger images."""
    case = draw_conv(rng, (12, 10, 5, 5, 1, 2), N=2, C=3, F=3)
    want, _ = conv_forward_fast(*case.arguments)
    got, _ = oracle.forward(student, PAIR[0], case)
    expect_near(got, want, what=f"out for {_said(case)}", hint=WINDOW)


@check(FORWARD, probe="CONV-A3", condition=True)
def convolution_leaves_its_arguments(student: Student, rng: Generator) -> None:
    """x and w are as before after the call."""
    case = draw_conv(rng, (5, 4, 3, 3, 1, 1))
    x, w, b = case.arrays
    kept = student.put(x), student.put(w)
    student.call(PAIR[0], *kept, b.copy(), dict(case.more[0]), keep=True)
    for reference, before, name in zip(kept, (x, w), "xw", strict=True):
        expect_unchanged(student.fetch(reference), before, name)


@advice(FORWARD, probe="CONV-B2")
def convolution_with_one_by_one_filters(student: Student, rng: Generator) -> None:
    """Filters of one pixel, without padding: a matrix product at each pixel."""
    for stride in (1, 2):
        _expect_convolution(student, draw_conv(rng, (5, 3, 1, 1, stride, 0)), WINDOW)


def _expect_convolution(student: Student, case: Case, hint: str) -> None:
    got, _ = oracle.forward(student, PAIR[0], case)
    x, w, b = case.arrays
    bias = b[:, None, None]
    slips = {
        "b is missing": case.out - bias,
        "the filter is turned by 180 degrees: in this course a convolution does not flip it": value(
            case.layer, x, w[:, :, ::-1, ::-1].copy(), b
        ),
    }
    name_slip(got, case.out, slips)
    expect_near(got, case.out, what=f"out for {_said(case)}", hint=hint)


def _numbers(out: object, case: Case) -> Array:
    """Out as float64, of the right shape."""
    return oracle.expect_shape(out, case.out.shape, f"out for {_said(case)}").astype(np.float64)


# -- backward -------------------------------------------------------------------------------------

# The same with one image, and with as many filters as channels nowhere.
COUNTS = {"N": 2, "C": 3, "F": 2}, {"N": 1, "C": 2, "F": 4}
USES = "a number that was used in several windows collects a part from each"
GRADIENTS = "dx, dw, db"


@check_answer(BACKWARD, probe="CONV-A2", weight=2)
def dx_of_convolution(student: Student, rng: Generator) -> None:
    """dx for stride 1."""
    _expect_gradients(student, rng, PADDED, 0, USES)


@check_answer(BACKWARD, probe="CONV-A2", weight=2)
def dw_of_convolution(student: Student, rng: Generator) -> None:
    """dw for stride 1."""
    _expect_gradients(student, rng, PADDED, 1, "every window of every image was multiplied by w")


@check_answer(BACKWARD, probe="CONV-A5", weight=2)
def db_of_convolution(student: Student, rng: Generator) -> None:
    """db, for any stride."""
    hint = "b[f] was added to every pixel of output f, in every image"
    _expect_gradients(student, rng, (*PADDED, *STRIDE_2), 2, hint)


@check_answer(BACKWARD, probe="CONV-A2", weight=2)
def dx_of_convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """dx for stride 2 and 3."""
    _expect_gradients(student, rng, (*STRIDE_2, (7, 10, 3, 3, 3, 1)), 0, STRIDE)


@check_answer(BACKWARD, probe="CONV-A2", weight=2)
def dw_of_convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """dw for stride 2 and 3."""
    _expect_gradients(student, rng, (*STRIDE_2, (7, 10, 3, 3, 3, 1)), 1, STRIDE)


@check_answer(BACKWARD, probe="CONV-A2")
def gradients_after_another_convolution(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = (draw_conv(rng, PADDED[0]) for _ in range(2))
    _, cache = oracle.forward(student, PAIR[0], first)
    oracle.forward(student, PAIR[0], second)
    found = oracle.from_cache(student, PAIR[1], first, cache, GRADIENTS)
    for name, got, want in zip(GRADIENTS.split(", "), found, first.gradients, strict=True):
        expect_near(got, want, what=name, hint="keep what backward needs in the cache")


@check_answer(BACKWARD, probe="CONV-A6")
def gradients_agree_with_the_fast_layer(student: Student, rng: Generator) -> None:
    """The same gradients as conv_backward_fast, on larger images."""
    case = draw_conv(rng, (12, 10, 5, 5, 1, 2), N=2, C=3, F=3)
    _, cache = conv_forward_fast(*case.arguments)
    wanted = conv_backward_fast(case.dout.copy(), cache)
    found = oracle.backward(student, PAIR, case, GRADIENTS)
    for name, got, want in zip(GRADIENTS.split(", "), found, wanted, strict=True):
        expect_near(got, want, what=f"{name} for {_said(case)}")


@advice(BACKWARD, probe="CONV-B1")
def gradients_without_padding(student: Student, rng: Generator) -> None:
    """All three gradients for pad 0: a slice [pad:-pad] is empty then."""
    for sizes in UNPADDED:
        _expect_all(student, draw_conv(rng, sizes))


@advice(BACKWARD, probe="CONV-B2")
def gradients_of_one_by_one_filters(student: Student, rng: Generator) -> None:
    """All three gradients for filters of one pixel."""
    for stride in (1, 2):
        _expect_all(student, draw_conv(rng, (5, 3, 1, 1, stride, 0)))


def _expect_gradients(
    student: Student, rng: Generator, all_sizes: tuple[Sizes, ...], which: int, hint: str
) -> None:
    name = GRADIENTS.split(", ")[which]
    for sizes in all_sizes:
        for counts in COUNTS:
            case = draw_conv(rng, sizes, **counts)
            want = case.gradients[which]
            got = oracle.backward(student, PAIR, case, GRADIENTS)[which]
            if len(case.dout) > 1:
                slip = f"{name} is divided by N here; only the loss takes the mean, once"
                name_slip(got, want, {slip: want / len(case.dout)})
            expect_near(got, want, what=f"{name} for {_said(case)}", hint=hint)


def _expect_all(student: Student, case: Case) -> None:
    found = oracle.backward(student, PAIR, case, GRADIENTS)
    for name, got, want in zip(GRADIENTS.split(", "), found, case.gradients, strict=True):
        expect_near(got, want, what=f"{name} for {_said(case)}")
