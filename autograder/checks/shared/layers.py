"""Layers and losses by torch's autograd in float64, and how a student's layer is asked.

Shapes: x (N, d_1, ..., d_k) with D = d_1 * ... * d_k; w (D, M); b (M,); scores (N, C); y (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.judge import Failed, Slips, Student, expect_near, expect_shape

Array = np.ndarray
Layer = Callable[..., torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Distance to the nearest kink, for numbers of size one: neither float32's rounding (1e-7) nor a
# step of a finite difference (1e-5) can cross it.
AWAY = 1e-3


def affine(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return x.flatten(1) @ w + b


def hinge(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    # torch also divides by the number of classes; the course does not.
    return functional.multi_margin_loss(scores, y, margin=1.0) * scores.shape[1]


relu: Layer = torch.relu
cross_entropy: Loss = functional.cross_entropy


def value(layer: Layer, *arrays: Array) -> Array:
    """The output of a layer."""
    return layer(*(torch.tensor(array, dtype=torch.float64) for array in arrays)).numpy()


def gradients(layer: Layer, arrays: Sequence[Array], dout: Array) -> tuple[Array, ...]:
    """The gradient of sum(layer(*arrays) * dout) with respect to each of the arrays."""
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    layer(*leaves).backward(torch.tensor(dout, dtype=torch.float64))
    return tuple(leaf.grad.numpy() for leaf in leaves if leaf.grad is not None)


def loss_and_gradient(loss: Loss, scores: Array, y: Array) -> tuple[float, Array]:
    """The mean loss of scores (N, C), and its gradient (N, C)."""
    leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    result = loss(leaf, torch.tensor(y, dtype=torch.int64))
    result.backward()
    assert leaf.grad is not None
    return float(result.detach()), leaf.grad.numpy()


# -- inputs ---------------------------------------------------------------------------------------


class Affine(NamedTuple):
    """The arguments of an affine layer, and an upstream gradient (N, M)."""

    x: Array
    w: Array
    b: Array
    dout: Array

    @property
    def arguments(self) -> tuple[Array, Array, Array]:
        return self.x.copy(), self.w.copy(), self.b.copy()


def draw_affine(rng: Generator, shape: Sequence[int], outputs: int) -> Affine:
    """Random numbers for x of this shape."""
    width = int(np.prod(shape[1:]))
    return Affine(
        rng.normal(size=shape),
        rng.normal(size=(width, outputs)),
        rng.normal(size=outputs),
        rng.normal(size=(shape[0], outputs)),
    )


def away_from_zero(rng: Generator, shape: Sequence[int]) -> Array:
    """Normal numbers of either sign, none of them near 0."""
    x = rng.normal(size=shape)
    return x + np.copysign(AWAY, x)


def margins(scores: Array, y: Array) -> Array:
    """s_j - s_y + 1 for every class (N, C); 1 for the right class."""
    return scores - np.take_along_axis(scores, y[:, None], axis=1) + 1


def draw_scores(rng: Generator, N: int, C: int, scale: float = 1.0) -> tuple[Array, Array]:
    """Random scores (N, C), and labels (N,), each class where N allows.

    No margin is near its kink, and one at least is violated: the loss is not 0.
    """
    while True:
        scores, y = scale * rng.normal(size=(N, C)), rng.permutation(np.arange(N) % C)
        lacking = margins(scores, y)
        violated = np.count_nonzero(lacking > 0) > N  # the right class's own margin is 1
        if violated and np.abs(lacking).min() > AWAY * max(1.0, scale):
            return scores, y


# -- asking the student ---------------------------------------------------------------------------


def forward(student: Student, name: str, *arrays: Array) -> tuple[object, object]:
    """What the student's forward function makes of copies: out, and the cache left in the kernel.

    Failed unless these are two things. What the cache holds is free.
    """
    return unpack(name, student.call(name, *(a.copy() for a in arrays), keep=(1,)), "out, cache")


def backward(
    student: Student, name: str, dout: Array, cache: object, wanted: str
) -> tuple[object, ...]:
    """The gradients that ``wanted`` names ("dx, dw, db"), from a cache of the student's forward.

    They are not yet looked at: a check judges its own gradient alone.
    """
    return unpack(name, student.call(name, dout.copy(), cache), wanted)


def affine_backward(student: Student, case: Affine) -> tuple[Array, Array, Array]:
    """The student's dx, dw, db for an upstream gradient, from the cache of their own forward."""
    _, cache = forward(student, "affine_forward", *case.arguments)
    answer = student.call("affine_backward", case.dout.copy(), cache)
    return in_shape(unpack("affine_backward", answer, "dx, dw, db"), case)


def in_shape(answer: Sequence[object], case: Affine) -> tuple[Array, Array, Array]:
    """dx, dw, db as arrays. Failed unless each has the shape of what it is the gradient of."""
    dx, dw, db = (
        expect_shape(got, like.shape, f"{name} for x of shape {case.x.shape}")
        for name, got, like in zip(("dx", "dw", "db"), answer, case, strict=False)
    )
    return dx, dw, db


def ask_loss(student: Student, name: str, scores: Array, y: Array) -> tuple[object, object]:
    """The student's loss and gradient, not yet looked at. Failed unless these are two things."""
    return unpack(name, student.call(name, scores.copy(), y.copy()), "loss, dx")


def expect_gradient(
    got: object, want: Array, what: str, *, slips: Slips | None = None, hint: str = ""
) -> None:
    """The numbers of one gradient; ``expect_gradient_shapes`` asks for its shape."""
    expect_near(got, want, what=what, slips=slips, hint=hint, squeeze=True)


def fits(got: object, want: Array | float) -> bool:
    """Whether an answer has these numbers, as ``expect_gradient`` would judge it."""
    try:
        expect_near(got, np.asarray(want), what="it", squeeze=True)
    except Failed:
        return False
    return True


def expect_gradient_shapes(
    answer: Sequence[object], likes: Mapping[str, Array], about: str = ""
) -> None:
    """Each gradient has the shape of what it is the gradient of: ``{"dx": x, "dw": w, ...}``."""
    for got, (name, like) in zip(answer, likes.items(), strict=True):
        expect_shape(got, like.shape, f"{name} {about}".rstrip())


def unpack(name: str, answer: object, wanted: str) -> tuple:
    """The things that a function returned. Failed unless they are as many as ``wanted`` names."""
    count = wanted.count(",") + 1
    if answer is None:
        raise Failed(f"{name} returned None: is a return statement missing?")
    if not isinstance(answer, tuple | list) or len(answer) != count:
        found = f"{len(answer)} values" if isinstance(answer, tuple | list) else "one value"
        raise Failed(f"{name} must return {count} values, {wanted}; it returned {found}")
    return tuple(answer)
