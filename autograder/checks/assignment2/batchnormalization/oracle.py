"""Batch and layer normalisation by torch's autograd in float64, and how a student's are asked.

Shapes: x, out, dout (N, D); gamma, beta (D,); statistics (D,) of a batch, (N, 1) of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, Layer, several
from autograder.judge import RTOL, Student, as_array, expect_close, expect_shape

DEFAULT_EPS = 1e-5
GRADIENTS = ("dx", "dgamma", "dbeta")


@dataclass(frozen=True)
class Norm:
    """One of the two layers: its functions in the notebook, and the axis it takes the mean over."""

    axis: int
    forward: str
    backward: str
    what: str  # the numbers that share a mean

    def settings(self, case: Case) -> dict[str, Any]:
        """The last argument of its forward function."""
        given: dict[str, Any] = {} if case.eps is None else {"eps": case.eps}
        return given | ({"mode": "train"} if self.axis == 0 else {})


BATCH = Norm(0, "batchnorm_forward", "batchnorm_backward", "each column")
LAYER = Norm(1, "layernorm_forward", "layernorm_backward", "each row")


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
        return self.x.copy(), self.gamma.copy(), self.beta.copy()

    @property
    def root_eps(self) -> float:
        """What is added to the variance."""
        return DEFAULT_EPS if self.eps is None else self.eps

    def rows(self, chosen: slice) -> Case:
        return replace(self, x=self.x[chosen], dout=self.dout[chosen])


def draw_case(
    rng: Generator, N: int, D: int, *, spread: float = 1.0, eps: float | None = None
) -> Case:
    """Random numbers: each row and column has a mean and a spread of its own, near ``spread``.

    With ``spread`` 0.05 and ``eps`` 1e-2, variance and eps are of the same size: then it shows
    where eps stands, and which variance it is.
    """
    scales = rng.uniform(0.5, 2.0, size=D) * rng.uniform(0.7, 1.4, size=(N, 1))
    x = spread * (scales * rng.normal(size=(N, D)) + rng.normal(size=D) + rng.normal(size=(N, 1)))
    gamma = rng.uniform(0.5, 2.0, size=D) * np.where(rng.random(D) < 0.3, -1, 1)
    return Case(x, gamma, rng.normal(size=D), rng.normal(size=(N, D)), eps)


# -- the layers -----------------------------------------------------------------------------------


def normalized(x: torch.Tensor, axis: int, eps: float) -> torch.Tensor:
    """x with mean 0 and variance 1 along ``axis``."""
    var = x.var(axis, correction=0, keepdim=True)
    return (x - x.mean(axis, keepdim=True)) / torch.sqrt(var + eps)


def _with_unbiased_variance(x: torch.Tensor, axis: int, eps: float) -> torch.Tensor:
    var = x.var(axis, correction=1, keepdim=True)
    return (x - x.mean(axis, keepdim=True)) / torch.sqrt(var + eps)


def _with_eps_outside(x: torch.Tensor, axis: int, eps: float) -> torch.Tensor:
    std = x.std(axis, correction=0, keepdim=True)
    return (x - x.mean(axis, keepdim=True)) / (std + eps)


def _with_fixed_eps(x: torch.Tensor, axis: int, eps: float) -> torch.Tensor:
    return normalized(x, axis, DEFAULT_EPS)


Normalizer = Callable[[torch.Tensor, int, float], torch.Tensor]
# What is nearly right in forward. A backward function that fits it has made no mistake of its own.
NEARLY: Mapping[str, Normalizer] = {
    "the variance is divided by N - 1, not by N": _with_unbiased_variance,
    "eps stands outside the root: it belongs to the variance": _with_eps_outside,
    "the eps that is given makes no difference": _with_fixed_eps,
}


def layer_of(norm: Norm, case: Case, normalizer: Normalizer = normalized) -> Layer:
    """The layer as a function of x, gamma and beta."""
    return lambda x, gamma, beta: gamma * normalizer(x, norm.axis, case.root_eps) + beta


def right_output(norm: Norm, case: Case) -> Array:
    return layers.value(layer_of(norm, case), *case.arrays)


def nearly_right_outputs(norm: Norm, case: Case) -> dict[str, Array]:
    """What usual slips in the statistics lead to, each with its message."""
    slips = {
        message: layers.value(layer_of(norm, case, normalizer), *case.arrays)
        for message, normalizer in _possible(norm, case).items()
    }
    right = (right_output(norm, case) - case.beta) / case.gamma
    across = layers.value(lambda x: normalized(x, 1 - norm.axis, case.root_eps), case.x)
    return slips | {
        f"the mean is taken over the wrong axis: {norm.what} has one of its own": (
            case.gamma * across + case.beta
        ),
        "gamma and beta are not used": right,
        "beta is not used": case.gamma * right,
        "gamma is not used": right + case.beta,
    }


def _possible(norm: Norm, case: Case) -> dict[str, Normalizer]:
    """The slips that lead to numbers: of a single one, there is no unbiased variance."""
    single = case.x.shape[norm.axis] == 1
    return {
        message: normalizer
        for message, normalizer in NEARLY.items()
        if not (single and normalizer is _with_unbiased_variance)
    }


# -- asking the student ---------------------------------------------------------------------------


def ask_forward(
    student: Student, norm: Norm, case: Case, more: Mapping[str, Any] | None = None
) -> tuple[Array, Any]:
    """The student's out (N, D), and the cache left in the kernel. ``more`` are further settings."""
    settings = norm.settings(case) | dict(more or {})
    answer = student.call(norm.forward, *case.arrays, settings, keep=(1,))
    out, cache = several(norm.forward, answer, "out, cache")
    return expect_shape(out, case.x.shape, "out"), cache


