"""Inputs of the normalisation layers (N, D), drawn so that every slip shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.normalization import DEFAULT_EPS, Case

# N and D differ, so that no axis fits by chance; one is much larger than the other, both ways.
SHAPES = ((4, 5), (40, 3), (3, 30))
SMALL: dict[str, Any] = {"spread": 0.05, "eps": 1e-2}  # the variance is about as large as eps


def draw_case(
    rng: Generator, N: int, D: int, *, spread: float = 1.0, eps: float | None = DEFAULT_EPS
) -> Case:
    """Random numbers: each row and column has a mean and a spread of its own, near ``spread``.

    eps is given, so that a wrong default costs nothing but the check that asks for it.

    With ``spread`` 0.05 and ``eps`` 1e-2, variance and eps are of the same size: then it shows
    where eps stands, and which variance it is.
    """
    scales = rng.uniform(0.5, 2.0, size=D) * rng.uniform(0.7, 1.4, size=(N, 1))
    x = spread * (scales * rng.normal(size=(N, D)) + rng.normal(size=D) + rng.normal(size=(N, 1)))
    gamma = rng.uniform(0.5, 2.0, size=D) * np.where(rng.random(D) < 0.3, -1, 1)
    return Case(x, gamma, rng.normal(size=D), rng.normal(size=(N, D)), eps)
