"""A small world that the judge plays, and what a table must hold after a walk through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.judge import Refused

S, A = 6, 3


@dataclass(frozen=True)
class Step:
    s: int
    a: int
    r: float
    s_next: int
    terminated: bool
    truncated: bool

    @property
    def over(self) -> bool:
        return self.terminated or self.truncated


#: (terminated, truncated) -> what an update takes for the end.
Ends = Callable[[bool, bool], bool]


@dataclass
class World:
    """States lead to states; some steps end the episode; after ``limit`` steps it is truncated.

    A step that ends the episode leads to an ordinary state, whose values are those of other steps:
    whoever adds them after the end learns something else.
    """

    rng: Generator
    limit: int
    ending: float  # the share of pairs (s, a) that end the episode
    seeds: list[Any] = field(default_factory=list)  # of each reset
    episodes: list[list[Step]] = field(default_factory=list)  # with at least one step
    _state: int = 0
    _over: bool = True

    def __post_init__(self) -> None:
        self._next = self.rng.integers(S, size=(S, A))
        self._reward = self.rng.normal(size=(S, A)) + 0.5
        self._ends = self.rng.random((S, A)) < self.ending
        self._begun: list[Step] = []

    def reset(self, seed: Any) -> int:
        self.seeds.append(seed)
        self._state, self._over, self._begun = int(self.rng.integers(S)), False, []
        return self._state

    def step(self, a: int) -> list[Any]:
        if self._over:
            raise Refused("step was called after the end of an episode: reset begins the next one")
        if not self._begun:
            self.episodes.append(self._begun)
        s, s_next = self._state, int(self._next[self._state, a])
        terminated = bool(self._ends[s, a])
        truncated = not terminated and len(self._begun) + 1 >= self.limit
        reward = float(self._reward[s, a])
        self._begun.append(Step(s, int(a), reward, s_next, terminated, truncated))
        self._state, self._over = s_next, terminated or truncated
        return [s_next, reward, terminated, truncated]

    @property
    def steps(self) -> list[Step]:
        return [step for episode in self.episodes for step in episode]

    def tables(
        self, alpha: float, gamma: float, ends: Ends = lambda terminated, _: terminated
    ) -> Iterator[Any]:
        """The table before each step, and at last the one after all of them."""
        Q = np.zeros((S, A))
        for step in self.steps:
            yield Q.copy()
            over = ends(step.terminated, step.truncated)
            target = step.r + (0.0 if over else gamma * float(Q[step.s_next].max()))
            Q[step.s, step.a] += alpha * (target - Q[step.s, step.a])
        yield Q

    def table(self, alpha: float, gamma: float, ends: Ends | None = None) -> Any:
        """The table after all steps."""
        found = self.tables(alpha, gamma, ends) if ends else self.tables(alpha, gamma)
        return list(found)[-1]
