"""How well the notebook's own networks do on images that nobody has seen.

The images go in as a tensor, normalised as the notebook does it; the scores come back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.pytorch.in_kernel import trained as in_kernel
from autograder.checks.shared.held_out import held_out_images
from autograder.judge import Student, as_array, check, check_each, expect
from cs231n_lib.torch_data import normalize_images

HELD_OUT = 1000  # an accuracy of 0.4 is measured to within 0.016, one standard error
CLASSES = 10
# The visible tests ask for 30, 30, 34 and 55 % of the validation images. On held-out images nets do
# as well, give or take 2 points (two accuracies of 1000 images each); 5 points are left for chance.
BAREBONES_SHARE = 0.25
SHARES = {"pt-module-training": 0.25, "pt-sequential": 0.29}
OPEN_SHARE = 0.50


@check("pt-barebones", probe="PT-A6", weight=2)
def tensors_classify(student: Student, rng: Generator) -> None:
    """The six trained tensors, on images that nobody has seen."""
    x, labels = _held_out(rng)
    answer = student.apply(in_kernel.scores_by_tensors, x)
    expect_accuracy(answer, labels, "the trained net", BAREBONES_SHARE)


@check_each(SHARES, probe="PT-A6", weight=2)
def model_classifies(student: Student, rng: Generator, share: float) -> None:
    """The trained network, on images that nobody has seen."""
    x, labels = _held_out(rng)
    expect_accuracy(student.apply(in_kernel.scores_by_model, "model", x), labels, "model", share)


@check("pt-open", probe="PT-A6", weight=4)
def best_model_classifies(student: Student, rng: Generator) -> None:
    """best_model, on images that nobody has seen."""
    x, labels = _held_out(rng)
    answer = student.apply(in_kernel.scores_by_model, "best_model", x)
    expect_accuracy(answer, labels, "best_model", OPEN_SHARE)


def expect_accuracy(answer: Any, labels: np.ndarray, what: str, share: float) -> None:
    """The scores of N images, a row each, must name the right class for this share of them."""
    expect(not isinstance(answer, str), str(answer))
    scores = as_array(answer, f"the scores of {what}")
    # More columns than classes are wasteful, but no mistake: training makes the others small.
    enough = scores.ndim == 2 and len(scores) == len(labels) and scores.shape[1] >= CLASSES
    expect(enough, f"the scores of {what} have shape {scores.shape} for {len(labels)} images")
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= share,
        f"{what} is right on {accuracy:.1%} of {len(labels)} new images; at least {share:.0%} "
        "were expected",
        "Was it trained long enough, and is it the net that did best?",
    )


def _held_out(rng: Generator) -> tuple[Any, np.ndarray]:
    images, labels = held_out_images(rng, HELD_OUT)
    return normalize_images(images.astype(np.float32)), labels
