"""What is asked of lstm_backward, called with the cache of the student's own lstm_forward.

Shapes: x, dx (N, T, D); dh (N, T, H); h0, dh0 (N, H); Wx, dWx (D, 4H); Wh, dWh (H, 4H);
b, db (4H,).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.judging import expect_one_of
from autograder.checks.assignment3.lstm_captioning.sequence import (
    ARGUMENTS,
    GRADIENTS,
    SHAPES,
    SLIPS,
    SMALLEST,
    Gradients,
    SequenceCase,
    back_through,
    draw_sequence,
    gradient_slips,
    gradients,
    states,
)
from autograder.checks.assignment3.lstm_captioning.steps import Steps, over_either
from autograder.checks.shared.layers import expect_gradient_shapes
from autograder.judge import Failed, Student, as_array, check

CELL = "lstm-seq-bwd"
HINTS = {
    "dh0": "it is what the first step hands back",
    **dict.fromkeys(("dWx", "dWh", "db"), "the same weights act at every step"),
}


def fitting_gradients(case: SequenceCase, h: Any, steps: Steps) -> list[Gradients]:
    """The gradients that are right for whoever's lstm_forward returned ``h``; the first is.

    Somebody whose forward function is wrong has lost its points already. Where it makes a known
    slip, a backward function that differentiates just that is right. And so is one that goes
    back rightly through the steps that forward has taken, if that was one for each t.
    """
    fitting, got = [gradients(case)], np.empty(0)
    with suppress(Failed):  # no numbers: forward has lost its points for that
        got = as_array(h)
    if _near(got, states(case)):
        return fitting
    fitting += [gradients(case, slip) for slip in SLIPS.values() if _near(got, states(case, slip))]
    if len(steps.taken) == case.x.shape[1]:
        fitting.append(back_through(steps.taken, case.dh)[1])
    return fitting


def _near(got: np.ndarray, want: np.ndarray) -> bool:
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-5, atol=1e-7)


def _expect_gradients(student: Student, case: SequenceCase, names: Sequence[str]) -> None:
    """The numbers of these gradients; their shapes have a check of their own."""

    def judge(steps: Steps) -> None:
        found, h = steps.backward(case)
        fitting = fitting_gradients(case, h, steps)
        usual = gradient_slips(case) if len(fitting) == 1 else {}
        for name in names:
            slips = {f"{name}: {message}": wrong[name] for message, wrong in usual.items()}
            wants = [gradients[name] for gradients in fitting]
            what, hint = f"{name} {case.about}", HINTS.get(name, "")
            expect_one_of(found[name], wants, what=what, slips=slips, hint=hint)

    over_either(student, judge)


def _expect_for_all_losses(student: Student, rng: Generator, *names: str) -> None:
    """For a loss at every step, at the last alone, and at the first alone."""
    for N, T, D, H in SHAPES:
        case = draw_sequence(rng, N, T, D, H)
        for one in (case, case.with_loss_at(T - 1), case.with_loss_at(0)):
            _expect_gradients(student, one, names)


@check(CELL, probe="LSTM-A3", weight=2)
def dx(student: Student, rng: Generator) -> None:
    """dx, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, "dx")


@check(CELL, probe="LSTM-A3", weight=2)
def dh0(student: Student, rng: Generator) -> None:
    """dh0, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, "dh0")


@check(CELL, probe="LSTM-A3", weight=3)
def gradients_of_parameters(student: Student, rng: Generator) -> None:
    """dWx, dWh and db, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, "dWx", "dWh", "db")


@check(CELL, probe="LSTM-A3")
def one_example_or_one_step(student: Student, rng: Generator) -> None:
    """All gradients for N = 1, and for T = 1."""
    for N, T, D, H in SMALLEST:
        _expect_gradients(student, draw_sequence(rng, N, T, D, H), GRADIENTS)


@check(CELL, probe="LSTM-A3", condition=True)
def shapes(student: Student, rng: Generator) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    case = draw_sequence(rng, 3, 4, 5, 6)

    def judge(steps: Steps) -> None:
        found, _ = steps.backward(case)
        likes = {name: getattr(case, of) for name, of in zip(GRADIENTS, ARGUMENTS, strict=True)}
        expect_gradient_shapes([found[name] for name in likes], likes)

    over_either(student, judge)
