"""Hidden checks of the features notebook: how settings were chosen, and what came out of it.

The searches are run again with stand-ins, so that wrong classifiers of earlier notebooks cost
nothing here. Only the last check of each cell looks at what was really trained.
"""

from __future__ import annotations

import ast

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.features import oracle as nets
from autograder.checks.assignment1.features.oracle import run_training
from autograder.checks.shared import search
from autograder.checks.shared.held_out import held_out_images
from autograder.judge import (
    Instance,
    Ref,
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
    parse_cell,
)

HELD_OUT = 500
# What is typical on the embedded data and on CIFAR-10, less five points: 500 images measure an
# accuracy to within 2.2 (one standard error). Public settings are cautious ones.
LINEAR_THRESHOLD, NET_THRESHOLD = 0.34, 0.43

ROWS = ("X_train_feats", "X_val_feats", "X_test_feats")
WITH_SVM = search.TuningCell("tune-svm", "LinearSVM", "best_svm", rows=ROWS)
WITH_SOFTMAX = search.TuningCell("tune-svm", "Softmax", "best_softmax", rows=ROWS)

# The student's own features, standardised by the student's own numbers, of other images.
FEATURES_OF = """
_rows = (extract_features(_pictures, feature_fns) - mean_feat) / std_feat
"""
SHARE_RIGHT = """
_share = float(({best}.predict(X_val_feats) == y_val).mean())
"""
STATISTICS = """
_means = [X_train_feats.mean(axis=0), X_val_feats.mean(axis=0), X_test_feats.mean(axis=0)]
_std = X_train_feats.std(axis=0)
"""


def tuning(student: Student) -> search.TuningCell:
    """The search as this student did it: with an SVM, or with the softmax classifier."""
    tree = parse_cell(student.sources.get("tune-svm", ""))
    kept = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return WITH_SOFTMAX if "best_softmax" in kept else WITH_SVM


def features_of(student: Student, pictures: np.ndarray) -> np.ndarray:
    """What the student's classifiers see of these images: (N, F), standardised."""
    bindings = {"_pictures": pictures.astype(np.uint8)}
    after = student.rerun(FEATURES_OF, bindings, ["_rows"])
    rows = as_array(after.get("_rows"), "the features of new images").astype(np.float64)
    expect(rows.ndim == 2 and len(rows) == len(pictures), "the features of new images are no rows")
    return rows


def expect_accuracy(scores: np.ndarray, labels: np.ndarray, threshold: float, what: str) -> None:
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{what} is right on {accuracy:.1%} of {len(labels)} new images; at least {threshold:.0%} "
        "were expected. Are the settings within a useful range? Do its loss and training work?",
    )


# -- the linear classifier ------------------------------------------------------------------------


@check("features-tuning", probe="FEAT-A1", weight=2)
def search_trains_new_classifiers(student: Student, rng: Generator) -> None:
    """At least two settings; a new classifier for each; trained on the training features."""
    search.trains_on_training_rows(student, rng, tuning(student))


@check("features-tuning", probe="FEAT-A1", weight=3)
def results_hold_both_accuracies(student: Student, rng: Generator) -> None:
    """For each setting, the accuracies of its classifier on training and validation features."""
    search.table_is_right(student, rng, tuning(student))


@check("features-tuning", probe="FEAT-A2", weight=2)
def best_has_the_highest_validation_accuracy(student: Student, rng: Generator) -> None:
    """best_val is the highest validation accuracy, and the classifier kept the one behind it."""
    search.best_is_the_best(student, rng, tuning(student))


@check("features-tuning", probe="FEAT-A2")
def best_val_can_be_reproduced(student: Student, rng: Generator) -> None:
    """The classifier that was kept reaches best_val on the validation features."""
    cell = tuning(student)
    after = student.rerun(SHARE_RIGHT.format(best=cell.best), {}, ["_share"])
    hint = f"{cell.best} must be the very object that reached best_val"
    expect_close(student.get("best_val"), after.get("_share"), what="best_val", hint=hint)


@check("features-tuning", probe="FEAT-A3", condition=True)
def search_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
    """The test set has no part in the search."""
    search.leaves_test_set_alone(student, rng, tuning(student))


@check("features-tuning", probe="FEAT-A3", weight=2)
def linear_classifier_knows_new_images(student: Student, rng: Generator) -> None:
    """The best linear classifier, on images that nobody has seen."""
    best = tuning(student).best
    W = as_array(_kept(student, best).get("W"), f"the weights of {best}").astype(np.float64)
    pictures, labels = held_out_images(rng, HELD_OUT)
    rows = features_of(student, pictures)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    expect_shape(W, (rows.shape[1], W.shape[-1]), f"the weights of {best}")
    expect_accuracy(rows @ W, labels, LINEAR_THRESHOLD, best)


@advice("features-tuning", probe="FEAT-B1")
def features_are_standardised_by_training_statistics(student: Student, rng: Generator) -> None:
    """Mean 0 and spread 1 on the training features, and not exactly so on the others."""
    after = student.rerun(STATISTICS, {}, ["_means", "_std"])
    train, val, test = (as_array(mean)[:-1] for mean in after["_means"])
    expect(np.abs(train).max() < 1e-6, "the training features do not have mean 0")
    spread = as_array(after["_std"])[:-1]
    expect(np.abs(spread - 1).max() < 1e-6, "the training features do not have spread 1")
    for mean, name in ((val, "validation"), (test, "test")):
        own = np.abs(mean).max() < 1e-6
        expect(not own, f"the {name} features have mean 0: standardised by their own statistics")


