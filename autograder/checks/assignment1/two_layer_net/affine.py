"""Checks of affine_forward and affine_backward.

Shapes: x (N, d_1, ..., d_k) with D = d_1 * ... * d_k; w (D, M); b (M,); dout (N, M).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.two_layer_net import in_kernel
from autograder.checks.shared import layers
from autograder.checks.shared.layers import (
    Affine,
    Array,
    backward,
    draw_affine,
    expect_gradient,
    expect_gradient_shapes,
    forward,
    unpack,
)
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Student, as_array, check, expect_near, expect_shape

FORWARD, BACKWARD = "tln-affine-forward", "tln-affine-backward"
GRADIENTS = "dx, dw, db"
# Rows, stacks of rows, images. N, D and M all differ, so that no transpose fits by chance.
# Then one example, one number in each, one output.
SHAPES = (((4, 6), 3), ((3, 2, 5), 4), ((2, 3, 4, 5), 7))
SINGLE = (((1, 5), 3), ((6, 1), 4), ((4, 3), 1), ((1, 2, 2, 2), 1))
CACHE = "take what you need from the cache that is passed in, and from nowhere else"
ORDER = "flatten with reshape, in NumPy's usual order, whatever the order in memory"

# -- forward --------------------------------------------------------------------------------------


@check(FORWARD, probe="AFF-A1", weight=3)
def affine_is_right(student: Student, rng: Generator) -> None:
    """out for rows, stacks of rows and images; one example, one number, one output."""
    for case in _cases(rng):
        got, _ = forward(student, "affine_forward", *case.arguments)
        want = layers.value(layers.affine, *case.arguments)
        what = f"out for x of shape {case.x.shape}"
        expect_near(got, want, what=what, slips=_forward_slips(case, want), squeeze=True)


@check(FORWARD, probe="AFF-A3", condition=True)
def out_has_its_shape(student: Student, rng: Generator) -> None:
    """out is (N, M), also for N = 1 and M = 1."""
    for case in _cases(rng):
        got, _ = forward(student, "affine_forward", *case.arguments)
        expect_shape(got, case.dout.shape, f"out for x of shape {case.x.shape}")


@check(FORWARD, probe="AFF-A3", condition=True)
def x_in_fortran_order(student: Student, rng: Generator) -> None:
    """x is not C-contiguous: out is as for the same numbers in C order."""
    case = draw_affine(rng, (3, 2, 4), 5)
    function = in_kernel.affine_of_fortran_order
    usual, other = student.apply(function, *case.arguments)
    usual = as_array(usual, "out").astype(np.float64)
    expect_near(other, usual, what="out, where x is not C-contiguous,", hint=ORDER)


@check(FORWARD, probe="AFF-A1", condition=True)
def forward_leaves_its_arguments(student: Student, rng: Generator) -> None:
    """x, w and b are as before after the call."""
    arguments = draw_affine(rng, (3, 2, 4), 5).arguments
    expect_arguments_unchanged(student, "affine_forward", dict(zip("xwb", arguments, strict=True)))


def _forward_slips(case: Affine, want: Array) -> dict[str, Array]:
    x, w, b, _ = case
    rows = x.reshape(len(x), -1)
    return {
        "b is missing": want - b,
        "b is subtracted": want - 2 * b,
        "b is added to the rows of w; it belongs to the rows of x @ w": rows @ (w + b),
        "b is added more than once": want + (len(x) - 1) * b,
        "x is flattened column by column; use NumPy's usual order": x.reshape(len(x), -1, order="F")
        @ w
        + b,
        "the axis of the examples is flattened with the others": x.reshape(-1, len(x)).T @ w + b,
    }


# -- backward -------------------------------------------------------------------------------------


@check(BACKWARD, probe="AFF-A2", weight=4)
def dx_is_right(student: Student, rng: Generator) -> None:
    """dx: the gradient with respect to rows, stacks of rows, and images."""
    _expect_gradient(student, rng, 0)


@check(BACKWARD, probe="AFF-A2", weight=4)
def dw_is_right(student: Student, rng: Generator) -> None:
    """dw: the gradient with respect to the weights."""
    _expect_gradient(student, rng, 1)


@check(BACKWARD, probe="AFF-A2", weight=2)
def db_is_right(student: Student, rng: Generator) -> None:
    """db: the gradient with respect to the biases."""
    _expect_gradient(student, rng, 2)


@check(BACKWARD, probe="AFF-A2", condition=True)
def gradients_have_their_shapes(student: Student, rng: Generator) -> None:
    """dx, dw and db are of the shapes of x, w and b, also for one example and one output."""
    for case in _cases(rng):
        likes = {"dx": case.x, "dw": case.w, "db": case.b}
        expect_gradient_shapes(_gradients(student, case), likes, f"for x of shape {case.x.shape}")


@check(BACKWARD, probe="AFF-A3", weight=0.5, condition=True)
def gradients_for_x_in_fortran_order(student: Student, rng: Generator) -> None:
    """x is not C-contiguous: the gradients are as for the same numbers in C order."""
    case = draw_affine(rng, (3, 2, 4), 5)
    function = in_kernel.gradients_of_fortran_order
    usual, other = student.apply(function, *case.arguments, case.dout.copy())
    _expect_same(usual, other, "where x is not C-contiguous,", ORDER)


@check(BACKWARD, probe="AFF-A2", weight=0.5, condition=True)
def gradients_after_another_call(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = draw_affine(rng, (4, 3), 2), draw_affine(rng, (4, 3), 2)
    caches = [forward(student, "affine_forward", *case.arguments)[1] for case in (first, second)]
    for when, case, cache in (("first", first, caches[0]), ("second", second, caches[1])):
        got = backward(student, "affine_backward", case.dout, cache, GRADIENTS)
        usual = _gradients(student, case)
        _expect_same(usual, got, f"for the cache of the {when} of two calls,", CACHE)


def _expect_gradient(student: Student, rng: Generator, which: int) -> None:
    """One of dx, dw, db; the usual slips are named."""
    name = GRADIENTS.split(", ")[which]
    for case in _cases(rng):
        want = layers.gradients(layers.affine, case.arguments, case.dout)[which]
        got = _gradients(student, case)[which]
        slips = {
            f"{name} is divided by N here; only the loss takes the mean, once": want / len(case.x),
            f"{name} has the wrong sign": -want,
        }
        if name == "db":
            slips[f"{name} is that of one example; it is the sum over all"] = case.dout[0]
        expect_gradient(got, want, f"{name} for x of shape {case.x.shape}", slips=slips)


def _gradients(student: Student, case: Affine) -> tuple[object, ...]:
    """The student's dx, dw, db, not yet looked at, from the cache of their own forward."""
    _, cache = forward(student, "affine_forward", *case.arguments)
    return backward(student, "affine_backward", case.dout, cache, GRADIENTS)


def _expect_same(usual: object, other: object, when: str, hint: str) -> None:
    """Right or wrong, the gradients must be what they were."""
    pairs = (unpack("affine_backward", answer, GRADIENTS) for answer in (usual, other))
    for name, before, after in zip(GRADIENTS.split(", "), *pairs, strict=True):
        want = as_array(before, name).astype(np.float64)
        expect_near(after, want, what=f"{name}, {when}", hint=hint)


def _cases(rng: Generator) -> Iterator[Affine]:
    for shape, outputs in SHAPES + SINGLE:
        yield draw_affine(rng, shape, outputs)
