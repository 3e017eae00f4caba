"""What is asked of training_step, over known formulas, and of the translator that was trained.

The trained translator gets English sentences that are drawn anew. Its answers come back as words
and are compared here; how good it thinks it is plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.judge import Student, as_array, check, expect, expect_close, expect_equal
from cs231n_lib.translation.corpus import fresh_pairs

STEP, TRAINED = "training-step", "training"
V, RATE = 6, 0.5
#: The visible test asks for 60 % of 200 sentences, some of which are short. 100 fresh ones have a
#: standard error of 5 points.
SENTENCES, SHARE, SOME = 100, 0.45, 0.15


# -- one step --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """Batches, the weight before them, and what training_step did with them."""

    batches: list[tuple[Tensor, Tensor]]
    weight: Tensor
    found: dict[str, Any]
    large: float

    def gradient(self, number: int) -> Tensor:
        """Of one batch, not clipped: logits of the targets are added up, times ``large``.

        A logit is an entry of the weight, at the word fed and the target, plus the sum of all and
        V times another parameter, ``shift``.
        """
        _, target = self.batches[number]
        gradient = torch.zeros_like(self.weight)
        for fed, right in zip(target[:, :-1].flatten(), target[:, 1:].flatten(), strict=True):
            gradient[fed, right] += self.large
            gradient += self.large
        return gradient

    def norm(self, number: int) -> float:
        """Of the gradients of all parameters together; that of ``shift`` is V for each target."""
        shift = V * self.large * self.batches[number][1][:, 1:].numel()
        return float(np.hypot(self.gradient(number).norm().item(), shift))


def _steps(student: Student, rng: Generator, large: float, count: int = 1) -> Steps:
    batches = []
    for _ in range(count):
        target = torch.from_numpy(rng.integers(3, V, size=(2, 5)))
        target[:, 0], target[0, 3], target[0, 4], target[1, 4] = 1, 2, 0, 2
        batches.append((torch.from_numpy(rng.integers(3, V, size=(2, 4))), target))
    weight = oracle.draw(rng, V, V)
    cell = student.cell_defining("training_step") or "training-step-code"
    found = student.apply(
        in_kernel.trained_steps, cell, weight, batches, RATE, large, cells=(cell,)
    )
    return Steps(batches, weight, found, large)


@check(STEP, probe="S2S-A9", weight=3)
def targets_are_shifted(student: Student, rng: Generator) -> None:
    """The loss is asked about the reference without its first column, with the number of PAD."""
    steps = _steps(student, rng, 1e-3)
    (asked, *more) = steps.found["asked"] or [{}]
    expect(
        "targets" in asked and not more, "teacher_forcing and sequence_loss are called once each"
    )
    target = steps.batches[0][1]
    given = as_array(asked["targets"], "the targets")
    fed = given.shape == target[:, :-1].shape and bool((given == target[:, :-1].numpy()).all())
    expect(not fed, "the loss compares with the words that were fed: shift the reference by one")
    expect_equal(given, target[:, 1:].numpy(), what="the targets that the loss is given")
    expect_equal(asked["target"], target.numpy(), what="the reference of teacher_forcing")
    expect(asked["pad"] == 0, f"the loss is told that padding is {asked['pad']}")
    expect_equal(steps.found["sources"][0], steps.batches[0][0].numpy(), what="what is encoded")


@check(STEP, probe="S2S-A9", weight=3)
def step_follows_the_gradient(student: Student, rng: Generator) -> None:
    """A small gradient, with plain gradient descent: rate times gradient."""
    steps = _steps(student, rng, 1e-3)
    gradient, weight = steps.gradient(0), steps.weight
    slips = {
        "the weights do not move": weight,
        "the step goes uphill": weight + RATE * gradient,
        "two steps are taken": weight - 2 * RATE * gradient,
        "the gradient is scaled to norm 1, though it is shorter": (
            weight - RATE * gradient / steps.norm(0)
        ),
    }
    expect_close(
        steps.found["weights"][0], (weight - RATE * gradient).numpy(),
        what="the weights afterwards",
        slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(STEP, probe="S2S-A9", weight=2)
def gradients_do_not_add_up(student: Student, rng: Generator) -> None:
    """Two batches, one after the other: the second step knows nothing of the first gradient."""
    steps = _steps(student, rng, 1e-3, count=2)
    first, second = steps.gradient(0), steps.gradient(1)
    after = steps.weight - RATE * first
    slips = {
        "the gradient of the batch before is still there: clear it": after - RATE * (first + second)
    }
    expect_close(
        steps.found["weights"][1], (after - RATE * second).numpy(),
        what="the weights after the second batch",
        slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(STEP, probe="S2S-A9", weight=2)
def large_gradients_are_clipped(student: Student, rng: Generator) -> None:
    """A gradient with a norm of some hundreds: a step of length rate."""
    steps = _steps(student, rng, 20.0)
    gradient = steps.gradient(0)
    each = gradient.clamp(-1, 1)
    slips = {
        "the gradient is not clipped, or only after the step": steps.weight - RATE * gradient,
        "each number is clipped by itself; clip the norm of all together": (
            steps.weight - RATE * each
        ),
        "the gradient of each parameter is clipped by itself; clip the norm of all together": (
            steps.weight - RATE * gradient / gradient.norm()
        ),
    }
    expect_close(
        steps.found["weights"][0], (steps.weight - RATE * gradient / steps.norm(0)).numpy(),
        what="the weights afterwards", rtol=1e-4,
        slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(STEP, probe="S2S-A9", weight=1)
def loss_is_returned(student: Student, rng: Generator) -> None:
    """The loss before the step, as a Python float."""
    steps = _steps(student, rng, 1e-3)
    kinds = list(steps.found["kinds"])
    expect(kinds == ["float"], f"the loss is of type {', '.join(kinds)}, not float")
    _, target = steps.batches[0]
    total = steps.weight.sum()
    logits = [
        steps.weight[fed, right] + total
        for fed, right in zip(target[:, :-1].flatten(), target[:, 1:].flatten(), strict=True)
    ]
    want = steps.large * float(sum(logits))
    expect_close(steps.found["losses"][0], want, what="the loss that is returned", rtol=1e-5)


# -- the trained translator ------------------------------------------------------------------------


def _share(student: Student, rng: Generator) -> float:
    """How many fresh sentences are right word for word."""
    pairs = fresh_pairs(SENTENCES, int(rng.integers(1 << 31)))
    longest = 3 * max(len(pair.french) for pair in pairs) // 2
    found = student.apply(in_kernel.translations, [list(pair.english) for pair in pairs], longest)
    expect(len(found) == len(pairs), f"{len(found)} translations come back of {len(pairs)}")
    right = [list(words) == list(pair.french) for words, pair in zip(found, pairs, strict=True)]
    return sum(right) / len(pairs)


def _expect_share(student: Student, rng: Generator, least: float) -> None:
    share = _share(student, rng)
    expect(
        share >= least,
        f"{share:.0%} of {SENTENCES} new sentences are translated right, at least {least:.0%} were "
        "expected",
    )


@check(TRAINED, probe="S2S-A10", weight=1)
def translates_some_sentences(student: Student, rng: Generator) -> None:
    """Some of 100 sentences that are drawn anew are right word for word."""
    _expect_share(student, rng, SOME)


@check(TRAINED, probe="S2S-A10", weight=3)
def translates_new_sentences(student: Student, rng: Generator) -> None:
    """Nearly half of 100 sentences that are drawn anew are right word for word."""
    _expect_share(student, rng, SHARE)
