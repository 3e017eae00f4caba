"""The memory of one process, as the system counts it."""

from __future__ import annotations

import contextlib
from pathlib import Path


def resident(pid: int) -> tuple[int, int]:
    """Anonymous and shared memory in bytes; zeros for a process that is gone."""
    values = {"RssAnon:": 0, "RssShmem:": 0}
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/status").open() as lines:
        for line in lines:
            name, *rest = line.split()
            if name in values:
                values[name] = int(rest[0]) << 10
    return values["RssAnon:"], values["RssShmem:"]


def proportional(pid: int) -> tuple[int, int]:
    """The same, with each page divided by the number of its users."""
    values = {"Pss_Anon:": 0, "Pss_Shmem:": 0}
    gone = (FileNotFoundError, ProcessLookupError)
    with contextlib.suppress(*gone), Path(f"/proc/{pid}/smaps_rollup").open() as lines:
        for line in lines:
            name, *rest = line.split()
            if name in values:
                values[name] = int(rest[0]) << 10
    return values["Pss_Anon:"], values["Pss_Shmem:"]
