"""How much memory this process has, and may have for a while."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")


def sizes() -> dict[str, int]:
    """Of this process in bytes, by the system's names: VmData is what RLIMIT_DATA counts."""
    fields = (line.split() for line in _STATUS.read_text().splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) << 10 for name, size, _ in fields}


@contextmanager
def at_most(more: int | None) -> Iterator[None]:
    """Memory beyond ``more`` bytes more than there is raises MemoryError inside; None: no limit.

    It shows how much an honest computation takes. Whoever wants to can raise it again. Where the
    system does not say how much there is (gVisor), there is no limit.
    """
    there_is = None
    if more is not None:
        with suppress(OSError):
            there_is = sizes().get("VmData")
    if more is None or there_is is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([there_is + more, *limits]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
