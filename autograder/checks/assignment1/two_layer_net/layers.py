"""What is asked of the affine layer and of ReLU. Notebooks declare which, where.

Shapes: x (N, d_1, ..., d_k) with D = d_1 * ... * d_k; w (D, M); b (M,); dout (N, M).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import (
    Affine,
    Array,
    affine_backward,
    away_from_zero,
    draw_affine,
    forward,
    in_shape,
    several,
)
from autograder.judge import (
    Student,
    expect_close,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

# Rows, stacks of rows, images. N, D and M all differ, so that no transpose fits by chance.
SHAPES = (((4, 6), 3), ((3, 2, 5), 4), ((2, 3, 4, 5), 7))
SINGLE = (((1, 5), 3), ((6, 1), 4), ((4, 3), 1), ((1, 2, 2, 2), 1))
FLATTEN = "each example is flattened into one row, in NumPy's usual order"
SUMMED = "this number is used for every example: where are the other examples' parts?"

# -- affine, forward ------------------------------------------------------------------------------


def affine_of_rows_and_images(student: Student, rng: Generator) -> None:
    """Rows, stacks of rows, and images."""
    for shape, outputs in SHAPES:
        _expect_affine(student, draw_affine(rng, shape, outputs))


def affine_of_single_things(student: Student, rng: Generator) -> None:
    """One example, one number in each, one output."""
    for shape, outputs in SINGLE:
        _expect_affine(student, draw_affine(rng, shape, outputs))


def affine_of_turned_axes(student: Student, rng: Generator) -> None:
    """An x whose numbers lie in memory in another order than its axes say."""
    case, after = _turned(student, rng, "out, _ = affine_forward(_x, _w, _b)", "out")
    want = layers.value(layers.affine, *case.arguments)
    expect_near(after.get("out"), want, what="out", hint=FLATTEN)


def affine_leaves_its_arguments(student: Student, rng: Generator) -> None:
    """x, w and b are as before after the call."""
    case = draw_affine(rng, (3, 2, 4), 5)
    kept = [student.put(array) for array in case.arguments]
    student.call("affine_forward", *kept, keep=True)
    for reference, before, name in zip(kept, case, "xwb", strict=False):
        expect_unchanged(student.fetch(reference), before, name)


def _expect_affine(student: Student, case: Affine) -> None:
    want = layers.value(layers.affine, *case.arguments)
    got, _ = forward(student, "affine_forward", *case.arguments)
    name_slip(got, want, {"b is missing": want - case.b})
    expect_near(got, want, what=f"out for x of shape {case.x.shape}", hint=FLATTEN)


def _turned(
    student: Student, rng: Generator, source: str, *names: str
) -> tuple[Affine, dict[str, Any]]:
    """Run ``source`` with _x a view in Fortran order: made in the kernel, it cannot be sent."""
    case = draw_affine(rng, (3, 2, 4), 5)
    bindings = {
        "_x": np.ascontiguousarray(case.x.T),
        "_w": case.w,
        "_b": case.b,
        "_dout": case.dout.copy(),
    }
    return case, student.rerun(f"_x = _x.T\n{source}", bindings, names)


# -- affine, backward -----------------------------------------------------------------------------


def dx_of_affine(student: Student, rng: Generator) -> None:
    """dx: the gradient with respect to rows, stacks of rows, and images."""
    _expect_gradients(student, rng, 0, "which outputs does one number of x touch?")


def dw_of_affine(student: Student, rng: Generator) -> None:
    """dw: the gradient with respect to the weights."""
    _expect_gradients(student, rng, 1, SUMMED)


def db_of_affine(student: Student, rng: Generator) -> None:
    """db: the gradient with respect to the biases."""
    _expect_gradients(student, rng, 2, SUMMED)


def affine_gradients_of_single_things(student: Student, rng: Generator) -> None:
    """One example, one number in each, one output: all three gradients."""
    for shape, outputs in SINGLE:
        case = draw_affine(rng, shape, outputs)
        _expect_all(affine_backward(student, case), case)


def affine_gradients_of_turned_axes(student: Student, rng: Generator) -> None:
    """An x whose numbers lie in memory in another order: all three gradients."""
    source = "_, _cache = affine_forward(_x, _w, _b)\n_answer = affine_backward(_dout, _cache)"
    case, after = _turned(student, rng, source, "_answer")
    answer = several("affine_backward", after.get("_answer"), "dx, dw, db")
    _expect_all(in_shape(answer, case), case)


def affine_gradients_after_another_call(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = draw_affine(rng, (4, 3), 2), draw_affine(rng, (4, 3), 2)
    _, cache = forward(student, "affine_forward", *first.arguments)
    forward(student, "affine_forward", *second.arguments)
    answer = student.call("affine_backward", first.dout.copy(), cache)
    _expect_all(in_shape(several("affine_backward", answer, "dx, dw, db"), first), first)


def _expect_gradients(student: Student, rng: Generator, which: int, hint: str) -> None:
    """One of dx, dw, db, for each of SHAPES; the usual slips are named."""
    name = ("dx", "dw", "db")[which]
    for shape, outputs in SHAPES:
        case = draw_affine(rng, shape, outputs)
        want = layers.gradients(layers.affine, case.arguments, case.dout)[which]
        got = affine_backward(student, case)[which]
        slip = f"{name} is divided by N here; only the loss takes the mean, once"
        name_slip(got, want, {slip: want / len(case.x)})
        expect_near(got, want, what=f"{name} for x of shape {shape}", hint=hint)


def _expect_all(got: tuple[Array, Array, Array], case: Affine) -> None:
    want = layers.gradients(layers.affine, case.arguments, case.dout)
    for name, mine, right in zip(("dx", "dw", "db"), got, want, strict=True):
        expect_near(mine, right, what=f"{name} for x of shape {case.x.shape}")


# -- ReLU -----------------------------------------------------------------------------------------


def relu_of_any_shape(student: Student, rng: Generator) -> None:
    """Numbers of both signs, small and large, in arrays of one to four axes."""
    for shape in ((7,), (4, 3), (2, 3, 4), (2, 3, 2, 3)):
        x = away_from_zero(rng, shape) * 10.0 ** rng.integers(-2, 4, size=shape)
        out, _ = forward(student, "relu_forward", x)
        expect_close(out, layers.value(layers.relu, x), what=f"out for x of shape {shape}")


def relu_of_zero(student: Student, rng: Generator) -> None:
    """Exactly 0, and minus 0, among other numbers."""
    x = np.array([[-0.0, 0.0, 1.5], [-1.5, -0.0, 0.0]])
    out, _ = forward(student, "relu_forward", x)
    expect_close(out, layers.value(layers.relu, x), what="out", hint="max(0, 0) is 0")


def relu_leaves_its_argument(student: Student, rng: Generator) -> None:
    """x is as before after the call."""
    x = away_from_zero(rng, (3, 4))
    kept = student.put(x)
    student.call("relu_forward", kept, keep=True)
    expect_unchanged(student.fetch(kept), x, "x")


def relu_gates_the_gradient(student: Student, rng: Generator) -> None:
    """dx for arrays of one to four axes, away from 0."""
    for shape in ((9,), (4, 5), (2, 3, 4), (2, 3, 2, 3)):
        x, dout = away_from_zero(rng, shape), away_from_zero(rng, shape)
        got = _relu_backward(student, x, dout)
        (want,) = layers.gradients(layers.relu, [x], dout)
        slip = "what counts is the sign of x, not the sign of dout"
        name_slip(got, want, {slip: np.maximum(dout, 0)})
        expect_close(got, want, what=f"dx for x of shape {shape}")


def relu_gates_by_sign_alone(student: Student, rng: Generator) -> None:
    """All numbers positive, all negative, and some tiny or huge."""
    size = away_from_zero(rng, (3, 4))
    for x in (np.abs(size), -np.abs(size), size * 1e-6, size * 1e6):
        dout = away_from_zero(rng, x.shape)
        (want,) = layers.gradients(layers.relu, [x], dout)
        got = _relu_backward(student, x, dout)
        expect_close(got, want, what="dx", hint="the gradient passes whole, or not at all")


def relu_backward_leaves_x(student: Student, rng: Generator) -> None:
    """x is as before after forward and backward: the layers before may still need it."""
    x = away_from_zero(rng, (3, 4))
    kept = student.put(x)
    answer = student.call("relu_forward", kept, keep=(1,))
    _, cache = several("relu_forward", answer, "out, cache")
    student.call("relu_backward", away_from_zero(rng, x.shape), cache)
    expect_unchanged(student.fetch(kept), x, "x")


def _relu_backward(student: Student, x: Array, dout: Array) -> Array:
    _, cache = forward(student, "relu_forward", x)
    return expect_shape(student.call("relu_backward", dout.copy(), cache), x.shape, "dx")
