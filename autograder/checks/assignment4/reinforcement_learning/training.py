"""What is asked of train_q_learning, in worlds that the judge plays step by step.

The judge sees every step, and computes from them what the table must hold: whichever random
numbers were drawn, there is one right answer. How actions are drawn and a number is updated are
questions of their own; both are answered by the judge here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment4.reinforcement_learning import in_kernel
from autograder.checks.assignment4.reinforcement_learning.world import A, S, Step, World
from autograder.judge import Refused, Student, as_array, check, expect, expect_close, expect_shape

QUESTION, CELL, NAME = "q-training", "q-training-code", "train_q_learning"
ALPHA, GAMMA = 0.3, 0.8
SIGMAS = 5.5


@dataclass(frozen=True)
class Trained:
    """A world in which the student's loop has run, and what it returned."""

    world: World
    Q: Any
    returns: Any


@check(QUESTION, probe="RL-A3", weight=4)
def table_is_learned(student: Student, rng: Generator) -> None:
    """Episodes that terminate: the table follows from the steps that were taken."""
    found = _train(student, rng, episodes=12, limit=200, ending=0.3)
    _expect_table(found)


@check(QUESTION, probe="RL-A3", weight=3)
def truncated_is_not_terminated(student: Student, rng: Generator) -> None:
    """Episodes that are truncated after five steps: they end, and their last step bootstraps."""
    found = _train(student, rng, episodes=15, limit=5, ending=0.15)
    _expect_table(found)


@check(QUESTION, probe="RL-A3", weight=2)
def acts_by_the_table_so_far(student: Student, rng: Generator) -> None:
    """epsilon = 0: in each step one of the best actions, as the table is then."""
    world = _train(student, rng, episodes=12, limit=15, ending=0.1, epsilon=0.0).world
    wrong = 0
    for Q, step in zip(world.tables(ALPHA, GAMMA), world.steps, strict=False):
        wrong += int(Q[step.s, step.a] < Q[step.s].max() - 1e-9)
    expect(
        wrong == 0,
        f"with epsilon = 0, {wrong} of {len(world.steps)} actions are not the best of the table as "
        "it is then",
    )


@check(QUESTION, probe="RL-A3", weight=1)
def epsilon_is_handed_on(student: Student, rng: Generator) -> None:
    """epsilon = 1: all actions equally often."""
    steps = _train(student, rng, episodes=40, limit=15, ending=0.0, epsilon=1.0).world.steps
    share = np.bincount([step.a for step in steps], minlength=A) / len(steps)
    bound = SIGMAS * np.sqrt(1 / A * (1 - 1 / A) / len(steps))
    found = " / ".join(f"{100 * one:.0f} %" for one in share)
    expect(
        np.abs(share - 1 / A).max() < bound,
        f"with epsilon = 1, the {A} actions are taken in {found} of {len(steps)} steps",
    )


@check(QUESTION, probe="RL-A3", weight=2)
def returns_are_sums_of_rewards(student: Student, rng: Generator) -> None:
    """One number for each episode: the sum of its rewards, without discount."""
    found = _train(student, rng, episodes=9, limit=6, ending=0.15)
    episodes = found.world.episodes

    def sums(gamma: float) -> Any:
        return np.array(
            [sum(gamma**t * step.r for t, step in enumerate(steps)) for steps in episodes]
        )

    slips = {
        "the returns are discounted; sums of rewards are asked for": sums(GAMMA),
        "the returns add up over the episodes": np.cumsum(sums(1)),
        "these are the lengths of the episodes": np.array([float(len(e)) for e in episodes]),
        "these are the last rewards of the episodes": np.array([e[-1].r for e in episodes]),
        "these are the first rewards of the episodes": np.array([e[0].r for e in episodes]),
        "the last reward of each episode is missing": sums(1) - [e[-1].r for e in episodes],
        "these are means of the rewards, not sums": sums(1) / [len(e) for e in episodes],
    }
    returns = expect_shape(found.returns, (len(episodes),), "returns")
    expect_close(returns, sums(1), what="returns", slips=slips)


