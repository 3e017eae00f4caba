"""What is asked of simclr_loss_naive and simclr_loss_vectorized, over right similarities.

out_left and out_right (N, D) -> one number. Weights: another number is worth nothing, and neither
is a loss that sends no gradient back. A factor (a sum for a mean) keeps the direction of the
gradient, and its points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.self_supervised_learning import (
    gradients,
    in_kernel,
    oracle,
    slips,
)
from autograder.judge import (
    Student,
    as_array,
    check,
    check_each,
    expect,
    expect_near,
    expect_shape,
    forbid_loops,
    name_slip,
)


@dataclass(frozen=True)
class Version:
    """One of the two functions; ``options`` of every call."""

    name: str
    cell: str
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def keywords(self) -> dict[str, Any]:
        return dict(self.options)


NAIVE = Version("simclr_loss_naive", "loss-naive")
VECTORIZED = Version("simclr_loss_vectorized", "loss-vectorized", (("device", "cpu"),))
VERSIONS = {"ntxent-loop": NAIVE, "ntxent-vectorized": VECTORIZED}
WHAT = "the loss"


@check_each(VERSIONS, probe="SSL-A4, SSL-A5", weight=5)
def loss_is_nt_xent(student: Student, rng: Generator, version: Version) -> None:
    """Batches of several sizes, at temperatures 0.5, 0.1 and 5."""
    calls = [
        (oracle.draw(rng, N, D), oracle.draw(rng, N, D), tau)
        for N, D, tau in ((4, 6, 0.5), (3, 8, 0.1), (5, 3, 5.0), (2, 4, 0.5))
    ]
    found = _asked(student, version, *calls)
    wanted = [oracle.loss(*call).numpy() for call in calls]
    arrays = [as_array(got, WHAT) for got in found]
    if all(array.size == 1 for array in arrays):  # slips are told apart by all four numbers
        each = [slips.of_loss(*call) for call in calls]
        wrong = {message: np.array([one[message] for one in each]) for message in each[0]}
        name_slip(np.array([array.item() for array in arrays]), np.array(wanted), wrong)
    for got, want, (left, _, tau) in zip(arrays, wanted, calls, strict=True):
        what = f"{WHAT} for N = {len(left)}, D = {left.shape[1]}, tau = {tau}"
        expect_near(got, want, what=what, squeeze=True)


@check_each(VERSIONS, probe="SSL-A8")
def special_batches_are_exact(student: Student, rng: Generator, version: Version) -> None:
    """A single pair; and pairs of equals, orthogonal to all others."""
    N, D, tau = 3, 5, 0.5
    directions = torch.from_numpy(np.linalg.qr(rng.normal(size=(D, N)))[0].T)
    left = directions * torch.from_numpy(rng.uniform(1, 3, size=(N, 1)))
    lonely = oracle.draw(rng, 1, D), oracle.draw(rng, 1, D), tau
    alone, orthogonal = _asked(student, version, lonely, (left, 2 * left, tau))
    hint = "Only the partner is in the denominators then"
    expect_near(alone, 0.0, what=f"{WHAT} of a single pair", hint=hint, squeeze=True)
    want = np.log1p((2 * N - 2) * np.exp(-1 / tau))
    what = f"{WHAT} of pairs of equal directions, each orthogonal to the others"
    expect_near(orthogonal, want, what=what, squeeze=True)


@check_each(VERSIONS, probe="SSL-A9")
def lengths_and_sides_do_not_matter(student: Student, rng: Generator, version: Version) -> None:
    """Vectors three times as long, and the branches exchanged: the same loss."""
    left, right = oracle.draw(rng, 3, 4), oracle.draw(rng, 3, 4)
    calls = (left, right, 0.5), (3 * left, 3 * right, 0.5), (right, left, 0.5)
    plain, long, swapped = (float(_number(x)) for x in _asked(student, version, *calls))
    expect(
        np.isclose(long, plain, rtol=1e-6),
        f"{WHAT} changes when all vectors become three times as long",
        "Only directions count: use the cosine",
    )
    expect(
        np.isclose(swapped, plain, rtol=1e-6),
        f"{WHAT} changes when out_left and out_right change places",
        "Each of the 2N vectors has a partner to find, those on the right as well",
    )


@check_each(VERSIONS, probe="SSL-A4, SSL-A5")
def loss_is_a_scalar(student: Student, rng: Generator, version: Version) -> None:
    """One number, without axes."""
    call = oracle.draw(rng, 3, 4), oracle.draw(rng, 3, 4), 0.5
    expect_shape(_asked(student, version, call)[0], (), WHAT)


@check_each(VERSIONS, probe="SSL-A10", weight=6)
def gradients_reach_both_branches(student: Student, rng: Generator, version: Version) -> None:
    """The gradients with respect to out_left and out_right."""
    arguments = {side: oracle.draw(rng, 3, 4) for side in ("out_left", "out_right")}
    gradients.expect_direction(
        student, version.name, arguments, torch.ones(()), right=oracle.loss, runs=version.cell,
        more=(0.5,), slips=_gradient_slips, what="NT-Xent",
        cell=student.cell_defining(version.name) or version.cell,
        ask=student.stand_in(oracle.answering(*oracle.SIMILARITIES)), **version.keywords,
    )  # fmt: skip


@check("ntxent-vectorized", probe="SSL-A5", condition=True)
def no_loops(student: Student, rng: Generator) -> None:
    """No loop in Python, and none in what the function calls."""
    forbid_loops(student, VECTORIZED.name, "Work on the whole matrix of similarities at once")


@check_each(VERSIONS, probe="SSL-B1", advises=True)
def low_temperatures_do_not_overflow(student: Student, rng: Generator, version: Version) -> None:
    """tau = 0.01 with float32 numbers: e^100 is too large for them."""
    left = oracle.draw(rng, 3, 4)
    right = left + 0.1 * oracle.draw(rng, 3, 4)
    call = left.float(), right.float(), 0.01
    got = as_array(_asked(student, version, call)[0], WHAT)
    found = f"with tau = 0.01 and float32 numbers {WHAT} is nan or infinite"
    expect(np.isfinite(got).all(), found, "torch.logsumexp never computes e^100 itself")


def _asked(student: Student, version: Version, *calls: tuple[Any, ...]) -> list[Any]:
    cell = student.cell_defining(version.name) or version.cell
    ask = student.stand_in(oracle.answering(*oracle.SIMILARITIES))
    sent = [list(call) for call in calls]
    return student.apply(
        in_kernel.answers, version.name, sent, cell, ask, cells=(cell,), **version.keywords
    )


def _number(value: Any) -> np.ndarray:
    array = as_array(value, WHAT)
    expect(array.size == 1, f"{WHAT} has shape {array.shape}; it should be one number")
    expect(np.isfinite(array).all(), f"{WHAT} is nan or infinite")
    return array.reshape(())


def _gradient_slips(left: Tensor, right: Tensor, tau: float) -> dict[str, list[Tensor]]:
    """Gradients through one part of the loss only."""

    def numerators(left: Tensor, right: Tensor) -> Tensor:
        return -oracle.sim_positive_pairs(left, right).mean() / tau

    def denominators(left: Tensor, right: Tensor) -> Tensor:
        return oracle.loss(left, right, tau) - numerators(left, right)

    return {
        "the gradient comes through the numerators only: the denominators are cut off": (
            oracle.gradients(numerators, [left, right])
        ),
        "the gradient comes through the denominators only: the numerators are cut off": (
            oracle.gradients(denominators, [left, right])
        ),
        "the gradient has the opposite sign": [
            -g for g in oracle.gradients(oracle.loss, [left, right, tau])
        ],
    }
