"""What is asked of lstm_step_forward.

Shapes: x (N, D); prev_h, prev_c, next_h, next_c (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.cell import (
    ARGUMENTS,
    SHAPES,
    SLIPS,
    Case,
    draw_case,
    run,
)
from autograder.checks.shared.layers import Array, unpack
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Student, as_array, check, expect, expect_near

CELL = "lstm-step-fwd"
FORWARD = "lstm_step_forward"


def ask_step(student: Student, case: Case) -> tuple[Any, Any, Any]:
    """The student's next_h and next_c, not yet looked at, and the cache left in the kernel."""
    answer = student.call(FORWARD, *case.arguments, keep=(2,))
    next_h, next_c, cache = unpack(FORWARD, answer, "next_h, next_c, cache")
    return next_h, next_c, cache


def _slips(case: Case, item: int) -> dict[str, Array]:
    """What usual slips make of next_h (0) or next_c (1)."""
    swapped = {"next_h and next_c are returned in the wrong order": run(case)[1 - item]}
    return swapped | {message: run(case, slip)[item] for message, slip in SLIPS.items()}


# A wrong cell makes the hidden state wrong too, and so costs nearly the whole question: with
# either wrong, nothing can be learned. A wrong hidden state over a right cell costs half.
@check(CELL, probe="LSTM-A1", weight=4)
def next_c_is_right(student: Student, rng: Generator) -> None:
    """next_c for several shapes, each gate with numbers of its own."""
    for N, D, H in SHAPES:
        case = draw_case(rng, N, D, H)
        got = ask_step(student, case)[1]
        expect_near(got, run(case)[1], what=f"next_c for H = {H}", slips=_slips(case, 1))


@check(CELL, probe="LSTM-A1", weight=4)
def next_h_is_right(student: Student, rng: Generator) -> None:
    """next_h for several shapes, each gate with numbers of its own."""
    for N, D, H in SHAPES:
        case = draw_case(rng, N, D, H)
        got = ask_step(student, case)[0]
        what, slips = f"next_h for H = {H}", _slips(case, 0)
        expect_near(got, run(case)[0], what=what, slips=slips, hint="next_h is o * tanh(next_c)")


@check(CELL, probe="LSTM-A4", condition=True)
def saturated_gates(student: Student, rng: Generator) -> None:
    """Gates that are practically open or shut: activations of +10,000 and -10,000."""
    case = draw_case(rng, 3, 5, 6)
    case = replace(case, b=case.b + 1e4 * rng.choice([-1.0, 1.0], size=len(case.b)))
    next_h, next_c, _ = ask_step(student, case)
    hint = "np.exp overflows for large numbers; the given sigmoid does not"
    # A step that is wrong for other numbers has lost the points for that: here it must be finite.
    for what, got in (("next_h", next_h), ("next_c", next_c)):
        finite = np.abs(as_array(got, what)) <= 1e6
        expect(finite.all(), f"{what} for activations of size 10,000 is nan or infinite", hint)


@check(CELL, probe="LSTM-A1", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator) -> None:
    """x, prev_h, prev_c and the parameters are unchanged by the call."""
    case = draw_case(rng, 3, 5, 6)
    expect_arguments_unchanged(student, FORWARD, {name: getattr(case, name) for name in ARGUMENTS})