@check(QUESTION, probe="RL-A3", weight=1)
def seed_decides(student: Student, rng: Generator) -> None:
    """The first reset gets the seed and later ones none; the same seed, the same actions."""
    drawn = int(rng.integers(1 << 30))
    walks = []
    for seed in (drawn % 1000, drawn % 1000, drawn % 1000 + 1):
        same = np.random.default_rng(drawn)
        world = _train(
            student, same, episodes=6, limit=10, ending=0.1, epsilon=1.0, seed=seed
        ).world
        expect(
            world.seeds[:1] == [seed],
            "the first env.reset is not given seed=seed",
        )
        later = [one for one in world.seeds[1:] if one is not None]
        expect(not later, "a later env.reset is given a seed, too: its episodes are all alike")
        walks.append([step.a for step in world.steps])
    expect(walks[0] == walks[1], "the same seed leads to other actions")
    expect(walks[0] != walks[2], "another seed leads to the same actions")


# -- asking ---------------------------------------------------------------------------------------


def _train(
    student: Student, rng: Generator, *, episodes: int, limit: int, ending: float,
    epsilon: float = 0.3, seed: int = 7,
) -> Trained:  # fmt: skip
    world = World(rng, limit, ending)

    def choose(values: Any, chance: float, first: float, second: float) -> int:
        row = as_array(values, "the values").astype(float)
        if row.shape != (A,):
            raise Refused(f"epsilon_greedy is called with values of shape {row.shape}, not {(A,)}")
        among = np.arange(A) if first < chance else np.flatnonzero(row == row.max())
        return int(among[min(int(second * len(among)), len(among) - 1)])

    def learn(
        now: float, row: Any, r: float, terminated: bool, alpha: float, gamma: float
    ) -> list[float]:
        values = as_array(row, "a row of Q").astype(float)
        if values.shape != (A,):
            raise Refused(f"a row of Q has shape {values.shape}, not {(A,)}")
        error = r + (0.0 if terminated else gamma * float(values.max())) - now
        return [now + alpha * error, error]

    asks = {"choose": choose, "learn": learn, "reset": world.reset, "step": world.step}
    options = {"episodes": episodes, "alpha": ALPHA, "gamma": GAMMA}
    options |= {"epsilon": epsilon, "seed": seed}
    cell = student.cell_defining(NAME) or CELL
    found = student.apply(
        in_kernel.learned, cell, {name: student.stand_in(ask) for name, ask in asks.items()},
        [S, A], options, cells=(cell,),
    )  # fmt: skip
    played = len(world.episodes)
    expect(played == episodes, f"asked for {episodes} episodes, it plays {played}")
    unfinished = [steps for steps in world.episodes if not steps[-1].over]
    expect(not unfinished, f"{len(unfinished)} episodes are left before they are over")
    return Trained(world, found["Q"], found["returns"])


def _expect_table(found: Trained) -> None:
    world = found.world
    Q = expect_shape(found.Q, (S, A), "Q")
    backwards = World(np.random.default_rng(0), 1, 0.0)
    backwards.episodes = [
        [Step(s.s_next, s.a, s.r, s.s, s.terminated, s.truncated) for s in steps]
        for steps in world.episodes
    ]
    slips = {
        "truncated episodes are taken for terminated ones: their last step bootstraps": (
            world.table(ALPHA, GAMMA, lambda terminated, truncated: terminated or truncated)
        ),
        "terminated episodes are not taken for terminated: nothing comes after them": (
            world.table(ALPHA, GAMMA, lambda terminated, truncated: False)
        ),
        "truncated is handed to the update in place of terminated": (
            world.table(ALPHA, GAMMA, lambda terminated, truncated: truncated)
        ),
        "the table has never been updated": np.zeros((S, A)),
        "alpha is another number than it was told": world.table(0.5, GAMMA),
        "gamma is another number than it was told": world.table(ALPHA, 1.0),
        "s and s_next are exchanged in the update": backwards.table(ALPHA, GAMMA),
    }
    expect_close(Q, world.table(ALPHA, GAMMA), what="Q", slips=slips)
