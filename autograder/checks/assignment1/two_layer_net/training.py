"""What is asked of the cells that train: one network with the Solver, and a search for the best.

Shapes: images (N, 32, 32, 3) in the judge, (N, 3, 32, 32) in the notebook; scores (N, C).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.two_layer_net.training_oracle import (
    Run,
    expect_trainings,
    run_cell,
)
from autograder.checks.shared.held_out import held_out_images
from autograder.judge import Student, as_array, expect, expect_shape
from cs231n_lib.data import find_cifar10, load_cifar10, spritecifar

HELD_OUT = 1000  # an accuracy of 0.4 is measured to within 0.016, one standard error
SOLVER_CELL, TUNING_CELL = "train-with-solver", "tuning"
GIVEN = {"input_size": 3072, "hidden_size": 50, "num_classes": 10}
# Numbers of trainings: of the network in `solver`, and of `best_model`.
SOLVER_TAIL = """
_solver = globals().get("solver")
_number = getattr(_solver, "_number", None)
_sizes = list(getattr(getattr(_solver, "model", None), "_sizes", ()))
"""
TUNING_TAIL = """
_best = globals().get("best_model")
_number = float(_best.params["b2"][0]) if hasattr(_best, "params") else None
"""
HISTORIES = """
_losses, _train, _val = (
    [float(x) for x in getattr(solver, name)]
    for name in ("loss_history", "train_acc_history", "val_acc_history")
)
_best = float(solver.best_val_acc)
"""


# -- the Solver cell ------------------------------------------------------------------------------


def solver_trains_the_model(student: Student, rng: Generator) -> None:
    """The cell trains a net with 50 hidden units on the training images, with a Solver."""
    run = run_cell(student, rng, SOLVER_CELL, GIVEN, SOLVER_TAIL, "_solver", "_number", "_sizes")
    expect_trainings(run)
    expect(run.after.get("_solver") is not None, "the variable solver is None")
    expect(bool(run.after.get("_number")), "what is called solver has not been trained")
    sizes = run.after.get("_sizes")
    expect(sizes == [3072, 50, 10], f"the network has the sizes {sizes}, not [3072, 50, 10]")
    _expect_training_images(run)


def solver_learned(student: Student, rng: Generator) -> None:
    """The notebook's own solver: its loss fell, and its histories go with its accuracy."""
    names = ("_losses", "_train", "_val", "_best")
    after = student.rerun(HISTORIES, {}, names)
    losses, train, val = (as_array(after.get(name), name) for name in names[:3])
    expect(losses.size >= 20, f"loss_history has {losses.size} entries: has the solver trained?")
    few = max(len(losses) // 10, 5)
    first, last = float(losses[:few].mean()), float(losses[-few:].mean())
    expect(
        np.isfinite(last) and last < first - 0.1, f"the loss went from {first:.2f} to {last:.2f}"
    )
    expect(len(train) == len(val) > 1, "the accuracies of two epochs or more are expected")
    best = float(as_array(after.get("_best"), "best_val_acc"))
    expect(np.isclose(best, val.max()), "best_val_acc is not the largest of val_acc_history")


def solver_model_classifies(student: Student, rng: Generator, threshold: float) -> None:
    """The trained network on images that nobody has seen."""
    _expect_accuracy(student, rng, "solver.model", threshold)


# -- the tuning cell ------------------------------------------------------------------------------


def tuning_trains_on_training_images(student: Student, rng: Generator) -> None:
    """Networks are made and trained in this cell, each new, on training images alone."""
    run = _tuning(student, rng)
    expect_trainings(run)
    _expect_training_images(run)
    fresh = not any(training.again for training in run.trainings)
    expect(fresh, "a network that had been trained before was trained on: make a new one each time")


def tuning_keeps_the_best(student: Student, rng: Generator) -> None:
    """best_model is the network that did best in validation, the first, the last or another."""
    for rising in (True, False):
        run = _tuning(student, rng, rising)
        expect_trainings(run)
        number = run.after.get("_number")
        expect(number is not None, "best_model is None, or no network")
        chosen = int(as_array(number, "best_model"))
        known = 0 < chosen <= len(run.trainings)
        expect(known, "best_model is a network that was not trained in this cell")
        # Only equally long runs can be told apart: after short ones to find the settings, a long
        # one may be taken without looking back.
        rivals = [
            rival
            for rival, training in enumerate(run.trainings, 1)
            if training.epochs == run.trainings[chosen - 1].epochs
        ]
        best = max(run.right("val", rival) for rival in rivals)
        expect(
            run.right("val", chosen) == best,
            "a network that was trained as long as best_model has a higher validation accuracy",
        )


def tuning_leaves_the_test_set(student: Student, rng: Generator) -> None:
    """No network is asked about a test image during the search."""
    expect(not _tuning(student, rng).asked_test, "the search asks the test set: leave it alone")


def best_model_classifies(student: Student, rng: Generator, threshold: float) -> None:
    """The notebook's own best_model on images that nobody has seen."""
    _expect_accuracy(student, rng, "best_model", threshold)


def _tuning(student: Student, rng: Generator, rising: bool = True) -> Run:
    more = GIVEN | {"best_model": None, "results": {}}
    return run_cell(student, rng, TUNING_CELL, more, TUNING_TAIL, "_number", rising=rising)


def _expect_training_images(run: Run) -> None:
    on = {training.on for training in run.trainings}
    hint = "give the Solver training images to learn from and validation images to choose by"
    expect(on == {"train, val"}, f"a network was trained on other images, or labels: {hint}")


# -- accuracy in place ----------------------------------------------------------------------------


def _expect_accuracy(student: Student, rng: Generator, model: str, threshold: float) -> None:
    images, labels = held_out_images(rng, HELD_OUT)
    X = (images - _mean_image(_rows(student))).transpose(0, 3, 1, 2)
    source = f"_scores = {model}.loss(_X)"
    after = student.rerun(source, {"_X": np.ascontiguousarray(X)}, ("_scores",))
    scores = expect_shape(after.get("_scores"), (HELD_OUT, 10), f"{model}.loss(X)")
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{model} is right on {accuracy:.1%} of {HELD_OUT} new images; at least {threshold:.0%} "
        "were expected. Are all layers right? Are the settings within a useful range?",
    )


def _rows(student: Student) -> int:
    """How many training images the notebook uses."""
    rows = as_array(student.get("num_training"), "num_training")
    sensible = rows.shape == () and 1000 <= rows <= 49_000
    expect(sensible, "num_training has been changed to something that is no number of images")
    return int(rows)


@lru_cache(maxsize=2)
def _mean_image(rows: int) -> np.ndarray:
    """The mean of the first training images (32, 32, 3), which the notebook's data lack."""
    if find_cifar10() is None:
        images, _ = spritecifar.load("train", rows)  # load_cifar10 would announce the stand-in
    else:
        images, *_ = load_cifar10(num_train=rows, num_test=1, dtype=np.uint8)
    return images.mean(axis=0, dtype=np.float64)
