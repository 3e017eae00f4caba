"""Checks of the cells that train: one network with the Solver, and a search for the best."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_solver
from autograder.checks.shared.model_search import (
    GIVEN,
    declare_search_checks,
    expect_accuracy,
    expect_training_images,
)
from autograder.checks.shared.small import search_on_small_images
from autograder.checks.shared.solver_runs import expect_trainings, run_cell
from autograder.judge import Student, as_array, check, expect

CELL, SOURCE = "tln-solver", "train-with-solver"
search_on_small_images(__name__, SOURCE, "data")


@check(CELL, probe="TLN-C1")
def solver_trains_the_model(student: Student, rng: Generator) -> None:
    """The cell trains a net with 50 hidden units on the training images, with a Solver."""
    run = run_cell(student, rng, in_kernel_solver.chosen_solver, SOURCE, GIVEN)
    expect_trainings(run)
    found, number, sizes = run.after
    expect(found, "the variable solver does not exist, or is None")
    expect(bool(number), "the solver has not trained: call solver.train()")
    expect(sizes == [3072, 50, 10], f"the network has the sizes {sizes}, not [3072, 50, 10]")
    expect_training_images(run)


@check(CELL, probe="TLN-C1")
def solver_learned(student: Student, rng: Generator) -> None:
    """The notebook's own solver: its loss fell, and its histories go with its accuracy."""
    *histories, best = student.apply(in_kernel_solver.histories)
    losses, train, val = (as_array(history, "a history") for history in histories)
    expect(losses.size >= 20, f"loss_history has {losses.size} entries: has the solver trained?")
    few = max(len(losses) // 10, 5)
    first, last = float(losses[:few].mean()), float(losses[-few:].mean())
    fell = np.isfinite(last) and last < first - 0.1
    expect(fell, f"the loss went from {first:.2f} to {last:.2f}; it should fall by 0.1 or more")
    expect(len(train) == len(val) > 1, "the accuracies of two epochs or more are expected")
    expect(np.isclose(best, val.max()), "best_val_acc is not the largest of val_acc_history")


# The visible test asks for 36 % in validation, in the search for 45 %.
@check(CELL, probe="TLN-C1", weight=2)
def solver_model_classifies(student: Student, rng: Generator) -> None:
    """The trained network on images that nobody has seen."""
    expect_accuracy(student, rng, "solver.model", 0.30)


declare_search_checks(__name__, "tln-tuning", cell="tuning", probe="TLN-C2", threshold=0.36)
