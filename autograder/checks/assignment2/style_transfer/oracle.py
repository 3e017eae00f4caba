"""What the losses should be, in float64, and how the checks ask for one.

Each is written in another way than in the notebook. Gradients come from torch's autograd.
Shapes: features (N, C, H, W), images (1, 3, H, W), Gram matrices (N, C, C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import in_kernel
from autograder.judge import Failed, Ref, Student, as_array, expect, expect_near, is_known_type

Slips = dict[str, float]
# In both, rows and columns of pixels still follow each other, so that the usual
# ``features.view(N, C, H * W)`` works. With TRANSPOSED it does not.
LAYOUTS = ("a part of the channels", "the channels last in memory")
TRANSPOSED = "rows and columns exchanged in memory"
CUT = "Is the graph cut by item, detach, data, no_grad or NumPy?"


def draw(rng: Generator, *shape: int) -> Tensor:
    """Standard normal numbers, float32 as everything in the notebook."""
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


# -- the losses -----------------------------------------------------------------------------------


def content(weight: float, current: Tensor, original: Tensor) -> Tensor:
    return weight * (current.double() - original.double()).flatten().dot(
        (current.double() - original.double()).flatten()
    )


def gram(features: Tensor, normalize: bool = True) -> Tensor:
    _, C, H, W = features.shape
    products = torch.einsum("nchw,ndhw->ncd", features.double(), features.double())
    return products / (C * H * W) if normalize else products


def style(
    feats: Sequence[Tensor],
    layers: Sequence[int],
    targets: Sequence[Tensor],
    weights: Sequence[float],
) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for layer, target, weight in zip(layers, targets, weights, strict=True):
        total = total + weight * torch.linalg.vector_norm(gram(feats[layer]) - target.double()) ** 2
    return total


def variation(img: Tensor, weight: float) -> Tensor:
    down, right = (torch.diff(img.double(), dim=axis) for axis in (2, 3))
    return weight * (down.pow(2).sum() + right.pow(2).sum())


def slopes(function: Callable[..., Tensor], *leaves: Tensor) -> list[np.ndarray]:
    """The gradients of sum(function(*leaves)); zeros where it does not depend on one."""
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    found = torch.autograd.grad(function(*exact).sum(), exact, allow_unused=True)
    pairs = zip(found, exact, strict=True)
    return [(torch.zeros_like(x) if g is None else g).detach().numpy() for g, x in pairs]


# -- asking and judging ---------------------------------------------------------------------------


def one_number(value: Any, what: str) -> float:
    """A loss as a number. Failed when it is several, or not finite."""
    array = as_array(value, what)
    expect(array.size == 1, f"{what} has shape {array.shape}; it should be a single number")
    number = float(array.reshape(-1)[0])
    expect(np.isfinite(number), f"{what} is {number}")
    return number


def expect_number(value: Any, want: Tensor | float, what: str, slips: Slips | None = None) -> None:
    """A loss must be this number."""
    number = one_number(value, what)
    expect_near(number, float(want), what=what, slips=slips, precision="float32")


def expect_differentiable(value: Any, what: str) -> None:
    """A tensor with one element, with a graph behind it."""
    if not isinstance(value, Tensor):
        kind = value.type_name if isinstance(value, Ref) else type(value).__name__
        kind = f"of type {kind}" if is_known_type(kind) else "no tensor"
        raise Failed(f"{what} is {kind}; no gradient flows back from it: return a tensor")
    one_number(value, what)
    expect(value.requires_grad, f"no gradient flows back from {what}", CUT)


def expect_slope(got: Any, want: np.ndarray, what: str, factor: float = 1.0) -> None:
    """A gradient. ``factor``: by which the value is wrong, which costs points elsewhere."""
    expect(got is not None, f"{what}: no gradient comes back", CUT)
    slope = as_array(got, what)
    expect(np.any(slope) or not np.any(want), f"{what} is zero everywhere")
    scaled = factor * want
    near = 1e-4 * float(np.abs(scaled).max(initial=0.0))
    own = slope.shape == scaled.shape and np.allclose(slope, scaled, rtol=1e-4, atol=near)
    expect_near(slope, scaled if own else want, what=what, precision="float32")


def expect_growth(losses: Sequence[Any], what: str) -> None:
    """Of a loss where nothing differs, where one entry does, and where it does twice as much."""
    expect_number(losses[0], 0.0, f"{what} where nothing differs")
    single, double = (one_number(loss, what) for loss in losses[1:])
    expect(single > 0, f"{what} is {single:.3g} where one entry differs")
    grown = f"where one difference is doubled, {what} becomes {double / single:.3g} times as large"
    expect(np.isclose(double / single, 4, rtol=1e-3), f"{grown}, not 4 times")


def laid_out(student: Student, x: Tensor, layout: str) -> Ref:
    """The same numbers in the kernel, in another order in memory."""
    return student.apply(in_kernel.laid_out, x.clone(), layout, keep=True)
