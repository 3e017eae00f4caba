"""The search for the linear classifier, run again with a stand-in: earlier notebooks cost nothing.

Shapes: W (F + 1, C) for F features and C classes.
"""

from __future__ import annotations

import ast

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.features import in_kernel
from autograder.checks.assignment1.features.new_images import expect_accuracy, kept, new_features
from autograder.checks.shared import in_kernel_search
from autograder.checks.shared.search import TuningCell
from autograder.checks.shared.search_checks import declare_search_checks
from autograder.checks.shared.small import search_in_time
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
    parse_cell,
)

# Typical on the embedded data and on CIFAR-10, less five points. Public settings are cautious.
THRESHOLD = 0.34
CELL, QUESTION = "tune-svm", "features-tuning"
ROWS = ("X_train_feats", "X_val_feats", "X_test_feats")
WITH_SVM = TuningCell(CELL, "LinearSVM", "best_svm", rows=ROWS)
WITH_SOFTMAX = TuningCell(CELL, "Softmax", "best_softmax", rows=ROWS)


def tuning(student: Student) -> TuningCell:
    """The search as this student did it: with an SVM, or with the softmax classifier."""
    names = [n for n in ast.walk(parse_cell(student.sources.get(CELL, ""))) if type(n) is ast.Name]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return WITH_SOFTMAX if "best_softmax" in stored else WITH_SVM


declare_search_checks(__name__, QUESTION, tuning, ("FEAT-A1", "FEAT-A2", "FEAT-A3"))
search_in_time(__name__, CELL, classifiers=("LinearSVM", "Softmax"))


@check(QUESTION, probe="FEAT-A2")
def best_val_can_be_reproduced(student: Student, rng: Generator) -> None:
    """The classifier that was kept reaches best_val on the validation features."""
    best = tuning(student).best
    share = student.apply(in_kernel_search.share_right, best, "X_val_feats", "y_val")
    what = f"best_val, compared with what {best} reaches on the validation features,"
    expect_close(student.get("best_val"), share, what=what)


@check(QUESTION, probe="FEAT-A3", weight=2)
def linear_classifier_knows_new_images(student: Student, rng: Generator) -> None:
    """The best linear classifier, on images that nobody has seen."""
    best = tuning(student).best
    W = as_array(kept(student, best).get("W"), f"the weights of {best}").astype(np.float64)
    rows, labels = new_features(student, rng)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    expect_shape(W, (rows.shape[1], W.shape[-1]), f"the weights of {best}")
    expect_accuracy(rows @ W, labels, THRESHOLD, best)


@advice(QUESTION, probe="FEAT-B1")
def features_are_standardised_by_training_statistics(student: Student, rng: Generator) -> None:
    """Mean 0 and spread 1 on the training features, and not exactly so on the others."""
    means, spreads = student.apply(in_kernel.statistics)
    train, val, test = (as_array(mean)[:-1] for mean in means)
    expect(np.abs(train).max() < 1e-6, "the training features do not have mean 0")
    spread = as_array(spreads)[:-1]
    expect(np.abs(spread - 1).max() < 1e-6, "the training features do not have spread 1")
    for mean, name in ((val, "validation"), (test, "test")):
        own = np.abs(mean).max() < 1e-6
        expect(not own, f"the {name} features have mean 0: standardised by their own statistics")
