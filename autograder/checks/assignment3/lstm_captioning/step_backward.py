"""What is asked of lstm_step_backward, called with the cache of the student's own forward function.

Shapes: x, dx (N, D); prev_h, prev_c, their gradients, dnext_h, dnext_c (N, H); Wx, dWx (D, 4H);
Wh, dWh (H, 4H); b, db (4H,).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.random import Generator

from autograder.checks.assignment3.lstm_captioning.cell import (
    ARGUMENTS,
    GRADIENTS,
    SHAPES,
    Case,
    draw_case,
)
from autograder.checks.assignment3.lstm_captioning.formulas import (
    fitting_gradients,
    gradient_slips,
)
from autograder.checks.assignment3.lstm_captioning.step_forward import ask_step
from autograder.checks.shared.layers import expect_gradient_shapes, fits, unpack
from autograder.judge import Student, check, expect_near

CELL = "lstm-step-bwd"
BACKWARD = "lstm_step_backward"


def ask_backward(student: Student, case: Case) -> tuple[Mapping[str, Any], tuple[Any, Any]]:
    """The student's gradients by name, not yet looked at; and their next_h and next_c."""
    next_h, next_c, cache = ask_step(student, case)
    answer = student.call(BACKWARD, case.dnext_h.copy(), case.dnext_c.copy(), cache)
    found = unpack(BACKWARD, answer, ", ".join(GRADIENTS))
    return dict(zip(GRADIENTS, found, strict=True)), (next_h, next_c)


def both_paths(rng: Generator) -> Iterator[tuple[str, Case]]:
    """Cases in which gradients come back through both states, the cell alone, and h alone."""
    for N, D, H in SHAPES:
        case = draw_case(rng, N, D, H)
        yield f"for H = {H}", case
        yield "where dnext_h is 0", case.with_gradients(of_h=0)
        yield "where dnext_c is 0", case.with_gradients(of_c=0)


def expect_gradient(student: Student, rng: Generator, what: str, hint: str = "") -> None:
    """The numbers of one gradient; its shape has a check of its own."""
    for about, case in both_paths(rng):
        found, states = ask_backward(student, case)
        right, *others = (gradients[what] for gradients in fitting_gradients(case, *states))
        if any(fits(found[what], other) for other in others):
            continue
        usual = {} if others else gradient_slips(case)
        slips = {f"{what}: {message}": wrong[what] for message, wrong in usual.items()}
        about = f"{what} {about}"
        expect_near(found[what], right, what=about, slips=slips, hint=hint, squeeze=True)


@check(CELL, probe="LSTM-A2", weight=3)
def dprev_c(student: Student, rng: Generator) -> None:
    """dprev_c, with dnext_h and dnext_c together and each alone."""
    expect_gradient(student, rng, "dprev_c")


# The same four gates are behind all that follows: a mistake in one of them costs them all.
@check(CELL, probe="LSTM-A2", weight=3)
def dx(student: Student, rng: Generator) -> None:
    """dx, with dnext_h and dnext_c together and each alone."""
    expect_gradient(student, rng, "dx", hint="x acts through all four gates: sum over 4H columns")


@check(CELL, probe="LSTM-A2", weight=3)
def dprev_h(student: Student, rng: Generator) -> None:
    """dprev_h, with dnext_h and dnext_c together and each alone."""
    expect_gradient(student, rng, "dprev_h", hint="prev_h acts through Wh, as x does through Wx")


@check(CELL, probe="LSTM-A2", weight=4)
def gradients_of_parameters(student: Student, rng: Generator) -> None:
    """dWx, dWh and db, with dnext_h and dnext_c together and each alone."""
    for what in ("dWx", "dWh", "db"):
        expect_gradient(student, rng, what, hint="as in an affine layer with 4H outputs")


@check(CELL, probe="LSTM-A2", condition=True)
def shapes(student: Student, rng: Generator) -> None:
    """Each gradient has the shape of what it is the gradient of, for several examples and one."""
    for N in (3, 1):
        case = draw_case(rng, N, 5, 6)
        found, _ = ask_backward(student, case)
        likes = {name: getattr(case, like) for name, like in zip(GRADIENTS, ARGUMENTS, strict=True)}
        expect_gradient_shapes([found[name] for name in likes], likes, f"for N = {N}")
