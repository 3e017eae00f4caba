"""A world in which it matters why an episode has ended."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

LEFT, RIGHT = 0, 1


class Corridor(gymnasium.Env[np.int64, np.int64]):
    """A robot cleans a corridor of ``cells`` cells; to the right of the last one, stairs go down.

    Observation: the cell, 0 to cells - 1. Actions: 0 left (against the wall of cell 0 it stays
    where it is), 1 right. Every step earns a reward of 1. A step to the right from the last cell
    is a fall, and nothing comes after it: the episode is terminated, and the last thing the robot
    saw, the last cell, is the observation. An episode begins in a cell drawn at random. The world
    never truncates; ``gymnasium.wrappers.TimeLimit`` does.

    With a discount of gamma, the best policy earns 1 / (1 - gamma) from every cell, and the fall
    is worth 1. Raises ValueError for fewer than two cells, or another action.
    """

    def __init__(self, cells: int = 6) -> None:
        if cells < 2:
            raise ValueError(f"cells is {cells}; a corridor has at least 2")
        self.cells = cells
        self.observation_space = spaces.Discrete(cells)
        self.action_space = spaces.Discrete(2)
        self._cell = np.int64(0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        super().reset(seed=seed)
        self._cell = np.int64(self.np_random.integers(self.cells))
        return self._cell, {}

    def step(self, action: np.int64 | int) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        if action not in (LEFT, RIGHT):
            raise ValueError(f"action is {action!r}; it is 0 (left) or 1 (right)")
        fell = action == RIGHT and self._cell == self.cells - 1
        if not fell:
            self._cell = np.int64(max(self._cell + (1 if action == RIGHT else -1), 0))
        return self._cell, 1.0, fell, False, {}
