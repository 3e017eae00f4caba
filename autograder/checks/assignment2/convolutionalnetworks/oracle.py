"""Convolution, pooling and normalisation by torch in float64, and how a student's layer is asked.

Shapes: x (N, C, H, W); w (F, C, HH, WW); b (F,); out and dout (N, F or C, H', W').
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.checks.shared.layers import Array, Layer, gradients, several, value
from autograder.judge import Student, expect_shape


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


def distinct(rng: Generator, shape: Sequence[int]) -> Array:
    """Numbers of both signs, any two at least 0.1 apart: no maximum hangs on a rounding error."""
    size = int(np.prod(shape))
    return (rng.permutation(size).reshape(shape) - size / 2) * 0.1 + rng.uniform(0.01, 0.09)


def spatial_batchnorm(eps: float) -> Layer:
    def layer(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)

    return layer


def groupnorm(groups: int, eps: float) -> Layer:
    """gamma and beta of shape (1, C, 1, 1)."""

    def layer(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return functional.group_norm(x, groups, gamma.flatten(), beta.flatten(), eps)

    return layer


# -- asking the student ---------------------------------------------------------------------------


def forward(student: Student, name: str, case: Case) -> tuple[Any, Any]:
    """What the student's forward function returns: out, and the cache left in the kernel."""
    return several(name, student.call(name, *case.arguments, keep=(1,)), "out, cache")


def backward(student: Student, pair: tuple[str, str], case: Case, wanted: str) -> tuple[Array, ...]:
    """The student's gradients ("dx, dw, db"), from the cache of their own forward.

    ``pair`` holds the names of both functions. Failed unless each gradient has the shape of what
    it is the gradient of.
    """
    _, cache = forward(student, pair[0], case)
    return from_cache(student, pair[1], case, cache, wanted)


def from_cache(
    student: Student, name: str, case: Case, cache: Any, wanted: str
) -> tuple[Array, ...]:
    """As :func:`backward`, with a cache that is there already."""
    answer = student.call(name, case.dout.copy(), cache)
    found = several(name, answer, wanted) if "," in wanted else (answer,)
    return tuple(
        expect_shape(got, like.shape, what)
        for got, like, what in zip(found, case.arrays, wanted.split(", "), strict=True)
    )
