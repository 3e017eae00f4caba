"""How a student's recurrent layer over a sequence is asked: over right steps.

A wrong step has cost its own question. Here the judge answers for the steps, and remembers what
they were asked for: so a backward function is right that goes back through the steps that were
really taken, even where forward took wrong ones.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, k H), Wh (H, k H), b (k H,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_recurrent, layers, recurrent
from autograder.checks.shared.layers import Array, Layer, fits, unpack
from autograder.judge import Failed, Student, StudentError, expect_near, expect_unchanged

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


def ask_backward(student: Student, layer: Recurrent, case: SequenceCase) -> Found | None:
    """h and the gradients for the case's dh, from the cache of the student's own forward.

    None where there is nothing to ask: forward miscounts its steps, and for a single word it took
    none, or raised.
    """
    steps, T = list[tuple[Array, ...]](), case.x.shape[1]
    try:
        found = _go_and_come_back(student, layer, case, steps)
    except StudentError:
        found = None
        if len(steps) in (0, T) and not (T == 1 and _miscounts(student, layer)):
            raise
    if len(steps) in (0, T):
        return None if T == 1 and not steps and _miscounts(student, layer) else found
    if found is not None:
        right = right_gradients(layer, case)
        if all(fits(found.gradients[name], right[name]) for name in GRADIENTS):
            return found
    fitting = np.resize(case.dh, (len(case.dh), len(steps), case.dh.shape[2]))
    fitting[:, : case.dh.shape[1]] = case.dh[:, : len(steps)]
    return _go_and_come_back(student, layer, replace(case, dh=fitting), [])


def _go_and_come_back(
    student: Student, layer: Recurrent, case: SequenceCase, steps: list[tuple[Array, ...]]
) -> Found:
    """Forward and backward over right steps; their arguments are added to ``steps``."""
    made, right, taken = _over_right_steps(student, layer, steps)
    function, cells = in_kernel_recurrent.forward_and_backward, made["cells"]
    upstream = [case.dh.copy()]
    h, answers = student.apply(function, made, right, case.arguments, upstream, cells=cells)
    if answers is None:
        unpack(f"{layer.name}_forward", h, "h, cache")
    answer = answers[0] if answers else None
    found = unpack(f"{layer.name}_backward", answer, ", ".join(GRADIENTS))
    return Found(h, dict(zip(GRADIENTS, found, strict=True)), tuple(taken), case)


def _miscounts(student: Student, layer: Recurrent) -> bool:
    """Whether forward takes another number of steps than there are words, but some."""

    def miscounts() -> bool:
        case, steps = draw_sequence(np.random.default_rng(0), layer), list[tuple[Array, ...]]()
        with suppress(StudentError, Failed):
            made, right, _ = _over_right_steps(student, layer, steps)
            function, cells = in_kernel_recurrent.forward, made["cells"]
            student.apply(function, made, right, case.arguments, cells=cells, keep=(1,))
            return len(steps) not in (0, case.x.shape[1])
        return False

    return student.once(f"steps of {layer.name}_forward", miscounts)


def expect_forward_changes_nothing(student: Student, layer: Recurrent, case: SequenceCase) -> None:
    """x, h0 and the parameters must be as before after forward."""
    made, right, _ = _over_right_steps(student, layer)
    function, cells = in_kernel_recurrent.arguments_after_forward, made["cells"]
    now = student.apply(function, made, right, case.arguments, cells=cells)
    for name, array, before in zip(ARGUMENTS, now, case.arguments, strict=True):
        expect_unchanged(array, before, name)


def _over_right_steps(
    student: Student, layer: Recurrent, steps: list[tuple[Array, ...]] | None = None
) -> tuple[dict[str, Any], dict[str, Any], list[tuple[Array, ...]]]:
    """What `in_kernel_recurrent` needs, and a list that fills with the arguments of the steps."""
    steps = [] if steps is None else steps

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

    None unless there was one step for each dh[:, t]. What leaves one step backwards enters the one
    before it, together with the gradient that the loss has there.
    """
    N, T, _ = case.dh.shape
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
    taken = gradients_along(layer, found.case, found.steps)
    if taken is not None and fits(got, _like(got, taken[what])):
        return
    want = right_gradients(layer, case)[what]
    if found.miscounted and taken is not None:
        want, slips = _like(got, taken[what]), None
        about = f"over the {len(found.steps)} steps that {layer.name}_forward took {case.about}"
    expect_near(
        got, want, what=f"{what} {about or case.about}", hint=hint, slips=slips, squeeze=True
    )


def _like(got: Any, want: Array) -> Array:
    """The gradient of a sequence, with zeros for steps that were not taken, if ``got`` has more."""
    shape = np.shape(got)
    if want.ndim != 3 or len(shape) != 3 or shape[1] <= want.shape[1]:
        return want
    return np.pad(want, ((0, 0), (0, shape[1] - want.shape[1]), (0, 0)))
