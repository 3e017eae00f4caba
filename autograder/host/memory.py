"""Not more kernels at a time, and none larger, than the memory of this host has room for."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

GIB = 1 << 30
KERNEL_BYTES = GIB  # what one kernel of the course's notebooks takes, with some room
JUDGE_BYTES = GIB // 2  # a worker: the judge with torch, and its warm process


def cores() -> int:
    """CPUs this process may use."""
    count = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(count(0)) if count else os.cpu_count() or 1


def default_worker_count() -> int:
    """How many workers this host has processors and memory for; at least one."""
    return max(1, min(cores(), psutil.virtual_memory().available // (KERNEL_BYTES + JUDGE_BYTES)))


def max_kernel_bytes() -> int:
    """Bytes that each kernel may take when there is one for each processor."""
    return max(KERNEL_BYTES, int(0.8 * psutil.virtual_memory().total) // cores())


@contextmanager
def room_for_a_kernel() -> Iterator[None]:
    """Wait until there is memory for one more kernel, or until no other one of ours is running.

    The workers of a host share a lock: side by side while there is room, else alone. The system
    lets go of it when a worker dies.
    """
    path = Path(tempfile.gettempdir()) / f"cs231n-autograder-{os.getuid()}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        crowded = psutil.virtual_memory().available < KERNEL_BYTES
        fcntl.flock(descriptor, fcntl.LOCK_EX if crowded else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
