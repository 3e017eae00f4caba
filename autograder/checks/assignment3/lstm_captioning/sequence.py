"""Sequences of LSTM steps by torch in float64, and what usual slips make of them.

Shapes: x (N, T, D); h, dh (N, T, H); h0 (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.cell import Case, Tensor, autograd, step
from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array

Gradients = dict[str, Array]
Unroll = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]

ARGUMENTS = ("x", "h0", "Wx", "Wh", "b")
GRADIENTS = ("dx", "dh0", "dWx", "dWh", "db")
SHAPES = ((3, 4, 5, 6), (2, 6, 7, 3))  # N, T, D, H
SMALLEST = ((1, 4, 5, 6), (3, 1, 5, 6))  # one example; one step


@dataclass(frozen=True)
class SequenceCase:
    """The arguments of lstm_forward, and the gradient of the loss at every step."""

    x: Array
    h0: Array
    Wx: Array
    Wh: Array
    b: Array
    dh: Array

    @property
    def arguments(self) -> tuple[Array, ...]:
        """Copies, in the order of the call."""
        return tuple(getattr(self, name).copy() for name in ARGUMENTS)

    @property
    def about(self) -> str:
        N, T, _ = self.x.shape
        return f"for N = {N} and T = {T}"

    def with_loss_at(self, t: int) -> SequenceCase:
        """The same with a loss at step ``t`` alone."""
        dh = np.zeros_like(self.dh)
        dh[:, t] = self.dh[:, t]
        return replace(self, dh=dh)


def draw_sequence(rng: Generator, N: int, T: int, D: int, H: int) -> SequenceCase:
    """Random numbers for which forget gates are mostly open, so that early steps still count."""
    b = rng.normal(size=4 * H)
    b[H : 2 * H] += 1
    return SequenceCase(
        x=rng.normal(size=(N, T, D)),
        h0=rng.uniform(-1, 1, size=(N, H)),
        Wx=rng.normal(size=(D, 4 * H)) / np.sqrt(D),
        Wh=1.5 * rng.normal(size=(H, 4 * H)) / np.sqrt(H),
        b=b,
        dh=rng.normal(size=(N, T, H)),
    )


# -- forward --------------------------------------------------------------------------------------


def unroll(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """The hidden states (N, T, H); the cell starts at zero."""
    h, c, states = h0, torch.zeros_like(h0), []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h, c, Wx, Wh, b)
        states.append(h)
    return torch.stack(states, dim=1)


def _cells(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    h, c, cells = h0, torch.zeros_like(h0), []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h, c, Wx, Wh, b)
        cells.append(c)
    return torch.stack(cells, dim=1)


def _cell_starts_anew(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    h, states = h0, []
    for t in range(x.shape[1]):
        h, _ = step(x[:, t], h, torch.zeros_like(h0), Wx, Wh, b)
        states.append(h)
    return torch.stack(states, dim=1)


def _hidden_starts_anew(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    c, states = torch.zeros_like(h0), []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h0, c, Wx, Wh, b)
        states.append(h)
    return torch.stack(states, dim=1)


def _cell_from_h0(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    h, c, states = h0, h0, []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h, c, Wx, Wh, b)
        states.append(h)
    return torch.stack(states, dim=1)


def _shifted(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensor:
    return torch.cat([h0[:, None], unroll(x, h0, *weights)[:, :-1]], dim=1)


SLIPS: dict[str, Unroll] = {
    "the cell starts anew at every step; it is carried on, as h is": _cell_starts_anew,
    "every step starts from h0; step t starts from the h of step t - 1": _hidden_starts_anew,
    "the cell starts at h0; it starts at zero": _cell_from_h0,
    "h0 has no effect": lambda x, h0, *weights: unroll(x, 0 * h0, *weights),
    "every step reads the first x": lambda x, *rest: unroll(x[:, :1].expand(x.shape), *rest),
    "x is read from its last step to its first": lambda x, *rest: unroll(x.flip(1), *rest),
    "h holds the steps from the last to the first": lambda *args: unroll(*args).flip(1),
    "h begins with h0; it holds the states after each step": _shifted,
    "h holds the cells, not the hidden states": _cells,
    "every step of h holds the last hidden state": lambda *args: unroll(*args)[:, -1:].expand(
        *args[0].shape[:2], -1
    ),
}


def states(case: SequenceCase, by: Unroll = unroll) -> Array:
    """h (N, T, H)."""
    return layers.value(by, *case.arguments)


def gradients(case: SequenceCase, by: Unroll = unroll) -> Gradients:
    """The five gradients of sum(h * dh)."""
    found = layers.gradients(by, case.arguments, case.dh)
    return dict(zip(GRADIENTS, found, strict=True))


# -- backward -------------------------------------------------------------------------------------


def steps_of(case: SequenceCase) -> list[Case]:
    """What each step is called with."""
    h, c, found = case.h0, np.zeros_like(case.h0), []
    for t in range(case.x.shape[1]):
        one = Case(case.x[:, t], h, c, case.Wx, case.Wh, case.b, np.empty(0), np.empty(0))
        found.append(one)
        args = (torch.tensor(array) for array in one.arguments)
        h, c = (state.numpy() for state in step(*args))
    return found


def back_through(
    steps: Sequence[Case], dh: Array, *, keep_h: float = 1.0, keep_c: float = 1.0
) -> tuple[list[dict[str, Array]], Gradients]:
    """Each step's own gradients, and those of the whole sequence, whatever the steps were.

    ``keep_h``, ``keep_c``: how much of each gradient is handed on to the step before.
    """
    carried_h, carried_c = np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    each: list[dict[str, Array]] = []
    for t in reversed(range(len(steps))):
        one = replace(steps[t], dnext_h=dh[:, t] + carried_h, dnext_c=carried_c)
        each.insert(0, autograd(one))
        carried_h, carried_c = keep_h * each[0]["dprev_h"], keep_c * each[0]["dprev_c"]
    summed = {name: np.sum([at[name] for at in each], axis=0) for name in ("dWx", "dWh", "db")}
    dx = np.stack([at["dx"] for at in each], axis=1)
    return each, {"dx": dx, "dh0": each[0]["dprev_h"], **summed}


def gradient_slips(case: SequenceCase) -> dict[str, Gradients]:
    """What usual slips make of the gradients, each with its message."""
    steps, T = steps_of(case), case.x.shape[1]
    each, right = back_through(steps, case.dh)
    names = ("dWx", "dWh", "db")
    last = case.with_loss_at(T - 1)
    return {
        "the h of step t also acts through step t + 1: what that hands back is missing": (
            back_through(steps, case.dh, keep_h=0)[1]
        ),
        "the cell's gradient is not handed back from step to step": (
            back_through(steps, case.dh, keep_c=0)[1]
        ),
        "steps are not connected: neither gradient is handed back": (
            back_through(steps, case.dh, keep_h=0, keep_c=0)[1]
        ),
        "only the loss of the last step counts; dh[:, t] enters at every step": (
            back_through(steps, last.dh)[1]
        ),
        "only the first step counts; the same weights act at every step, so add them up": (
            right | {name: each[0][name] for name in names}
        ),
        "only the last step counts; the same weights act at every step, so add them up": (
            right | {name: each[-1][name] for name in names}
        ),
        "it is a mean over the steps; it is their sum": (
            right | {name: right[name] / T for name in names}
        ),
        "it is divided by N; only the loss takes a mean over examples": {
            name: value / len(case.x) for name, value in right.items()
        },
        "the steps stand in the order of the walk, from the last to the first": (
            right | {"dx": right["dx"][:, ::-1]}
        ),
        "the loss of the first step is added again; it acts on the h after that step": (
            right | {"dh0": right["dh0"] + case.dh[:, 0]}
        ),
        "it is what the last step hands back; go on to the first": (
            right | {"dh0": each[-1]["dprev_h"]}
        ),
        "it is the gradient of the cell before the first step": (
            right | {"dh0": each[0]["dprev_c"]}
        ),
    }
