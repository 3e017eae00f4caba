"""What is asked of p_sample, with a network that answers what it is told to.

All pixels of an image have the same x_t and the same prediction, so that their mean and their
spread show the posterior, however the noise is drawn. Bounds: six standard deviations of either.
Weights: a wrong prediction of the image or a clamp that is missing makes samples useless.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.checks.assignment4.ddpm.losses import _expect_told
from autograder.checks.assignment4.ddpm.oracle import Array
from autograder.judge import Student, as_array, check, expect, expect_close, expect_shape

CELL, T, SIZE = "step-back", 20, 24
LEVELS = oracle.levels("cosine", T)
COUNT = 3 * SIZE * SIZE  # pixels of an image
X_T = np.array([-0.8, 0.3, 0.9, 0.1])


@check(CELL, probe="DIF-A4", weight=3)
def image_is_predicted(student: Student, rng: Generator) -> None:
    """The objective pred_x_start at t = 0: the prediction itself, which is within the range."""
    _expect_start(student, rng, "pred_x_start", rng.uniform(-0.9, 0.9, 4))


@check(CELL, probe="DIF-A4", weight=3)
def noise_is_predicted(student: Student, rng: Generator) -> None:
    """The objective pred_noise at t = 0: the image that follows from the noise."""
    _expect_start(student, rng, "pred_noise", rng.uniform(-1, 1, 4) + np.array([3, -3, 2, -2]))


@check(CELL, probe="DIF-A4", weight=3)
def images_are_clamped(student: Student, rng: Generator) -> None:
    """Predictions far outside the range, with both objectives."""
    for objective in ("pred_x_start", "pred_noise"):
        _expect_start(student, rng, objective, np.array([70.0, -60.0, 90.0, -80.0]))


@check(CELL, probe="DIF-A4, DIF-A5", weight=3)
def goes_to_the_posterior(student: Student, rng: Generator) -> None:
    """In the middle of the way: between the predicted image and x_t."""
    t, answer = 9, np.array([0.7, -0.6, 5.0, -4.0])
    pixels = _asked(student, rng, "pred_x_start", answer, t)[0]
    start = answer.clip(-1, 1)
    of_start, of_now, std = LEVELS.posterior(t)
    later, sooner = LEVELS.posterior(t + 1), LEVELS.posterior(t - 1)
    slips = {
        "this is the predicted image itself; q_posterior says where to go": start,
        "this is x_t again": X_T,
        "the predicted image is not clamped before q_posterior": of_start * answer + of_now * X_T,
        "the mean is clamped, and not the predicted image": (
            (of_start * answer + of_now * X_T).clip(-1, 1)
        ),
        "image and x_t are exchanged in q_posterior": of_start * X_T + of_now * start,
        "this is the posterior of level t + 1": later[0] * start + later[1] * X_T,
        "this is the posterior of level t - 1": sooner[0] * start + sooner[1] * X_T,
    }
    bound = 6 * max(std, float(pixels.std(axis=1).max())) / np.sqrt(COUNT)
    mean, want = pixels.mean(axis=1), of_start * start + of_now * X_T
    wrong = np.abs(mean - want) > bound
    for message, slip in slips.items():
        expect(not wrong.any() or (np.abs(mean - slip) > bound).any(), message)
    expect(not wrong.any(), f"at level {t} of {T}, the mean of {wrong.sum()} of 4 images is wrong")


@check(CELL, probe="DIF-A4", weight=2)
def noise_is_added(student: Student, rng: Generator) -> None:
    """The spread of the fresh noise, which is another number for each pixel and each call."""
    t = 9
    first, second = _asked(student, rng, "pred_x_start", np.zeros(4), t)
    std = LEVELS.posterior(t)[2]
    spread = first.std(axis=1)
    expect(first.std() > 1e-6, "no noise is added")
    expect((spread > 1e-6).all(), "all pixels of an image get the same noise")
    bound = 6 / np.sqrt(2 * COUNT)
    for message, wrong in {
        "the noise is multiplied by the variance; q_posterior returns a standard deviation": std**2,
        "the noise is multiplied by the root of the standard deviation": std**0.5,
        "the noise is not multiplied by the standard deviation": 1.0,
        "there is twice the variance: is noise added twice?": std * 2**0.5,
    }.items():
        expect((np.abs(spread / wrong - 1) > bound).any(), message)
    wrong = np.abs(spread / std - 1) > bound
    expect(not wrong.any(), "the spread of the noise is not that of the posterior")
    residual = first - first.mean(axis=1, keepdims=True)
    third = float((residual**3).mean() / std**3)  # its standard deviation is root(6 / 4 COUNT)
    fourth = float((residual**4).mean() / std**4)
    normal = abs(third) < 0.2 and abs(fourth - 3) < 0.6
    expect(normal, "the noise is not normally distributed")
    # Means were added in single precision, and differ between images.
    same = np.abs(residual - residual[:1]).max(axis=1) < 1e-3 * std
    expect(not same[1:].any(), "all images get the same noise")
    expect(np.abs(first - second).max() > 1e-3 * std, "two calls add the same noise")


@check(CELL, probe="DIF-A4", weight=2)
def network_is_told_level_and_text(student: Student, rng: Generator) -> None:
    """x_t, t as one integer for each image, and model_kwargs as they are."""
    found = _found(student, rng, "pred_noise", np.zeros(4), 5)
    seen = found["seen"]
    expect(len(seen) == 2, f"in two calls of p_sample the network is called {len(seen)} times")
    expect_close(seen[0]["x"], _images(X_T), what="what the network is given", precision="float32")
    _expect_told(seen[0], np.full(4, 5), ("text_emb", "other"))


# -- asking ---------------------------------------------------------------------------------------


def _images(values: Array) -> Array:
    return np.broadcast_to(values.reshape(-1, 1, 1, 1), (4, 3, SIZE, SIZE)).astype("f4")


def _expect_start(student: Student, rng: Generator, objective: str, answer: Array) -> None:
    pixels = _asked(student, rng, objective, answer, 0)[0]
    image, noise = (share.ravel() for share in LEVELS.shares(np.zeros(4, int), 1))
    start = (X_T - noise * answer) / image if objective == "pred_noise" else answer
    slips = {
        "the predicted image is not clamped to [-1, 1]": start,
        "the predicted image is clamped to [0, 1]; its pixels go from -1 to 1": start.clip(0, 1),
    }
    if objective == "pred_noise":
        slips |= {
            "the prediction is taken for the image; it is noise": answer.clip(-1, 1),
            "the prediction is taken for the image, unclamped; it is noise": answer,
            "the noise is clamped, and not the image": (X_T - noise * answer.clip(-1, 1)) / image,
        }
    else:
        slips |= {
            "the prediction is taken for noise; the objective is pred_x_start": (
                ((X_T - noise * answer) / image).clip(-1, 1)
            )
        }
    means = pixels.mean(axis=1)
    what = f"the last step, objective {objective}"
    expect_close(means, start.clip(-1, 1), what=what, slips=slips, rtol=1e-4, atol=1e-4)
    expect(np.ptp(pixels, axis=1).max() < 1e-3, f"{what}: pixels that should be alike differ")


def _asked(
    student: Student, rng: Generator, objective: str, answer: Array, t: int
) -> tuple[Array, Array]:
    """The pixels (4, COUNT) after each of two calls."""
    found = _found(student, rng, objective, answer, t)["found"]
    shape = (4, 3, SIZE, SIZE)
    first, second = (expect_shape(value, shape, "x_{t-1}").reshape(4, COUNT) for value in found)
    expect(np.isfinite(first).all(), "x_{t-1} holds numbers that are nan or infinite")
    return first.astype(float), second.astype(float)


def _found(
    student: Student, rng: Generator, objective: str, answer: Array, t: int
) -> dict[str, Any]:
    def right_start(x_t: Any, t: Any, noise: Any) -> Any:
        arrays = [as_array(value, "an argument") for value in (x_t, t, noise)]
        x, level, eps = arrays
        fits = x.shape == eps.shape and level.shape == x.shape[:1] and level.dtype.kind in "iu"
        told = f"shapes {x.shape}, {level.shape}, {eps.shape} of x_t, t and noise"
        expect(fits, f"predict_start_from_noise is called with {told}")
        expect(level.min() >= 0 and level.max() < T, "predict_start_from_noise: a level outside")
        return torch.from_numpy(LEVELS.start(x.astype(float), level, eps.astype(float))).float()

    given = {"text_emb": torch.from_numpy(rng.normal(size=(4, 7)).astype("f4")), "other": "kept"}
    return student.apply(
        in_kernel.step,
        {"timesteps": T, "objective": objective, "beta_schedule": "cosine"},
        torch.from_numpy(_images(X_T)),
        t,
        torch.from_numpy(_images(answer)),
        given,
        int(rng.integers(1 << 30)),
        bindings={"right_start": student.stand_in(right_start)},
    )
