"""What is asked of discounted_returns. Weights: the formula costs most, long episodes little."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, check, expect, expect_close, expect_shape, expect_unchanged

QUESTION = "returns"
NAME = "discounted_returns"


def right(rewards: Any, gamma: float) -> Any:
    """As a product with the matrix of all discounts."""
    T = len(rewards)
    ahead = np.arange(T)[None, :] - np.arange(T)[:, None]  # [t, k]: k - t
    return np.where(ahead >= 0, gamma ** np.maximum(ahead, 0), 0.0) @ rewards


@check(QUESTION, probe="RL-A4", weight=4)
def looks_ahead(student: Student, rng: Generator) -> None:
    """Seven rewards of both signs, gamma = 0.7."""
    rewards, gamma = rng.normal(size=7), 0.7
    got = student.call(NAME, rewards, gamma)
    want = right(rewards, gamma)
    powers = gamma ** np.arange(7)
    slips = {
        "it looks back: each number is a sum of the rewards before it": (
            right(rewards[::-1], gamma)[::-1]
        ),
        "the returns are in reverse order": want[::-1],
        "the rewards are discounted from the beginning of the episode, not from each step": (
            np.cumsum((powers * rewards)[::-1])[::-1]
        ),
        "sums from the beginning are discounted": np.cumsum(powers * rewards),
        "nothing is discounted": right(rewards, 1.0),
        "the reward of the step itself is discounted, too": gamma * want,
        "the reward of the step itself is missing": want - rewards,
        "gamma is applied twice in each step": right(rewards, gamma**2),
        "every number is the return of the whole episode": np.full(7, want[0]),
        "only the next reward is added, not all later ones": (
            rewards + gamma * np.append(rewards[1:], 0.0)
        ),
        "these are the rewards": rewards,
        "the returns are standardised: mean 0 and standard deviation 1": (
            (want - want.mean()) / want.std()
        ),
    }
    expect_close(expect_shape(got, (7,), "the returns"), want, what="the returns", slips=slips)


@check(QUESTION, probe="RL-A4", weight=1)
def extreme_discounts(student: Student, rng: Generator) -> None:
    """gamma = 0 and gamma = 1."""
    rewards = rng.normal(size=6)
    for gamma in (0.0, 1.0):
        got = student.call(NAME, rewards, gamma)
        expect_close(got, right(rewards, gamma), what=f"the returns with gamma = {gamma:g}")


@check(QUESTION, probe="RL-A4", weight=1)
def integer_rewards(student: Student, rng: Generator) -> None:
    """Rewards that are integers, as -1 for each step; returns with fractions."""
    rewards = rng.integers(-3, 4, size=8)
    rewards[-2:] = 1, 3
    got = student.call(NAME, rewards, 0.5)
    slips = {"the returns are cut to integers": right(rewards, 0.5).astype(int)}
    expect_close(got, right(rewards, 0.5), what="the returns of integer rewards", slips=slips)


@check(QUESTION, probe="RL-A4", weight=1)
def long_and_short_episodes(student: Student, rng: Generator) -> None:
    """An episode of one step, and one of 2000 with gamma = 0.5."""
    for T in (1, 2000):
        rewards = rng.normal(size=T)
        got = expect_shape(student.call(NAME, rewards, 0.5), (T,), f"the returns of {T} steps")
        expect(np.isfinite(got).all(), f"the returns of {T} steps hold nan or infinity")
        expect_close(got, right(rewards, 0.5), what=f"the returns of {T} steps")


@check(QUESTION, probe="RL-A4", condition=True)
def rewards_stay_as_they_are(student: Student, rng: Generator) -> None:
    """The rewards are not changed."""
    rewards = rng.normal(size=5)
    sent = student.put(rewards)
    student.call(NAME, sent, 0.9)
    expect_unchanged(student.fetch(sent), rewards, "rewards")
