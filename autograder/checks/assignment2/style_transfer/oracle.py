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

from autograder.judge import Failed, Ref, Student, as_array, expect, expect_near, name_slip

Slips = dict[str, float]
# Every second channel; another order in memory. In both, rows and columns of pixels still follow
# each other, so that ``features.view(N, C, H * W)``, which is usual, works.
LAYOUTS = {
    "a part of the channels": "made = torch.stack([x, x + 1], dim=2).flatten(1, 2)[:, ::2]",
    "the channels last in memory": "made = x.contiguous(memory_format=torch.channels_last)",
}
# Here it does not: rows and columns of pixels are exchanged in memory.
TRANSPOSED = "made = x.transpose(2, 3).contiguous().transpose(2, 3)"


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
    expect(array.size == 1, f"{what} has shape {array.shape}; it should be one number")
    number = float(array.reshape(-1)[0])
    expect(np.isfinite(number), f"{what} is {number}")
    return number


def expect_number(value: Any, want: Tensor | float, what: str, slips: Slips | None = None) -> None:
    """A loss must be this number; where a usual slip explains another one, its message is given."""
    number = one_number(value, what)
    name_slip(number, float(want), slips or {})
    expect_near(np.float32(number), float(want), what=what)


def expect_differentiable(value: Any, what: str) -> None:
    """A tensor with one element, with a graph behind it."""
    if not isinstance(value, Tensor):
        kind = value.type_name if isinstance(value, Ref) else type(value).__name__
        raise Failed(f"{what} is of type {kind}; no gradient flows back from it: return a tensor")
    one_number(value, what)
    expect(
        value.requires_grad,
        f"no gradient flows back from {what}: is the graph cut by item, detach, data or no_grad?",
    )


def expect_slope(got: Any, want: np.ndarray, what: str) -> None:
    """A gradient, in the precision of the student's side."""
    expect(got is not None, f"{what}: no gradient comes back")
    expect_near(as_array(got, what), want, what=what)


def laid_out(student: Student, x: Tensor, layout: str) -> Ref:
    """The same numbers in the kernel, in another order in memory."""
    return student.make(f"import torch\n{layout}", {"x": x.clone()})
