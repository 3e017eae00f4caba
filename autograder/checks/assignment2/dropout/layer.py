"""The student's dropout layer, asked, and inputs for it.

Which entries a mask drops depends on the random generator and on how it is called, and that is
free. So a mask is never compared with another one. It is read off the student's own output: where
x is not 0, out / x is the mask, times whatever it was scaled by.

Shapes: x, out and dout are alike, of any number of axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.random import Generator

from autograder.checks.shared.layers import Array, unpack
from autograder.judge import Student, expect_shape

KEEP = (0.25, 0.4, 0.7)
SHAPES = ((600,), (30, 20), (5, 12, 10), (4, 3, 6, 9))


def ask_forward(student: Student, x: Array, param: dict[str, Any]) -> tuple[Array, object]:
    """The student's out, and the cache left in the kernel."""
    answer = student.call("dropout_forward", x.copy(), dict(param), keep=(1,))
    out, cache = unpack("dropout_forward", answer, "out, cache")
    what = f"out in {param['mode']} mode for x of shape {x.shape}"
    return expect_shape(out, x.shape, what), cache


def ask_backward(student: Student, dout: Array, cache: object) -> Array:
    """The student's dx, from a cache of their forward function."""
    answer = student.call("dropout_backward", dout.copy(), cache)
    return expect_shape(answer, dout.shape, f"dx for dout of shape {dout.shape}")


def away_from_zero(rng: Generator, shape: Sequence[int]) -> Array:
    """Numbers of either sign between 0.5 and 1.5: none is near 0."""
    return rng.uniform(0.5, 1.5, size=shape) * rng.choice([-1.0, 1.0], size=shape)
