"""What is asked of p_losses, with a network that answers what it is told to and right noising.

Weights: a loss that is something else costs most, and a network that sees the image it is to
predict learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.checks.assignment4.ddpm.oracle import Array
from autograder.judge import Student, as_array, check, expect, expect_close, expect_near

CELL, T, SHAPE = "loss", 12, (5, 3, 4, 4)


@dataclass(frozen=True)
class Asked:
    """One call of p_losses: what was sent, what came back, and the noise that was drawn."""

    found: dict[str, Any]
    images: Array  # from -1 to 1
    answer: Array
    t: Array
    noise: Array
    weight: Array  # (b, 1, 1, 1), for the image as the target

    @property
    def levels(self) -> oracle.Levels:
        return oracle.levels("cosine", T)


@check(CELL, probe="DIF-A3", weight=3)
def noise_is_the_target(student: Student, rng: Generator) -> None:
    """The objective pred_noise: the mean of the squared errors."""
    asked = _asked(student, rng, "pred_noise")
    squares = (asked.answer - asked.noise) ** 2
    slips = {
        "the squares are added up; take their mean": squares.sum(),
        "these are absolute values: take the squares": np.abs(asked.answer - asked.noise).mean(),
        "it is half of what it should be": squares.mean() / 2,
        "this is the root of the mean": np.sqrt(squares.mean()),
        "the prediction is compared with the images; the target is the noise": (
            ((asked.answer - asked.images) ** 2).mean()
        ),
        "the errors are squared after the mean is taken": (asked.answer - asked.noise).mean() ** 2,
    }
    _expect(asked, squares.mean(), slips)


@check(CELL, probe="DIF-A3", weight=3)
def image_is_the_target(student: Student, rng: Generator) -> None:
    """The objective pred_x_start, whose levels have weights."""
    asked = _asked(student, rng, "pred_x_start")
    errors = asked.answer - asked.images
    want = (asked.weight * errors**2).mean()
    slips = {
        "the weights of the levels, loss_weight, are missing": (errors**2).mean(),
        "the weights are squared with the errors": ((asked.weight * errors) ** 2).mean(),
        "the mean of the squares is multiplied by the mean of the weights": (
            asked.weight.mean() * (errors**2).mean()
        ),
        "the prediction is compared with the noise": (
            (asked.weight * (asked.answer - asked.noise) ** 2).mean()
        ),
    }
    _expect(asked, want, slips)


@check(CELL, probe="DIF-A3", weight=3)
def network_sees_noisy_images(student: Student, rng: Generator) -> None:
    """The network is given x_t, made of images from -1 to 1 and the noise that is the target."""
    asked = _asked(student, rng, "pred_noise")
    slips = {
        "the network sees the images themselves": asked.images,
        "the network sees nothing but noise": asked.noise,
        "the network sees noised images from 0 to 1; normalize has made them from -1 to 1": (
            asked.levels.q_sample((asked.images + 1) / 2, asked.t, asked.noise)
        ),
        "the images are normalised twice": (
            asked.levels.q_sample(2 * asked.images - 1, asked.t, asked.noise)
        ),
    }
    want = asked.levels.q_sample(asked.images, asked.t, asked.noise)
    what = "what the network is given"
    expect_near(_seen(asked)["x"], want, what=what, precision="float32", slips=slips)


@check(CELL, probe="DIF-A3", weight=2)
def network_is_told_level_and_text(student: Student, rng: Generator) -> None:
    """t, one for each image, and model_kwargs as they are."""
    asked = _asked(student, rng, "pred_noise")
    _expect_told(_seen(asked), asked.t, ("text_emb", "other"))


@check(CELL, probe="DIF-A3", weight=2)
def loss_can_be_trained_on(student: Student, rng: Generator) -> None:
    """A gradient reaches the network."""
    flows = _asked(student, rng, "pred_noise").found["flows"]
    expect(flows, "no gradient reaches the network", "Is the graph cut (detach, item, no_grad)?")


# -- asking ---------------------------------------------------------------------------------------


def _asked(student: Student, rng: Generator, objective: str) -> Asked:
    images, answer = rng.uniform(0, 1, SHAPE).astype("f4"), rng.normal(size=SHAPE).astype("f4")
    known = oracle.levels("cosine", T)

    def right_q_sample(x_start: Any, t: Any, noise: Any) -> Any:
        arrays = [as_array(value, "an argument of q_sample") for value in (x_start, t, noise)]
        x, level, eps = arrays
        fits = x.shape == eps.shape == SHAPE and level.shape == SHAPE[:1]
        told = f"shapes {x.shape}, {level.shape}, {eps.shape} of x_start, t and noise"
        expect(fits, f"q_sample is called with {told}")
        expect(level.dtype.kind in "iu", "q_sample is called with levels that are no integers")
        expect(
            level.min() >= 0 and level.max() < T, "q_sample is called with levels outside 0..T-1"
        )
        return torch.from_numpy(known.q_sample(x.astype(float), level, eps.astype(float))).float()

    found = student.apply(
        in_kernel.loss,
        {"timesteps": T, "objective": objective, "beta_schedule": "cosine"},
        torch.from_numpy(images),
        torch.from_numpy(answer),
        {"text_emb": torch.from_numpy(rng.normal(size=(5, 7)).astype("f4")), "other": "kept"},
        int(rng.integers(1 << 30)),
        bindings={"right_q_sample": student.stand_in(right_q_sample)},
    )
    t, noise = as_array(found["t"]), as_array(found["noise"]).astype(float)
    share = known.share[t].reshape(-1, 1, 1, 1)
    return Asked(
        found, 2 * images.astype(float) - 1, answer.astype(float), t, noise, share / (1 - share)
    )


def _seen(asked: Asked) -> dict[str, Any]:
    seen = asked.found["seen"]
    expect(len(seen) == 1, f"the network is called {len(seen)} times; once is enough")
    return seen[0]


def _expect_told(seen: dict[str, Any], t: Array, keys: tuple[str, ...]) -> None:
    """Levels (b,) of integers, and all entries of model_kwargs."""
    kind = seen["kind"]
    expect("int" in kind and seen["time"] is not None, f"the levels are of type {kind}")
    level = as_array(seen["time"], "the levels that the network is given")
    expect(
        level.shape == t.shape,
        f"the levels that the network is given have shape {level.shape}, not one for each image",
    )
    expect(np.array_equal(level, t), "the network is given other levels than those drawn")
    given = seen["given"]
    whole = isinstance(given, dict) and set(keys) <= set(given)
    expect(whole, "the network is not given model_kwargs, or not all of them")
    expect(given["text_emb"] is not None, "the network is given None as the text")


def _expect(asked: Asked, want: float, slips: dict[str, Any]) -> None:
    _seen(asked)
    expect_close(
        asked.found["loss"], want, what="the loss", precision="float32", slips=slips, rtol=1e-4
    )
