"""The losses once more, in float64, with gradients written down by hand.

Shapes: logits (T, A); actions, advantages, values, rewards, terminated (T,). NumPy throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax


def policy_loss(logits: Any, actions: Any, advantages: Any) -> float:
    taken = log_softmax(logits, axis=1)[np.arange(len(actions)), actions]
    return -float(np.mean(taken * advantages))


def policy_grad(logits: Any, actions: Any, advantages: Any) -> Any:
    """d loss / d logits: (probabilities - one-hot) times advantage, divided by T."""
    T, A = logits.shape
    return (softmax(logits, axis=1) - np.eye(A)[actions]) * advantages[:, None] / T


@dataclass(frozen=True)
class Steps:
    """What an actor and a critic say of T steps."""

    logits: Any
    values: Any
    actions: Any
    rewards: Any
    next_values: Any
    terminated: Any
    gamma: float

    @property
    def targets(self) -> Any:
        return self.rewards + self.gamma * self.next_values * ~self.terminated

    @property
    def advantages(self) -> Any:
        return self.targets - self.values

    def actor(self, advantages: Any) -> float:
        return policy_loss(self.logits, self.actions, advantages)

    def critic(self, targets: Any) -> float:
        return float(np.mean((self.values - targets) ** 2))
