"""What is asked of rnn_step_backward and rnn_backward, each with the cache of its own forward.

A step has five gradients, and so has a sequence: of x, of the state that comes in, of Wx, Wh and b.

Shapes: x, dx (N, D) or (N, T, D); dnext_h, dprev_h, dh0 (N, H); dh (N, T, H).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.random import Generator

from autograder.checks.assignment3.rnn_captioning import sequences, steps
from autograder.checks.assignment3.rnn_captioning.steps import StepCase, draw_step
from autograder.checks.shared import layers
from autograder.checks.shared.layers import fits
from autograder.checks.shared.recurrent_answers import ask_backward
from autograder.checks.shared.recurrent_cases import GRADIENTS, RNN, draw_sequence
from autograder.checks.shared.recurrent_gradients import expect_gradient
from autograder.judge import Student, check, check_each, expect_near

SEQUENCE = "rnn-seq-bwd"


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
        if found is None:
            continue
        slips = sequences.slipped_gradients(case, what)
        expect_gradient(what, found.gradients[what], RNN, case, found, slips=slips)


def _ask_step(student: Student, case: StepCase) -> tuple[Any, tuple[Any, ...]]:
    """The student's next_h, and the gradients from the cache that came with it."""
    next_h, cache = steps.ask_forward(student, case)
    wanted = ", ".join(steps.GRADIENTS)
    return next_h, layers.backward(student, "rnn_step_backward", case.dnext_h, cache, wanted)


def _expect_shapes_of_step(student: Student, rng: Generator) -> None:
    case = draw_step(rng, 1, 3, 6)
    _, found = _ask_step(student, case)
    likes = dict(zip(steps.GRADIENTS, case.arguments, strict=True))
    layers.expect_gradient_shapes(found, likes, case.about)


def _expect_shapes_of_sequence(student: Student, rng: Generator) -> None:
    case = draw_sequence(rng, RNN, 1, 5, 3, 4)
    found = ask_backward(student, RNN, case)
    if found is not None:
        likes = dict(zip(GRADIENTS, case.arguments, strict=True)) | found.like_dx
        layers.expect_gradient_shapes(list(found.gradients.values()), likes, case.about)


class Part(NamedTuple):
    """A backward function: how one of its five gradients is judged, and all their shapes."""

    expect: Callable[[Student, Generator, int], None]
    expect_shapes: Callable[[Student, Generator], None]


OF_STEP = {"rnn-step-bwd": Part(_expect_of_step, _expect_shapes_of_step)}
OF_SEQUENCE = {SEQUENCE: Part(_expect_of_sequence, _expect_shapes_of_sequence)}


@check_each(OF_STEP, probe="RNN-A1", weight=2)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=2)
def dx(student: Student, rng: Generator, part: Part) -> None:
    """dx: the gradient with respect to the inputs."""
    part.expect(student, rng, 0)


@check_each(OF_STEP, probe="RNN-A1", weight=2)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=2)
def dprev_h_or_dh0(student: Student, rng: Generator, part: Part) -> None:
    """dprev_h of a step, dh0 of a sequence: the gradient with respect to the state before it."""
    part.expect(student, rng, 1)


@check_each(OF_STEP, probe="RNN-A1", weight=3)
@check_each(OF_SEQUENCE, probe="RNN-A3", weight=3)
def weights_and_bias(student: Student, rng: Generator, part: Part) -> None:
    """dWx, dWh and db: the gradients with respect to the weights and the bias."""
    for which in (2, 3, 4):
        part.expect(student, rng, which)


@check(SEQUENCE, probe="RNN-A4", weight=2)
def dh_at_one_step_only(student: Student, rng: Generator) -> None:
    """dh that is not zero at the last step only, and at the first step only."""
    case = draw_sequence(rng, RNN, 2, 5, 3, 4)
    for step, one in (("last", case.with_dh_only_at(4)), ("first", case.with_dh_only_at(0))):
        found = ask_backward(student, RNN, one)
        if found is None:
            continue
        for what in ("dx", "dh0"):
            got = found.gradients[what]
            about = f"for dh that is not zero at the {step} step only"
            hint = "a gradient goes from its step to all earlier ones, and to no later one"
            expect_gradient(what, got, RNN, one, found, about=about, hint=hint)


@check_each(OF_STEP, probe="RNN-A1", condition=True)
@check_each(OF_SEQUENCE, probe="RNN-A3", condition=True)
def shapes_of_gradients(student: Student, rng: Generator, part: Part) -> None:
    """Each gradient has the shape of what it is the gradient of."""
    part.expect_shapes(student, rng)
