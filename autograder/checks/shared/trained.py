"""How well a notebook's own torch network does on images that nobody has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from torch import Tensor

from autograder.checks.shared.held_out import held_out_images
from autograder.judge import as_array, expect
from cs231n_lib.torch_data import normalize_images

HELD_OUT = 1000  # an accuracy of 0.4 is measured to within 0.016, one standard error
CLASSES = 10


def normalized_images(rng: Generator, n: int = HELD_OUT) -> tuple[Tensor, np.ndarray]:
    """Held-out images (n, 3, 32, 32), normalised as the notebooks do it, and their labels (n,)."""
    images, labels = held_out_images(rng, n)
    return normalize_images(images.astype(np.float32)), labels


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
        f"{what} classifies {accuracy:.1%} of {len(labels)} new images correctly; at least "
        f"{share:.0%} were expected",
        "Was it trained long enough, and is it the net that did best?",
    )
