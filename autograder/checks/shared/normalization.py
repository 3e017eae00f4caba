"""Normalisation of every kind by torch's autograd in float64, and the slips that are usual in it.

Batch, layer, spatial batch and group normalisation differ in one thing only: which numbers share a
mean and a variance.

Shapes: x, out, dout (N, D) or (N, C, H, W); gamma, beta (D,), (C,) or (1, C, 1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, Layer

DEFAULT_EPS = 1e-5
GRADIENTS = ("dx", "dgamma", "dbeta")
Axes = tuple[int, ...]
Spread = Callable[[torch.Tensor, Axes, float], torch.Tensor]


@dataclass(frozen=True)
class Norm:
    """One kind of normalisation: its functions in the notebook, and which numbers share a mean.

    ``axes``: the mean is taken over these, of x as ``split`` leaves it. ``count``: how many numbers
    that are, in the letters that the notebook uses. ``confused``: other axes that are taken by
    mistake, by the message that says so. ``groups``: G of group normalisation.
    """

    forward: str
    backward: str
    axes: Axes
    count: str
    confused: Mapping[str, Axes] = field(default_factory=dict)
    groups: int = 0
    has_modes: bool = False  # whether the last argument needs a mode

    def settings(self, case: Case) -> dict[str, Any]:
        """The last argument of its forward function."""
        given: dict[str, Any] = {} if case.eps is None else {"eps": case.eps}
        return given | ({"mode": "train"} if self.has_modes else {})

    def split(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which ``axes`` count: with an axis for the groups, where there are any."""
        if not self.groups:
            return tuple(shape)
        N, C, *image = shape
        return (N, self.groups, C // self.groups, *image)

    def mean(self, values: Array) -> Array:
        """Each number replaced by the mean of those that share one with it; shaped like x."""
        apart = values.reshape(self.split(values.shape))
        means = apart.mean(axis=self.axes, keepdims=True)
        return np.broadcast_to(means, apart.shape).reshape(values.shape)


BATCH = Norm(
    "batchnorm_forward",
    "batchnorm_backward",
    axes=(0,),
    count="N",
    confused={"mean and variance are those of the rows: each column has its own": (1,)},
    has_modes=True,
)
LAYER = Norm(
    "layernorm_forward",
    "layernorm_backward",
    axes=(1,),
    count="D",
    confused={"mean and variance are those of the columns: each row has its own": (0,)},
)


@dataclass(frozen=True)
class Case:
    """The arguments of a layer, and an upstream gradient. ``eps`` None: the default one."""

    x: Array
    gamma: Array
    beta: Array
    dout: Array
    eps: float | None = None

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """Copies of x, gamma and beta."""
        return self.x.copy(), self.gamma.copy(), self.beta.copy()

    @property
    def root_eps(self) -> float:
        """What is added to the variance."""
        return DEFAULT_EPS if self.eps is None else self.eps

    def rows(self, chosen: slice) -> Case:
        """The same for some rows, or images, alone."""
        return replace(self, x=self.x[chosen], dout=self.dout[chosen])

    def wide(self, factors: Array) -> Array:
        """gamma or beta so that it goes with x: (D,) as it is, (C,) as (1, C, 1, 1)."""
        return factors.reshape(-1, *[1] * (self.x.ndim - 2))


# -- the layers -----------------------------------------------------------------------------------


def spread(x: torch.Tensor, axes: Axes, eps: float) -> torch.Tensor:
    """What centred numbers are divided by."""
    return torch.sqrt(x.var(axes, correction=0, keepdim=True) + eps)


def _with_unbiased_variance(x: torch.Tensor, axes: Axes, eps: float) -> torch.Tensor:
    return torch.sqrt(x.var(axes, correction=1, keepdim=True) + eps)


def _with_eps_outside(x: torch.Tensor, axes: Axes, eps: float) -> torch.Tensor:
    return x.std(axes, correction=0, keepdim=True) + eps


def _with_fixed_eps(x: torch.Tensor, axes: Axes, eps: float) -> torch.Tensor:
    return spread(x, axes, DEFAULT_EPS)


def near_spreads(norm: Norm, case: Case) -> dict[str, Spread]:
    """What is nearly right in forward, by the message that says why it is not.

    Only what leads to numbers: of a single one, there is no unbiased variance.
    """
    shape = norm.split(case.x.shape)
    several = np.prod([shape[axis] for axis in norm.axes]) > 1
    unbiased = f"the variance is divided by {norm.count} - 1, not by {norm.count}"
    return ({unbiased: _with_unbiased_variance} if several else {}) | {
        "eps is outside the square root: it is added to the variance": _with_eps_outside,
        "the eps that is given makes no difference": _with_fixed_eps,
    }


def normalized(x: torch.Tensor, norm: Norm, eps: float, by: Spread = spread) -> torch.Tensor:
    """x with mean 0 and variance 1, as this kind of normalisation means it."""
    apart = x.reshape(norm.split(x.shape))
    centred = apart - apart.mean(norm.axes, keepdim=True)
    return (centred / by(apart, norm.axes, eps)).reshape(x.shape)


def spreads(norm: Norm, case: Case, by: Spread = spread) -> Array:
    """What each number of x is divided by, shaped like x."""
    apart = torch.tensor(case.x.reshape(norm.split(case.x.shape)), dtype=torch.float64)
    return by(apart, norm.axes, case.root_eps).expand(apart.shape).numpy().reshape(case.x.shape)


def layer_of(norm: Norm, eps: float, by: Spread = spread) -> Layer:
    """The layer as a function of x, gamma and beta."""

    def layer(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        along = (-1, *[1] * (x.ndim - 2))  # gamma and beta belong to columns, or channels
        hat = normalized(x, norm, eps, by)
        return gamma.reshape(along) * hat + beta.reshape(along)

    return layer


def right_output(norm: Norm, case: Case, by: Spread = spread) -> Array:
    return layers.value(layer_of(norm, case.root_eps, by), *case.arrays)


def right_gradients(norm: Norm, case: Case, by: Spread = spread) -> dict[str, Array]:
    """dx, dgamma, dbeta by name."""
    layer = layer_of(norm, case.root_eps, by)
    found = layers.gradients(layer, case.arrays, case.dout)
    return dict(zip(GRADIENTS, found, strict=True))


# -- usual slips ----------------------------------------------------------------------------------


def output_slips(norm: Norm, case: Case) -> dict[str, Array]:
    """What usual slips make of out, each with its message."""
    slips = {
        message: right_output(norm, case, by) for message, by in near_spreads(norm, case).items()
    }
    for message, axes in norm.confused.items():
        slips[message] = right_output(replace(norm, axes=axes, groups=0), case)
    gamma, beta = case.wide(case.gamma), case.wide(case.beta)
    hat = (right_output(norm, case) - beta) / gamma
    return slips | {
        "gamma and beta are not used": hat,
        "beta is not used": gamma * hat,
        "gamma is not used": hat + beta,
    }


def gradient_slips(norm: Norm, case: Case, what: str) -> dict[str, Array]:
    """What usual slips make of dx, dgamma or dbeta, each with its message."""
    N = len(case.x)
    right = right_gradients(norm, case)
    if what == "dbeta":
        return {"dbeta is divided by N here; only the loss takes the mean, once": right[what] / N}
    std = spreads(norm, case)
    if what == "dgamma":
        rows = tuple(axis for axis in range(case.x.ndim) if axis != 1)
        of_x = np.sum(case.dout * case.x, axis=rows).reshape(case.gamma.shape)
        return {
            "dgamma is divided by N here; only the loss takes the mean, once": right[what] / N,
            "gamma multiplies the normalised x, not x": of_x,
        }
    gamma = case.wide(case.gamma)
    dhat, hat = gamma * case.dout, (case.x - norm.mean(case.x)) / std
    mean, along = norm.mean(dhat), hat * norm.mean(dhat * hat)
    without_gamma = right_gradients(norm, replace(case, gamma=np.ones_like(case.gamma)))["dx"]
    return {
        "dx lacks the paths through mean and variance: both depend on x": dhat / std,
        "dx lacks the path through the variance": (dhat - mean) / std,
        "dx lacks the path through the mean": (dhat - along) / std,
        "gamma is forgotten: dout first becomes the gradient of the normalised x": without_gamma,
        "gamma multiplies at the end: it belongs to the gradient before the means are taken": (
            without_gamma * gamma
        ),
    }
