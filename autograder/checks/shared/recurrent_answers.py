"""How a student's recurrent layer over a sequence is asked: over right steps.

A wrong step has cost its own question. Here the judge answers for the steps, and remembers what
they were asked for: so a backward function is right that goes back through the steps that were
really taken, even where forward took wrong ones.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, k H), Wh (H, k H), b (k H,).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checks.shared import in_kernel_recurrent, layers
from autograder.checks.shared.layers import Array, fits, unpack
from autograder.checks.shared.recurrent_cases import (
    ARGUMENTS,
    GRADIENTS,
    Found,
    Recurrent,
    SequenceCase,
    draw_sequence,
)
from autograder.checks.shared.recurrent_gradients import right_gradients
from autograder.judge import Failed, Student, StudentError, expect_unchanged


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
