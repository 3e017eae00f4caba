"""What is asked of the four losses.

The judge sends logits as float32, as networks give them, and knows the losses in closed form, in
float64. Shapes: logits (N, 1); a loss is a scalar.

Weights: a loss without a gradient, or with one in the wrong direction, trains nothing: that costs
half and more. A gradient is right up to one positive factor, since a factor (a half, a sum) costs
points where the value is asked. Logits of 200 come late in training: they stay light.
What a constant does as well (finite for all logits, no slope at the targets) counts only together
with a right value or gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.generative_adversarial_networks import in_kernel, oracle, slips
from autograder.judge import (
    Failed,
    Student,
    StudentError,
    as_array,
    check_each,
    expect,
    expect_close,
    expect_near,
)

Loss = Callable[..., Tensor]


@dataclass(frozen=True)
class Asked:
    """A loss, its arguments, and the scores at which the least squares losses are least."""

    name: str
    arguments: tuple[str, ...]
    right: Loss
    slips: Mapping[str, Loss]
    targets: tuple[float, ...] = ()


BOTH, FAKE = ("logits_real", "logits_fake"), ("logits_fake",)
CROSS_ENTROPY = {
    "d-loss": Asked("discriminator_loss", BOTH, oracle.d_loss, slips.D_LOSS),
    "g-loss": Asked("generator_loss", FAKE, oracle.g_loss, slips.G_LOSS),
}
LEAST_SQUARES = {
    "ls-d-loss": Asked(
        "ls_discriminator_loss",
        ("scores_real", "scores_fake"),
        oracle.ls_d_loss,
        slips.LS_D_LOSS,
        (1.0, 0.0),
    ),
    "ls-g-loss": Asked(
        "ls_generator_loss", ("scores_fake",), oracle.ls_g_loss, slips.LS_G_LOSS, (1.0,)
    ),
}
ALL = CROSS_ENTROPY | LEAST_SQUARES
CUT = "Is the graph cut (by item, detach, numpy or no_grad), or is this argument unused?"
# Where the logits end that float32 still tells from certainty, after a sigmoid.
MODERATE, LARGE = 10.0, 200.0


@check_each(CROSS_ENTROPY, probe="GAN-A3", weight=4)
def value_is_right(student: Student, rng: Generator, asked: Asked) -> None:
    """The loss of batches of several sizes."""
    _expect_value(student, rng, asked)


@check_each(LEAST_SQUARES, probe="GAN-A6", weight=4)
def squares_are_right(student: Student, rng: Generator, asked: Asked) -> None:
    """The loss of batches of several sizes, its factor of one half included."""
    _expect_value(student, rng, asked)


@check_each(ALL, probe="GAN-A5", weight=6)
def gradient_has_its_direction(student: Student, rng: Generator, asked: Asked) -> None:
    """The gradient for each of the scores, up to a factor."""
    scores = _drawn(rng, asked, 9)
    found = student.apply(in_kernel.loss, asked.name, [value.float() for value in scores])
    shape = as_array(found["value"], "the loss").shape
    expect(np.prod(shape) == 1, f"the loss has shape {shape}; backward() needs a single number")
    leaves = [value.clone().requires_grad_() for value in scores]
    wanted = torch.autograd.grad(asked.right(*leaves), leaves)
    for name, got, want in zip(asked.arguments, found["grads"], wanted, strict=True):
        expect(got is not None, f"no gradient reaches {name}", CUT)
        _expect_direction(as_array(got, name).astype(np.float64), want.numpy(), name)


@check_each(CROSS_ENTROPY, probe="GAN-A4", weight=2, condition=True)
def large_logits_are_safe(student: Student, rng: Generator, asked: Asked) -> None:
    """Logits of -200 and 200: finite, and as far from 0 as they should be."""
    for signs in _signs(len(asked.arguments)):
        small, large = (
            _value(student, asked, [torch.full((3, 1), sign * size) for sign in signs])
            for size in (MODERATE, LARGE)
        )
        given = " and ".join(
            f"{name} = {sign * LARGE:.0f}"
            for name, sign in zip(asked.arguments, signs, strict=True)
        )
        expect(np.isfinite(large), f"for {given} the loss is {large}")
        # softplus(10) is 10.00005, softplus(-10) 0.00005: what is linear by then stays so.
        goes_on = abs(large - small * LARGE / MODERATE) < 0.02 + 1e-3 * abs(large)
        expect(
            goes_on,
            f"for {given} the loss is {large:.5g}, for logits of the same signs and of size "
            f"{MODERATE:.0f} it is {small:.5g}: far from 0, a logit adds either its own size "
            "to the loss, or nothing",
            "Take the logits themselves (bce_loss): a sigmoid rounds to 0 or 1",
        )


@check_each(LEAST_SQUARES, probe="GAN-A6", weight=2, condition=True)
def least_at_the_targets(student: Student, rng: Generator, asked: Asked) -> None:
    """At the scores that are aimed at, the loss is 0 and has no slope."""
    scores = [torch.full((4, 1), target) for target in asked.targets]
    found = student.apply(in_kernel.loss, asked.name, scores)
    aims = " and ".join(
        f"{name} = {target:.0f}"
        for name, target in zip(asked.arguments, asked.targets, strict=True)
    )
    value = as_array(found["value"], "the loss")
    expect(value.size == 1, f"the loss has shape {value.shape}; it should be a single number")
    expect(abs(value.item()) < 1e-6, f"for {aims} the loss is {value.item():.4g}")
    for name, slope in zip(asked.arguments, found["grads"], strict=True):
        flat = slope is None or np.abs(as_array(slope, name)).max(initial=0) < 1e-6
        expect(flat, f"for {aims} the gradient for {name} is not 0")


@check_each(ALL, probe="GAN-B1", advises=True)
def a_single_image(student: Student, rng: Generator, asked: Asked) -> None:
    """Batches of one image."""
    _advise(student, rng, asked, "for a single image", lambda scores: [s[:1] for s in scores])


@check_each(ALL, probe="GAN-B2", advises=True)
def other_scores(student: Student, rng: Generator, asked: Asked) -> None:
    """Scores of shape (N,), scores of float64, more real images than generated ones."""
    _advise(
        student, rng, asked, "for scores of shape (N,)", lambda scores: [s[:, 0] for s in scores]
    )
    _advise(
        student, rng, asked, "for scores of float64", lambda scores: [s.double() for s in scores]
    )
    if len(asked.arguments) == 2:
        _advise(
            student,
            rng,
            asked,
            "for more real images than generated ones",
            lambda scores: [scores[0], scores[1][:3]],
        )


# -- asking ---------------------------------------------------------------------------------------


def _expect_value(student: Student, rng: Generator, asked: Asked) -> None:
    for N in (6, 17):
        scores = _drawn(rng, asked, N)
        found = student.apply(in_kernel.loss, asked.name, [value.float() for value in scores])
        wrong = {text: slip(*scores).numpy() for text, slip in asked.slips.items()}
        expect_close(
            found["value"],
            asked.right(*scores).numpy(),
            what=f"the loss of {N} images",
            precision="float32",
            slips=wrong,
            squeeze=True,
        )


def _expect_direction(got: np.ndarray, want: np.ndarray, name: str) -> None:
    """A positive multiple of ``want``, all of whose entries differ from 0."""
    what = f"the gradient for {name}"
    expect(got.shape == want.shape, f"{what} has shape {got.shape}")
    expect(np.isfinite(got).all(), f"{what} holds numbers that are nan or infinite")
    expect(got.any(), f"{what} is 0 everywhere")
    wrong = int((np.sign(got) != np.sign(want)).sum())
    expect(
        not wrong,
        f"{what} has the wrong sign for {wrong} of {want.size} scores: a step downhill changes "
        "them the wrong way",
    )
    factor = float((got * want).sum() / np.square(want).sum())
    try:
        expect_near(got, factor * want, what=what, precision="float32")
    except Failed:
        raise Failed(
            f"{what} has the right signs, but its sizes are in another proportion to each other: "
            "the loss gives good and bad scores other weights than the task does"
        ) from None


def _value(student: Student, asked: Asked, scores: list[Tensor]) -> float:
    found = as_array(student.apply(in_kernel.loss, asked.name, scores)["value"], "the loss")
    expect(found.size == 1, f"the loss has shape {found.shape}; it should be a single number")
    return float(found.reshape(()))


def _advise(
    student: Student,
    rng: Generator,
    asked: Asked,
    when: str,
    change: Callable[[list[Tensor]], list[Tensor]],
) -> None:
    """Say where a loss that is otherwise right is not: for scores changed in this way."""
    scores = [value.float() for value in _drawn(rng, asked, 5)]
    want = asked.right(*(value.double() for value in scores)).numpy()
    try:
        usual = as_array(student.apply(in_kernel.loss, asked.name, scores)["value"])
    except (Failed, StudentError):
        return
    if usual.size != 1 or not np.allclose(usual, want, rtol=1e-4):
        return
    scores = change(scores)
    found = student.apply(in_kernel.loss, asked.name, scores)["value"]
    want = asked.right(*(value.double() for value in scores)).numpy()
    expect_close(found, want, what=f"the loss {when}", precision="float32", squeeze=True)


def _drawn(rng: Generator, asked: Asked, N: int) -> list[Tensor]:
    """Logits (N, 1) of about -4 to 4, such as float32 has, of both signs.

    None is so near to 0 or 1 that the sign of a least squares gradient could be rounding.
    """
    scores = []
    for _ in asked.arguments:
        x = np.abs(rng.normal(size=(N, 1))) * 1.5 + 0.1
        x *= np.where(np.arange(N)[:, None] % 2, 1, -1)
        x[np.abs(x - 1) < 0.05] += 0.1
        scores.append(torch.from_numpy(rng.permutation(x).astype(np.float32)).double())
    return scores


def _signs(count: int) -> list[tuple[int, ...]]:
    return [(-1,), (1,)] if count == 1 else [(1, -1), (-1, -1), (1, 1), (-1, 1)]
