"""What is asked of either linear loss, naive or vectorised. Each notebook declares which, where.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.linear_oracle import (
    Loss,
    Problem,
    ask,
    draw,
    expect_near,
    gradient_of,
    loss_of,
)
from autograder.judge import (
    Failed,
    Student,
    check,
    expect,
    expect_close,
    expect_unchanged,
)
from cs231n_lib.gradient_check import eval_numerical_gradient

MEAN = "the loss is a mean over the rows of X"
REG = 0.7


def in_cells(
    cells: Mapping[str, str], *, probe: str, weight: float = 1.0, condition: bool = False
) -> Callable[[Callable], Callable]:
    """Declare one check for each of these cells and the function it tests."""

    def register(function: Callable) -> Callable:
        for grade_id, name in cells.items():

            @check(grade_id, probe=probe, weight=weight, condition=condition)
            @wraps(function)  # the notebook's module included, where the check is looked for
            def run(student: Student, rng: Generator, name: str = name) -> None:
                function(student, rng, name)

        return function

    return register


def value_is_right(
    student: Student, rng: Generator, name: str, loss: Loss, N: int, D: int, C: int, scale: float
) -> None:
    """The loss of random rows, without penalty; the usual slips are named."""
    problem = draw(rng, N, D, C, scale)
    want = loss(problem, 0.0).loss
    got = loss_of(student, name, problem.copy(), 0.0)
    if np.isclose(got, want * N, rtol=1e-6) and N > 1:
        raise Failed(f"this is a sum over the rows of X. {MEAN}")
    if loss.name == "hinge" and np.isclose(got, want + 1, rtol=1e-6):
        raise Failed("exactly 1 too much: is the true class compared with itself?")
    what = f"the loss for N = {N}, D = {D}, C = {C}, reg = 0"
    expect_near(got, want, what=what, hint="look at one row and one class at a time")


def gradient_is_right(
    student: Student, rng: Generator, name: str, loss: Loss, N: int, D: int, C: int, scale: float
) -> None:
    """The gradient of random rows, without penalty; the usual slips are named."""
    problem = draw(rng, N, D, C, scale)
    want = loss(problem, 0.0).gradient
    got = gradient_of(student, name, problem.copy(), 0.0).astype(np.float64)
    if N > 1 and np.allclose(got, want * N, rtol=1e-6):
        raise Failed("dW is a sum over the rows of X; the loss is their mean")
    if np.allclose(got, -want, rtol=1e-6):
        raise Failed("dW has the wrong sign throughout")
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
        lambda moved: loss_of(student, name, problem._replace(W=moved), 0.0), W
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
    added = loss_of(student, name, problem.copy(), REG) - loss_of(student, name, problem, 0.0)
    return added / (REG * float(np.sum(problem.W**2)))
