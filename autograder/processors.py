"""How many processors there are to work with."""

from __future__ import annotations

import os


def cores() -> int:
    """CPUs this process may use."""
    count = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(count(0)) if count else os.cpu_count() or 1
