"""Softmax in floating point: large scores, and a correct class with a small probability.

Shapes: W (D, C), X (N, D), y (N,); scores X @ W are (N, C).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.linear_losses import LinearLoss
from autograder.checks.shared.linear_oracle import (
    CROSS_ENTROPY,
    Problem,
    draw,
    gradient_of,
    loss_of,
)
from autograder.judge import (
    Student,
    advice,
    as_array,
    check_each,
    expect_close,
    expect_near,
)

BEHIND = 35.0  # so small a probability, 6e-16, that whatever is added to it shows in the loss


def large_scores(rng: Generator) -> dict[str, Problem]:
    """Scores whose exponentials overflow, unless the largest is subtracted.

    A lead of 725 is chosen with care: e^725 is too large for float64, which shows who subtracts
    another score than the largest (with 100 classes, their mean too); e^-725 is not yet 0, and so
    costs nobody a logarithm of 0.
    """
    y = rng.permutation(100)[:4]
    ahead = Problem(725.0 * np.eye(100), np.eye(100)[y], y)
    return {
        "10000 on all scores": _with_offset(draw(rng, 5, 4, 3), 1e4),
        "-10000 on all scores": _with_offset(draw(rng, 5, 4, 3), -1e4),
        "correct classes that lead by 725": ahead,
    }


def _with_offset(problem: Problem, offset: float) -> Problem:
    """A column of ones more, whose weights add ``offset`` to every score."""
    N, C = len(problem.X), problem.W.shape[1]
    W = np.vstack([problem.W, np.full((1, C), offset)])
    return Problem(W, np.hstack([problem.X, np.ones((N, 1))]), problem.y)


def declare_for_losses(module: str, asked: LinearLoss) -> None:
    """What is asked of the loss."""

    @check_each(asked.loss_cells, probe="SMX-A3", weight=2, module=module)
    def loss_of_large_scores(student: Student, rng: Generator, name: str) -> None:
        """All scores larger, or smaller, by ten thousand; a correct class that is far ahead."""
        for scores, problem in large_scores(rng).items():
            got, want = loss_of(student, name, problem, 0.0), CROSS_ENTROPY(problem, 0.0).loss
            expect_near(got, want, what=f"the loss with {scores}", hint=_hint(got), squeeze=True)

    @check_each(asked.loss_cells, probe="SMX-A3", rare=True, module=module)
    def loss_of_an_unlikely_class(student: Student, rng: Generator, name: str) -> None:
        """A correct class 35 below the largest score: nothing is added to its probability."""
        problem = Problem(np.array([[0.0, BEHIND, -1.0]]), np.ones((1, 1)), np.array([0]))
        p, slips = np.exp(-BEHIND), {}
        for exponent in range(-15, -2):
            small = f"1e{exponent}"
            added = (
                f"{small} is added to the probability, or it is kept above that: it caps the loss"
            )
            kept = f"the probability is kept above {small}, which caps the loss"  # if they differ
            slips |= {added: -np.log(p + float(small)), kept: -np.log(float(small))}
        got, want = loss_of(student, name, problem, 0.0), CROSS_ENTROPY(problem, 0.0).loss
        what = "the loss of a correct class whose score is 35 below the largest"
        expect_near(got, want, what=what, slips=slips, squeeze=True)


def declare_for_gradients(module: str, asked: LinearLoss) -> None:
    """What is asked of the gradient."""

    @check_each(asked.gradient_cells, probe="SMX-A3", module=module)
    def gradient_of_large_scores(student: Student, rng: Generator, name: str) -> None:
        """All scores larger, or smaller, by ten thousand; a correct class that is far ahead."""
        for scores, problem in large_scores(rng).items():
            got, want = gradient_of(student, name, problem, 0.0), CROSS_ENTROPY(problem, 0.0)
            expect_near(got, want.gradient, what=f"dW with {scores}", hint=_hint(got))


def declare_advice(module: str, grade_id: str, name: str) -> None:
    """What the contract leaves open."""

    @advice(grade_id, probe="SMX-B1", module=module)
    def rows_may_differ_by_thousands(student: Student, rng: Generator) -> None:
        """Rows whose scores lie thousands apart: each row needs a maximum of its own."""
        problem = draw(rng, 6, 4, 3)
        offsets = 3000.0 * np.arange(6)[:, None]  # the last weight adds it to all scores of the row
        problem = Problem(
            np.vstack([problem.W, np.ones((1, 3))]), np.hstack([problem.X, offsets]), problem.y
        )
        want = CROSS_ENTROPY(problem, 0.0)
        hint = "subtract the maximum of each row, not that of the whole batch"
        got = loss_of(student, name, problem, 0.0)
        expect_near(got, want.loss, what="the loss", hint=hint, squeeze=True)
        gradient = as_array(gradient_of(student, name, problem, 0.0), "dW")
        # Scores near 15000 are rounded to 2e-12, and X holds numbers up to 15000.
        expect_close(gradient[:-1], want.gradient[:-1], what="dW", hint=hint, atol=1e-6)

    @advice(grade_id, probe="SMX-B2", module=module)
    def loss_of_an_impossible_class_is_finite(student: Student, rng: Generator) -> None:
        """The correct class is 2000 behind: its probability rounds to 0, its loss is 2000."""
        W, X = np.array([[0.0, 2000.0], [1.0, 0.0]]), np.array([[1.0, 0.0]])
        got = loss_of(student, name, Problem(W, X, np.array([0])), 0.0)
        hint = "the logarithm of the quotient is a difference: ln p = s_y - ln(sum of exponentials)"
        expect_close(got, 2000.0, what="the loss", hint=hint, squeeze=True)


def _hint(got: object) -> str:
    """A cause of nan and inf; where an answer is merely wrong, something else is at fault."""
    if np.isfinite(as_array(got)).all():
        return ""
    return "Is the largest score of each row subtracted before exponentials are taken?"
