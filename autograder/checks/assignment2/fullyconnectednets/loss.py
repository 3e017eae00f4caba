"""What is asked of FullyConnectedNet.loss, over right layers: scores, loss, gradients.

Shapes: X (N, d_1, ..., d_k), y (N,); W1 (D, H_1), b1 (H_1,), ..., WL (H_(L-1), C), bL (C,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets.net_oracle import (
    NET,
    Case,
    draw_case,
    gradients_of,
    loss_of,
    right_loss,
    right_scores,
    run,
    scores_of,
)
from autograder.judge import (
    Failed,
    Student,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

REG = 3.14
# One to three hidden layers: all sizes differ, so that no transpose fits by chance.
DEPTHS = ((7,), (7, 6), (5, 7, 6))
CHANGED = """
_net.loss(_X), _net.loss(_X, _y)
for _name in list(_net.params):
    _net.params[_name] = 0.5 * _net.params[_name]
_net.reg = 2.0
_scores, _loss = _net.loss(_X), _net.loss(_X, _y)[0]
_net.reg = 0.0
_plain = _net.loss(_X, _y)[0]
"""
IN_FLOAT32 = """
_net.dtype = _np.float32
_net.params = {_n: _p.astype(_np.float32) for _n, _p in _net.params.items()}
_loss, _grads = _net.loss(_X.astype(_np.float32), _y)
_scores = _net.loss(_X.astype(_np.float32))
"""

# -- loss(X) --------------------------------------------------------------------------------------


def scores_are_right(student: Student, rng: Generator) -> None:
    """loss(X) for two, three and four layers: the scores."""
    for case in _cases(rng):
        got, want = scores_of(student, case), right_scores(case)
        last = case.params[f"b{case.depth}"]
        slips = {
            "the scores lack the bias of the last layer": want - last,
            "there is a ReLU after the last layer: scores may be negative": np.maximum(want, 0),
        }
        name_slip(got, want, slips)
        expect_near(got, want, what=f"loss(X) for {case.depth} layers")


def scores_do_not_depend_on_reg(student: Student, rng: Generator) -> None:
    """loss(X) is the same whatever the penalty, and is an array alone."""
    case = draw_case(rng)
    for reg in (0.0, 5.0):
        expect_near(scores_of(student, case.with_reg(reg)), right_scores(case), what="loss(X)")


def images_and_single_examples_are_accepted(student: Student, rng: Generator) -> None:
    """Images (3, 4, 4) and N = 1: scores, loss and gradients."""
    for case in (
        draw_case(rng, image=(3, 4, 4), hidden=(5, 6)),
        draw_case(rng, N=1, image=(2, 3), hidden=(6, 5)),
    ):
        expect_near(scores_of(student, case), right_scores(case), what="loss(X)")
        expect_near(loss_of(student, case)[0], right_loss(case)[0], what="the loss")
        _expect_gradients(student, case)


def parameters_are_read_when_called(student: Student, rng: Generator) -> None:
    """Other parameters and another reg between two calls."""
    case = draw_case(rng)
    after = run(student, case, CHANGED, "_scores", "_loss", "_plain")
    halved = case.with_params({name: 0.5 * value for name, value in case.params.items()})
    hint = "read self.params and self.reg inside loss, each time"
    want, (loss, _) = right_scores(halved), right_loss(halved)
    expect_near(after.get("_scores"), want, what="loss(X) after params changed", hint=hint)
    expect_near(after.get("_plain"), loss, what="the loss after params changed", hint=hint)
    differs = abs(float(expect_shape(after.get("_loss"), (), "the loss")) - loss) > 1e-6
    expect(differs, f"changing self.reg later makes no difference: {hint}")


def loss_of_a_float32_net_is_finite(student: Student, rng: Generator) -> None:
    """A float32 net: scores, loss and gradients are finite, and near the right ones."""
    case = draw_case(rng, hidden=(9, 8), image=(3, 4, 4))
    names = ("_loss", "_grads", "_scores")
    after = run(student, case, IN_FLOAT32, *names)
    want, grads = right_loss(case)
    got = after.get("_grads")
    if not isinstance(got, dict):
        raise Failed("grads is not a dictionary")
    found = {"loss(X)": after.get("_scores"), "the loss": after.get("_loss")}
    right = {"loss(X)": right_scores(case), "the loss": want} | grads
    # Parameters lose their last 9 digits; what follows from them loses a digit or two more.
    for name, value in (found | {name: got.get(name) for name in grads}).items():
        expect_close(value, right[name], what=f"{name} in float32", rtol=1e-3, atol=1e-4)


# -- loss(X, y) -----------------------------------------------------------------------------------


def loss_is_right(student: Student, rng: Generator) -> None:
    """Two, three and four layers: the loss without penalty."""
    for case in _cases(rng):
        what = f"the loss of {case.depth} layers for reg = 0"
        expect_near(loss_of(student, case)[0], right_loss(case)[0], what=what)


def penalty_has_one_half(student: Student, rng: Generator) -> None:
    """What reg adds to the loss."""
    case = draw_case(rng, hidden=(5, 7, 6))
    squares = case.squares
    weights = [squares[f"W{layer}"] for layer in range(1, case.depth + 1)]
    biases = sum(squares[f"b{layer}"] for layer in range(1, case.depth + 1))
    total = sum(weights)
    slips = {
        "reg makes no difference to the loss": 0.0,
        "the penalty is twice what this notebook defines: it is 0.5 * reg * (sum of squares), "
        "with 0.5 (the notebooks svm and softmax, and some years of the course, have none)": 2.0,
        "the biases are penalised too": 1 + biases / total,
        "only the first layer is penalised": weights[0] / total,
        "only the last layer is penalised": weights[-1] / total,
        "the last layer is not penalised": 1 - weights[-1] / total,
        "the first layer is not penalised": 1 - weights[0] / total,
        "the penalty is divided by the number of examples": 1 / len(case.X),
    }
    added, want = NET.added_by_reg(student, case.with_reg(REG)), 0.5 * REG * total
    name_slip(added, want, {message: factor * want for message, factor in slips.items()})
    what = "the penalty, loss with reg minus loss without,"
    expect_close(added, want, what=what, rtol=1e-5)


def gradients_are_right(student: Student, rng: Generator) -> None:
    """Two, three and four layers: all gradients without penalty."""
    for case in _cases(rng):
        _expect_gradients(student, case)


def penalty_gradients_fit_the_loss(student: Student, rng: Generator) -> None:
    """What reg adds to the gradients is the derivative of what it adds to the loss."""
    NET.expect_penalty_gradients(student, draw_case(rng, hidden=(5, 7, 6)).with_reg(REG))


def loss_leaves_everything(student: Student, rng: Generator) -> None:
    """X, y and the parameters are as before: training changes them, the loss does not."""
    NET.expect_nothing_changed(student, draw_case(rng).with_reg(REG))


def no_hidden_layer_computes(student: Student, rng: Generator) -> None:
    """hidden_dims may be empty: scores, loss and gradients of a linear classifier."""
    case = draw_case(rng, hidden=())
    expect_near(scores_of(student, case), right_scores(case), what="loss(X)")
    expect_near(loss_of(student, case)[0], right_loss(case)[0], what="the loss")
    _expect_gradients(student, case)


def _cases(rng: Generator) -> list[Case]:
    return [draw_case(rng, hidden=hidden) for hidden in DEPTHS]


def _expect_gradients(student: Student, case: Case) -> None:
    got, want = gradients_of(student, case), right_loss(case)[1]
    for name in case.params:
        expect_near(got[name], want[name], what=f"grads[{name!r}] of {case.depth} layers")