# -- the net --------------------------------------------------------------------------------------


@check("features-net", probe="FEAT-A1", weight=2)
def nets_train_on_training_features(student: Student, rng: Generator) -> None:
    """A TwoLayerNet on the features, trained by a Solver on training rows, judged by validation."""
    run = run_training(student, rng, falling=True)
    expect(bool(run.trained), "no TwoLayerNet was trained with a Solver in this cell")
    for net in run.trained:
        _expect_rows_of(run, "train", net.X, net.y)
        _expect_rows_of(run, "val", net.X_val, net.y_val)
        expect(len(net.X_val) == len(run.X["val"]), "not all validation rows are in the data")


@check("features-net", probe="FEAT-A2", weight=3)
def best_net_is_the_best(student: Student, rng: Generator) -> None:
    """best_net is the net with the highest validation accuracy of those trained."""
    for falling in (True, False):
        run = run_training(student, rng, falling=falling)
        expect(run.kept is not None, "best_net is none of the nets that were trained in this cell")
        highest = max(net.accuracy for net in run.final)
        expect(
            run.kept is not None and run.kept.accuracy >= highest,
            "best_net is not the net with the highest validation accuracy",
        )
        complete = run.kept is not None and len(run.kept.X) == len(run.X["train"])
        expect(complete, "best_net was trained on a part of the training features only")


@check("features-net", probe="FEAT-A2")
def best_net_was_not_better_before(student: Student, rng: Generator) -> None:
    """A new net for each setting: no later training spoils the net that is kept."""
    for falling in (True, False):
        run = run_training(student, rng, falling=falling)
        kept = run.kept
        expect(kept is not None, "best_net is none of the nets that were trained in this cell")
        before = [state.accuracy for state in run.earlier(kept)] if kept else []
        expect(
            kept is not None and kept.accuracy >= max(before, default=0.0),
            "best_net was better in validation before it was trained further, with other settings: "
            "make a new net for each",
        )


@check("features-net", probe="FEAT-A1")
def best_net_has_the_right_size(student: Student, rng: Generator) -> None:
    """One input for each feature (no column of ones), 500 hidden units, ten classes."""
    run = run_training(student, rng, falling=True)
    kept = run.kept
    expect(kept is not None, "best_net is none of the nets that were trained in this cell")
    wanted = (nets.DIM, nets.HIDDEN, nets.CLASSES)
    names = ("inputs (one for each feature)", "hidden units (hidden_dim)", "classes")
    for got, want, name in zip(kept.shape if kept else (), wanted, names, strict=True):
        told = f"{want}" if want != nets.DIM else "X_train_feats.shape[1]"
        expect(got == want, f"best_net has {got} {name}; expected {told}")


@check("features-net", probe="FEAT-A3", condition=True)
def training_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
    """No net is asked about a test image while settings are chosen."""
    run = run_training(student, rng, falling=True)
    forbidden = {row.tobytes() for row in run.X["test"]}
    expect(not run.asked & forbidden, "the cell asks the test set: leave it for the very end")


@check("features-net", probe="FEAT-A3", weight=2)
def net_knows_new_images(student: Student, rng: Generator) -> None:
    """best_net on images that nobody has seen."""
    params = _kept(student, nets.BEST).get("params")
    wanted = ("W1", "b1", "W2", "b2")
    complete = isinstance(params, dict) and all(name in params for name in wanted)
    expect(complete, "best_net.params does not hold W1, b1, W2 and b2")
    W1, b1, W2, b2 = (as_array(params[name], name).astype(np.float64) for name in wanted)
    pictures, labels = held_out_images(rng, HELD_OUT)
    rows = features_of(student, pictures)
    expect_shape(W1, (rows.shape[1], W1.shape[-1]), "W1 of best_net")
    # By the definition of the net, not by the student's own code: that has its own notebook.
    hidden = np.maximum(rows @ W1 + b1.ravel(), 0)
    expect_accuracy(hidden @ W2 + b2.ravel(), labels, NET_THRESHOLD, nets.BEST)


def _expect_rows_of(run: nets.Training, part: str, X: np.ndarray, y: np.ndarray) -> None:
    label_of = {row.tobytes(): c for row, c in zip(run.X[part], run.y[part], strict=True)}
    expect(X.ndim == 2 and y.shape == X.shape[:1], f"X_{part} and y_{part} do not fit each other")
    found = [label_of.get(row.tobytes()) for row in X.astype(np.float64)]
    expect(None not in found, f"the Solver was given other rows than X_{part}_feats as X_{part}")
    expect(found == y.tolist(), f"the labels given as y_{part} do not belong to the rows")


def _kept(student: Student, name: str) -> Instance:
    value = student.get(name)
    expect(value is not None, f"{name} is None: nothing was kept")
    expect(isinstance(value, Ref), f"{name} is no classifier")
    return Instance(student, value, name)
