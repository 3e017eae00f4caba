"""What the student's classifiers make of images that nobody has seen.

Shapes: N images (N, 32, 32, 3); F features.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.features import in_kernel
from autograder.checks.shared.held_out import held_out_images
from autograder.judge import Failed, Instance, Ref, Student, as_array, expect

IMAGES = 500  # they measure an accuracy to within 2.2 % (one standard error)


def new_features(student: Student, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """New images as the student's classifiers see them, (N, F), and their labels (N,)."""
    pictures, labels = held_out_images(rng, IMAGES)
    answer = student.apply(in_kernel.features_of, pictures.astype(np.uint8))
    rows = as_array(answer, "the features of new images").astype(np.float64)
    expect(rows.ndim == 2 and len(rows) == IMAGES, "the features of new images are no rows")
    return rows, labels


def expect_accuracy(scores: np.ndarray, labels: np.ndarray, threshold: float, what: str) -> None:
    """At least this share of the highest scores is right."""
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{what} is right on {accuracy:.1%} of {len(labels)} new images; at least {threshold:.0%} "
        "were expected. Are the settings within a useful range? Do its loss and training work?",
    )


def kept(student: Student, name: str) -> Instance:
    """The classifier that a variable of the notebook holds."""
    value = student.get(name)
    expect(value is not None, f"{name} is None: nothing was kept")
    if not isinstance(value, Ref):
        raise Failed(f"{name} is no classifier")
    return Instance(student, value, name)
