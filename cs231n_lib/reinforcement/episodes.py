"""Episodes of CartPole, several at a time, played by a policy that is a network.

Dimension letters: T steps of an episode, B steps of all episodes together, K episodes that are
played side by side, A = 2 actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from cs231n_lib.seeding import seeded_torch

#: What one unit of an observation is: 1 m, 1 m/s, 0.1 rad, 1 rad/s. In radians the angle of the
#: pole is never above 0.21, and a network would hardly notice it.
OBSERVATION_UNITS = np.array([1.0, 1.0, 0.1, 1.0], np.float32)
ACTIONS = 2  # 0 pushes the cart to the left, 1 to the right


@dataclass(frozen=True)
class Episode:
    """What happened, step by step. The last step is terminated, or else it was truncated."""

    observations: NDArray[np.float32]  # (T, 4), in OBSERVATION_UNITS
    actions: NDArray[np.int64]  # (T,)
    rewards: NDArray[np.float64]  # (T,)
    next_observations: NDArray[np.float32]  # (T, 4): what each step led to
    terminated: NDArray[np.bool_]  # (T,)

    @property
    def total(self) -> float:
        """The sum of the rewards."""
        return float(self.rewards.sum())


@dataclass(frozen=True)
class Batch:
    """The steps of several episodes, one after the other, as tensors."""

    observations: Tensor  # (B, 4)
    actions: Tensor  # (B,) long
    rewards: Tensor  # (B,)
    next_observations: Tensor  # (B, 4)
    terminated: Tensor  # (B,) bool


def make_network(outputs: int, rng: Generator, hidden: int = 64) -> nn.Sequential:
    """Observations (N, 4) to (N, outputs), by one hidden layer with tanh; weights from ``rng``."""
    with seeded_torch(rng):
        return nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, outputs))


@torch.no_grad()
def play_episodes(
    policy: nn.Module, num_episodes: int, rng: Generator, max_steps: int = 500
) -> list[Episode]:
    """Play CartPole-v1 from its beginning to its end, ``num_episodes`` times.

    ``policy`` maps observations (K, 4) to logits (K, 2) on its own device; actions are drawn from
    their softmax. After ``max_steps`` an episode is truncated. World and actions take all their
    random numbers from ``rng``. Episodes are played side by side, so that the network is asked
    once a step for all of them.
    Raises ValueError for other logits, and for numbers below 1.
    """
    if num_episodes < 1 or max_steps < 1:
        raise ValueError(f"num_episodes is {num_episodes} and max_steps {max_steps}; both need 1")
    world = gymnasium.make_vec(
        "CartPole-v1",
        num_envs=num_episodes,
        vectorization_mode="vector_entry_point",
        max_episode_steps=max_steps,
    )
    like = next(policy.parameters(), torch.zeros(()))
    seen, _ = world.reset(seed=int(rng.integers(2**31)))
    seen = seen / OBSERVATION_UNITS
    going_on = np.ones(num_episodes, bool)
    steps: list[tuple[NDArray, ...]] = []
    while going_on.any():
        logits = policy(torch.from_numpy(seen).to(like))
        if logits.shape != (num_episodes, ACTIONS) or not bool(torch.isfinite(logits).all()):
            raise ValueError(
                f"for {num_episodes} observations the policy returns {tuple(logits.shape)}; it "
                f"should return ({num_episodes}, {ACTIONS}) finite logits"
            )
        right = logits.double().softmax(dim=1)[:, 1].cpu().numpy()
        actions = (rng.random(num_episodes) < right).astype(np.int64)
        after, rewards, terminated, truncated, _ = world.step(actions)
        after = after / OBSERVATION_UNITS
        steps.append((going_on.copy(), seen, actions, rewards, after, terminated.copy()))
        going_on &= ~(terminated | truncated)
        seen = after
    played, *columns = (np.array(column) for column in zip(*steps, strict=True))  # (T, K, ...)
    return [
        Episode(*(column[played[:, number], number] for column in columns))
        for number in range(num_episodes)
    ]


def stacked(episodes: Sequence[Episode]) -> Batch:
    """All steps of all episodes, as float32 tensors in their order."""

    def tensor(name: str) -> Tensor:
        array = np.concatenate([getattr(episode, name) for episode in episodes])
        found = torch.from_numpy(array)
        return found.float() if found.is_floating_point() else found

    names = ("observations", "actions", "rewards", "next_observations", "terminated")
    return Batch(*(tensor(name) for name in names))
