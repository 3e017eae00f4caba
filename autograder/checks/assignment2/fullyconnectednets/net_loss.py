"""Checks of FullyConnectedNet.loss, over right layers."""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.shared import in_kernel_net
from autograder.checks.shared.fully_connected import NET, draw_case, right_loss, right_scores
from autograder.checks.shared.net_loss import declare_net_loss_checks
from autograder.checks.shared.student_net import (
    as_gradients,
    as_loss,
    as_scores,
    expect_entries,
    expect_gradients,
)
from autograder.judge import Student, advice, check, expect_close, expect_near

CELL = "fcn-loss"

declare_net_loss_checks(
    __name__,
    CELL,
    NET,
    # One to three hidden layers: all sizes differ, so that no transpose fits by chance.
    depths=((7,), (7, 6), (5, 7, 6)),
    probes={
        "scores": "FCN-A2",
        "loss": "FCN-A2",
        "penalty": "FCN-A3",
        "gradients": "FCN-A4",
        "shape": "FCN-A5",
        "reg": "FCN-A5",
        "params": "FCN-A7",
        "arguments": "FCN-A5",
    },
)


@check(CELL, probe="FCN-A6")
def float32_is_accepted(student: Student, rng: Generator) -> None:
    """A float32 net: scores, loss and gradients are finite, and near the right ones."""
    case = draw_case(rng, hidden=(9, 8), image=(3, 4, 4))
    function = in_kernel_net.answers_in_float32
    scores, answer = NET.apply(student, case, function, case.X.copy(), case.y.copy())
    loss, grads = right_loss(case)
    got = as_gradients(answer)
    found = {"loss(X)": as_scores(scores, case), "the loss": as_loss(answer)}
    right = {"loss(X)": right_scores(case), "the loss": loss}
    # Parameters lose their last 9 digits; what follows from them loses a digit or two more.
    room = {"rtol": 1e-3, "atol": 1e-4, "squeeze": True}
    for name, value in found.items():
        expect_close(value, right[name], what=f"{name} in float32", **room)
    expect_entries(got, grads)
    for name, want in grads.items():
        expect_close(got[name], want, what=f"grads[{name!r}] in float32", **room)


@advice(CELL, probe="FCN-B1")
def no_hidden_layer_computes(student: Student, rng: Generator) -> None:
    """hidden_dims may be empty: scores, loss and gradients of a linear classifier."""
    case = draw_case(rng, hidden=())
    scores, answer = NET.answers(student, case, (case.X,), (case.X, case.y))
    loss, grads = right_loss(case)
    expect_near(as_scores(scores, case), right_scores(case), what="loss(X)")
    expect_near(as_loss(answer), loss, what="the loss")
    expect_gradients(as_gradients(answer), grads, "without a hidden layer")
