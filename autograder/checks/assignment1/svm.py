"""Hidden checks of the SVM notebook; oracle: torch's autograd in float64.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import linear_losses as losses
from autograder.checks.shared import linear_training as training
from autograder.checks.shared.linear_oracle import (
    HINGE,
    Problem,
    draw,
    gradient_of,
    loss_of,
    margins,
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
    check,
    check_each,
    expect_equal,
    expect_near,
    expect_shape,
    forbid_loops,
)

NAIVE, VECTORIZED = "svm_loss_naive", "svm_loss_vectorized"
LOSS_CELLS = {"svm-naive-loss": NAIVE, "svm-vectorized": VECTORIZED}
GRADIENT_CELLS = {"svm-naive-gradient": NAIVE, "svm-vectorized": VECTORIZED}
TUNING = TuningCell("tune-svm", classifier="LinearSVM", best="best_svm")


# -- the loss -------------------------------------------------------------------------------------


@check_each(LOSS_CELLS, probe="SVM-A1", weight=3)
def loss_is_the_mean_hinge(student: Student, rng: Generator, name: str) -> None:
    """The loss without penalty: random rows, N, D and C all different."""
    losses.value_is_right(student, rng, name, HINGE, 9, 6, 4, 1.0)


@check_each(LOSS_CELLS, probe="SVM-A2", weight=2)
def penalty_is_reg_times_squares(student: Student, rng: Generator, name: str) -> None:
    """What reg adds to the loss."""
    losses.penalty_has_coefficient_one(student, rng, name)


@check_each(LOSS_CELLS, probe="SVM-A3")
def loss_of_special_batches(student: Student, rng: Generator, name: str) -> None:
    """One row; rows with every margin violated; rows with none."""
    for what, problem in special_batches(rng).items():
        got = loss_of(student, name, problem.copy(), 0.0)
        expect_near(got, HINGE(problem, 0.0).loss, what=f"the loss of {what}")


@check_each(LOSS_CELLS, probe="SVM-A4")
def loss_is_a_mean(student: Student, rng: Generator, name: str) -> None:
    """Every row twice: the loss stays as it is."""
    losses.repetition_changes_nothing(student, rng, name, gradient=False)


@check_each(LOSS_CELLS, probe="SVM-A5")
def loss_of_zero_weights(student: Student, rng: Generator, name: str) -> None:
    """All weights zero."""
    losses.equal_scores(student, rng, name, HINGE)


@check_each(LOSS_CELLS, probe="SVM-A8")
def loss_of_large_scores(student: Student, rng: Generator, name: str) -> None:
    """Scores in the thousands, of either sign."""
    losses.value_is_right(student, rng, name, HINGE, 5, 4, 3, 1e3)


# -- the gradient ---------------------------------------------------------------------------------


@check_each(GRADIENT_CELLS, probe="SVM-A1", weight=3)
def gradient_of_the_hinge(student: Student, rng: Generator, name: str) -> None:
    """The gradient without penalty: random rows, N, D and C all different."""
    losses.gradient_is_right(student, rng, name, HINGE, 9, 6, 4, 1.0)


@check_each(GRADIENT_CELLS, probe="SVM-A2", weight=2)
def gradient_of_the_penalty(student: Student, rng: Generator, name: str) -> None:
    """What reg adds to the gradient fits what it adds to the loss."""
    losses.penalty_gradient_fits(student, rng, name)


@check_each(GRADIENT_CELLS, probe="SVM-A3")
def gradient_of_special_batches(student: Student, rng: Generator, name: str) -> None:
    """One row; rows with every margin violated; rows with none."""
    for what, problem in special_batches(rng).items():
        got = gradient_of(student, name, problem.copy(), 0.0)
        expect_near(got, HINGE(problem, 0.0).gradient, what=f"dW of {what}")


@check_each(GRADIENT_CELLS, probe="SVM-A4")
def gradient_is_a_mean(student: Student, rng: Generator, name: str) -> None:
    """Every row twice: the gradient stays as it is."""
    losses.repetition_changes_nothing(student, rng, name, gradient=True)


@check_each(GRADIENT_CELLS, probe="SVM-A6")
def gradient_is_the_slope_of_the_loss(student: Student, rng: Generator, name: str) -> None:
    """The gradient against small steps of the loss."""
    losses.gradient_is_the_slope(student, rng, name)


@check_each(GRADIENT_CELLS, probe="SVM-A8")
def gradient_of_large_scores(student: Student, rng: Generator, name: str) -> None:
    """Scores in the thousands, of either sign."""
    losses.gradient_is_right(student, rng, name, HINGE, 5, 4, 3, 1e3)


@check_each(GRADIENT_CELLS, probe="SVM-A7", condition=True)
def arguments_are_not_modified(student: Student, rng: Generator, name: str) -> None:
    """W, X and y are as before after the call."""
    losses.arguments_stay(student, rng, name)


@check("svm-vectorized", probe="SVM-A6", weight=4, condition=True)
def vectorized_has_no_loop(student: Student, rng: Generator) -> None:
    """No Python loop of any kind."""
    forbid_loops(student, VECTORIZED, "Write down the shapes, and let NumPy treat all rows.")


def special_batches(rng: Generator) -> dict[str, Problem]:
    """A single row, and batches at either end: everything is too close, or nothing is."""
    single, some = draw(rng, 1, 5, 4), draw(rng, 8, 5, 4)
    near = some._replace(W=some.W * 0.01)  # scores near 0: every other class is too close
    apart = Problem(np.eye(4) * 8.0 + 0.1 * rng.normal(size=(4, 4)), np.eye(4)[some.y], some.y)
    assert (margins(near) > 0).all()
    assert (margins(apart) > 0).sum() == len(some.y)  # the true classes' own
    return {
        "a single row": single,
        "rows where every other class is too close": near,
        "rows where no other class is too close": apart,
    }


# -- training and prediction ----------------------------------------------------------------------


@check("svm-train", probe="LIN-A1", weight=3)
def steps_go_down_the_gradient(student: Student, rng: Generator) -> None:
    """After each step the weights are what step and gradient make them."""
    training.steps_are_exact(student, rng)


@check("svm-train", probe="LIN-A1", weight=2)
def minibatches_are_rows_with_their_labels(student: Student, rng: Generator) -> None:
    """Shapes of the minibatches; each row comes with its own label; reg is passed on."""
    training.minibatches_are_right(student, rng)


@check("svm-train", probe="LIN-A2", weight=2)
def minibatches_are_random(student: Student, rng: Generator) -> None:
    """Other rows in every step, and every row has its chance."""
    training.minibatches_are_random(student, rng)


@check("svm-train", probe="LIN-A4")
def training_goes_on(student: Student, rng: Generator) -> None:
    """A second call of train goes on from the weights of the first."""
    training.second_call_goes_on(student, rng)


@check("svm-train", probe="LIN-A6")
def weights_are_made(student: Student, rng: Generator) -> None:
    """The first weights: one column for each class up to the largest label, small and random."""
    training.first_weights(student, rng)


@check("svm-train", probe="LIN-A1")
def defaults_are_kept(student: Student, rng: Generator) -> None:
    """train(X, y) without anything else."""
    training.defaults_hold(student, rng)


@check("svm-train", probe="LIN-A5")
def separable_classes_are_learned(student: Student, rng: Generator) -> None:
    """Two classes that a line can separate, with a right loss."""
    training.separable_classes_are_learned(student, rng)


@check("svm-predict", probe="LIN-A3", weight=2)
def prediction_is_the_highest_score(student: Student, rng: Generator) -> None:
    """Many rows; the numbers of rows, columns and classes all differ."""
    for N, D, C in ((40, 5, 7), (30, 6, 2)):
        problem = draw(rng, N, D, C)
        _expect_prediction(student, problem.W, problem.X)


@check("svm-predict", probe="LIN-A3")
def prediction_of_single_rows_and_negative_scores(student: Student, rng: Generator) -> None:
    """One row; all scores below zero."""
    problem = draw(rng, 1, 5, 4)
    _expect_prediction(student, problem.W, problem.X)
    problem = draw(rng, 12, 5, 4)
    _expect_prediction(student, -np.abs(problem.W), np.abs(problem.X))


def _expect_prediction(student: Student, W: np.ndarray, X: np.ndarray) -> None:
    classifier = student.new("LinearClassifier")
    classifier.set("W", W)
    got = classifier.call("predict", X)
    expect_shape(got, (len(X),), f"the prediction for {len(X)} row(s)")
    hint = "for each row, the column of X @ W with the highest score"
    expect_equal(got, np.argmax(X @ W, axis=1), what="the predicted classes", hint=hint)


# -- the search -----------------------------------------------------------------------------------


@check("svm-tuning", probe="SVM-C5", weight=2)
def search_trains_new_classifiers(student: Student, rng: Generator) -> None:
    """At least two settings; a new classifier for each; trained on the training rows."""
    trains_on_training_rows(student, rng, TUNING)


@check("svm-tuning", probe="SVM-C5", weight=3)
def results_hold_both_accuracies(student: Student, rng: Generator) -> None:
    """For each setting, the accuracies of its classifier on training and validation rows."""
    table_is_right(student, rng, TUNING)


@check("svm-tuning", probe="SVM-C5", weight=2)
def best_has_the_highest_validation_accuracy(student: Student, rng: Generator) -> None:
    """best_val is the highest validation accuracy, and best_svm the classifier that reached it."""
    best_is_the_best(student, rng, TUNING)


@check("svm-tuning", probe="SVM-C5", condition=True)
def search_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
    """The test set has no part in the search."""
    leaves_test_set_alone(student, rng, TUNING)


@check("svm-tuning", probe="SVM-C5")
def best_svm_classifies_new_images(student: Student, rng: Generator) -> None:
    """best_svm on images that nobody has seen."""
    # Public solutions reach 0.33 to 0.38 here; 500 images measure that to within 0.02.
    classifies_new_images(student, rng, TUNING, threshold=0.27)
