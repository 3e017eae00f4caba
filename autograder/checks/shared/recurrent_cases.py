"""Recurrent layers over a sequence: inputs for one, and what a student's made of them.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, k H), Wh (H, k H), b (k H,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import recurrent
from autograder.checks.shared.layers import Array, Layer

ARGUMENTS: tuple[str, ...] = ("x", "h0", "Wx", "Wh", "b")
GRADIENTS: tuple[str, ...] = ("dx", "dh0", "dWx", "dWh", "db")


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer: what it is called, what is right, and how many states a step carries."""

    name: str
    sequence: Layer
    step: Layer  # of two states they are stacked: (2, N, H)
    arguments: tuple[str, ...]  # of a step
    gates: int = 1

    @property
    def states(self) -> int:
        return len(self.arguments) - 4  # all but x, Wx, Wh and b


RNN = Recurrent("rnn", recurrent.rnn, recurrent.rnn_step, ("x", "prev_h", "Wx", "Wh", "b"))
LSTM = Recurrent(
    "lstm", recurrent.lstm, recurrent.lstm_step, ("x", "prev_h", "prev_c", "Wx", "Wh", "b"), gates=4
)


@dataclass(frozen=True)
class SequenceCase:
    """The arguments of a recurrent layer, and a gradient of the loss at each step."""

    x: Array
    h0: Array
    Wx: Array
    Wh: Array
    b: Array
    dh: Array

    @property
    def arguments(self) -> tuple[Array, ...]:
        return self.x.copy(), self.h0.copy(), self.Wx.copy(), self.Wh.copy(), self.b.copy()

    @property
    def about(self) -> str:
        """Which case it is, for a message."""
        return f"for x of shape {self.x.shape} and h0 of shape {self.h0.shape}"

    def with_dh_only_at(self, step: int) -> Self:
        """The same with a gradient at one step, and none elsewhere."""
        dh = np.zeros_like(self.dh)
        dh[:, step] = self.dh[:, step]
        return replace(self, dh=dh)


def draw_sequence(
    rng: Generator, layer: Recurrent, N: int = 3, T: int = 4, D: int = 5, H: int = 6
) -> SequenceCase:
    """Random numbers, of such a size that what happens at one step still counts at the last."""
    columns = layer.gates * H
    return SequenceCase(
        x=rng.normal(size=(N, T, D)),
        h0=rng.normal(size=(N, H)),
        Wx=rng.normal(size=(D, columns)) / np.sqrt(D),
        Wh=rng.normal(size=(H, columns)) / np.sqrt(H),
        b=0.5 * rng.normal(size=columns),
        dh=rng.normal(size=(N, T, H)),
    )


@dataclass(frozen=True)
class Found:
    """What the student's pair of functions made of a case; nothing in it has been looked at.

    ``steps``: the arguments of the step functions, in the order in which forward called them.
    ``case`` is the one that was asked, but for ``dh``: where forward takes too few steps, or too
    many, it has lost its points, and backward gets a dh for each step that forward took.
    """

    h: Any
    gradients: Mapping[str, Any]
    steps: tuple[tuple[Array, ...], ...]
    case: SequenceCase

    @property
    def miscounted(self) -> bool:
        """Whether dh has another number of steps than x."""
        return self.case.dh.shape[1] != self.case.x.shape[1]

    @property
    def like_dx(self) -> dict[str, Array]:
        """What dx is shaped like, where it goes back over other steps than there are words."""
        dx, (N, T, _) = self.gradients["dx"], self.case.dh.shape
        of_steps = self.miscounted and np.shape(dx) == (N, T, self.case.x.shape[2])
        return {"dx": np.empty(np.shape(dx))} if of_steps else {}
