"""Checks of ThreeLayerConvNet: what its loss computes over right layers.

Shapes: X (N, C, H, W), y (N,); W1 (F, C, f, f), b1 (F,), W2 (F*H/2*W/2, hidden), b2 (hidden,),
W3 (hidden, classes), b3 (classes,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.net_oracle import (
    NAMES,
    NET,
    WEIGHTS,
    Case,
    draw_case,
    gradients_of,
    loss_of,
    right_loss,
    right_scores,
    scores_of,
)
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    check,
    expect_close,
    expect_near,
    name_slip,
)

LOSS = "cnn-net-loss"
REG = 0.7

# -- loss(X) --------------------------------------------------------------------------------------

ORDER = "convolution, ReLU, pooling, affine, ReLU, affine"
# Not square; filters of 3, 5 and 7, for which the padding differs; one image; more classes.
CASES: tuple[dict[str, Any], ...] = (
    {},
    {"image": (3, 4, 6), "F": 2, "f": 5, "classes": 3},
    {"image": (1, 6, 6), "F": 2, "f": 7, "hidden": 4, "classes": 12},
)


@check(LOSS, probe="CNN-A4", weight=2)
def scores_are_right(student: Student, rng: Generator) -> None:
    """loss(X): the scores, for several sizes of images and filters."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        got, want = scores_of(student, case), right_scores(case)
        name_slip(got, want, {"the scores lack b3": want - case.params["b3"]})
        what = f"loss(X) for images {case.X.shape[1:]} and filters {case.params['W1'].shape[2:]}"
        expect_near(got, want, what=what, hint=ORDER)


@check(LOSS, probe="CNN-A4")
def one_image_is_enough(student: Student, rng: Generator) -> None:
    """A batch of one: scores, loss and gradients."""
    case = draw_case(rng, N=1, hidden=9)
    expect_near(scores_of(student, case), right_scores(case), what="loss(X) for one image")
    loss, grads = right_loss(case)
    expect_near(loss_of(student, case)[0], loss, what="the loss for one image")
    _expect_gradients(student, case, grads)


@check(LOSS, probe="CNN-A4")
def scores_do_not_depend_on_reg(student: Student, rng: Generator) -> None:
    """loss(X) is the same whatever the penalty, and is an array alone."""
    case = draw_case(rng)
    for reg in (0.0, 5.0):
        expect_near(scores_of(student, case.with_reg(reg)), right_scores(case), what="loss(X)")


# -- loss(X, y) -----------------------------------------------------------------------------------


@check(LOSS, probe="CNN-A2", weight=2)
def loss_is_right(student: Student, rng: Generator) -> None:
    """The loss without penalty; with tiny weights it is about log C."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        expect_near(loss_of(student, case)[0], right_loss(case)[0], what="the loss for reg = 0")
    case = draw_case(rng)
    tiny = {name: 1e-3 * value for name, value in case.params.items()}
    near = float(np.log(case.classes))
    loss = loss_of(student, Case(tiny, case.X, case.y))[0]
    hint = "with tiny weights all classes are equally likely"
    expect_close(loss, near, what="the loss for tiny weights", rtol=1e-2, atol=0, hint=hint)


@check(LOSS, probe="CNN-A2", weight=2)
def penalty_has_one_half(student: Student, rng: Generator) -> None:
    """What reg adds to the loss."""
    case = draw_case(rng)
    added, squares = NET.added_by_reg(student, case.with_reg(REG)), case.squares
    weights = sum(squares[name] for name in WEIGHTS)
    slips = {
        "reg makes no difference to the loss": 0.0,
        "the penalty is twice what this notebook defines: it is 0.5 * reg * (sum of squares), "
        "with 0.5": 2.0,
        "the biases are penalised too": sum(squares.values()) / weights,
        "the penalty is divided by the number of examples": 1 / len(case.X),
        **{f"{name} is not penalised": 1 - squares[name] / weights for name in WEIGHTS},
    }
    want = 0.5 * REG * weights
    name_slip(added, want, {message: factor * want for message, factor in slips.items()})
    expect_close(added, want, what="the penalty, loss with reg minus loss without,", rtol=1e-5)


@check(LOSS, probe="CNN-A3", weight=4)
def gradients_are_right(student: Student, rng: Generator) -> None:
    """All six gradients without penalty."""
    for sizes in CASES:
        case = draw_case(rng, **sizes)
        _expect_gradients(student, case, right_loss(case)[1])


@check(LOSS, probe="CNN-A3", weight=2)
def penalty_gradients_fit_the_loss(student: Student, rng: Generator) -> None:
    """What reg adds to the gradients is the derivative of what it adds to the loss."""
    NET.expect_penalty_gradients(student, draw_case(rng).with_reg(REG))


@check(LOSS, probe="CNN-A4", condition=True)
def loss_leaves_everything(student: Student, rng: Generator) -> None:
    """X, y and the parameters are as before: training changes them, the loss does not."""
    NET.expect_nothing_changed(student, draw_case(rng).with_reg(REG))


def _expect_gradients(student: Student, case: Case, want: dict[str, Array]) -> None:
    grads = gradients_of(student, case)
    for name in NAMES:
        expect_near(grads[name], want[name], what=f"grads[{name!r}] for reg = {case.reg:g}")
