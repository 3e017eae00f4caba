"""What is asked of rnn_step_forward and rnn_forward.

Shapes: x (N, D) or (N, T, D); prev_h, next_h, h0 (N, H); h (N, T, H).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.rnn_captioning import sequences, steps
from autograder.checks.assignment3.rnn_captioning.steps import draw_step
from autograder.checks.shared.recurrent_answers import ask_arguments_afterwards, ask_forward
from autograder.checks.shared.recurrent_cases import RNN, draw_sequence
from autograder.checks.shared.recurrent_gradients import right_h
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import (
    Student,
    as_array,
    check,
    check_each,
    expect,
    expect_near,
    expect_unchanged,
)

STEP, SEQUENCE = "rnn-step-fwd", "rnn-seq-fwd"
WEIGHTS: tuple[str, ...] = ("Wx", "Wh", "b")


@check(STEP, probe="RNN-A1", weight=4)
def next_h(student: Student, rng: Generator) -> None:
    """next_h for several N, D and H."""
    for sizes in steps.SIZES:
        case = draw_step(rng, *sizes)
        got, _ = steps.ask_forward(student, case)
        slips = steps.slipped_next_h(case)
        expect_near(got, steps.right_next_h(case), what=f"next_h {case.about}", slips=slips)


@check(STEP, probe="RNN-A5", condition=True)
def next_h_of_large_numbers(student: Student, rng: Generator) -> None:
    """next_h where tanh is saturated: it stays finite."""
    case = draw_step(rng, 4, 5, 3)
    case.x[...] *= 1e4
    got, _ = steps.ask_forward(student, case)
    # A step that is wrong for other numbers has lost the points for that: here it must be finite.
    finite = abs(as_array(got, "next_h").astype(np.float64)) <= 1e6
    hint = "np.tanh is finite for every number; a quotient of exponentials is not"
    expect(finite.all(), "next_h for x of size 10,000 is nan, infinite or huge", hint)


@check(SEQUENCE, probe="RNN-A2", weight=4)
def h(student: Student, rng: Generator) -> None:
    """h over a right step, for several N, T, D and H, one of them a single step."""
    for sizes in sequences.SIZES:
        case = draw_sequence(rng, RNN, *sizes)
        got = ask_forward(student, RNN, case)
        slips = sequences.slipped_h(case)
        expect_near(got, right_h(RNN, case), what=f"h {case.about}", slips=slips)


def _step_keeps(student: Student, rng: Generator) -> None:
    arguments = dict(zip(("x", "prev_h", *WEIGHTS), draw_step(rng, 4, 5, 3).arguments, strict=True))
    expect_arguments_unchanged(student, "rnn_step_forward", arguments)


def _sequence_keeps(student: Student, rng: Generator) -> None:
    case = draw_sequence(rng, RNN)
    after = ask_arguments_afterwards(student, RNN, case)
    for name, now, before in zip(("x", "h0", *WEIGHTS), after, case.arguments, strict=True):
        expect_unchanged(now, before, name)


@check_each({STEP: _step_keeps}, probe="RNN-A1", condition=True)
@check_each({SEQUENCE: _sequence_keeps}, probe="RNN-A2", condition=True)
def arguments_are_unchanged(
    student: Student, rng: Generator, keeps: Callable[[Student, Generator], None]
) -> None:
    """The inputs, the state, the weights and the bias are unchanged by the call."""
    keeps(student, rng)
