"""Checks of ThreeLayerConvNet: what its loss computes over right layers.

Shapes: X (N, C, H, W), y (N,); W1 (F, C, f, f), b1 (F,), W2 (F*H/2*W/2, hidden), b2 (hidden,),
W3 (hidden, classes), b3 (classes,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.net_oracle import (
    NET,
    Case,
    draw_case,
    right_loss,
    right_scores,
)
from autograder.checks.shared.layers import Array
from autograder.checks.shared.penalty import expect_penalty, expect_penalty_gradients
from autograder.checks.shared.student_net import (
    as_gradients,
    as_loss,
    as_scores,
    expect_gradient_shapes,
    expect_gradients,
)
from autograder.judge import Student, check, expect_close, expect_near

LOSS = "cnn-net-loss"
REG = 0.7
# Not square; filters of 3, 5 and 7, for which the padding differs; more classes.
CASES: tuple[dict[str, Any], ...] = (
    {},
    {"image": (3, 4, 6), "F": 2, "f": 5, "classes": 3},
    {"image": (1, 6, 6), "F": 2, "f": 7, "hidden": 4, "classes": 12},
)
# A loss that changes the parameters is of no use in training, so loss and gradients are asked for
# twice, of the same network.
AGAIN = "a second call, with the same X and y"


@check(LOSS, probe="CNN-A4", weight=2)
def scores_are_right(student: Student, rng: Generator) -> None:
    """loss(X): the scores, for several sizes of images and filters."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        got, want = NET.scores_of(student, case), right_scores(case)
        what = f"loss(X) for images {case.X.shape[1:]} and filters {case.params['W1'].shape[2:]}"
        expect_near(got, want, what=what, slips=_scores_slips(case, want))


@check(LOSS, probe="CNN-A4")
def one_image_is_enough(student: Student, rng: Generator) -> None:
    """A batch of one: scores, loss and gradients."""
    case = draw_case(rng, N=1, hidden=9)
    scores, answer = NET.answers(student, case, (case.X,), (case.X, case.y))
    loss, grads = right_loss(case)
    expect_near(as_scores(scores, case), right_scores(case), what="loss(X) for one image")
    expect_near(as_loss(answer), loss, what="the loss for one image")
    expect_gradients(as_gradients(answer), grads, "for one image")


@check(LOSS, probe="CNN-A4")
def scores_do_not_depend_on_reg(student: Student, rng: Generator) -> None:
    """loss(X) for reg = 5."""
    case = draw_case(rng).with_reg(5.0)
    expect_near(NET.scores_of(student, case), right_scores(case), what="loss(X) for reg = 5")


@check(LOSS, probe="CNN-A2", weight=2)
def loss_is_right(student: Student, rng: Generator) -> None:
    """loss(X, y), twice: the loss without penalty; with tiny weights it is about log C."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        batch, want, what = (case.X, case.y), right_loss(case)[0], "the loss for reg = 0"
        first, second = NET.answers(student, case, batch, batch)
        expect_near(as_loss(first), want, what=what, slips={f"{what} is a sum": want * len(case.X)})
        expect_near(as_loss(second), want, what=f"the loss of {AGAIN},")
    case = draw_case(rng)
    tiny = case.with_params({name: 1e-3 * value for name, value in case.params.items()})
    near = float(np.log(case.classes))
    hint = "with tiny weights all classes are equally likely"
    what = "the loss for tiny weights"
    expect_close(NET.loss_of(student, tiny), near, what=what, rtol=1e-2, atol=0, hint=hint)


@check(LOSS, probe="CNN-A2", weight=2)
def penalty_has_one_half(student: Student, rng: Generator) -> None:
    """What reg adds to the loss."""
    expect_penalty(draw_case(rng).with_reg(REG), lambda case: NET.loss_of(student, case))


# Without them nothing is ever learned.
@check(LOSS, probe="CNN-A3", weight=7)
def gradients_are_right(student: Student, rng: Generator) -> None:
    """loss(X, y), twice: all six gradients without penalty."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        batch, want = (case.X, case.y), right_loss(case)[1]
        first, second = NET.answers(student, case, batch, batch)
        expect_gradients(as_gradients(first), want, "for reg = 0")
        expect_gradients(as_gradients(second), want, f"of {AGAIN},")


@check(LOSS, probe="CNN-A3", weight=2)
def penalty_gradients_are_right(student: Student, rng: Generator) -> None:
    """What reg adds to the gradients."""
    expect_penalty_gradients(
        draw_case(rng).with_reg(REG),
        lambda case: NET.loss_of(student, case),
        lambda case: NET.gradients_of(student, case),
    )


@check(LOSS, probe="CNN-A3", condition=True)
def gradients_have_their_shapes(student: Student, rng: Generator) -> None:
    """Each entry of grads has the shape of its parameter, and there are no others."""
    case = draw_case(rng)
    expect_gradient_shapes(NET.gradients_of(student, case), case)


@check(LOSS, probe="CNN-A4", weight=2, condition=True)
def loss_leaves_everything(student: Student, rng: Generator) -> None:
    """X, y and the parameters are as before: training changes them, the loss does not."""
    NET.expect_nothing_changed(student, draw_case(rng).with_reg(REG))


def _scores_slips(case: Case, want: Array) -> dict[str, Array]:
    """What usual slips make of the scores, each with its message."""
    exp = np.exp(want - want.max(axis=1, keepdims=True))
    return {
        "the scores lack b3": want - case.params["b3"],
        "there is a ReLU after the last layer: scores may be negative": np.maximum(want, 0),
        "loss(X) returns probabilities; it returns the scores": exp
        / exp.sum(axis=1, keepdims=True),
    }
