"""What is asked of softmax_loss and svm_loss: losses of scores that are layers.

Shapes: scores x (N, C), labels y (N,), dx (N, C).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, Loss, ask_loss, draw_scores
from autograder.judge import Student, expect, expect_near, expect_shape, expect_unchanged, name_slip

MEAN = "the loss is the mean over the N examples"


@dataclass(frozen=True)
class LossLayer:
    """A student's function, the loss it should compute, and that loss for C equal scores."""

    name: str
    loss: Loss
    equal: str

    def of_equal_scores(self, C: int) -> float:
        return C - 1.0 if self.equal == "C - 1" else float(np.log(C))


SOFTMAX = LossLayer("softmax_loss", layers.cross_entropy, "log C")
SVM = LossLayer("svm_loss", layers.hinge, "C - 1")


def value_is_right(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The loss of random scores, for several N and C."""
    for N, C, scale in ((5, 4, 1.0), (2, 7, 3.0), (8, 2, 1.0)):
        scores, y = draw_scores(rng, N, C, scale)
        want, _ = layers.loss_and_gradient(layer.loss, scores, y)
        got = _value(student, layer, scores, y)
        slips = {f"this is a sum over the examples: {MEAN}": want * N}
        if layer is SVM:
            slips["exactly 1 too much: is the right class compared with itself?"] = want + 1
            slips[f"this is divided by the number of classes: {MEAN}, nothing else"] = want / C
        name_slip(got, want, slips)
        expect_near(got, want, what=f"the loss for N = {N}, C = {C}")


def gradient_is_right(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The gradient of random scores, for several N and C."""
    for N, C, scale in ((5, 4, 1.0), (2, 7, 3.0), (8, 2, 1.0)):
        scores, y = draw_scores(rng, N, C, scale)
        _, want = layers.loss_and_gradient(layer.loss, scores, y)
        got = _gradient(student, layer, scores, y)
        slips = {
            "dx is not divided by N, but the loss is a mean": want * N,
            "dx has the wrong sign throughout": -want,
        }
        name_slip(got, want, slips)
        expect_near(got, want, what=f"dx for N = {N}, C = {C}")


def one_example(student: Student, rng: Generator, layer: LossLayer) -> None:
    """One example, for each class that it may have: loss and gradient."""
    while True:
        scores, labels = rng.normal(size=(1, 3)), np.arange(3)
        if all(np.abs(layers.margins(scores, y)).min() > layers.AWAY for y in labels[:, None]):
            break
    for y in labels[:, None]:
        want, slope = layers.loss_and_gradient(layer.loss, scores, y)
        expect_near(_value(student, layer, scores, y), want, what="the loss of one example")
        expect_near(_gradient(student, layer, scores, y), slope, what="dx of one example")


def equal_scores(student: Student, rng: Generator, layer: LossLayer) -> None:
    """All scores of an example equal: the loss depends on the number of classes only."""
    for N, C in ((4, 10), (3, 2)):
        scores = np.repeat(rng.normal(size=(N, 1)), C, axis=1)
        y = rng.integers(0, C, size=N)
        got = _value(student, layer, scores, y)
        expect_near(got, layer.of_equal_scores(C), what=f"the loss of {C} equal scores")


def repetition_changes_nothing(student: Student, rng: Generator, layer: LossLayer) -> None:
    """Every example twice: the loss stays, and each row of dx is half of what it was."""
    scores, y = draw_scores(rng, 5, 4)
    twice, labels = np.concatenate([scores, scores]), np.concatenate([y, y])
    once = _value(student, layer, scores, y)
    expect(once != 0, "the loss is zero")
    what = "when every example is there twice,"
    expect_near(_value(student, layer, twice, labels), once, what=f"the loss, {what}", hint=MEAN)
    slope = _gradient(student, layer, scores, y).astype(np.float64)
    expect(np.any(slope != 0), "dx is zero")
    want = np.concatenate([slope, slope]) / 2
    got = _gradient(student, layer, twice, labels)
    expect_near(got, want, what=f"dx, {what}", hint="a mean over N gives each example 1/N")


def scores_stay(student: Student, rng: Generator, layer: LossLayer) -> None:
    """The scores and the labels are as before after the call."""
    scores, y = draw_scores(rng, 4, 3)
    kept, labels = student.put(scores), student.put(y)
    student.call(layer.name, kept, labels)
    expect_unchanged(student.fetch(kept), scores, "x")
    expect_unchanged(student.fetch(labels), y, "y")


# -- softmax alone --------------------------------------------------------------------------------


def common_offset_changes_nothing(student: Student, rng: Generator, layer: LossLayer) -> None:
    """All scores 10,000 higher, or lower: probabilities do not change."""
    for offset in (1e4, -1e4):
        scores, y = draw_scores(rng, 4, 5)
        moved = scores + offset  # the oracle sees the same rounded numbers
        want, slope = layers.loss_and_gradient(layer.loss, moved, y)
        what = f"for scores near {offset:g}"
        hint = "exp overflows for large numbers and is 0 for very negative ones"
        expect_near(_value(student, layer, moved, y), want, what=f"the loss {what}", hint=hint)
        expect_near(_gradient(student, layer, moved, y), slope, what=f"dx {what}", hint=hint)


def offsets_of_rows_change_nothing(student: Student, rng: Generator, layer: LossLayer) -> None:
    """Examples whose scores differ by thousands from one another."""
    scores, y = draw_scores(rng, 3, 4)
    moved = scores + np.array([[-2e3], [0.0], [2e3]])
    want, slope = layers.loss_and_gradient(layer.loss, moved, y)
    hint = "subtract each row's own largest score, not the largest of all"
    expect_near(_value(student, layer, moved, y), want, what="the loss", hint=hint)
    expect_near(_gradient(student, layer, moved, y), slope, what="dx", hint=hint)


def hopeless_scores_stay_finite(student: Student, rng: Generator, layer: LossLayer) -> None:
    """A right class that is behind by thousands: the loss is large, not infinite."""
    scores, y = np.array([[3e3, 0.0, -1e3], [0.0, 5.0, 1.0]]), np.array([2, 1])
    want, _ = layers.loss_and_gradient(layer.loss, scores, y)
    hint = "the logarithm of a quotient is a difference: no probability need be 0"
    expect_near(_value(student, layer, scores, y), want, what="the loss", hint=hint)


# -- hinge alone ----------------------------------------------------------------------------------


def margins_all_kept_or_none(student: Student, rng: Generator, layer: LossLayer) -> None:
    """Every margin kept, every margin violated, scores in the thousands."""
    scores, y = draw_scores(rng, 4, 5)
    right = np.eye(5)[y]
    for what, x in (
        ("when every margin is kept", scores + 100 * right),
        ("when every margin is violated", scores - 100 * right),
        ("for scores in the thousands", draw_far_scores(rng, y)),
    ):
        want, slope = layers.loss_and_gradient(layer.loss, x, y)
        expect_near(_value(student, layer, x, y), want, what=f"the loss {what}")
        expect_near(_gradient(student, layer, x, y), slope, what=f"dx {what}")


def draw_far_scores(rng: Generator, y: Array) -> Array:
    """Scores of size 1000 for the labels y, no margin near its kink."""
    while True:
        scores = 1e3 * rng.normal(size=(len(y), 5))
        if np.abs(layers.margins(scores, y)).min() > 0.5:
            return scores


def _value(student: Student, layer: LossLayer, scores: Array, y: Array) -> float:
    answer, _ = ask_loss(student, layer.name, scores, y)
    return float(expect_shape(answer, (), "the loss"))


def _gradient(student: Student, layer: LossLayer, scores: Array, y: Array) -> Array:
    _, answer = ask_loss(student, layer.name, scores, y)
    return expect_shape(answer, scores.shape, "dx")
