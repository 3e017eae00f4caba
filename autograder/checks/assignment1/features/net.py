"""The search for the net, run again with stand-ins: wrong nets of earlier notebooks cost nothing.

Shapes: N rows of F features; W1 (F, H), W2 (H, C) for H hidden units and C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.features import net_training as nets
from autograder.checks.assignment1.features.net_training import Net, Training, run_training
from autograder.checks.assignment1.features.new_images import expect_accuracy, kept, new_features
from autograder.checks.shared.small import search_in_time
from autograder.judge import Failed, Student, as_array, check, expect, expect_shape

THRESHOLD = 0.43  # as for the linear classifier
ROWS = 6000

search_in_time(
    __name__,
    nets.CELL,
    f"{ROWS} training images",
    rows={"X_train_feats": ROWS, "y_train": ROWS},
    nets=("TwoLayerNet",),
)


@check("features-net", probe="FEAT-A1", weight=2)
def nets_train_on_training_features(student: Student, rng: Generator) -> None:
    """A TwoLayerNet on the features, trained by a Solver on training rows, judged by validation."""
    run = run_training(student, rng, falling=True)
    expect(bool(run.trained), "no TwoLayerNet was trained with a Solver in this cell")
    for net in run.trained:
        _expect_rows_of(run, "train", net.X, net.y)
        _expect_rows_of(run, "val", net.X_val, net.y_val)
    for net in _rivals(run):
        expect(len(net.X_val) == len(run.X["val"]), "not all validation rows are in the data")


@check("features-net", probe="FEAT-A2", weight=3)
def best_net_is_the_best(student: Student, rng: Generator) -> None:
    """best_net is the net with the highest validation accuracy of those trained."""
    for falling in (True, False):
        run = run_training(student, rng, falling=falling)
        best = _best(run)
        highest = max(net.accuracy for net in _rivals(run))
        is_best = "best_net is not the net with the highest validation accuracy"
        expect(best.accuracy >= highest, is_best)
        complete = len(best.X) == len(run.X["train"])
        expect(complete, "best_net was trained on a part of the training features only")


@check("features-net", probe="FEAT-A2")
def best_net_was_not_better_before(student: Student, rng: Generator) -> None:
    """A new net for each setting: no later training spoils the net that is kept."""
    for falling in (True, False):
        run = run_training(student, rng, falling=falling)
        best = _best(run)
        before = [state.accuracy for state in run.earlier(best)]
        expect(
            best.accuracy >= max(before, default=0.0),
            "best_net was better in validation before it was trained further, with other settings: "
            "make a new net for each",
        )


@check("features-net", probe="FEAT-A1")
def best_net_has_the_right_size(student: Student, rng: Generator) -> None:
    """One input for each feature (no column of ones), 500 hidden units, ten classes."""
    inputs, hidden, classes = _best(run_training(student, rng, falling=True)).shape
    features = f"one for each feature, X_train_feats.shape[1] (here {nets.DIM})"
    expect(inputs == nets.DIM, f"best_net has {inputs} inputs; expected {features}")
    expect(hidden == nets.HIDDEN, f"best_net has {hidden} hidden units; expected {nets.HIDDEN}")
    expect(classes == nets.CLASSES, f"best_net has {classes} classes; expected {nets.CLASSES}")


@check("features-net", probe="FEAT-A3", condition=True)
def training_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
    """No net is asked about a test image while settings are chosen."""
    run = run_training(student, rng, falling=True)
    forbidden = {row.tobytes() for row in run.X["test"]}
    expect(not run.asked & forbidden, "the cell asks the test set: leave it for the very end")


@check("features-net", probe="FEAT-A3", weight=2)
def net_knows_new_images(student: Student, rng: Generator) -> None:
    """best_net on images that nobody has seen."""
    params = kept(student, nets.BEST).get("params")
    wanted = ("W1", "b1", "W2", "b2")
    complete = isinstance(params, dict) and all(name in params for name in wanted)
    expect(complete, "best_net.params does not hold W1, b1, W2 and b2")
    W1, b1, W2, b2 = (as_array(params[name], name).astype(np.float64) for name in wanted)
    rows, labels = new_features(student, rng)
    expect_shape(W1, (rows.shape[1], W1.shape[-1]), "W1 of best_net")
    # By the definition of the net, not by the student's own code: that has its own notebook.
    hidden = np.maximum(rows @ W1 + b1.ravel(), 0)
    expect_accuracy(hidden @ W2 + b2.ravel(), labels, THRESHOLD, nets.BEST)


def _best(run: Training) -> Net:
    if run.kept is None:
        raise Failed("best_net is none of the nets that were trained in this cell")
    return run.kept


def _rivals(run: Training) -> list[Net]:
    """The nets to choose from: a coarse search on a part of the training rows chooses none."""
    complete = [net for net in run.final if len(net.X) == len(run.X["train"])]
    return complete or run.final


def _expect_rows_of(run: Training, part: str, X: np.ndarray, y: np.ndarray) -> None:
    label_of = {row.tobytes(): c for row, c in zip(run.X[part], run.y[part], strict=True)}
    expect(X.ndim == 2 and y.shape == X.shape[:1], f"X_{part} and y_{part} do not fit each other")
    found = [label_of.get(row.tobytes()) for row in X.astype(np.float64)]
    expect(None not in found, f"the Solver was given other rows than X_{part}_feats as X_{part}")
    expect(found == y.tolist(), f"the labels given as y_{part} do not belong to the rows")
