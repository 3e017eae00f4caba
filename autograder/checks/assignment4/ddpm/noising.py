"""What is asked of q_sample, predict_start_from_noise and predict_noise_from_start.

Weights: a wrong formula costs most; levels that are mixed within a batch, or rows in place of
images, cost the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.checks.assignment4.ddpm.oracle import Answer, Array, Levels
from autograder.judge import Student, check, expect_near

T = 40


@check("noising", probe="DIF-A1", weight=3)
def images_are_noised(student: Student, rng: Generator) -> None:
    """Images at one level in the middle, with all three schedules."""
    for schedule in oracle.SCHEDULES:
        t = np.full(3, rng.integers(8, 25))
        _expect(student, rng, "q_sample", schedule, (3, 3, 4, 5), t)


@check("noising", probe="DIF-A1, DIF-A5", weight=2)
def each_has_its_own_level(student: Student, rng: Generator) -> None:
    """Each image at its own level, the first and the last among them."""
    _expect(student, rng, "q_sample", "cosine", (4, 3, 4, 4), _mixed(rng))


@check("noising", probe="DIF-A1")
def rows_are_noised(student: Student, rng: Generator) -> None:
    """A batch of rows, (b, d)."""
    _expect(student, rng, "q_sample", "sigmoid", (4, 6), _mixed(rng))


@check("inverses", probe="DIF-A2", weight=3)
def image_from_noise(student: Student, rng: Generator) -> None:
    """predict_start_from_noise: images, each at its own level."""
    t = np.array([0, 11, 25, T - 2])
    _expect(student, rng, "predict_start_from_noise", "cosine", (4, 3, 4, 5), t)


@check("inverses", probe="DIF-A2", weight=3)
def noise_from_image(student: Student, rng: Generator) -> None:
    """predict_noise_from_start: images, each at its own level."""
    t = np.array([0, 11, 25, T - 1])
    _expect(student, rng, "predict_noise_from_start", "sigmoid", (4, 3, 4, 5), t)


@check("inverses", probe="DIF-A2")
def rows_as_well(student: Student, rng: Generator) -> None:
    """Both, for a batch of rows (b, d)."""
    for name in ("predict_start_from_noise", "predict_noise_from_start"):
        _expect(student, rng, name, "linear", (3, 6), np.array([1, 9, 20]))


def _mixed(rng: Generator) -> Array:
    return np.array([0, T - 1, *rng.integers(5, 30, size=2)])


def _expect(
    student: Student, rng: Generator, name: str, schedule: str, shape: tuple[int, ...], t: Array
) -> None:
    first, second = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
    options = {"timesteps": T, "beta_schedule": schedule}
    sent = torch.from_numpy(first), torch.from_numpy(t), torch.from_numpy(second)
    got = student.apply(in_kernel.between, name, options, *sent)
    known = oracle.levels(schedule, T)
    right, slips = FUNCTIONS[name]
    arguments = first.astype(float), t, second.astype(float)
    wrong = {message: slip(known, *arguments) for message, slip in slips.items()}
    what = f"{name}, {schedule} schedule, shape {shape}"
    expect_near(got, right(known, *arguments), what=what, precision="float32", slips=wrong)


def _at_first(known: Levels, a: Array, t: Array, b: Array) -> Array:
    return known.q_sample(a, np.full_like(t, t[0]), b)


def _without_roots(known: Levels, a: Array, t: Array, b: Array) -> Array:
    image, noise = known.shares(t, a.ndim)
    return image**2 * a + noise**2 * b


def _swapped(known: Levels, a: Array, t: Array, b: Array) -> Array:
    image, noise = known.shares(t, a.ndim)
    return noise * a + image * b


def _counted_from_1(known: Levels, a: Array, t: Array, b: Array) -> Array:
    return known.q_sample(a, np.maximum(t - 1, 0), b)


def _sum(known: Levels, a: Array, t: Array, b: Array) -> Array:
    image, noise = known.shares(t, a.ndim)
    return (a + noise * b) / image


def _not_divided(known: Levels, a: Array, t: Array, b: Array) -> Array:
    _image, noise = known.shares(t, a.ndim)
    return a - noise * b


def _noise_not_divided(known: Levels, a: Array, t: Array, b: Array) -> Array:
    image, _ = known.shares(t, a.ndim)
    return a - image * b


FUNCTIONS: Mapping[str, tuple[Answer, Mapping[str, Answer]]] = {
    "q_sample": (
        Levels.q_sample,
        {
            "all images are at the level of the first one": _at_first,
            "image and noise are multiplied by alpha-bar and 1 - alpha-bar, not their roots": (
                _without_roots
            ),
            "the factors of image and noise are exchanged": _swapped,
            "the levels are counted from 1 here; t = 0 is the first": _counted_from_1,
        },
    ),
    "predict_start_from_noise": (
        Levels.start,
        {
            "the noise is added here; it has to be taken away": _sum,
            "the noise is taken away, but the result is not divided by the image's factor": (
                _not_divided
            ),
            "this is what predict_noise_from_start computes": Levels.noise,
            "this is what q_sample computes": Levels.q_sample,
        },
    ),
    "predict_noise_from_start": (
        Levels.noise,
        {
            "the image is taken away, but the result is not divided by the noise's factor": (
                _noise_not_divided
            ),
            "the sign is wrong": lambda known, a, t, b: -known.noise(a, t, b),
            "this is what predict_start_from_noise computes": Levels.start,
        },
    ),
}
