"""One step of the RNN: random cases, usual slips, and what is right after a slip.

Shapes: x (N, D), prev_h and next_h (N, H), Wx (D, H), Wh (H, H), b (H,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array, Layer, fits, unpack
from autograder.judge import Student

GRADIENTS: tuple[str, ...] = ("dx", "dprev_h", "dWx", "dWh", "db")
SIZES = ((4, 5, 3), (1, 3, 6), (7, 2, 2))  # N, D, H: none fits another's place by chance


def _sum(
    x: torch.Tensor, prev_h: torch.Tensor, Wx: torch.Tensor, Wh: torch.Tensor, b: torch.Tensor
) -> torch.Tensor:
    return x @ Wx + prev_h @ Wh + b


#: Slips in a step by what is said about them.
SLIPS: dict[str, Layer] = {
    "next_h lacks the bias b": lambda x, h, Wx, Wh, b: torch.tanh(_sum(x, h, Wx, Wh, 0 * b)),
    "prev_h makes no difference": lambda x, h, Wx, Wh, b: torch.tanh(_sum(x, 0 * h, Wx, Wh, b)),
    "x makes no difference": lambda x, h, Wx, Wh, b: torch.tanh(_sum(0 * x, h, Wx, Wh, b)),
    "prev_h is multiplied by Wh.T; it should be Wh": lambda x, h, Wx, Wh, b: torch.tanh(
        _sum(x, h, Wx, Wh.T, b)
    ),
    "b is added after tanh; it belongs inside": lambda x, h, Wx, Wh, b: (
        torch.tanh(_sum(x, h, Wx, Wh, 0 * b)) + b
    ),
    "each product goes through a tanh of its own; one tanh takes the sum": lambda x, h, Wx, Wh, b: (
        torch.tanh(x @ Wx) + torch.tanh(h @ Wh) + b
    ),
    "a sigmoid takes the place of tanh": lambda *arguments: torch.sigmoid(_sum(*arguments)),
    "a ReLU takes the place of tanh": lambda *arguments: torch.relu(_sum(*arguments)),
    "tanh is missing": _sum,
}


@dataclass(frozen=True)
class StepCase:
    """The arguments of a step, and the gradient of the loss with respect to next_h."""

    x: Array
    prev_h: Array
    Wx: Array
    Wh: Array
    b: Array
    dnext_h: Array

    @property
    def arguments(self) -> tuple[Array, ...]:
        return self.x.copy(), self.prev_h.copy(), self.Wx.copy(), self.Wh.copy(), self.b.copy()

    @property
    def about(self) -> str:
        return f"for x of shape {self.x.shape} and prev_h of shape {self.prev_h.shape}"


def draw_step(rng: Generator, N: int, D: int, H: int) -> StepCase:
    """Random numbers, of such a size that tanh bends them."""
    return StepCase(
        x=rng.normal(size=(N, D)),
        prev_h=rng.normal(size=(N, H)),
        Wx=rng.normal(size=(D, H)) / np.sqrt(D),
        Wh=rng.normal(size=(H, H)) / np.sqrt(H),
        b=rng.normal(size=H),
        dnext_h=rng.normal(size=(N, H)),
    )


def ask_forward(student: Student, case: StepCase) -> tuple[Any, Any]:
    """The student's next_h, not looked at, and the cache left in the kernel."""
    answer = student.call("rnn_step_forward", *case.arguments, keep=(1,))
    next_h, cache = unpack("rnn_step_forward", answer, "next_h, cache")
    return next_h, cache


def right_next_h(case: StepCase) -> Array:
    return layers.value(recurrent.rnn_step, *case.arguments)


def slipped_next_h(case: StepCase) -> dict[str, Array]:
    return {message: layers.value(step, *case.arguments) for message, step in SLIPS.items()}


def right_gradients(case: StepCase) -> dict[str, Array]:
    return _named(layers.gradients(recurrent.rnn_step, case.arguments, case.dnext_h))


def fitting_gradients(case: StepCase, next_h: Any) -> list[dict[str, Array]]:
    """The gradients that are right for whoever's forward step returned ``next_h``.

    Who has made a known slip there has lost the points for it. Their backward step is right if it
    differentiates just that, or if the right formulas are applied to the next_h in the cache. A
    step without tanh is not differentiated for anybody: that would be a shorter question.
    """
    found = [right_gradients(case)]
    for message, slipped in slipped_next_h(case).items():
        if not fits(next_h, slipped):
            continue
        if SLIPS[message] is not _sum:
            found.append(_named(layers.gradients(SLIPS[message], case.arguments, case.dnext_h)))
        found.append(through_tanh(case, case.dnext_h * (1 - slipped**2)))
    return found


def slipped_gradients(case: StepCase, what: str) -> dict[str, Array]:
    """Usual slips in one gradient, by what is said about them."""
    dnext_h, next_h = case.dnext_h, right_next_h(case)
    whole = {
        "goes back as if there were no tanh": dnext_h,
        "has a wrong derivative of tanh: 1 - next_h, without the square": dnext_h * (1 - next_h),
        "has a wrong derivative of tanh: next_h * (1 - next_h) is a sigmoid's": (
            dnext_h * next_h * (1 - next_h)
        ),
        "has a wrong derivative of tanh: tanh is applied to next_h once more": (
            dnext_h * (1 - np.tanh(next_h) ** 2)
        ),
    }
    da = dnext_h * (1 - next_h**2)
    slips = {f"{what} {text}": through_tanh(case, d)[what] for text, d in whole.items()}
    if what == "dprev_h":
        slips["dprev_h is a product with Wh; it should be with Wh.T"] = da @ case.Wh
    if what == "db":
        slips["db is a mean over the rows; b is added to every row, so its gradient is a sum"] = (
            da.mean(axis=0)
        )
    if what == "dWh":
        slips["dWh is computed from next_h; it was prev_h that Wh multiplied"] = next_h.T @ da
        slips["dWh is transposed"] = da.T @ case.prev_h
    return slips


def through_tanh(case: StepCase, da: Array) -> dict[str, Array]:
    """All gradients from that of the sum within tanh (N, H)."""
    x, prev_h, Wx, Wh, _ = case.arguments
    return _named((da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)))


def _named(found: tuple[Array, ...]) -> dict[str, Array]:
    return dict(zip(GRADIENTS, found, strict=True))
