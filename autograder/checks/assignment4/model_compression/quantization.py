"""What is asked of quantize and dequantize.

Weights: an error above half a step, or a zero that is not exact, is what all of it is about.
Dimension letters as in the notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from autograder.judge import (
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_unchanged,
)

QUESTION, QUANTIZE, DEQUANTIZE = "affine-quantization", "quantize", "dequantize"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Integers:
    """An answer, or what it should be: q, scale and zero point."""

    q: NDArray[Any]
    scale: NDArray[Any]
    zero: NDArray[Any]


def right(x: Array, bits: int, axis: int | None = None) -> Integers:
    """By the formulas of the notebook, in float64."""
    smallest, largest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    others = None if axis is None else tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    keep = axis is not None
    low = np.minimum(x.min(axis=others, keepdims=keep), 0)
    high = np.maximum(x.max(axis=others, keepdims=keep), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    zero = np.clip(smallest + np.round(-low / scale), smallest, largest)
    q = np.clip(np.round(x / scale) + zero, smallest, largest)
    return Integers(q, scale, zero)


def _draw(rng: Generator, *shape: int, low: float = -1.0, high: float = 2.0) -> Array:
    """Numbers whose range is known, and of which none lies half way between two steps."""
    while True:
        x = rng.uniform(low, high, size=shape)
        x.flat[0], x.flat[-1] = low * rng.uniform(0.9, 1), high * rng.uniform(0.9, 1)
        if all(_clear(x, bits) for bits in (2, 3, 4, 8)):
            return x


def _clear(x: Array, bits: int) -> bool:
    low, high = min(x.min(), 0), max(x.max(), 0)
    scale = (high - low) / (2**bits - 1)
    steps = np.append(x.ravel() / scale, -low / scale)
    return bool(np.min(np.abs(steps - np.floor(steps) - 0.5)) > 1e-4)


def _ask(student: Student, x: Array, *more: Any, **options: Any) -> Integers:
    got = student.call(QUANTIZE, torch.from_numpy(x.copy()), *more, **options)
    three = isinstance(got, list | tuple) and len(got) == 3
    expect(three, "quantize returns q, scale and zero_point")
    names = ("q", "scale", "the zero point")
    return Integers(*(as_array(one, name) for one, name in zip(got, names, strict=True)))


def _expect(got: Integers, want: Integers, x: Array, bits: int) -> None:
    """The three answers, one after the other, each with the slips that it shows."""
    low, high, n = x.min(), x.max(), 2**bits
    largest = np.abs(x).max()
    span = max(high, 0) - min(low, 0)
    scales = {
        "the scale is that of 2**bits steps; between 2**bits numbers there is one fewer": span / n,
        "the scale is that of a symmetric range": 2 * largest / (n - 1),
        "the scale is the largest magnitude over the largest integer: the range is not symmetric": (
            largest / (n // 2 - 1)
        ),
        "the range does not include 0": (high - low) / (n - 1),
        "this is the inverse of the scale": (n - 1) / span,
    }
    slips = {message: np.array(value) for message, value in scales.items()}
    expect_close(got.scale, want.scale, what="scale", slips=slips, squeeze=True)
    expect_equal(np.squeeze(got.zero), np.squeeze(want.zero), what="the zero point")
    q = expect_shape(got.q, x.shape, "q").astype(float)
    floor = np.clip(np.floor(x / want.scale) + want.zero, -n // 2, n // 2 - 1)
    cut = np.clip(np.trunc(x / want.scale) + want.zero, -n // 2, n // 2 - 1)
    for slip, message in (
        (floor, "numbers are rounded down, not to the nearest integer"),
        (cut, "numbers are cut off towards zero, not rounded"),
    ):
        expect(np.array_equal(q, want.q) or not np.array_equal(q, slip), message)
    expect_equal(q, want.q, what="q")


@check(QUESTION, probe="MC-A10", weight=4)
def numbers_become_integers(student: Student, rng: Generator) -> None:
    """8 bits, numbers of both signs: scale, zero point and integers."""
    for low, high in ((-1.0, 2.0), (-3.0, 0.5)):
        x = _draw(rng, 5, 7, low=low, high=high)
        _expect(_ask(student, x), right(x, 8), x, 8)


@check(QUESTION, probe="MC-A10", weight=2)
def fewer_bits(student: Student, rng: Generator) -> None:
    """2, 3 and 4 bits."""
    for bits in (2, 3, 4):
        x = _draw(rng, 30)
        _expect(_ask(student, x, bits), right(x, bits), x, bits)


@check(QUESTION, probe="MC-A10", weight=2)
def zero_is_exact(student: Student, rng: Generator) -> None:
    """Numbers of one sign only: 0 is in the range, and the zero point is one of the integers."""
    for low, high in ((0.5, 2.0), (-2.0, -0.7)):
        x = rng.uniform(low, high, size=12)
        while not (_clear(x, 8)):
            x = rng.uniform(low, high, size=12)
        got, want = _ask(student, x), right(x, 8)
        sign = "positive" if low > 0 else "negative"
        zero = float(np.squeeze(got.zero))
        expect(
            -128 <= zero <= 127 and zero == round(zero),
            f"all numbers {sign}: the zero point is {zero:g}, which is none of the integers",
        )
        _expect(got, want, x, 8)


@check(QUESTION, probe="MC-A11", weight=3)
def channels_have_ranges_of_their_own(student: Student, rng: Generator) -> None:
    """With an axis, each index along it has a scale and a zero point; they broadcast."""
    for shape, axis in (((4, 3, 2, 2), 0), ((3, 5), 1), ((3, 2, 4), 1)):
        sizes = np.exp(rng.uniform(-3, 3, size=shape[axis]))
        broadcast = [1] * len(shape)
        broadcast[axis] = shape[axis]
        sizes = sizes.reshape(broadcast)
        while True:
            x = rng.normal(size=shape) * sizes
            rows = np.moveaxis(x, axis, 0)
            if all(_clear(row, 8) for row in rows):
                break
        got, want = _ask(student, x, axis=axis), right(x, 8, axis)
        what = f"for shape {shape} and axis {axis}"
        expect(
            got.scale.size != 1 or want.scale.size == 1,
            f"{what}, there is one scale for everything",
        )
        expect_shape(got.scale, tuple(broadcast), f"scale {what}")
        expect_shape(got.zero, tuple(broadcast), f"the zero point {what}")
        _expect(got, want, x, 8)


@check(QUESTION, probe="MC-A12", weight=3)
def integers_become_numbers(student: Student, rng: Generator) -> None:
    """dequantize: scale * (q - zero point), also where the difference does not fit into 8 bits."""
    q = torch.from_numpy(rng.permutation(np.linspace(-128, 127, 24).round()).reshape(4, 6))
    q = q.to(torch.int8)
    for shape in ((), (4, 1)):
        scale = torch.from_numpy(np.asarray(rng.uniform(0.01, 0.1, size=shape)))
        zero = torch.from_numpy(np.asarray(rng.integers(-120, -60, size=shape)))
        got = student.call(DEQUANTIZE, q, scale, zero)
        numbers, z = q.double().numpy(), zero.numpy()
        wrapped = (q - zero.to(torch.int8)).double().numpy()
        slips = {
            "the zero point is added; it is to be subtracted": scale.numpy() * (numbers + z),
            "the zero point is missing": scale.numpy() * numbers,
            "the zero point is subtracted after scaling": scale.numpy() * numbers - z,
            "divided by the scale; numbers are integers times the scale": (
                (numbers - z) / scale.numpy()
            ),
            "q - zero_point was computed in 8 bits, where it wraps around": (
                scale.numpy() * wrapped
            ),
        }
        what = "the numbers" if not shape else "the numbers, a scale for each row"
        expect_close(got, scale.numpy() * (numbers - z), what=what, slips=slips)


@check(QUESTION, probe="MC-A12", weight=2)
def error_is_half_a_step(student: Student, rng: Generator) -> None:
    """There and back in float32: off by half a step at most, and 0 stays exactly 0."""
    for bits, axis in ((8, None), (4, 0), (2, None)):
        x = np.concatenate([rng.normal(size=(6, 40)), np.zeros((6, 1))], axis=1).astype(np.float32)
        q, scale, zero = student.call(QUANTIZE, torch.from_numpy(x), bits, axis)
        back = expect_shape(student.call(DEQUANTIZE, q, scale, zero), x.shape, "what comes back")
        step = right(x.astype(np.float64), bits, axis).scale
        error = np.abs(back.astype(np.float64) - x) / step
        expect(np.isfinite(error).all(), "what comes back holds NaN or infinity")
        expect(error.max() < 0.501, f"{bits} bits: a number is off by {error.max():.2f} steps")
        expect(bool((back[:, -1] == 0).all()), f"{bits} bits: 0 does not come back as 0")
        expect(back.dtype == np.float32, f"float32 comes back as {back.dtype}")


@check(QUESTION, probe="MC-A10", weight=1, rare=True)
def nothing_but_zeros(student: Student, rng: Generator) -> None:
    """All zeros, or a channel of zeros: the scale is 1, and zeros come back."""
    x = np.zeros((3, 4))
    x[1] = rng.normal(size=4)
    for values, axis in ((np.zeros(5), None), (x, 0)):
        got = _ask(student, values, axis=axis)
        scales = np.ravel(got.scale)[[0, -1]]
        expect(bool((scales == 1).all()), "the scale of nothing but zeros is not 1")
        back = as_array(student.call(DEQUANTIZE, *map(torch.from_numpy, _copies(got))), "numbers")
        flat = back if axis is None else back[[0, 2]]
        expect(bool((flat == 0).all()), "zeros do not come back as zeros")


def _copies(answer: Integers) -> list[NDArray[Any]]:
    return [np.array(one) for one in (answer.q, answer.scale, answer.zero)]


@check(QUESTION, probe="MC-A10", weight=1, rare=True)
def integers_stay_within_their_bits(student: Student, rng: Generator) -> None:
    """Where the smallest and the largest number are both rounded outwards, q is clamped."""
    for bits in (8, 3):
        n, step = int(2 * rng.integers(0, 2 ** (bits - 2)) + 1), 2.0 ** -int(rng.integers(2, 8))
        x = step * np.array([-(n + 0.5), 0.0, 2**bits - 1 - (n + 0.5)])  # halves: to even numbers
        got = _ask(student, x, bits)
        top = 2 ** (bits - 1) - 1
        expect(
            got.q.astype(float)[-1] >= top - 1,
            f"{bits} bits: the largest of three numbers has become {got.q.astype(float)[-1]:g}, as "
            f"if {top + 1} had been made an integer of {bits} bits: clamp before",
        )


@check(QUESTION, probe="MC-A10", weight=1, condition=True)
def types_and_arguments(student: Student, rng: Generator) -> None:
    """q is of int8, the zero point of integers, the scale of the type of x, which is unchanged."""
    x = _draw(rng, 4, 3).astype(np.float32)
    kept = student.put(torch.from_numpy(x.copy()))
    q, scale, zero = student.call(QUANTIZE, kept)
    expect_unchanged(student.fetch(kept), x, "x")
    q, scale, zero = as_array(q, "q"), as_array(scale, "scale"), as_array(zero, "the zero point")
    expect(q.dtype == np.int8, f"q is of type {q.dtype}, not int8")
    expect(scale.dtype == np.float32, f"x is of float32 and scale of {scale.dtype}")
    expect(zero.dtype.kind in "iu", f"the zero point is of type {zero.dtype}, not of integers")
    expect(scale.shape == () and zero.shape == (), "scale and zero point should have shape ()")
