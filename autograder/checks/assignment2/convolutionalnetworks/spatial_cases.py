"""What spatial batch normalisation and group normalisation have in common: inputs and questions.

Shapes: x, dx, out, dout (N, C, H, W); gamma, beta (C,) or (1, C, 1, 1); G groups of channels.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    expect_no_stray_axes,
    expect_same_gradients,
)
from autograder.checks.shared.normalization import (
    DEFAULT_EPS,
    GRADIENTS,
    Case,
    Norm,
    right_gradients,
)
from autograder.checks.shared.normalization_answers import (
    ask_backward,
    ask_forward,
    expect_gradient,
    gradients_from,
)
from autograder.judge import Student

WANTED = ", ".join(GRADIENTS)
SMALL = {"spread": 0.05, "eps": 1e-2}  # the variance is about as large as eps

SPATIAL_BATCH = Norm(
    "spatial_batchnorm_forward",
    "spatial_batchnorm_backward",
    axes=(0, 2, 3),
    count="N * H * W",
    confused={
        "every image has statistics of its own here; the batch shares them": (2, 3),
        "every pixel has statistics of its own here; a channel shares them": (0,),
        "all channels share one mean and variance here; each has its own": (0, 1, 2, 3),
    },
    has_modes=True,
)


def group_norm(groups: int) -> Norm:
    """Group normalisation with G groups: x is split into (N, G, C/G, H, W)."""
    confused = {
        "mean and variance are those of each channel of an image; a group shares them": (2, 3),
        "mean and variance are those of a whole image; each group has its own": (1, 2, 3),
    }
    return Norm(
        "spatial_groupnorm_forward",
        "spatial_groupnorm_backward",
        axes=(2, 3, 4),
        count="C/G * H * W",
        confused=confused,
        groups=groups,
    )


def draw_images(
    rng: Generator,
    norm: Norm,
    shape: tuple[int, ...],
    spread: float = 1.0,
    eps: float | None = DEFAULT_EPS,
) -> Case:
    """Random numbers; each channel of each image has a mean and a spread of its own.

    eps is given, so that a wrong default costs nothing but the check that asks for it.

    gamma and beta differ from channel to channel, gamma in sign too. Group normalisation takes
    them as (1, C, 1, 1), batch normalisation as (C,).
    """
    N, C = shape[:2]
    scale = rng.uniform(0.6, 1.6, size=(N, C, 1, 1))
    x = spread * (scale * rng.normal(size=shape) + rng.normal(size=(N, C, 1, 1)))
    gamma = rng.uniform(0.5, 2.0, size=C) * np.where(rng.random(C) < 0.3, -1, 1)
    beta = rng.normal(size=C)
    if norm.groups:
        gamma, beta = gamma.reshape(1, C, 1, 1), beta.reshape(1, C, 1, 1)
    return Case(x, gamma, beta, rng.normal(size=shape), eps)


def expect_gradient_of(student: Student, norm: Norm, case: Case, name: str) -> None:
    """The numbers of dx, dgamma or dbeta, from the cache of the student's own forward."""
    slips = {}
    if name != "dx":
        numbers = case.x.size // case.x.shape[1]
        mean = right_gradients(norm, case)[name] / numbers
        slips[f"{name} is a mean over images, rows and columns; it should be a sum"] = mean
    expect_gradient(name, ask_backward(student, norm, case), norm, case, slips)


def expect_spatial_axes(student: Student, norm: Norm, case: Case) -> None:
    """No gradient has an axis of length 1 too many, or too few."""
    found = ask_backward(student, norm, case).gradients
    expect_no_stray_axes(list(found.values()), case.arrays, WANTED)


def expect_own_spatial_cache(student: Student, norms: tuple[Norm, Norm], *cases: Case) -> None:
    """A second forward call must not change what backward makes of the first one's cache."""
    (first, second), (norm, other) = cases, norms
    at_once = ask_backward(student, norm, first).gradients
    _, cache = ask_forward(student, norm, first)
    ask_forward(student, other, second)
    later = gradients_from(student, norm, first, cache)
    expect_same_gradients(list(at_once.values()), list(later.values()), WANTED)
