"""Hidden checks of the softmax notebook; oracle: torch's autograd in float64.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import linear_losses as losses
from autograder.checks.shared.linear_oracle import (
    CROSS_ENTROPY,
    Problem,
    draw,
    gradient_of,
    loss_of,
)
from autograder.checks.shared.search import (
    TuningCell,
    best_is_the_best,
    classifies_new_images,
    leaves_test_set_alone,
    table_is_right,
    trains_on_training_rows,
)
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    check_each,
    expect,
    expect_close,
    expect_near,
    forbid_loops,
)

NAIVE, VECTORIZED = "softmax_loss_naive", "softmax_loss_vectorized"
LOSS_CELLS = {"softmax-naive-loss": NAIVE, "softmax-vectorized": VECTORIZED}
GRADIENT_CELLS = {"softmax-naive-gradient": NAIVE, "softmax-vectorized": VECTORIZED}
TUNING = TuningCell("tune-softmax", classifier="Softmax", best="best_softmax")
SHIFT = "subtract the largest score of each row before taking exponentials"


# -- the loss -------------------------------------------------------------------------------------


@check_each(LOSS_CELLS, probe="SMX-A1", weight=3)
def loss_is_the_mean_cross_entropy(student: Student, rng: Generator, name: str) -> None:
    """The loss without penalty: random rows, N, D and C all different."""
    losses.value_is_right(student, rng, name, CROSS_ENTROPY, 9, 6, 4, 1.0)


@check_each(LOSS_CELLS, probe="SMX-A2", weight=2)
def penalty_is_reg_times_squares(student: Student, rng: Generator, name: str) -> None:
    """What reg adds to the loss."""
    losses.penalty_has_coefficient_one(student, rng, name)


@check_each(LOSS_CELLS, probe="SMX-A3", weight=2)
def loss_with_a_common_offset(student: Student, rng: Generator, name: str) -> None:
    """All scores larger, or smaller, by ten thousand; a true class that is far ahead."""
    for scores, problem in large_scores(rng).items():
        want = CROSS_ENTROPY(problem, 0.0).loss
        _near(loss_of(student, name, problem.copy(), 0.0), want, f"the loss with {scores}", SHIFT)


@check_each(LOSS_CELLS, probe="SMX-A4")
def loss_of_zero_weights(student: Student, rng: Generator, name: str) -> None:
    """All weights zero."""
    losses.equal_scores(student, rng, name, CROSS_ENTROPY)


@check_each(LOSS_CELLS, probe="SMX-A5")
def loss_is_a_mean(student: Student, rng: Generator, name: str) -> None:
    """Every row twice: the loss stays as it is."""
    losses.repetition_changes_nothing(student, rng, name, gradient=False)


@check_each(LOSS_CELLS, probe="SMX-A6")
def loss_of_small_batches(student: Student, rng: Generator, name: str) -> None:
    """One row; two classes."""
    for N, D, C in ((1, 5, 4), (6, 3, 2), (1, 2, 2)):
        problem = draw(rng, N, D, C)
        want = CROSS_ENTROPY(problem, 0.0).loss
        what = f"the loss of {N} row(s) and {C} classes"
        expect_near(loss_of(student, name, problem.copy(), 0.0), want, what=what)


# -- the gradient ---------------------------------------------------------------------------------


@check_each(GRADIENT_CELLS, probe="SMX-A1", weight=3)
def gradient_of_the_cross_entropy(student: Student, rng: Generator, name: str) -> None:
    """The gradient without penalty: random rows, N, D and C all different."""
    losses.gradient_is_right(student, rng, name, CROSS_ENTROPY, 9, 6, 4, 1.0)


@check_each(GRADIENT_CELLS, probe="SMX-A2", weight=2)
def gradient_of_the_penalty(student: Student, rng: Generator, name: str) -> None:
    """What reg adds to the gradient fits what it adds to the loss."""
    losses.penalty_gradient_fits(student, rng, name)


@check_each(GRADIENT_CELLS, probe="SMX-A3")
def gradient_with_a_common_offset(student: Student, rng: Generator, name: str) -> None:
    """All scores larger, or smaller, by ten thousand; a true class that is far ahead."""
    for scores, problem in large_scores(rng).items():
        want = CROSS_ENTROPY(problem, 0.0).gradient
        _near(gradient_of(student, name, problem.copy(), 0.0), want, f"dW with {scores}", SHIFT)


@check_each(GRADIENT_CELLS, probe="SMX-A5")
def gradient_is_a_mean(student: Student, rng: Generator, name: str) -> None:
    """Every row twice: the gradient stays as it is."""
    losses.repetition_changes_nothing(student, rng, name, gradient=True)


@check_each(GRADIENT_CELLS, probe="SMX-A6")
def gradient_of_small_batches(student: Student, rng: Generator, name: str) -> None:
    """One row; two classes."""
    for N, D, C in ((1, 5, 4), (6, 3, 2), (1, 2, 2)):
        problem = draw(rng, N, D, C)
        want = CROSS_ENTROPY(problem, 0.0).gradient
        what = f"dW of {N} row(s) and {C} classes"
        expect_near(gradient_of(student, name, problem.copy(), 0.0), want, what=what)


@check_each(GRADIENT_CELLS, probe="SMX-A8")
def gradient_rows_add_up(student: Student, rng: Generator, name: str) -> None:
    """Without penalty, what the wrong classes are given is taken from the true one."""
    got = gradient_of(student, name, draw(rng, 8, 5, 4), 0.0)
    expect(np.any(got != 0), "dW is zero everywhere")
    hint = "over the classes, the coefficients of a row of X cancel"
    expect_close(got.sum(axis=1), np.zeros(5), what="the sums of dW's rows", hint=hint, atol=1e-6)


@check_each(GRADIENT_CELLS, probe="SMX-A7")
def gradient_is_the_slope_of_the_loss(student: Student, rng: Generator, name: str) -> None:
    """The gradient against small steps of the loss."""
    losses.gradient_is_the_slope(student, rng, name)


@check_each(GRADIENT_CELLS, probe="SMX-A7", condition=True)
def arguments_are_not_modified(student: Student, rng: Generator, name: str) -> None:
    """W, X and y are as before after the call."""
    losses.arguments_stay(student, rng, name)


@check("softmax-vectorized", probe="SMX-A7", weight=4, condition=True)
def vectorized_has_no_loop(student: Student, rng: Generator) -> None:
    """No Python loop of any kind."""
    forbid_loops(student, VECTORIZED, "Write down the shapes, and let NumPy treat all rows.")


@advice("softmax-vectorized", probe="SMX-B1")
def rows_may_differ_by_thousands(student: Student, rng: Generator) -> None:
    """Rows whose scores lie thousands apart: each row needs a maximum of its own."""
    problem = draw(rng, 6, 4, 3)
    offsets = 3000.0 * np.arange(6)[:, None]  # the last weight adds it to all scores of the row
    problem = Problem(
        np.vstack([problem.W, np.ones((1, 3))]), np.hstack([problem.X, offsets]), problem.y
    )
    want = CROSS_ENTROPY(problem, 0.0)
    got = loss_of(student, VECTORIZED, problem.copy(), 0.0)
    _near(got, want.loss, "the loss", SHIFT)
    gradient = gradient_of(student, VECTORIZED, problem.copy(), 0.0)
    # Scores near 15000 are rounded to 2e-12, and X holds numbers up to 15000.
    hint = "subtract the maximum of each row, not that of the whole batch"
    expect_close(gradient[:-1], want.gradient[:-1], what="dW", hint=hint, atol=1e-6)


@advice("softmax-vectorized", probe="SMX-B2")
def a_hopeless_row_costs_a_finite_amount(student: Student, rng: Generator) -> None:
    """The true class is 2000 behind: its probability is 0 in floating point, its loss 2000."""
    problem = Problem(np.array([[0.0, 2000.0], [1.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([0]))
    got = loss_of(student, VECTORIZED, problem.copy(), 0.0)
    hint = "the logarithm of the quotient is a difference: ln p = s_y - ln(sum of exponentials)"
    expect_close(got, 2000.0, what="the loss", hint=hint)


def large_scores(rng: Generator) -> dict[str, Problem]:
    """Scores whose exponentials overflow, unless the largest is subtracted.

    A lead of 725 is chosen with care: e^725 is too large for float64, which shows who subtracts
    another score than the largest; e^-725 is not yet 0, and so costs nobody a logarithm of 0.
    """
    y = rng.permutation(4)
    ahead = Problem(725.0 * np.eye(4), np.eye(4)[y], y)
    return {
        "10000 on all scores": with_offset(draw(rng, 5, 4, 3), 1e4),
        "-10000 on all scores": with_offset(draw(rng, 5, 4, 3), -1e4),
        "true classes that lead by 725": ahead,
    }


def with_offset(problem: Problem, offset: float) -> Problem:
    """A column of ones more, whose weights add ``offset`` to every score."""
    N, C = len(problem.X), problem.W.shape[1]
    W = np.vstack([problem.W, np.full((1, C), offset)])
    return Problem(W, np.hstack([problem.X, np.ones((N, 1))]), problem.y)


def _near(got: object, want: object, what: str, hint: str) -> None:
    finite = np.isfinite(as_array(got, what)).all()
    expect(finite, f"{what} is not finite, since exponentials overflow or vanish. {hint}")
    expect_near(got, np.asarray(want), what=what, hint=hint)


# -- the search -----------------------------------------------------------------------------------


@check("softmax-tuning", probe="SMX-C5", weight=2)
def search_trains_new_classifiers(student: Student, rng: Generator) -> None:
    """At least two settings; a new classifier for each; trained on the training rows."""
    trains_on_training_rows(student, rng, TUNING)


@check("softmax-tuning", probe="SMX-C5", weight=3)
def results_hold_both_accuracies(student: Student, rng: Generator) -> None:
    """For each setting, the accuracies of its classifier on training and validation rows."""
    table_is_right(student, rng, TUNING)


@check("softmax-tuning", probe="SMX-C5", weight=2)
def best_has_the_highest_validation_accuracy(student: Student, rng: Generator) -> None:
    """best_val is the highest validation accuracy; best_softmax the classifier that reached it."""
    best_is_the_best(student, rng, TUNING)


@check("softmax-tuning", probe="SMX-C5", condition=True)
def search_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
    """The test set has no part in the search."""
    leaves_test_set_alone(student, rng, TUNING)


@check("softmax-tuning", probe="SMX-C5")
def best_softmax_classifies_new_images(student: Student, rng: Generator) -> None:
    """best_softmax on images that nobody has seen."""
    # Public solutions reach 0.32 to 0.38 here; 500 images measure that to within 0.02.
    classifies_new_images(student, rng, TUNING, threshold=0.26)
