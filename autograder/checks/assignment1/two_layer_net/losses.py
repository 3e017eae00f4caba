"""Checks of softmax_loss and svm_loss: losses of scores, which are layers.

Shapes: scores x (N, C), labels y (N,), dx (N, C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, Loss, ask_loss, draw_scores
from autograder.checks.shared.unchanged import expect_arguments_unchanged
from autograder.judge import Student, advice, check, check_each, expect_near, expect_shape

SOFTMAX_CELL, SVM_CELL = "tln-softmax-loss", "tln-svm-loss"
MEAN = "the loss is the mean over the N examples"
# Numbers that are added to a probability, or set as its floor, so that no logarithm is infinite.
TINY = [10.0**-k for k in range(4, 17)]


@dataclass(frozen=True)
class LossLayer:
    """A student's function, the loss it should compute, and that loss for C equal scores."""

    name: str
    loss: Loss
    of_equal_scores: Callable[[int], float]


SOFTMAX = LossLayer("softmax_loss", layers.cross_entropy, lambda C: float(np.log(C)))
SVM = LossLayer("svm_loss", layers.hinge, lambda C: C - 1.0)
CELLS = {SOFTMAX_CELL: SOFTMAX, SVM_CELL: SVM}


@check_each(CELLS, probe="LOSS-A1", weight=3)
def loss_is_right(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The loss of random scores, for several N and C, N = 1 and every example twice among them."""
    for scores, y in _cases(rng):
        (N, C), (want, _) = scores.shape, layers.loss_and_gradient(layer.loss, scores, y)
        slips = {f"this is a sum over the examples: {MEAN}": want * N}
        if layer is SVM:
            slips["exactly 1 too much: is the correct class compared with itself?"] = want + 1
            slips[f"this is divided by the number of classes: {MEAN}, nothing else"] = want / C
        what = f"the loss for N = {N}, C = {C}"
        expect_near(_value(student, layer, scores, y), want, what=what, slips=slips)


@check_each(CELLS, probe="LOSS-A6", weight=3)
def dx_is_right(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The gradient of random scores, for several N and C, also for every example twice."""
    for scores, y in _cases(rng):
        (N, C), (_, want) = scores.shape, layers.loss_and_gradient(layer.loss, scores, y)
        slips = {
            "dx is not divided by N, but the loss is a mean": want * N,
            "dx is divided by the number of classes": want * N / C,
            "dx has the wrong sign throughout": -want,
        }
        got = _gradient(student, layer, scores, y)
        expect_near(got, want, what=f"dx for N = {N}, C = {C}", slips=slips)


@check_each(CELLS, probe="LOSS-A3")
def equal_scores(student: Student, rng: Generator, layer: LossLayer) -> None:
    """All scores of an example equal: the loss depends on the number of classes only."""
    for N, C in ((4, 10), (3, 2)):
        scores = np.repeat(rng.normal(size=(N, 1)), C, axis=1)
        got = _value(student, layer, scores, rng.integers(0, C, size=N))
        expect_near(got, layer.of_equal_scores(C), what=f"the loss of {C} equal scores")


# -- softmax alone --------------------------------------------------------------------------------


@check(SOFTMAX_CELL, probe="LOSS-A2", weight=2)
def large_scores(student: Student, rng: Generator) -> None:
    """All scores 10,000 higher, or lower; scores of 725 among a hundred: no overflow."""
    scores, y = draw_scores(rng, 4, 5)
    # With its mean subtracted, 725 among 99 zeros is still 717.75: more than exp can take.
    cases = [("scores near 1e+04", scores + 1e4, y), ("scores near -1e+04", scores - 1e4, y)]
    cases.append(("a score of 725 among 99 of 0", 725 * np.eye(100), np.arange(100)))
    for about, x, labels in cases:
        want, slope = layers.loss_and_gradient(SOFTMAX.loss, x, labels)
        hint = "exp overflows above 709, and is 0 for very negative numbers"
        got = _value(student, SOFTMAX, x, labels)
        expect_near(got, want, what=f"the loss for {about}", hint=hint)
        got = _gradient(student, SOFTMAX, x, labels)
        expect_near(got, slope, what=f"dx for {about}", hint=hint)


@check(SOFTMAX_CELL, probe="LOSS-A2", rare=True)
def right_class_far_behind(student: Student, rng: Generator) -> None:
    """The correct class is 35 behind: even a probability of 6e-16 has its own logarithm."""
    scores, y = np.array([[0.0, 35.0, -1.0]]), np.array([0])
    want, _ = layers.loss_and_gradient(SOFTMAX.loss, scores, y)
    p, slips = np.exp(-want), {}
    for e in TINY:
        if e > 300 * p:  # whether it is added, or a floor, cannot be told
            either = f"{e:.0e} is added to the probability, or is its floor, inside the logarithm"
            slips[either] = -np.log(e)
        else:
            slips[f"about {e:.0e} is added to the probability inside the logarithm"] = -np.log(
                p + e
            )
            slips[f"about {e:.0e} is the floor of the probability"] = -np.log(max(p, e))
    what = "the loss, where the correct class is 35 behind,"
    expect_near(_value(student, SOFTMAX, scores, y), want, what=what, slips=slips)


@advice(SOFTMAX_CELL, probe="SMX-B1")
def offsets_of_rows_change_nothing(student: Student, rng: Generator) -> None:
    """Examples whose scores differ by thousands from one another."""
    scores, y = draw_scores(rng, 3, 4)
    moved = scores + np.array([[-2e3], [0.0], [2e3]])
    want, slope = layers.loss_and_gradient(SOFTMAX.loss, moved, y)
    hint = "subtract each row's own largest score, not the largest of all"
    expect_near(_value(student, SOFTMAX, moved, y), want, what="the loss", hint=hint)
    expect_near(_gradient(student, SOFTMAX, moved, y), slope, what="dx", hint=hint)


@advice(SOFTMAX_CELL, probe="SMX-B2")
def hopeless_scores_stay_finite(student: Student, rng: Generator) -> None:
    """The correct class is thousands behind: the loss is large, not infinite."""
    scores, y = np.array([[3e3, 0.0, -1e3], [0.0, 5.0, 1.0]]), np.array([2, 1])
    want, _ = layers.loss_and_gradient(SOFTMAX.loss, scores, y)
    hint = "the logarithm of a quotient is a difference: no probability need be 0"
    expect_near(_value(student, SOFTMAX, scores, y), want, what="the loss", hint=hint)


# -- hinge alone ----------------------------------------------------------------------------------


@check(SVM_CELL, probe="LOSS-A5", weight=2)
def margins_all_kept_or_none(student: Student, rng: Generator) -> None:
    """Every margin kept, every margin violated, scores in the thousands."""
    scores, y = draw_scores(rng, 4, 5)
    right = np.eye(5)[y]
    for what, x in (
        ("when every margin is kept", scores + 100 * right),
        ("when every margin is violated", scores - 100 * right),
        ("for scores in the thousands", draw_far_scores(rng, y)),
    ):
        want, slope = layers.loss_and_gradient(SVM.loss, x, y)
        expect_near(_value(student, SVM, x, y), want, what=f"the loss {what}")
        expect_near(_gradient(student, SVM, x, y), slope, what=f"dx {what}")


# -- both -----------------------------------------------------------------------------------------


@check_each(CELLS, probe="LOSS-A4", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The scores and the labels are unchanged by the call."""
    scores, y = draw_scores(rng, 4, 3)
    expect_arguments_unchanged(student, layer.name, {"x": scores, "y": y})


def draw_far_scores(rng: Generator, y: Array) -> Array:
    """Scores of size 1000 for the labels y, no margin near its kink."""
    while True:
        scores = 1e3 * rng.normal(size=(len(y), 5))
        if np.abs(layers.margins(scores, y)).min() > 0.5:
            return scores


def _cases(rng: Generator) -> Iterator[tuple[Array, Array]]:
    """Scores and labels. One example has every label in turn."""
    for N, C, scale in ((5, 4, 1.0), (2, 7, 3.0), (8, 2, 1.0)):
        yield draw_scores(rng, N, C, scale)
    scores, y = draw_scores(rng, 5, 4)
    yield np.concatenate([scores, scores]), np.concatenate([y, y])
    while True:
        scores, labels = rng.normal(size=(1, 3)), np.arange(3)
        if all(np.abs(layers.margins(scores, y)).min() > layers.AWAY for y in labels[:, None]):
            break
    for y in labels[:, None]:
        yield scores, y


def _value(student: Student, layer: LossLayer, scores: Array, y: Array) -> float:
    answer, _ = ask_loss(student, layer.name, scores, y)
    return float(expect_shape(answer, (), "the loss"))


def _gradient(student: Student, layer: LossLayer, scores: Array, y: Array) -> Array:
    _, answer = ask_loss(student, layer.name, scores, y)
    return expect_shape(answer, scores.shape, "dx")
