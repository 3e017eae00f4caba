"""Time limits that are fair on a busy host."""

from __future__ import annotations

import time

from autograder.judge.sandbox import Sandbox

PATIENCE = 4.0


class Clock:
    """Until when a request may run: later, the longer the kernel had to wait for a processor.

    At most ``PATIENCE`` times the seconds it was given.
    """

    def __init__(self, sandbox: Sandbox, seconds: float) -> None:
        self._sandbox = sandbox
        self._seconds = seconds
        self._started = time.monotonic()
        self._waited = sandbox.waited_seconds()
        self.deadline = self._started + seconds

    def extended(self) -> float:
        """The deadline, by what is known now. Waiting once more is not counted twice."""
        waited = self._sandbox.waited_seconds() - self._waited
        allowed = min(self._seconds + waited, PATIENCE * self._seconds)
        self.deadline = self._started + allowed
        return self.deadline
