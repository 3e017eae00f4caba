"""What is asked of either linear loss, naive or vectorised. Each notebook declares which, where.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.linear_oracle import (
    HINGE,
    Loss,
    Problem,
    ask,
    draw,
    gradient_of,
    loss_of,
)
from autograder.judge import (
    Failed,
    Student,
    expect,
    expect_close,
    expect_near,
    expect_unchanged,
    name_slip,
)
from cs231n_lib.gradient_check import eval_numerical_gradient

MEAN = "the loss is a mean over the rows of X"
REG = 0.7


def value_is_right(
    student: Student, rng: Generator, name: str, loss: Loss, N: int, D: int, C: int, scale: float
) -> None:
    """The loss of random rows, without penalty; the usual slips are named."""
    problem = draw(rng, N, D, C, scale)
    want = loss(problem, 0.0).loss
    got = loss_of(student, name, problem.copy(), 0.0)
    slips = {f"this is a sum over the rows of X. {MEAN}": want * N}
    if loss is HINGE:
        slips["exactly 1 too much: is the true class compared with itself?"] = want + 1
    name_slip(got, want, slips)
    what = f"the loss for N = {N}, D = {D}, C = {C}, reg = 0"
    expect_near(got, want, what=what, hint="look at one row and one class at a time")


def gradient_is_right(
    student: Student, rng: Generator, name: str, loss: Loss, N: int, D: int, C: int, scale: float
) -> None:
    """The gradient of random rows, without penalty; the usual slips are named."""
    problem = draw(rng, N, D, C, scale)
    want = loss(problem, 0.0).gradient
    got = gradient_of(student, name, problem.copy(), 0.0)
    slips = {
        "dW is a sum over the rows of X; the loss is their mean": want * N,
        "dW has the wrong sign throughout": -want,
    }
    name_slip(got, want, slips)
    what = f"dW for N = {N}, D = {D}, C = {C}, reg = 0"
    expect_near(got, want, what=what, hint="compare with a numerical gradient, row by row")


def penalty_has_coefficient_one(student: Student, rng: Generator, name: str) -> None:
    """(loss(reg) - loss(0)) / (reg * sum(W * W)) is 1, whatever the rest of the loss is."""
    problem = draw(rng, 6, 5, 4)
    coefficient = _coefficient(student, name, problem)
    if np.isclose(coefficient, 0.5, rtol=1e-5):
        raise Failed(
            "the penalty is half of what this notebook defines: it is reg * sum of W squared, "
            "without 1/2 (some books and years have the 1/2)"
        )
    expect(abs(coefficient) > 1e-9, "reg makes no difference to the loss: where is the penalty?")
    what = "the penalty, (loss with reg - loss without) / (reg * sum of W squared),"
    hint = "it is added once, over all entries of W, and not divided by the number of rows"
    expect_close(coefficient, 1.0, what=what, rtol=1e-5, hint=hint)


def penalty_gradient_fits(student: Student, rng: Generator, name: str) -> None:
    """reg changes dW by the derivative of what it adds to the loss."""
    problem = draw(rng, 6, 5, 4)
    coefficient = _coefficient(student, name, problem)
    expect(abs(coefficient) > 1e-9, "the loss has no penalty that a gradient could belong to")
    with_reg = gradient_of(student, name, problem.copy(), REG)
    without = gradient_of(student, name, problem.copy(), 0.0)
    difference = with_reg.astype(np.float64) - without
    hint = "differentiate the penalty as it stands in your loss"
    want = 2 * coefficient * REG * problem.W
    what = "what reg adds to dW"
    rtol = 1e-5 if difference.dtype == with_reg.dtype else 1e-3  # float32 sums lose digits
    expect_close(difference, want, what=what, hint=hint, rtol=rtol, atol=rtol)


def repetition_changes_nothing(
    student: Student, rng: Generator, name: str, *, gradient: bool
) -> None:
    """Every row twice: the mean stays."""
    once = draw(rng, 7, 5, 3)
    twice = Problem(once.W, np.concatenate([once.X, once.X]), np.concatenate([once.y, once.y]))
    first, second = (ask(student, name, p.copy(), REG) for p in (once, twice))
    kind = "dW" if gradient else "the loss"
    pair = (first.gradient, second.gradient) if gradient else (first.loss, second.loss)
    expect(pair[0] is not None, f"{kind} is None")
    what = f"{kind}, when every row is there twice,"
    expect_near(pair[1], np.asarray(pair[0], np.float64), what=what, hint="take the mean over rows")
    expect(np.any(np.asarray(pair[0]) != 0), f"{kind} is zero")


def equal_scores(student: Student, rng: Generator, name: str, loss: Loss) -> None:
    """All weights zero: all classes are equal, and the loss depends on their number only."""
    for N, D, C in ((4, 6, 10), (3, 2, 2)):
        problem = draw(rng, N, D, C)
        got = loss_of(student, name, problem._replace(W=np.zeros((D, C))), REG)
        expect_near(got, loss.at_zero(C), what=f"the loss for W = 0 and {C} classes")


def gradient_is_the_slope(student: Student, rng: Generator, name: str) -> None:
    """dW against centred differences of the student's own loss."""
    problem = draw(rng, 4, 3, 4)
    got = gradient_of(student, name, problem.copy(), 0.0)
    expect(np.any(got != 0), "dW is zero everywhere")
    W = problem.W.copy()
    measured = eval_numerical_gradient(
        lambda moved: float(loss_of(student, name, problem._replace(W=moved), 0.0)), W
    )
    # The step of 1e-5 leaves 1e-10 of truncation and 1e-16 / 1e-5 of rounding: 1e-6 is ample.
    hint = "dW is not the slope of the loss that the same function returns"
    expect_close(got, measured, what="dW", rtol=1e-5, atol=1e-6, hint=hint)


def arguments_stay(student: Student, rng: Generator, name: str) -> None:
    """W, X and y are as before after the call."""
    problem = draw(rng, 6, 4, 3)
    kept = [student.put(array) for array in problem]
    student.call(name, *kept, REG)
    for reference, before, what in zip(kept, problem, problem._fields, strict=True):
        expect_unchanged(student.fetch(reference), before, what)


def _coefficient(student: Student, name: str, problem: Problem) -> float:
    with_reg, without = (float(loss_of(student, name, problem.copy(), r)) for r in (REG, 0.0))
    return (with_reg - without) / (REG * float(np.sum(problem.W**2)))
