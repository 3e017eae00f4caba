"""Hidden checks of the notebook on reinforcement learning.

Tables are learned in worlds that the judge plays: it knows every step that was taken, and what a
table must hold after them. Losses are computed anew in float64. Trained policies come out as plain
weights and play in the judge.
"""

from autograder.checks.assignment4.reinforcement_learning import (
    acting,
    actor_critic,
    playing,
    policy_gradient,
    returns,
    tables,
    training,
)

__all__ = [
    "acting", "actor_critic", "playing", "policy_gradient", "returns", "tables", "training",
]  # fmt: skip
