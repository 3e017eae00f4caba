"""Checks of the convolution backward, written with loops: each gradient by itself.

Shapes: x, dx (N, C, H, W); w, dw (F, C, HH, WW); b, db (F,); dout (N, F, H', W').
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.conv_forward import (
    PADDED,
    STRIDE,
    STRIDED,
    UNPADDED,
)
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    Sizes,
    describe_conv,
    draw_conv,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.shared.layers import Array, gradients
from autograder.judge import Student, advice, check, expect_near
from cs231n_lib.fast_layers import conv_backward_fast, conv_forward_fast

PAIR, CELL = ("conv_forward_naive", "conv_backward_naive"), "cnn-conv-backward"
GRADIENTS = ("dx", "dw", "db")
WANTED = ", ".join(GRADIENTS)
# The same with one image, and with as many filters as channels nowhere.
COUNTS = {"N": 3, "C": 3, "F": 2}, {"N": 1, "C": 2, "F": 4}
ONCE_A_WINDOW = "a number that was used in several windows collects a contribution from each"
ALL_WINDOWS = "every window of every image was multiplied by w"


@check_answer(CELL, probe="CONV-A2", weight=3)
def dx_of_convolution(student: Student, rng: Generator) -> None:
    """dx for stride 1."""
    _expect_gradient(student, rng, PADDED, "dx", ONCE_A_WINDOW)
    _expect_as_the_fast_layer(student, rng, "dx")


# Without dw no filter ever learns: it weighs nearly as much as everything else.
@check_answer(CELL, probe="CONV-A2", weight=6)
def dw_of_convolution(student: Student, rng: Generator) -> None:
    """dw for stride 1."""
    _expect_gradient(student, rng, PADDED, "dw", ALL_WINDOWS)
    _expect_as_the_fast_layer(student, rng, "dw")


@check_answer(CELL, probe="CONV-A5", weight=2)
def db_of_convolution(student: Student, rng: Generator) -> None:
    """db, for any stride."""
    hint = "b[f] was added to every pixel of output f, in every image"
    _expect_gradient(student, rng, (*PADDED, *STRIDED), "db", hint)


@check_answer(CELL, probe="CONV-A2", weight=2)
def dx_of_convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """dx for stride 2 and 3."""
    _expect_gradient(student, rng, STRIDED, "dx", STRIDE)


@check_answer(CELL, probe="CONV-A2", weight=3)
def dw_of_convolution_with_a_stride(student: Student, rng: Generator) -> None:
    """dw for stride 2 and 3."""
    _expect_gradient(student, rng, STRIDED, "dw", STRIDE)


@check(CELL, probe="CONV-A2", condition=True)
def conv_gradients_have_no_stray_axes(student: Student, rng: Generator) -> None:
    """No gradient has an axis of length 1 too many, or too few."""
    case = draw_conv(rng, PADDED[0])
    found = oracle.backward(student, PAIR, case, WANTED)
    oracle.expect_no_stray_axes(found, case.arrays, WANTED)


# A net with two convolutions learns nothing when the second call spoils the first one's gradients.
@check(CELL, probe="CONV-A2", weight=3, condition=True)
def conv_gradients_depend_on_their_own_cache(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = (draw_conv(rng, sizes) for sizes in (PADDED[0], PADDED[1]))
    oracle.expect_own_cache(student, PAIR, first, second, WANTED)


@advice(CELL, probe="CONV-B1")
def gradients_without_padding(student: Student, rng: Generator) -> None:
    """All three gradients for pad 0: a slice x[pad:-pad] is empty then."""
    for sizes in UNPADDED:
        _expect_all(student, draw_conv(rng, sizes))


@advice(CELL, probe="CONV-B2")
def gradients_of_one_by_one_filters(student: Student, rng: Generator) -> None:
    """All three gradients for filters of one pixel."""
    for stride in (1, 2):
        _expect_all(student, draw_conv(rng, (5, 3, 1, 1, stride, 0)))


def _expect_gradient(
    student: Student, rng: Generator, all_sizes: tuple[Sizes, ...], name: str, hint: str
) -> None:
    which = GRADIENTS.index(name)
    for sizes in all_sizes:
        for counts in COUNTS:
            case = draw_conv(rng, sizes, **counts)
            got = oracle.backward(student, PAIR, case, WANTED)[which]
            want, what = case.gradients[which], f"{name} {describe_conv(case)}"
            slips = _slips(case, name)
            expect_near(got, want, what=what, slips=slips, hint=hint, squeeze=True)


def _expect_as_the_fast_layer(student: Student, rng: Generator, name: str) -> None:
    """The same as conv_backward_fast, on larger images (the curriculum's CONV-A6)."""
    case = draw_conv(rng, (12, 10, 5, 5, 1, 2), N=2, C=3, F=3)
    which = GRADIENTS.index(name)
    want = conv_backward_fast(case.dout.copy(), conv_forward_fast(*case.arguments)[1])[which]
    got = oracle.backward(student, PAIR, case, WANTED)[which]
    expect_near(got, want, what=f"{name} {describe_conv(case)}", squeeze=True)


def _expect_all(student: Student, case: Case) -> None:
    found = oracle.backward(student, PAIR, case, WANTED)
    for name, got, want in zip(GRADIENTS, found, case.gradients, strict=True):
        expect_near(got, want, what=f"{name} {describe_conv(case)}", squeeze=True)


def _slips(case: Case, name: str) -> dict[str, Array]:
    """What usual slips make of a gradient, each with its message."""
    (x, w, b), dout, which = case.arrays, case.dout, GRADIENTS.index(name)
    want, N = case.gradients[which], len(x)
    slips = {
        f"dout is not used in {name}": gradients(case.layer, case.arrays, np.ones_like(dout))[which]
    }
    if N > 1:
        slips[f"{name} is divided by N here; only the loss takes the mean, once"] = want / N
    if N > 1 and name != "dx":
        for image, which_one in ((slice(0, 1), "first"), (slice(-1, None), "last")):
            alone = gradients(case.layer, (x[image], w, b), dout[image])[which]
            slips[f"{name} is that of the {which_one} image only"] = alone
    if name == "dx":
        turned = gradients(case.layer, (x, w[:, :, ::-1, ::-1].copy(), b), dout)[0]
        slips["dx: the filter is turned by 180 degrees on the way back"] = turned
    if name == "dw":
        last = np.zeros_like(dout)
        last[:, :, -1, -1] = dout[:, :, -1, -1]
        each_image = gradients(case.layer, case.arrays, last)[1]
        one_image = gradients(case.layer, (x[-1:], w, b), last[-1:])[1]
        overwrites = "`=` in a loop overwrites, `+=` adds"
        slips[f"dw is that of the last window only: {overwrites}"] = each_image
        slips[f"dw is that of the last window of the last image only: {overwrites}"] = one_image
    return slips
