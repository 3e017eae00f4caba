"""What C code and child processes of a kernel write to its descriptors 1 and 2."""

from __future__ import annotations

import contextlib
import os
import select

STDIO_BYTES = 256 << 10  # kept of what came since last asked
_READ = 1 << 16
_MOST_READS = 64  # for one answer: who writes on and on is not waited for


class Stdio:
    """The reading end of the pipe, which never blocks."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._kept = bytearray()

    def read(self) -> None:
        """Take in some of what is there."""
        with contextlib.suppress(BlockingIOError):
            self._kept += os.read(self.descriptor, _READ)
            del self._kept[STDIO_BYTES:]

    def look(self) -> str:
        """What was written since last taken."""
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        for _ in range(_MOST_READS):
            if not poller.poll(0):
                break
            before = len(self._kept)
            self.read()
            if len(self._kept) == before:
                break
        return self._kept.decode("utf-8", "replace")

    def take(self) -> str:
        """The same, and forget it."""
        text = self.look()
        self._kept.clear()
        return text