def ask_backward(student: Student, norm: Norm, case: Case, name: str = "") -> dict[str, Array]:
    """The student's dx, dgamma, dbeta from the cache of their own forward function."""
    cache = ask_forward(student, norm, case)[1]
    return gradients_from(student, name or norm.backward, case, cache)


def gradients_from(student: Student, name: str, case: Case, cache: Any) -> dict[str, Array]:
    """What the backward function ``name`` makes of a copy of dout. Failed unless shapes fit."""
    answer = student.call(name, case.dout.copy(), cache)
    shapes = zip(GRADIENTS, several(name, answer, "dx, dgamma, dbeta"), case.arrays, strict=True)
    return {what: expect_shape(got, like.shape, what) for what, got, like in shapes}


def right_gradients(
    norm: Norm, case: Case, normalizer: Normalizer = normalized
) -> dict[str, Array]:
    found = layers.gradients(layer_of(norm, case, normalizer), case.arrays, case.dout)
    return dict(zip(GRADIENTS, found, strict=True))


def gradients_that_fit(student: Student, norm: Norm, case: Case) -> list[dict[str, Array]]:
    """The gradients that are right for this student: one dictionary, or several.

    Somebody whose forward function makes a known slip has lost its points already. A backward
    function that differentiates just that is right, and so is one that is right in itself: by
    its own numbers, or by those that the slip has left in the cache.
    """
    right = [right_gradients(norm, case)]
    out = ask_forward(student, norm, case)[0].astype(np.float64)
    # Strictly: with the default eps, one outside the root makes a difference of 1e-5 only.
    if np.allclose(out, right_output(norm, case), rtol=1e-9, atol=1e-12):
        return right
    for normalizer in _possible(norm, case).values():
        if is_near(out, layers.value(layer_of(norm, case, normalizer), *case.arrays)):
            exact = right_gradients(norm, case, normalizer)
            return [*right, exact, _right_formulas_on(norm, case, normalizer)]
    return right


def _right_formulas_on(norm: Norm, case: Case, normalizer: Normalizer) -> dict[str, Array]:
    """What right formulas make of the normalised x and the standard deviation of a slip."""
    axis = norm.axis
    hat = layers.value(lambda x: normalizer(x, axis, case.root_eps), case.x)
    spread = np.ptp(hat, axis=axis, keepdims=True)  # 0 for a single number: its gradient is 0
    per_std = np.divide(
        spread, np.ptp(case.x, axis=axis, keepdims=True), where=spread > 0, out=spread
    )
    dhat = case.gamma * case.dout
    along = hat * np.mean(dhat * hat, axis=axis, keepdims=True)
    dx = (dhat - dhat.mean(axis=axis, keepdims=True) - along) * per_std
    dgamma, dbeta = np.sum(case.dout * hat, axis=0), case.dout.sum(axis=0)
    return dict(zip(GRADIENTS, (dx, dgamma, dbeta), strict=True))


def is_near(got: Array, want: Array) -> bool:
    """Equal for all that float32 can tell."""
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-4, atol=1e-6)


def size_of_terms(norm: Norm, case: Case, what: str, want: Array) -> float:
    """The largest of the numbers that add up to an entry of this gradient.

    dx is what is left of terms of the size gamma * dout / std when most of them have cancelled.
    Rounding does not cancel with them, and whoever computes in float32 keeps 7 of 16 digits.
    """
    largest = float(np.max(np.abs(want), initial=0.0))
    if what != "dx":
        return largest
    std = np.sqrt(case.x.var(axis=norm.axis, keepdims=True) + case.root_eps)
    return max(largest, float(np.max(np.abs(case.gamma * case.dout) / std)))


def expect_gradient(
    got: Array, fitting: list[dict[str, Array]], what: str, norm: Norm, case: Case, hint: str
) -> None:
    """``got`` must be near ``what`` (dx, dgamma or dbeta) in one of the ``fitting`` gradients."""
    rtol = RTOL.get(as_array(got, what).dtype.name, RTOL["float64"])
    named = f"{what} for x of shape {case.x.shape}"
    if case.eps is not None:
        named += f" and eps = {case.eps:g}"
    want, *others = (gradients[what] for gradients in fitting)
    atol = rtol * size_of_terms(norm, case, what, want) + 1e-8
    if not any(np.allclose(got, other, rtol=rtol, atol=atol) for other in others):
        expect_close(got, want, what=named, hint=hint, rtol=rtol, atol=atol)
