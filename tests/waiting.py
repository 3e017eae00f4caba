"""Waiting for what offers no event to wait on: files, other processes, servers that start."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 240  # on the busiest of machines; a wait ends as soon as there is nothing to wait for
LOOK_EVERY = 0.02


def wait_until(
    condition: Callable[[], object],
    process: subprocess.Popen | None = None,
    log: Callable[[], str] = lambda: "",
    times: int = 1,
) -> None:
    """Wait until ``condition`` holds, ``times`` looks in a row. Fails when ``process`` ends first.

    ``log`` gives what the failure shows.
    """
    end = time.monotonic() + SECONDS
    held = 0
    while held < times:
        held = held + 1 if condition() else 0
        assert time.monotonic() < end, f"waited in vain: {log()}"
        if not held:
            assert process is None or process.poll() is None, f"ended with {process}: {log()}"
        time.sleep(LOOK_EVERY)


def is_waiting(pid: int) -> bool:
    """Whether no thread of a process computes."""
    states = []
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            states.append(path.read_text().rpartition(")")[2].split()[0])
        except FileNotFoundError:  # this thread has just ended
            continue
    return bool(states) and "R" not in states
