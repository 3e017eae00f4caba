"""What spatial batch normalisation and group normalisation have in common: their inputs.

Shapes: x (N, C, H, W); gamma and beta (C,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.layers import Array

GRADIENTS = "dx, dgamma, dbeta"
EPS = 1e-5  # where none is given


def draw_images(rng: Generator, shape: tuple[int, ...], spread: float = 1.0) -> Array:
    """Random numbers; each channel of each image has a mean and a spread of its own."""
    scale = rng.uniform(0.6, 1.6, size=(*shape[:2], 1, 1))
    return spread * (scale * rng.normal(size=shape) + rng.normal(size=(*shape[:2], 1, 1)))


def draw_factors(rng: Generator, size: int) -> tuple[Array, Array]:
    """gamma and beta (size,): different for each channel, gamma of both signs."""
    gamma = rng.uniform(0.5, 2.0, size=size) * np.where(rng.random(size) < 0.3, -1, 1)
    return gamma, rng.normal(size=size)
