"""What is asked of lstm_backward, over right steps, with the cache of the student's lstm_forward.

Shapes: x, dx (N, T, D); dh (N, T, H); h0, dh0 (N, H); Wx, dWx (D, 4H); Wh, dWh (H, 4H);
b, db (4H,).
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.sequence import (
    SIZES,
    SLIPS,
    SMALLEST,
    gradient_slips,
    gradients,
    states,
)
from autograder.checks.shared.layers import expect_gradient_shapes, fits
from autograder.checks.shared.recurrent_answers import ask_backward
from autograder.checks.shared.recurrent_cases import (
    ARGUMENTS,
    GRADIENTS,
    LSTM,
    Found,
    SequenceCase,
    draw_sequence,
)
from autograder.checks.shared.recurrent_gradients import expect_gradient, right_h
from autograder.judge import Student, check

CELL = "lstm-seq-bwd"
OF_PARAMETERS = ("dWx", "dWh", "db")
HINTS = {
    "dh0": "it is what leaves the first step",
    **dict.fromkeys(OF_PARAMETERS, "the same weights are used at every step"),
}


def _expect_gradients(student: Student, case: SequenceCase, *names: str) -> None:
    """The numbers of these gradients; their shapes have a check of their own."""
    found = ask_backward(student, LSTM, case)
    if found is None:
        return
    usual = gradient_slips(case) if fits(found.h, right_h(LSTM, case)) else {}
    for name in names:
        got = found.gradients[name]
        if any(fits(got, other) for other in _of_a_wrong_forward(found, case, name)):
            continue
        slips = {f"{name}: {message}": wrong[name] for message, wrong in usual.items()}
        hint = HINTS.get(name, "")
        expect_gradient(name, got, LSTM, case, found, hint=hint, slips=slips)


def _of_a_wrong_forward(found: Found, case: SequenceCase, name: str) -> list:
    """The gradient of what lstm_forward makes of the case, where that is a known slip.

    Forward has lost its points for that; whoever differentiates just that has not made another.
    """
    if fits(found.h, right_h(LSTM, case)):
        return []
    known = (slip for slip in SLIPS.values() if fits(found.h, states(case, slip)))
    return [gradients(case, slip)[name] for slip in known]


def _expect_for_all_losses(student: Student, rng: Generator, *names: str) -> None:
    """For a loss at every step, at the last alone, and at the first alone."""
    for sizes in SIZES:
        case = draw_sequence(rng, LSTM, *sizes)
        last = case.x.shape[1] - 1
        for one in (case, case.with_dh_only_at(last), case.with_dh_only_at(0)):
            _expect_gradients(student, one, *names)


@check(CELL, probe="LSTM-A3", weight=2)
def dx(student: Student, rng: Generator) -> None:
    """dx, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, "dx")


@check(CELL, probe="LSTM-A3", weight=2)
def dh0(student: Student, rng: Generator) -> None:
    """dh0, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, "dh0")


@check(CELL, probe="LSTM-A3", weight=4)
def gradients_of_parameters(student: Student, rng: Generator) -> None:
    """dWx, dWh and db, for a loss at every step, at the last alone, and at the first alone."""
    _expect_for_all_losses(student, rng, *OF_PARAMETERS)


@check(CELL, probe="LSTM-A3")
def one_example_or_one_step(student: Student, rng: Generator) -> None:
    """All gradients for N = 1, and for T = 1."""
    for sizes in SMALLEST:
        _expect_gradients(student, draw_sequence(rng, LSTM, *sizes), *GRADIENTS)


@check(CELL, probe="LSTM-A3", condition=True)
def shapes(student: Student, rng: Generator) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    case = draw_sequence(rng, LSTM)
    found = ask_backward(student, LSTM, case)
    if found is not None:
        likes = {name: getattr(case, of) for name, of in zip(GRADIENTS, ARGUMENTS, strict=True)}
        expect_gradient_shapes(list(found.gradients.values()), likes | found.like_dx)
