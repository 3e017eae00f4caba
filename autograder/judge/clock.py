"""Time limits that are fair on a busy host: one clock for a call, a cell, a grace, a notebook."""

from __future__ import annotations

import time
from typing import Protocol

PATIENCE = 4.0
A_MOMENT = 0.02  # seconds of which it does not pay to ask how many were spent waiting
COMPUTED = 0.9  # of its seconds; who was on a processor for so much of them was held up by nobody


class Scheduled(Protocol):
    """Whatever can say what became of its time."""

    def waited_seconds(self) -> float:
        """How long it has been ready to run while others had the processors."""
        ...

    def ran_seconds(self) -> float:
        """How long it has been on a processor."""
        ...


class Clock:
    """Until when a request may run: later, the longer the kernel had to wait for a processor.

    At most ``PATIENCE`` times the seconds it was given.
    """

    def __init__(self, kernel: Scheduled, seconds: float) -> None:
        self._kernel = kernel
        self._seconds = seconds
        self._started = time.monotonic()
        self._waited = kernel.waited_seconds()
        self._ran = kernel.ran_seconds()
        self.deadline = self._started + seconds

    def expired(self) -> bool:
        """Whether the time is up; ``deadline`` is moved if there was waiting."""
        if time.monotonic() <= self.deadline:
            return False
        # Waiting once more is not counted twice.
        allowed = min(self._seconds + self._waiting(), PATIENCE * self._seconds)
        self.deadline = self._started + allowed
        return time.monotonic() > self.deadline

    def held_up(self) -> bool:
        """Of one that has expired: whether something else than computing took its time."""
        return self._kernel.ran_seconds() - self._ran < COMPUTED * self._seconds

    def excuse(self, seconds: float) -> None:
        """So long it was the judge who kept the kernel waiting."""
        self._waited -= seconds

    def used(self) -> float:
        """Seconds so far without those of waiting."""
        taken = time.monotonic() - self._started
        return taken if taken < A_MOMENT else max(0.0, taken - self._waiting())

    def _waiting(self) -> float:
        return max(0.0, self._kernel.waited_seconds() - self._waited)


class Budget:
    """What all requests of one notebook may use together, and ``PATIENCE`` times that with waiting.

    Nothing between them counts: while the judge thinks, no student is slow.
    """

    def __init__(self, seconds: float) -> None:
        self._used = self._taken = 0.0
        self._seconds = seconds

    def spend(self, used: float, taken: float) -> None:
        """One more request has ``used`` so much of the seconds that it has ``taken``."""
        self._used += used
        self._taken += taken

    def left(self) -> float:
        """Seconds for what comes next; not more than 0 when the time is up."""
        with_waiting = self._seconds - self._taken / PATIENCE
        return min(self._seconds - self._used, with_waiting)
