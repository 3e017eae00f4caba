"""A memory cgroup around one judge and its sandboxes, where this host has version 2 and lets us.

It counts what no limit of a process does: buffers of sockets, files in memory, tables of pages.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from autograder.host.expendable import Ended, run_limited

_MOUNT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_END_SECONDS = 10.0
_TRIAL_BYTES = 1 << 30
_numbers = itertools.count()


@dataclass(frozen=True)
class MemoryGroup:
    """``procs``: a descriptor; who writes 0 to it joins."""

    folder: Path
    procs: int

    def killed(self) -> int:
        """How many processes the system has ended because the group was full."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / "memory.events").read_text().splitlines():
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number)
        return 0


@cache
def usable(mount: Path = _MOUNT, own: Path = _OWN) -> tuple[Path | None, str]:
    """The group in which we may make groups with a limit of memory; where there is none, why.

    It is tried once, with a process that joins: what a host says it allows and what it does allow
    are two things, and no notebook is to be the first to find out.
    """
    folder, why = delegated(mount, own)
    if folder is None:
        return None, why
    try:
        with memory_group(folder, _TRIAL_BYTES) as group:
            run_limited(partial(os.write, group.procs, b"0"))
    except (OSError, Ended) as error:
        return (
            None,
            f"{folder} seems to delegate its memory controller, but a trial failed: {error}",
        )
    return folder, ""


def delegated(mount: Path, own: Path) -> tuple[Path | None, str]:
    """What :func:`usable` tries, as far as the files of the hierarchy tell."""
    if not (mount / "cgroup.controllers").exists():
        return None, "this host has no cgroups of version 2 at /sys/fs/cgroup"
    paths = [line[3:] for line in own.read_text().splitlines() if line.startswith("0::/")]
    here = mount / paths[0].strip("/") if paths and ".." not in paths[0] else mount
    for folder in (here, here.parent):
        if not folder.is_relative_to(mount):
            continue
        with contextlib.suppress(OSError):
            handed_on = (folder / "cgroup.subtree_control").read_text().split()
            ours = all(os.access(p, os.W_OK) for p in (folder, folder / "cgroup.procs"))
            if "memory" in handed_on and ours:
                return folder, ""
    return None, (
        "no cgroup of this process hands its memory controller on to us; a service or container "
        "that delegates it (systemd: Delegate=yes) does"
    )


@contextmanager
def memory_group(parent: Path, memory_bytes: int) -> Iterator[MemoryGroup]:
    """A group that may use so much, swap included. When the block ends, so does all in it."""
    folder = parent / f"cs231n-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    try:
        (folder / "memory.max").write_text(str(memory_bytes))
        with contextlib.suppress(OSError):  # a system without swap has no such file
            (folder / "memory.swap.max").write_text("0")
        procs = os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        try:
            yield MemoryGroup(folder, procs)
        finally:
            os.close(procs)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """End whatever is left in a group, and the group."""
    with contextlib.suppress(OSError):  # Linux 5.14
        (folder / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + _END_SECONDS
    with (folder / "cgroup.events").open() as events:
        changes = select.poll()
        changes.register(events, select.POLLPRI)
        while True:
            events.seek(0)
            events.read()
            try:
                folder.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            changes.poll(100)  # of milliseconds: an end is no change that is always reported
