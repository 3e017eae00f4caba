"""One process at a time: a lock in the course folder, of which the system lets go by itself."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.course.submissions import CourseError


@contextmanager
def only_one(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock. Raises CourseError where another process does: it "is ``doing``"."""
    path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise CourseError(
                f"{holder} is {doing} already: wait for it, or stop it first"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        yield
