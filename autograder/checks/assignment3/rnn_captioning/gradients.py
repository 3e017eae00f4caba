"""What is asked of rnn_step_backward and rnn_backward, each with the cache of its own forward.

A step has five gradients, and so has a sequence: of x, of the state that comes in, of Wx, Wh and b.

Shapes: x, dx (N, D) or (N, T, D); dnext_h, dprev_h, dh0 (N, H); dh (N, T, H).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.random import Generator

from autograder.checks.assignment3.rnn_captioning import sequences, steps
from autograder.checks.assignment3.rnn_captioning.steps import StepCase, draw_step
from autograder.checks.shared import layers
from autograder.checks.shared.layers import fits
from autograder.checks.shared.recurrent_answers import (
    GRADIENTS,
    RNN,
    ask_backward,
    draw_sequence,
    expect_gradient,
)
from autograder.judge import Student, check, check_each, expect_near

SEQUENCE = "rnn-seq-bwd"
Expect = Callable[[Student, Generator, int], None]  # which of the five


def _expect_of_step(student: Student, rng: Generator, which: int) -> None:
    what = steps.GRADIENTS[which]
    for sizes in steps.SIZES:
        case = draw_step(rng, *sizes)
        next_h, found = _ask_step(student, case)
        fitting = steps.fitting_gradients(case, next_h)
        if any(fits(found[which], other[what]) for other in fitting):
            continue
        slips = steps.slipped_gradients(case, what)
        about = f"{what} {case.about}"
        expect_near(found[which], fitting[0][what], what=about, slips=slips, squeeze=True)


def _expect_of_sequence(student: Student, rng: Generator, which: int) -> None:
    what = GRADIENTS[which]
    for sizes in sequences.SIZES:
        case = draw_sequence(rng, RNN, *sizes)
        found = ask_backward(student, RNN, case)
        slips = sequences.slipped_gradients(case, what)
        expect_gradient(what, found.gradients[0][what], RNN, case, found, slips=slips)


def _ask_step(student: Student, case: StepCase) -> tuple[Any, tuple[Any, ...]]:
    """The student's next_h, and the gradients from the cache that came with it."""
    next_h, cache = steps.ask_forward(student, case)
    wanted = ", ".join(steps.GRADIENTS)
    return next_h, layers.backward(student, "rnn_step_backward", case.dnext_h, cache, wanted)


OF_STEP: dict[str, Expect] = {"rnn-step-bwd": _expect_of_step}
OF_SEQUENCE: dict[str, Expect] = {SEQUENCE: _expect_of_sequence}


@check_each(OF_STEP, probe="RNN-A1")
@check_each(OF_SEQUENCE, probe="RNN-A3")
def db(student: Student, rng: Generator, expect_gradient_of: Expect) -> None:
    """db: the gradient with respect to the bias."""
    expect_gradient_of(student, rng, 4)


@check_each(OF_STEP, probe="RNN-A1", weight=2)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=2)
def dx(student: Student, rng: Generator, expect_gradient_of: Expect) -> None:
    """dx: the gradient with respect to what goes in."""
    expect_gradient_of(student, rng, 0)


@check_each(OF_STEP, probe="RNN-A1", weight=2)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=2)
def dprev_h_or_dh0(student: Student, rng: Generator, expect_gradient_of: Expect) -> None:
    """dprev_h of a step, dh0 of a sequence: the gradient with respect to the state before it."""
    expect_gradient_of(student, rng, 1)


@check_each(OF_STEP, probe="RNN-A1", weight=2)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=2)
def weights(student: Student, rng: Generator, expect_gradient_of: Expect) -> None:
    """dWx and dWh: the gradients with respect to the weights."""
    expect_gradient_of(student, rng, 2)
    expect_gradient_of(student, rng, 3)


@check("rnn-step-bwd", probe="RNN-A1", condition=True)
def shapes_of_gradients_of_a_step(student: Student, rng: Generator) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    case = draw_step(rng, 1, 3, 6)
    _, found = _ask_step(student, case)
    likes = dict(zip(steps.GRADIENTS, case.arguments, strict=True))
    layers.expect_gradient_shapes(found, likes, case.about)


@check(SEQUENCE, probe="RNN-A4", weight=2)
def dh_at_one_step_only(student: Student, rng: Generator) -> None:
    """dh that is not zero at the last step only, and at the first step only."""
    case = draw_sequence(rng, RNN, 2, 5, 3, 4)
    for name, one in _at_one_step(case):
        found = ask_backward(student, RNN, one)
        for what in ("dx", "dh0"):
            got = found.gradients[0][what]
            about = f"for dh that is not zero at the {name} step only"
            expect_gradient(what, got, RNN, one, found, about=about, hint=HINT_ONE_STEP)


HINT_ONE_STEP = "a gradient goes from its step to all earlier ones, and to no later one"


def _at_one_step(case: Any) -> Iterator[tuple[str, Any]]:
    yield "last", case.with_dh_only_at(case.x.shape[1] - 1)
    yield "first", case.with_dh_only_at(0)


@check(SEQUENCE, probe="RNN-A3", condition=True)
def shapes_of_gradients_of_a_sequence(student: Student, rng: Generator) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    case = draw_sequence(rng, RNN, 1, 5, 3, 4)
    found = ask_backward(student, RNN, case).gradients[0]
    likes = dict(zip(GRADIENTS, case.arguments, strict=True))
    layers.expect_gradient_shapes(list(found.values()), likes, case.about)
