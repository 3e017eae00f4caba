"""The cross-entropy loss and its gradient, naive and vectorised.

Shapes: W (D, C), X (N, D), y (N,); scores X @ W are (N, C).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.softmax import stability
from autograder.checks.shared.linear_losses import (
    LinearLoss,
    declare_gradient_checks,
    declare_loss_checks,
    declare_no_loops,
)
from autograder.checks.shared.linear_oracle import CROSS_ENTROPY, Array, Problem, draw, gradient_of
from autograder.judge import Student, as_array, check_each, expect, expect_close

NAIVE, VECTORIZED = "softmax_loss_naive", "softmax_loss_vectorized"


def special_batches(rng: Generator) -> dict[str, Problem]:
    """The smallest problem there is."""
    return {"a single row and two classes": draw(rng, 1, 2, 2)}


def loss_slips(problem: Problem) -> dict[str, float]:
    """Usual mistakes in the mean of -ln p, p (N,) the correct classes' probabilities."""
    probabilities = _probabilities(problem)
    p = np.take_along_axis(probabilities, problem.y[:, None], axis=1)
    loss = float(-np.log(p).mean())
    return {
        "the loss has the wrong sign: it is minus the logarithm": -loss,
        "the loss is a logarithm to base 2; it is the natural one": loss / np.log(2),
        "the loss is 1 - p; it is -ln p": float(1 - p.mean()),
        "the loss is a mean over all classes; only the logarithm of the correct one counts": float(
            -np.log(probabilities).mean()
        ),
    }


def gradient_slips(problem: Problem) -> dict[str, Array]:
    """Usual mistakes in the coefficients (N, C) with which rows of X enter the columns of dW."""
    p, N = _probabilities(problem), len(problem.X)
    truth = np.eye(p.shape[1])[problem.y]
    return {
        "the 1 of the correct class is not subtracted from its probability": problem.X.T @ p / N,
        "1 is subtracted from every probability, not only from the correct class's": problem.X.T
        @ (p - 1)
        / N,
        "only the correct class's column of dW gets the row": problem.X.T @ ((p - 1) * truth) / N,
    }


def _probabilities(problem: Problem) -> Array:
    powers = np.exp(problem.X @ problem.W)
    return powers / powers.sum(axis=1, keepdims=True)


ASKED = LinearLoss(
    CROSS_ENTROPY,
    loss_cells={"softmax-naive-loss": NAIVE, "softmax-vectorized": VECTORIZED},
    gradient_cells={"softmax-naive-gradient": NAIVE, "softmax-vectorized": VECTORIZED},
    probes={
        "values": "SMX-A1",
        "penalty": "SMX-A2",
        "special": "SMX-A4/A5/A6",  # W = 0; repetition; small problems
        "slope": "SMX-A7",
        "unchanged": "SMX-A7",
    },
    special=special_batches,
    loss_slips=loss_slips,
    gradient_slips=gradient_slips,
)

declare_loss_checks(__name__, ASKED)
stability.declare_for_losses(__name__, ASKED)
declare_gradient_checks(__name__, ASKED)
stability.declare_for_gradients(__name__, ASKED)


@check_each(ASKED.gradient_cells, probe="SMX-A8")
def gradient_rows_add_up(student: Student, rng: Generator, name: str) -> None:
    """Without penalty, the entries of each row of dW add up to 0."""
    got = as_array(gradient_of(student, name, draw(rng, 8, 5, 4), 0.0), "dW")
    expect(got.ndim == 2 and np.any(got != 0), "dW has not two axes, or is zero everywhere")
    what = "the sums of dW's rows: what the classes are given cancels, since probabilities add to 1"
    expect_close(got.sum(axis=1), np.zeros(len(got)), what=what, atol=1e-6)


declare_no_loops(__name__, "softmax-vectorized", VECTORIZED, probe="SMX-A7")
stability.declare_advice(__name__, "softmax-vectorized", VECTORIZED)
