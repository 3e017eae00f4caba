"""How long notebooks took: of each only its seconds are kept."""

from __future__ import annotations

import heapq
import statistics
from dataclasses import dataclass, field

from autograder.judge.results import GradedNotebook

STAGES = ("start", "cells", "checks")
MAX_SLOWEST = 10


@dataclass(frozen=True, order=True)
class SlowNotebook:
    """One of the slowest notebooks of the class."""

    seconds: float
    student: str
    notebook: str
    stages: tuple[float, ...]
    outcome: str


@dataclass(frozen=True)
class TimeSummary:
    """Seconds one notebook took, over the class."""

    notebook: str
    seconds: tuple[float, ...]  # of each student, ascending
    stages: tuple[tuple[str, float], ...]  # name, mean seconds
    peak_mb: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def most(self) -> float:
        """95 % of the notebooks took no longer."""
        return self.seconds[-(-95 * len(self.seconds) // 100) - 1]

    @property
    def mean(self) -> float:
        return self.total / len(self.seconds)

    @property
    def longest(self) -> float:
        return self.seconds[-1]

    @property
    def total(self) -> float:
        return sum(self.seconds)


@dataclass
class _Times:
    seconds: list[float] = field(default_factory=list)
    stages: list[float] = field(default_factory=lambda: [0.0] * len(STAGES))
    peak_mb: float = 0.0


class TimeTally:
    """Collects the times of notebooks that ran."""

    def __init__(self) -> None:
        self._notebooks: dict[str, _Times] = {}
        self._slowest: list[SlowNotebook] = []  # a heap

    def add(self, graded: GradedNotebook) -> None:
        """Count one notebook of one student."""
        timings = graded.timings
        if "total" not in timings:
            return  # nothing ran
        times = self._notebooks.setdefault(graded.notebook, _Times())
        stages = tuple(timings.get(stage, 0.0) for stage in STAGES)
        times.seconds.append(timings["total"])
        times.stages = [a + b for a, b in zip(times.stages, stages, strict=True)]
        times.peak_mb = max(times.peak_mb, timings.get("peak_mb", 0.0))
        slow = SlowNotebook(
            timings["total"], graded.student, graded.notebook, stages, graded.outcome
        )
        if len(self._slowest) < MAX_SLOWEST:
            heapq.heappush(self._slowest, slow)
        else:
            heapq.heappushpop(self._slowest, slow)

    def summary(self) -> tuple[TimeSummary, ...]:
        """By notebook."""
        return tuple(
            TimeSummary(
                notebook=notebook,
                seconds=tuple(sorted(times.seconds)),
                stages=tuple(
                    (stage, total / len(times.seconds))
                    for stage, total in zip(STAGES, times.stages, strict=True)
                ),
                peak_mb=times.peak_mb,
            )
            for notebook, times in sorted(self._notebooks.items())
        )

    def slowest(self) -> tuple[SlowNotebook, ...]:
        """The slowest first."""
        return tuple(sorted(self._slowest, reverse=True))
