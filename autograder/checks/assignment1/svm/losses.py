"""The hinge loss and its gradient, naive and vectorised.

Shapes: W (D, C), X (N, D), y (N,); scores X @ W are (N, C).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.linear_losses import (
    LinearLoss,
    declare_gradient_checks,
    declare_loss_checks,
    declare_no_loops,
)
from autograder.checks.shared.linear_oracle import HINGE, Array, Problem, draw, margins

NAIVE, VECTORIZED = "svm_loss_naive", "svm_loss_vectorized"


def special_batches(rng: Generator) -> dict[str, Problem]:
    """Batches at either end: everything is too close, or nothing is; and very large scores."""
    some = draw(rng, 8, 5, 4)
    near = some._replace(W=some.W * 0.01)  # scores near 0: every other class is too close
    apart = Problem(np.eye(4) * 8.0 + 0.1 * rng.normal(size=(4, 4)), np.eye(4)[some.y], some.y)
    assert (margins(near) > 0).all()
    assert (margins(apart) > 0).sum() == len(some.y)  # the correct classes' own
    return {
        "rows where every other class is too close": near,
        "rows where no other class is too close": apart,
        "scores in the thousands": draw(rng, 5, 4, 3, scale=1e3),
    }


def loss_slips(problem: Problem) -> dict[str, float]:
    """Usual mistakes in the hinge loss."""
    lacking, N, rows = margins(problem), len(problem.X), np.arange(len(problem.X))
    costs = np.maximum(lacking, 0)
    without_margin = np.maximum(lacking - 1, 0)
    others = costs.copy()
    others[rows, problem.y] = 0
    return {
        "the loss is exactly 1 too much: is the correct class compared with itself?": costs.sum()
        / N,
        "the margin of 1 is missing in the loss": without_margin.sum() / N,
        "the margins are squared in the loss": np.sum(others**2) / N,
        "the loss counts only the largest margin of each row": others.max(axis=1).sum() / N,
    }


def gradient_slips(problem: Problem) -> dict[str, Array]:
    """Usual mistakes in the coefficients (N, C) with which rows of X enter the columns of dW."""
    lacking, N, rows = margins(problem), len(problem.X), np.arange(len(problem.X))
    others = (lacking > 0).astype(np.float64)
    others[rows, problem.y] = 0
    counts = others.sum(axis=1)

    def gradient(true: Array, of_others: Array = others) -> Array:
        coefficients = of_others.copy()
        coefficients[rows, problem.y] = true
        return problem.X.T @ coefficients / N

    weighted, every = others * lacking, np.ones_like(others)
    once = "the correct class's column of dW gets the row once, however many classes are too close"
    return {
        "the correct class's column of dW is missing: its score is in every margin": gradient(
            0 * counts
        ),
        once: gradient(-np.minimum(counts, 1)),
        "the correct class's column of dW has the wrong sign": gradient(counts),
        "dW is weighted with the margins: that is the gradient of a squared hinge": gradient(
            -weighted.sum(axis=1), weighted
        ),
        "dW counts every class, too close or not": gradient(-(every.sum(axis=1) - 1), every),
    }


ASKED = LinearLoss(
    HINGE,
    loss_cells={"svm-naive-loss": NAIVE, "svm-vectorized": VECTORIZED},
    gradient_cells={"svm-naive-gradient": NAIVE, "svm-vectorized": VECTORIZED},
    probes={
        "values": "SVM-A1",
        "penalty": "SVM-A2",
        "special": "SVM-A3/A4/A5/A8",  # either end; repetition; W = 0; large scores
        "slope": "SVM-A6",
        "unchanged": "SVM-A7",
    },
    special=special_batches,
    loss_slips=loss_slips,
    gradient_slips=gradient_slips,
)

declare_loss_checks(__name__, ASKED)
declare_gradient_checks(__name__, ASKED)
declare_no_loops(__name__, "svm-vectorized", VECTORIZED, probe="SVM-A6")
