"""How a student's recurrent layer over a sequence is asked: over right steps.

A wrong step has cost its own question. Here the judge answers for the steps, and remembers what
they were asked for: so a backward function is right that goes back through the steps that were
really taken, even where forward took wrong ones.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, k H), Wh (H, k H), b (k H,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_recurrent, layers, recurrent
from autograder.checks.shared.layers import Array, Layer, fits, unpack
from autograder.judge import Student, expect_near, expect_unchanged

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
    """

    h: Any
    gradients: tuple[Mapping[str, Any], ...]  # for each dh
    steps: tuple[tuple[Array, ...], ...]


# -- asking ---------------------------------------------------------------------------------------


def ask_forward(student: Student, layer: Recurrent, case: SequenceCase) -> Any:
    """h, not looked at; failed unless there is a cache, too."""
    made, right, _ = _over_right_steps(student, layer)
    function, cells = in_kernel_recurrent.forward, made["cells"]
    answer = student.apply(function, made, right, case.arguments, cells=cells, keep=(1,))
    return unpack(f"{layer.name}_forward", answer, "h, cache")[0]


def ask_arguments_afterwards(
    student: Student, layer: Recurrent, case: SequenceCase
) -> tuple[Any, ...]:
    """x, h0, Wx, Wh and b after a call of the forward function."""
    made, right, _ = _over_right_steps(student, layer)
    function, cells = in_kernel_recurrent.arguments_afterwards, made["cells"]
    return tuple(student.apply(function, made, right, case.arguments, cells=cells))


def ask_backward(student: Student, layer: Recurrent, case: SequenceCase, *more_dh: Array) -> Found:
    """h and the gradients for the case's dh, and for more of them, from the same cache."""
    made, right, steps = _over_right_steps(student, layer)
    upstreams = [dh.copy() for dh in (case.dh, *more_dh)]
    function, cells = in_kernel_recurrent.forward_and_backward, made["cells"]
    h, answers = student.apply(function, made, right, case.arguments, upstreams, cells=cells)
    if answers is None:
        unpack(f"{layer.name}_forward", h, "h, cache")
    wanted = ", ".join(GRADIENTS)
    found = [unpack(f"{layer.name}_backward", one, wanted) for one in answers or ()]
    named = tuple(dict(zip(GRADIENTS, one, strict=True)) for one in found)
    return Found(h, named, tuple(steps))


def expect_forward_changes_nothing(student: Student, layer: Recurrent, case: SequenceCase) -> None:
    """x, h0 and the parameters must be as before after forward."""
    made, right, _ = _over_right_steps(student, layer)
    function, cells = in_kernel_recurrent.arguments_after_forward, made["cells"]
    now = student.apply(function, made, right, case.arguments, cells=cells)
    for name, array, before in zip(ARGUMENTS, now, case.arguments, strict=True):
        expect_unchanged(array, before, name)


def _over_right_steps(
    student: Student, layer: Recurrent
) -> tuple[dict[str, Any], dict[str, Any], list[tuple[Array, ...]]]:
    """What `in_kernel_recurrent` needs, and a list that fills with the arguments of the steps."""
    steps: list[tuple[Array, ...]] = []

    def forward(*given: Any) -> tuple[Array, ...]:
        arguments = _with_like_states(given)
        states = layers.value(layer.step, *arguments)
        steps.append(arguments)
        return tuple(states) if layer.states > 1 else (states,)

    def backward(upstream: list[Array], arguments: list[Array]) -> tuple[Array, ...]:
        dstates = np.stack(_like_first(upstream)) if layer.states > 1 else upstream[0]
        return layers.gradients(layer.step, _with_like_states(arguments), dstates)

    both = (f"{layer.name}_forward", f"{layer.name}_backward")
    cells = dict.fromkeys(filter(None, map(student.cell_defining, both)))
    made = {
        "step": f"{layer.name}_step",
        "layer": layer.name,
        "arguments": list(layer.arguments),
        "cells": list(cells),
    }
    right = {
        "forward": student.stand_in(forward, f"{layer.name}_step_forward", weights=2),
        "backward": student.stand_in(backward, f"{layer.name}_step_backward", weights=2),
    }
    return made, right, steps


def _like_first(states: Sequence[Any]) -> list[Array]:
    """States of one shape: for a cell of zeros, a plain 0 will do."""
    return [np.broadcast_to(state, np.shape(states[0])) for state in states]


def _with_like_states(arguments: Sequence[Any]) -> tuple[Array, ...]:
    x, *states, Wx, Wh, b = arguments
    return (x, *_like_first(states), Wx, Wh, b)


# -- what is right --------------------------------------------------------------------------------


def right_h(layer: Recurrent, case: SequenceCase) -> Array:
    return layers.value(layer.sequence, *case.arguments)


def right_gradients(layer: Recurrent, case: SequenceCase) -> dict[str, Array]:
    found = layers.gradients(layer.sequence, case.arguments, case.dh)
    return dict(zip(GRADIENTS, found, strict=True))


def gradients_along(
    layer: Recurrent, case: SequenceCase, steps: tuple[tuple[Array, ...], ...]
) -> dict[str, Array] | None:
    """What going back through the steps that forward took makes of dh.

    None unless there was one step for each word. What leaves one step backwards enters the one
    before it, together with the gradient that the loss has there.
    """
    N, T, _ = case.x.shape
    if len(steps) != T:
        return None
    carried = [np.zeros_like(case.h0) for _ in range(layer.states)]
    dxs, of_weights = [], []
    for t in reversed(range(T)):
        upstream = np.stack([case.dh[:, t] + carried[0], *carried[1:]])
        upstream = upstream if layer.states > 1 else upstream[0]
        try:
            dx, *rest = layers.gradients(layer.step, steps[t], upstream)
        except (ValueError, RuntimeError, TypeError):  # steps with arguments of other shapes
            return None
        carried = rest[: layer.states]
        dxs.append(dx)
        of_weights.append(rest[layer.states :])
    if any(dx.shape != (N, case.x.shape[2]) for dx in dxs):
        return None
    weights = [sum(parts) for parts in zip(*of_weights, strict=True)]
    found = (np.stack(dxs[::-1], axis=1), carried[0], *weights)
    return dict(zip(GRADIENTS, map(np.asarray, found), strict=True))


# -- judging --------------------------------------------------------------------------------------


def expect_gradient(
    what: str,
    got: Any,
    layer: Recurrent,
    case: SequenceCase,
    found: Found,
    *,
    about: str = "",
    hint: str = "",
    slips: Mapping[str, Array] | None = None,
) -> None:
    """One gradient has the right numbers: those of a right forward, or of the steps it took."""
    taken = gradients_along(layer, case, found.steps)
    if taken is not None and fits(got, taken[what]):
        return
    want = right_gradients(layer, case)[what]
    expect_near(
        got, want, what=f"{what} {about or case.about}", hint=hint, slips=slips, squeeze=True
    )
