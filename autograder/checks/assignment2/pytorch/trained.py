"""How well the notebook's own networks do on images that nobody has seen.

The images go in as a tensor, normalised as the notebook does it; the scores come back.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.pytorch.cells import (
    BAREBONES_CELL,
    MODULE_CELL,
    SEQUENTIAL_CELL,
)
from autograder.checks.assignment2.pytorch.in_kernel import few
from autograder.checks.shared import in_kernel_trained as in_kernel
from autograder.checks.shared.trained import expect_accuracy, normalized_images
from autograder.judge import Student, check, check_each, runs_small

# The visible tests ask for 30, 30, 34 and 55 % of the validation images. On held-out images nets do
# as well, give or take 2 points (two accuracies of 1000 images each); 5 points are left for chance.
BAREBONES_SHARE = 0.25
SHARES = {"pt-module-training": 0.25, "pt-sequential": 0.29}
OPEN_SHARE = 0.50
FEW, FEW_VAL = 4096, 128

for cell in (BAREBONES_CELL, MODULE_CELL, SEQUENTIAL_CELL):
    on = f"{FEW} training images"
    runs_small(__name__, cell, few.begin, few.finish, on, training=FEW, val=FEW_VAL)


def _held_out(student: Student, rng: Generator) -> tuple[Tensor, np.ndarray]:
    """The same images for all networks of a notebook: to draw them takes longer than to ask."""
    return student.once("held-out images", lambda: normalized_images(rng))


@check("pt-barebones", probe="PT-A6", weight=2)
def tensors_classify(student: Student, rng: Generator) -> None:
    """The six trained tensors, on images that nobody has seen."""
    x, labels = _held_out(student, rng)
    answer = student.apply(in_kernel.scores_by_tensors, x)
    expect_accuracy(answer, labels, "the trained net", BAREBONES_SHARE)


@check_each(SHARES, probe="PT-A6", weight=2)
def model_classifies(student: Student, rng: Generator, share: float) -> None:
    """The trained network, on images that nobody has seen."""
    x, labels = _held_out(student, rng)
    expect_accuracy(student.apply(in_kernel.scores_by_model, "model", x), labels, "model", share)


@check("pt-open", probe="PT-A6", weight=4)
def best_model_classifies(student: Student, rng: Generator) -> None:
    """best_model, on images that nobody has seen."""
    x, labels = _held_out(student, rng)
    answer = student.apply(in_kernel.scores_by_model, "best_model", x)
    expect_accuracy(answer, labels, "best_model", OPEN_SHARE)
