"""Convolution and pooling by torch in float64, and how a student's layer is asked.

Shapes: x (N, C, H, W); w (F, C, HH, WW); b (F,); out and dout (N, F or C, H', W').
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from torch.nn import functional

from autograder.checks.shared.layers import Array, Layer, gradients, unpack, value
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Failed, Student, StudentError, as_array, expect, expect_shape

Pair = tuple[str, str]  # names of a forward function and its backward function


@dataclass(frozen=True)
class Case:
    """The arguments of one layer, with an upstream gradient."""

    arrays: tuple[Array, ...]  # x and the parameters, in the order of the call
    more: tuple[Any, ...]  # what comes after them: conv_param, ...
    layer: Layer  # torch's answer for the arrays
    dout: Array

    @property
    def out(self) -> Array:
        return value(self.layer, *self.arrays)

    @property
    def gradients(self) -> tuple[Array, ...]:
        return gradients(self.layer, self.arrays, self.dout)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Copies for the student."""
        return (*(array.copy() for array in self.arrays), *(_copy(item) for item in self.more))

    def with_arrays(self, *arrays: Array) -> Case:
        return replace(self, arrays=arrays)


def _copy(item: Any) -> Any:
    return dict(item) if isinstance(item, Mapping) else item


def make_case(rng: Generator, arrays: Sequence[Array], more: Sequence[Any], layer: Layer) -> Case:
    """A case with a random upstream gradient of the shape of the output."""
    dout = rng.normal(size=value(layer, *arrays).shape)
    return Case(tuple(arrays), tuple(more), layer, dout)


# -- layers ---------------------------------------------------------------------------------------

Sizes = tuple[int, int, int, int, int, int]  # H, W, HH, WW, stride, pad


def conv_layer(stride: int, pad: int) -> Layer:
    return partial(functional.conv2d, stride=stride, padding=pad)


def draw_conv(rng: Generator, sizes: Sizes, N: int = 2, C: int = 3, F: int = 4) -> Case:
    """A convolution of random numbers."""
    H, W, HH, WW, stride, pad = sizes
    x, w = rng.normal(size=(N, C, H, W)), rng.normal(size=(F, C, HH, WW))
    arrays = (x, w, rng.normal(size=F))
    return make_case(rng, arrays, [{"stride": stride, "pad": pad}], conv_layer(stride, pad))


def describe_conv(case: Case) -> str:
    (H, W), (HH, WW) = case.arrays[0].shape[2:], case.arrays[1].shape[2:]
    param = case.more[0]
    return f"for x {H}x{W}, filter {HH}x{WW}, stride {param['stride']}, pad {param['pad']}"


def pool_layer(height: int, width: int, stride: int) -> Layer:
    return partial(functional.max_pool2d, kernel_size=(height, width), stride=stride)


def pool_param(height: int, width: int, stride: int) -> dict[str, int]:
    return {"pool_height": height, "pool_width": width, "stride": stride}


def draw_pool(
    rng: Generator, sizes: tuple[int, int, int, int, int], N: int = 2, C: int = 3
) -> Case:
    """Max pooling of numbers that all differ: H, W, height and width of a window, stride."""
    H, W, *window = sizes
    x = distinct(rng, (N, C, H, W))
    return make_case(rng, [x], [pool_param(*window)], pool_layer(*window))


def describe_pool(case: Case) -> str:
    (H, W), param = case.arrays[0].shape[2:], case.more[0]
    window = f"{param['pool_height']}x{param['pool_width']}"
    return f"for x {H}x{W}, window {window}, stride {param['stride']}"


def distinct(rng: Generator, shape: Sequence[int]) -> Array:
    """Numbers of both signs, any two at least 0.1 apart: no maximum hangs on a rounding error."""
    size = int(np.prod(shape))
    return (rng.permutation(size).reshape(shape) - size / 2) * 0.1 + rng.uniform(0.01, 0.09)


# -- asking the student ---------------------------------------------------------------------------


def forward(student: Student, name: str, case: Case) -> tuple[Any, Any]:
    """What the student's forward function returns: out, and the cache left in the kernel."""
    return unpack(name, student.call(name, *case.arguments, keep=(1,)), "out, cache")


def cache_of(student: Student, name: str, case: Case) -> Any:
    """The cache of the student's forward function ``name``.

    Where that fails, or spoils its arguments, the cache that the notebook asks for: the arguments.
    A forward function that is not there costs nothing in the question about backward.
    """

    def works() -> None:
        arguments = {str(number): array for number, array in enumerate(case.arrays)}
        expect_arguments_unchanged(student, name, arguments, *map(_copy, case.more))

    try:
        student.once(f"{name} works", works)
        return forward(student, name, case)[1]
    except (Failed, StudentError):
        return case.arguments


def backward(student: Student, pair: Pair, case: Case, wanted: str) -> tuple[Any, ...]:
    """The student's gradients ("dx, dw, db"), not yet looked at, from a cache of their own."""
    return from_cache(student, pair[1], case, cache_of(student, pair[0], case), wanted)


def from_cache(student: Student, name: str, case: Case, cache: Any, wanted: str) -> tuple[Any, ...]:
    """As `backward`, with a cache that is there already."""
    answer = student.call(name, case.dout.copy(), cache)
    return unpack(name, answer, wanted) if "," in wanted else (answer,)


def expect_own_cache(student: Student, pair: Pair, first: Case, second: Case, wanted: str) -> None:
    """A second forward call must not change what backward makes of the first one's cache."""
    at_once = backward(student, pair, first, wanted)
    cache = cache_of(student, pair[0], first)
    cache_of(student, pair[0], second)
    later = from_cache(student, pair[1], first, cache, wanted)
    expect_same_gradients(at_once, later, wanted)


def expect_same_gradients(at_once: Sequence[Any], later: Sequence[Any], wanted: str) -> None:
    """What backward made of one cache, before and after another forward call."""
    for name, before, now in zip(wanted.split(", "), at_once, later, strict=True):
        before, now = as_array(before, name), as_array(now, name)
        same = before.shape == now.shape and np.allclose(before, now, rtol=1e-9, equal_nan=True)
        changed = f"{name} is another one when forward has been called again with other numbers"
        expect(same, f"{changed}: it must depend on dout and its own cache alone")


def expect_no_stray_axes(found: Sequence[Any], likes: Sequence[Array], wanted: str) -> None:
    """No axis of length 1 too many or too few, in gradients of ``likes``.

    A gradient of quite another shape has lost its own check already; it is not paid for again.
    """
    for got, like, name in zip(found, likes, wanted.split(", "), strict=True):
        array = as_array(got, name)
        if np.squeeze(array).shape == np.squeeze(like).shape:
            expect_shape(array, like.shape, name)
