"""What is asked of kmeans_codebook: (n,) weights -> codebook (k,) and index (n,).

The expected values are those of Lloyd's algorithm with a matrix of all distances, in float64.
Weights: values that are no means are worth little; empty groups and random draws less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from autograder.checks.assignment4.model_compression import in_kernel
from autograder.judge import (
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
    expect_unchanged,
)

QUESTION, NAME = "kmeans-codebook", "kmeans_codebook"
Array = NDArray[np.float64]


def lloyd(weights: Array, codebook: Array, rounds: int) -> Array:
    """The codebook after so many rounds; empty groups keep their value."""
    codebook = codebook.copy()
    for _ in range(rounds):
        index = nearest(weights, codebook)
        for j in range(len(codebook)):
            if np.any(index == j):
                codebook[j] = weights[index == j].mean()
    return codebook


def nearest(weights: Array, codebook: Array) -> NDArray[np.int64]:
    return np.abs(weights[:, None] - codebook[None, :]).argmin(axis=1)


def linear(weights: Array, k: int) -> Array:
    return np.linspace(weights.min(), weights.max(), k)


def density(weights: Array, k: int) -> Array:
    return np.quantile(weights, (np.arange(k) + 0.5) / k)


def _draw(rng: Generator, n: int) -> Array:
    """Two hills and a few far away, as the weights of a pruned layer are."""
    signs = rng.choice([-1.0, 1.0], size=n)
    return signs * rng.gamma(4.0, 0.05, size=n) + 0.02


def _ask(student: Student, weights: Array, *more: Any, **options: Any) -> tuple[Array, Array]:
    got = student.call(NAME, torch.from_numpy(weights.copy()), *more, **options)
    expect(isinstance(got, list | tuple) and len(got) == 2, "codebook and index are to be returned")
    return as_array(got[0], "the codebook"), as_array(got[1], "the index")


@check(QUESTION, probe="MC-A6", weight=5)
def codebook_is_what_lloyd_finds(student: Student, rng: Generator) -> None:
    """The codebook after a few rounds, and after many, from the linear beginning."""
    for n, bits, rounds in ((60, 2, 1), (80, 2, 3), (200, 3, 40)):
        weights, k = _draw(rng, n), 2**bits
        codebook, _ = _ask(student, weights, bits, "linear", rounds)
        start = linear(weights, k)
        want = lloyd(weights, start, rounds)
        slips = {
            "the values have not moved from their beginning": start,
            "there is one round too few": lloyd(weights, start, rounds - 1),
            "there is one round too many": lloyd(weights, start, rounds + 1),
            "the weights are assigned once and not again: each round begins with the groups of the "
            "values as they are then": lloyd(weights, start, 1),
        }
        if rounds == 1:
            slips.popitem()
        expect_close(codebook, want, what=f"the codebook after {rounds} rounds", slips=slips)


@check(QUESTION, probe="MC-A6", weight=3)
def index_names_the_nearest(student: Student, rng: Generator) -> None:
    """index belongs to the codebook that is returned, however many rounds there were."""
    for n, bits, rounds in ((60, 2, 1), (60, 3, 2), (60, 1, 0)):
        weights = _draw(rng, n)
        codebook, index = _ask(student, weights, bits, "linear", rounds)
        expect_shape(index, (n,), "index")
        inside = index.min() >= 0 and index.max() < len(codebook.ravel())
        expect(inside, f"index goes from {index.min()} to {index.max()}, for {2**bits} values")
        gap = np.abs(weights - codebook.ravel()[index.astype(int)])
        best = np.abs(weights[:, None] - codebook.ravel()[None, :]).min(axis=1)
        far = int(np.sum(gap > best + 1e-9))
        expect(far == 0, f"{far} of {n} weights have another value nearer than the one named")


@check(QUESTION, probe="MC-A7", weight=2)
def density_begins_at_quantiles(student: Student, rng: Generator) -> None:
    """The density beginning, and where it ends."""
    for n, bits, rounds in ((61, 2, 0), (100, 3, 5)):
        weights, k = _draw(rng, n), 2**bits
        codebook, _ = _ask(student, weights, bits, "density", rounds)
        others = {
            "quantiles from 0 to 1, both included": np.linspace(0, 1, k),
            "quantiles j / k": np.arange(k) / k,
            "quantiles (j + 1) / k": (np.arange(k) + 1) / k,
            "quantiles (j + 1) / (k + 1)": (np.arange(k) + 1) / (k + 1),
        }
        slips = {
            f"the beginning is {name}; the contract has others": (
                lloyd(weights, np.quantile(weights, levels), rounds)
            )
            for name, levels in others.items()
        }
        slips["this is what the linear beginning gives"] = lloyd(
            weights, linear(weights, k), rounds
        )
        want = lloyd(weights, density(weights, k), rounds)
        expect_close(codebook, want, what=f"the codebook after {rounds} rounds", slips=slips)


@check(QUESTION, probe="MC-A7", weight=2)
def empty_groups_stay(student: Student, rng: Generator) -> None:
    """A value that is nearest to no weight stays where it is."""
    weights = np.concatenate([rng.uniform(0, 1, size=20), [rng.uniform(90, 110)]])
    start = linear(weights, 8)
    codebook, _ = _ask(student, weights, 3, "linear")
    want = lloyd(weights, start, 30)
    expect(np.isfinite(codebook).all(), "the codebook holds NaN: the mean of an empty group?")
    zeroed = np.where(np.isin(want, start), np.where(want == want.max(), want, 0), want)
    slips = {"values with empty groups have become 0; they stay where they are": zeroed}
    expect_close(codebook, want, what="the codebook with empty groups", slips=slips)


@check(QUESTION, probe="MC-A7", weight=2)
def random_draws_weights(student: Student, rng: Generator) -> None:
    """The random beginning: different weights, ascending, decided by the generator."""
    weights = _draw(rng, 40)
    cells = (student.cell_defining(NAME) or "kmeans-code",)
    seed = int(rng.integers(1 << 30))
    sent = torch.from_numpy(weights.copy())
    first, again, other, ended = (
        as_array(
            student.apply(in_kernel.from_random, sent, 3, s, rounds, cells=cells), "the codebook"
        )
        for s, rounds in ((seed, 0), (seed, 0), (seed + 1, 0), (seed, 7))
    )
    expect_shape(first, (8,), "the codebook")
    expect(np.isin(first, weights).all(), "a value of the random beginning is none of the weights")
    expect(len(np.unique(first)) == 8, "a weight was drawn twice")
    expect(np.array_equal(first, again), "the same generator gives another codebook")
    expect(not np.array_equal(first, other), "another generator gives the same codebook")
    expect_close(ended, lloyd(weights, np.sort(first), 7), what="the codebook after 7 rounds")


@check(QUESTION, probe="MC-A7", weight=1)
def thirty_rounds_from_linear(student: Student, rng: Generator) -> None:
    """Where nothing is said, 30 rounds from the linear beginning."""
    weights = _draw(rng, 3000)
    codebook, _ = _ask(student, weights, 4)
    start = linear(weights, 16)
    slips = {"this is what the density beginning gives": lloyd(weights, density(weights, 16), 30)}
    expect_close(codebook, lloyd(weights, start, 30), what="the codebook", slips=slips)


@check(QUESTION, probe="MC-A6", weight=1, rare=True)
def values_are_ascending(student: Student, rng: Generator) -> None:
    """(k,) ascending values of the type of the weights; index holds integers."""
    for init, bits in (("linear", 4), ("density", 1), ("random", 3)):
        weights = torch.from_numpy(_draw(rng, 50).astype(np.float32))
        codebook, index = student.call(NAME, weights, bits, init)
        values = expect_shape(codebook, (2**bits,), "the codebook")
        expect(
            bool(np.all(np.diff(values) >= 0)), f"init = {init!r}: the codebook is not ascending"
        )
        expect(values.dtype == np.float32, f"weights of float32, a codebook of {values.dtype}")
        numbers = as_array(index, "index")
        expect(numbers.dtype.kind in "iu", f"index holds numbers of type {numbers.dtype}")


@check(QUESTION, probe="MC-A6", weight=1, condition=True)
def weights_stay_as_they_were(student: Student, rng: Generator) -> None:
    """The weights are not changed."""
    weights = _draw(rng, 30)
    kept = student.put(torch.from_numpy(weights.copy()))
    student.call(NAME, kept, 2)
    expect_unchanged(student.fetch(kept), weights, "weights")


__all__ = ["density", "linear", "lloyd", "nearest"]
