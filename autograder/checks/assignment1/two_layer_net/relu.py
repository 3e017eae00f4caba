"""Checks of relu_forward and relu_backward. Shapes: x, out, dout and dx are alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, away_from_zero, forward
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Student, check, expect_close, expect_unchanged

FORWARD, BACKWARD = "tln-relu-forward", "tln-relu-backward"
SHAPES = ((7,), (4, 3), (2, 3, 4), (2, 3, 2, 3))


@check(FORWARD, probe="RELU-A1", weight=3)
def relu_is_right(student: Student, rng: Generator) -> None:
    """out for numbers of both signs, tiny and large, for 0 and -0, in one to four axes."""
    numbers = [away_from_zero(rng, s) * 10.0 ** rng.integers(-2, 4, size=s) for s in SHAPES]
    zeros = np.array([[-0.0, 0.0, 1.5], [-1.5, -0.0, 0.0]])
    for x in (*numbers, zeros):
        out, _ = forward(student, "relu_forward", x)
        what = f"out for x of shape {x.shape}"
        slips = {
            "negative numbers are passed on, only smaller": np.maximum(x, 0.01 * x),
            "this is the absolute value; a negative number becomes 0": np.abs(x),
            "this is the gate, 0 or 1; a positive number is passed on as it is": np.sign(x) > 0,
        }
        expect_close(out, layers.value(layers.relu, x), what=what, slips=slips)


@check(FORWARD, probe="RELU-A2", condition=True)
def relu_leaves_its_argument(student: Student, rng: Generator) -> None:
    """x is unchanged by the call."""
    expect_arguments_unchanged(student, "relu_forward", {"x": away_from_zero(rng, (3, 4))})


@check(BACKWARD, probe="RELU-A2", weight=4)
def dx_is_right(student: Student, rng: Generator) -> None:
    """dx in one to four axes; all of x positive, all negative; tiny and huge numbers."""
    for x in _inputs(rng):
        dout = away_from_zero(rng, x.shape)
        _, cache = forward(student, "relu_forward", x)
        got = student.call("relu_backward", dout.copy(), cache)
        (want,) = layers.gradients(layers.relu, [x], dout)
        slips = {
            "what counts is the sign of x, not the sign of dout": np.maximum(dout, 0),
            "dout is passed on for every number": dout,
            "this is the gate, 0 or 1: dout is missing": (x > 0).astype(float),
            "dout is multiplied by x, not by the slope, which is 0 or 1": dout * np.maximum(x, 0),
            "dout passes where x is negative; it should pass where x is positive": dout - want,
        }
        expect_close(got, want, what=f"dx for x of shape {x.shape}", slips=slips)


@check(BACKWARD, probe="RELU-A2", condition=True)
def relu_backward_leaves_x(student: Student, rng: Generator) -> None:
    """x is unchanged after forward and backward: earlier layers may still need it."""
    x = away_from_zero(rng, (3, 4))
    kept = student.put(x.copy())
    answer = student.call("relu_forward", kept, keep=(1,))
    _, cache = layers.unpack("relu_forward", answer, "out, cache")
    student.call("relu_backward", away_from_zero(rng, x.shape), cache)
    expect_unchanged(student.fetch(kept), x, "x")


def _inputs(rng: Generator) -> Iterator[Array]:
    for shape in SHAPES:
        yield away_from_zero(rng, shape)
    size = away_from_zero(rng, (3, 4))
    yield from (np.abs(size), -np.abs(size), size * 1e-6, size * 1e6)
