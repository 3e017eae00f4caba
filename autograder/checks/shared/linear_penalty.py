"""The penalty of a linear loss, reg * sum(W * W), and its gradient, each asked for on its own.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

import numpy as np

from autograder.checks.shared.in_kernel_linear import slopes
from autograder.checks.shared.linear_oracle import Problem, gradient_of, loss_of
from autograder.judge import Failed, Student, as_array, expect, expect_close, expect_shape

REG = 0.7
#: A difference of two losses (gradients): their rounding is that of numbers larger than itself.
TOLERANCE = 1e-5


def expect_coefficient_one(student: Student, problem: Problem, name: str) -> None:
    """(loss(reg) - loss(0)) / (reg * sum(W * W)) is 1, whatever the rest of the loss is."""
    N, squares = len(problem.X), problem.W**2
    with_reg, without = (_number(loss_of(student, name, problem, reg)) for reg in (REG, 0.0))
    whole = float(np.sum(squares))
    coefficient = (with_reg - without) / (REG * whole)
    expect(abs(coefficient) > 1e-9, "reg makes no difference to the loss: where is the penalty?")
    half = (
        "the penalty is half of what this notebook defines: it is reg * sum of W squared, "
        "without 1/2 (some books and years have the 1/2)"
    )
    slips = {
        half: 0.5,
        "the penalty is a mean over the entries of W; it is reg * their sum of squares": 1
        / squares.size,
        "the penalty is divided by the number of rows: only the rest of the loss is a mean": 1 / N,
        "the penalty is added once for each row; it is added once": float(N),
        "the penalty leaves out the last row of W; all entries count": np.sum(squares[:-1]) / whole,
        "the penalty is a sum of absolute values (L1); it is one of squares": np.sum(
            np.abs(problem.W)
        )
        / whole,
        "the penalty is the length of W; it is the length squared": 1 / np.sqrt(whole),
        "the penalty is subtracted from the loss; it is added": -1.0,
    }
    what = "the penalty, (loss with reg - loss without) / (reg * sum of W squared),"
    expect_close(coefficient, 1.0, what=what, rtol=TOLERANCE, slips=slips)


def expect_gradient_of_penalty(student: Student, problem: Problem, name: str) -> None:
    """reg adds 2 * reg * W to dW, or else the slope of what the student's own loss adds.

    So a wrong penalty in the loss costs nothing here, whether dW follows it or not.
    """
    W, N = problem.W, len(problem.X)
    with_reg, without = (
        expect_shape(gradient_of(student, name, problem, reg), W.shape, "dW").astype(np.float64)
        for reg in (REG, 0.0)
    )
    added, want = with_reg - without, 2 * REG * W
    if np.allclose(added, want, rtol=TOLERANCE, atol=TOLERANCE):
        return
    own = [student.apply(slopes, name, *problem, reg) for reg in (REG, 0.0)]
    if np.any(added) and np.allclose(added, own[0] - own[1], rtol=1e-4, atol=1e-4):
        return
    slips = {
        "reg makes no difference to dW: the derivative of the penalty is missing": 0 * W,
        "reg adds half of the penalty's derivative to dW: that of W squared is 2 W": want / 2,
        "reg adds the penalty's derivative divided by the number of rows": want / N,
        "reg subtracts the penalty's derivative from dW": -want,
    }
    # Twice as much, or more, where a row or a class adds it again: no slip is named for these.
    what = "what reg adds to dW"
    expect_close(added, want, what=what, slips=slips, rtol=TOLERANCE, atol=TOLERANCE)


def _number(loss: object) -> float:
    array = as_array(loss, "the loss")
    if array.size != 1:
        raise Failed(f"the loss has shape {array.shape}; expected one number")
    return float(array.reshape(()))
