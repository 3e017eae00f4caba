"""What is asked of content_loss(content_weight, content_current, content_original)."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import oracle
from autograder.judge import Student, check, expect_unchanged

CELL = "st-content-loss"
FUNCTION = "content_loss"
WHAT = "the content loss"
SHAPES = ((1, 4, 5, 3), (1, 7, 2, 6), (1, 1, 3, 3))


@check(CELL, probe="STY-A1", weight=3)
def value_is_right(student: Student, rng: Generator) -> None:
    """Features of several shapes, several weights."""
    for shape in SHAPES:
        weight = float(rng.uniform(0.05, 0.4))
        current, original = oracle.draw(rng, *shape), oracle.draw(rng, *shape)
        got = _loss(student, weight, current, original)
        want = oracle.content(weight, current, original)
        oracle.expect_number(got, want, WHAT, _slips(weight, current, original))


@check(CELL, probe="STY-A6", weight=5)
def gradient_reaches_the_current_features(student: Student, rng: Generator) -> None:
    """The gradient of the loss with respect to the features of the current image."""
    weight, shape = float(rng.uniform(0.05, 0.4)), (1, 4, 3, 5)
    current, original = oracle.draw(rng, *shape), oracle.draw(rng, *shape)
    value = student.call(FUNCTION, weight, current.clone().requires_grad_(), original.clone())
    oracle.expect_differentiable(value, WHAT)
    _, (slope,) = student.grad(FUNCTION, weight, current, original.clone(), wrt=(1,))
    (want,) = oracle.slopes(lambda x: oracle.content(weight, x, original), current)
    factor = oracle.one_number(value, WHAT) / float(oracle.content(weight, current, original))
    oracle.expect_slope(slope, want, "the gradient with respect to content_current", factor)


@check(CELL, probe="STY-A4")
def only_what_differs_counts(student: Student, rng: Generator) -> None:
    """Equal features cost nothing; twice the difference costs four times as much."""
    original, step = oracle.draw(rng, 1, 3, 4, 5), float(rng.choice([-1, 1]) * rng.uniform(1.5, 3))
    losses = []
    for steps in (0, 1, 2):
        current = original.clone()
        current[0, 2, 1, 3] += steps * step
        losses.append(_loss(student, 0.3, current, original))
    oracle.expect_growth(losses, WHAT)


@check(CELL, probe="STY-A7", condition=True)
def any_order_in_memory(student: Student, rng: Generator) -> None:
    """Features that are not contiguous in memory: the loss is what it is of contiguous ones."""
    for layout in oracle.LAYOUTS:
        current, original = oracle.draw(rng, 1, 4, 3, 5), oracle.draw(rng, 1, 4, 3, 5)
        want = oracle.one_number(_loss(student, 0.2, current, original), WHAT)
        pair = (oracle.laid_out(student, x, layout) for x in (current, original))
        oracle.expect_number(student.call(FUNCTION, 0.2, *pair), want, f"{WHAT} ({layout})")


@check(CELL, probe="STY-A1", condition=True)
def features_are_left_alone(student: Student, rng: Generator) -> None:
    """Both arguments are unchanged after the call."""
    pair = {name: oracle.draw(rng, 1, 3, 4, 5) for name in ("content_current", "content_original")}
    kept = {name: student.put(features) for name, features in pair.items()}
    student.call(FUNCTION, 0.2, *kept.values())
    for name, features in pair.items():
        expect_unchanged(student.fetch(kept[name]), features.numpy(), name)


def _loss(student: Student, weight: float, current: Tensor, original: Tensor) -> Any:
    return student.call(FUNCTION, weight, current.clone(), original.clone())


def _slips(weight: float, current: Tensor, original: Tensor) -> oracle.Slips:
    difference = current.double() - original.double()
    squares = float((difference**2).sum())
    return {
        "this is the mean of the squares: take their sum": weight * squares / difference.numel(),
        "the weight is missing": squares,
        "the weight is squared too: multiply the sum by it": weight**2 * squares,
        "there is no 1/2 in front of the sum": weight * squares / 2,
        "these are absolute values: take squares": weight * float(difference.abs().sum()),
        "the square is missing": weight * float(difference.sum()),
        "this is the square of the sum: take the sum of the squares": (
            weight * float(difference.sum()) ** 2
        ),
        "there is no root: take the sum of the squares": weight * squares**0.5,
        "the two features are added: take their difference": (
            weight * float(((current + original).double() ** 2).sum())
        ),
    }
