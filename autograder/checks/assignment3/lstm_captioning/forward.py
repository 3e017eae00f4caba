"""What is asked of lstm_forward, over right steps.

Shapes: x (N, T, D); h (N, T, H); h0 (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.sequence import SIZES, SLIPS, SMALLEST, states
from autograder.checks.shared.recurrent_answers import ask_forward, expect_forward_changes_nothing
from autograder.checks.shared.recurrent_cases import LSTM, SequenceCase, draw_sequence
from autograder.checks.shared.recurrent_gradients import right_h
from autograder.judge import Student, check, expect_near

CELL = "lstm-seq-fwd"


def _expect_h(student: Student, case: SequenceCase) -> None:
    slips = {message: states(case, slip) for message, slip in SLIPS.items()}
    h = ask_forward(student, LSTM, case)
    expect_near(h, right_h(LSTM, case), what=f"h {case.about}", slips=slips)


@check(CELL, probe="LSTM-A5", weight=4)
def h_is_right(student: Student, rng: Generator) -> None:
    """The hidden states of several examples, over several steps."""
    for sizes in SIZES:
        _expect_h(student, draw_sequence(rng, LSTM, *sizes))


@check(CELL, probe="LSTM-A3")
def h_of_one_example_or_one_step(student: Student, rng: Generator) -> None:
    """The hidden states for N = 1, and for T = 1."""
    for sizes in SMALLEST:
        _expect_h(student, draw_sequence(rng, LSTM, *sizes))


@check(CELL, probe="LSTM-A5", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator) -> None:
    """x, h0 and the parameters are unchanged by the call."""
    expect_forward_changes_nothing(student, LSTM, draw_sequence(rng, LSTM))
