"""LinearClassifier.predict.

Shapes: W (D, C), X (N, D).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.linear_oracle import Problem, draw
from autograder.judge import Student, as_array, check, expect_equal, expect_shape, name_slip


@check("svm-predict", probe="LIN-A3")
def prediction_is_the_highest_score(student: Student, rng: Generator) -> None:
    """The class with the highest score: many rows, a single one, scores that are all negative."""
    for N, D, C in ((40, 5, 7), (30, 6, 2)):
        _expect_prediction(student, draw(rng, N, D, C), f"{N} rows and {C} classes")
    _expect_prediction(student, draw(rng, 1, 5, 4), "a single row")
    W, X, y = draw(rng, 12, 5, 4)
    negative = Problem(-np.abs(W), np.abs(X), y)
    _expect_prediction(student, negative, "rows whose scores are all negative")


def _expect_prediction(student: Student, problem: Problem, which: str) -> None:
    classifier = student.new("LinearClassifier")
    classifier.set("W", problem.W)
    what = f"the predicted classes of {which}"
    got = expect_shape(classifier.call("predict", problem.X), (len(problem.X),), what)
    scores = problem.X @ problem.W
    want = np.argmax(scores, axis=1)
    slips = {
        "predict returns the class with the lowest score": np.argmin(scores, axis=1),
        "predict returns the highest score, not its class": np.max(scores, axis=1),
        "predict takes the score that is largest in absolute value": np.argmax(
            np.abs(scores), axis=1
        ),
    }
    name_slip(as_array(got, what), want, slips)
    expect_equal(got, want, what=what)
