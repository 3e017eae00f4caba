"""What is asked of lstm_forward.

Shapes: x (N, T, D); h (N, T, H); h0 (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.sequence import (
    ARGUMENTS,
    SHAPES,
    SLIPS,
    SMALLEST,
    SequenceCase,
    draw_sequence,
    states,
)
from autograder.checks.assignment3.lstm_captioning.steps import Steps, over_either
from autograder.judge import Student, check, expect_near, expect_unchanged

CELL = "lstm-seq-fwd"


def _expect_states(student: Student, case: SequenceCase) -> None:
    slips = {message: states(case, slip) for message, slip in SLIPS.items()}

    def judge(steps: Steps) -> None:
        h, _ = steps.forward(case)
        expect_near(h, states(case), what=f"h {case.about}", slips=slips)

    over_either(student, judge)


@check(CELL, probe="LSTM-A5", weight=4)
def h_is_right(student: Student, rng: Generator) -> None:
    """The hidden states of several examples, over several steps."""
    for N, T, D, H in SHAPES:
        _expect_states(student, draw_sequence(rng, N, T, D, H))


@check(CELL, probe="LSTM-A3")
def h_of_one_example_or_one_step(student: Student, rng: Generator) -> None:
    """The hidden states for N = 1, and for T = 1."""
    for N, T, D, H in SMALLEST:
        _expect_states(student, draw_sequence(rng, N, T, D, H))


@check(CELL, probe="LSTM-A5", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator) -> None:
    """x, h0 and the parameters are as before after the call."""
    case = draw_sequence(rng, 3, 4, 5, 6)

    def judge(steps: Steps) -> None:
        now = steps.arguments_after_forward(case)
        for name, array, before in zip(ARGUMENTS, now, case.arguments, strict=True):
            expect_unchanged(array, before, name)

    over_either(student, judge)
