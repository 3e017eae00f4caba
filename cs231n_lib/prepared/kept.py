"""Arrays in the cache folder, as files which any number of processes map and none reads.

Mapped, an array is in memory once for all processes, in pages that count as the system's and not
as anybody's own, and a fork has nothing of it to copy. A file's name ends in the checksum of the
array: one that is damaged, or half written, is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.data.cache import cache_dir, write_atomically

FOLDER = "prepared-v1"

# For ever: one that ends closes its descriptor, whose number may be somebody else's after a fork.
_mapped: list[NDArray[Any]] = []


def keep(name: str, array: NDArray[Any]) -> None:
    """Write an array to the cache under ``name``. Raises OSError where that is not possible."""
    whole = np.ascontiguousarray(array)
    path = cache_dir() / FOLDER / f"{name}.{_checksum(whole)}.npy"
    write_atomically(path, lambda file: np.save(file, whole, allow_pickle=False))


def is_kept(name: str) -> bool:
    """Whether there is a file of this name. Whether it is whole is seen when it is mapped."""
    return any(True for _ in _files(name))


def mapped(name: str) -> NDArray[Any] | None:
    """The array kept under ``name``, read-only; None where there is none, or it is damaged."""
    for path in _files(name):
        with contextlib.suppress(OSError, ValueError, EOFError):
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            _mapped.append(array)
            if path.stem.endswith(f".{_checksum(array)}"):
                return np.asarray(array)
    return None


def key(*parts: str | bytes | Path) -> str:
    """A short name for what an array is made from: text, or a file of this size and age."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with contextlib.suppress(OSError):
                status = part.stat()
                part = f"{part} {status.st_size} {status.st_mtime_ns}"
        content = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:16]


def _files(name: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (cache_dir() / FOLDER).glob(f"{name}.*.npy")


def _checksum(array: NDArray[Any]) -> str:
    return f"{zlib.crc32(array.reshape(-1).view(np.uint8).data):08x}"
