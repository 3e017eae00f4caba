"""Looks, while a kernel is waited for, at the memory that it takes of the host and of its GPU."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from autograder.host import gpus
from autograder.judge import memory_files
from autograder.judge.results import DIED, OUT_OF_GPU_MEMORY, OUT_OF_MEMORY
from autograder.sandbox.policy import Gpu

if TYPE_CHECKING:
    from autograder.judge.sandbox import Sandbox

WATCH_SECONDS = 0.1
EASE, MOST_EASE = 20, 1.0  # files are counted a twentieth of the time, or once a second


class Watchdog:
    """Of one sandbox: ``gpu`` is the one that it may use, with the memory that it may take there.

    Only a sandbox with a GPU may have memory files, which no limit of a process counts: there they
    are counted here.
    """

    def __init__(self, sandbox: Sandbox, memory_bytes: int, gpu: Gpu | None) -> None:
        self.peak_bytes = 0
        self._sandbox = sandbox
        self._memory_bytes = memory_bytes
        self._gpu = gpu
        # Before the student's code runs: whether this tier lets us look at all.
        self._counts_files = gpu is not None and memory_files.seen(sandbox.processes())
        self._looked = self._next_count = 0.0
        self._in_files = 0

    def look(self) -> tuple[str, str] | None:
        """Why the kernel has to be ended, and as which outcome; every tenth of a second."""
        now = time.monotonic()
        if now - self._looked <= WATCH_SECONDS:
            return None
        self._looked = now
        try:
            files = self._files(now)
        except memory_files.HiddenError:
            return "hid from the judge how much memory its files hold", DIED
        used = self._sandbox.private_bytes(files=files)
        self.peak_bytes = max(self.peak_bytes, used)
        # It may count twice what workers share: look again.
        if used > self._memory_bytes:
            used = self._sandbox.private_bytes(exact=True, files=files)
        if used > self._memory_bytes:
            return f"used more than {self._memory_bytes >> 20} MB of memory", OUT_OF_MEMORY
        return self._on_gpu(self._gpu) if self._gpu else None

    def _on_gpu(self, gpu: Gpu) -> tuple[str, str] | None:
        """PyTorch keeps to its share by itself; this is for code that goes round it."""
        used = gpus.used_bytes(gpu.uuid, self._sandbox.processes())
        if used <= gpu.memory_bytes + gpus.CONTEXT_BYTES:
            return None
        limit = gpu.memory_bytes >> 20
        return f"used more than {limit} MB of the GPU's memory", OUT_OF_GPU_MEMORY

    def _files(self, now: float) -> int:
        if self._counts_files and now >= self._next_count:
            self._in_files = memory_files.held_bytes(self._sandbox.processes())
            after = time.monotonic()
            self._next_count = after + min(MOST_EASE, EASE * (after - now))
        return self._in_files
