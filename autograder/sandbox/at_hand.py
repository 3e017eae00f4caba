"""What the warm process loads once for all its forks: data sets, their features, weights.

Loaded when a notebook first wants it, before the fork, and never by a thread. Whatever cannot be
had here kernels load by themselves, as they would without.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.sandbox import own_memory


@dataclass(frozen=True)
class Inherited:
    """Bytes that every fork has from the start: they must not take of what a student may use."""

    data: int = 0  # as RLIMIT_DATA counts
    space: int = 0  # as RLIMIT_AS counts


@dataclass
class AtHand:
    """``environment``: the variables that say where the data sets are."""

    environment: Mapping[str, str]
    inherited: Inherited = field(default_factory=Inherited)
    _tried: set[str] = field(default_factory=set)

    def load(self, names: Iterable[str]) -> None:
        """Have ``names`` of ``cs231n_lib.prepared`` at hand, as far as possible."""
        missing = [name for name in names if name not in self._tried]
        if not missing:
            return
        before = own_memory.sizes()
        os.environ.update(self.environment)  # a kernel's own is made anew
        # Here, since these import NumPy, which a host that is only probed has no need of.
        cache: Any = importlib.import_module("cs231n_lib.data.cache")
        if _is_in_memory(cache.cache_dir()):  # mapped, it would count as the student's own
            self._tried.update(missing)
            return
        contents: Any = importlib.import_module("cs231n_lib.prepared.contents")
        for name in missing:
            try:
                if contents.have(name):
                    self._tried.add(name)
            except Exception as error:  # damaged, or not installed: kernels will say so
                self._tried.add(name)
                print(f"Not prepared for kernels: {name} ({error})", file=sys.stderr)
        after = own_memory.sizes()
        self.inherited = Inherited(
            self.inherited.data + max(0, after["VmData"] - before["VmData"]),
            self.inherited.space + max(0, after["VmSize"] - before["VmSize"]),
        )
        gc.freeze()  # as in the start: no child's collection should touch, and so copy, them


def _is_in_memory(folder: Path) -> bool:
    """Whether a folder's file system is one that consists of memory."""
    if not folder.exists():
        return False
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    kinds = {line[line.index("-") + 1] for line in mounts if line[2] == number}
    return not kinds.isdisjoint({"tmpfs", "ramfs"})
