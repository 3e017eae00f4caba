"""Memory in files without a name: memfds, and what processes share anonymously.

Its pages are of no process while none has them mapped in, so the sizes of processes do not tell.
The files are counted themselves, once each, wherever a process holds one: as a descriptor, of any
of its threads, as a mapping, or on its way through a socket.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from autograder.sandbox import syscalls
from autograder.sandbox.policy import Limits

_KCMP_FILES = 2  # kcmp(2): have two threads the same table of descriptors?
_BLOCK = 512  # bytes, of st_blocks
_FILE_BYTES = Limits().file_bytes  # no file of a sandbox is larger: RLIMIT_FSIZE
FEW_ON_THEIR_WAY = 16  # descriptors in sockets that a notebook may well have: they do not count
_GONE = (FileNotFoundError, ProcessLookupError)

_Key = tuple[int, int]  # device and inode


class HiddenError(Exception):
    """A process does not let us see its descriptors."""


def seen(processes: Iterable[int]) -> bool:
    """Whether we may look: not as an ordinary user in the flat tier."""
    try:
        held_bytes(processes)
    except HiddenError:
        return False
    return True


def held_bytes(processes: Iterable[int]) -> int:
    """Bytes in such files that these processes hold. Raises HiddenError.

    Where the judge is no superuser it may not ask how large a file is that is mapped and no longer
    open: what of it is mapped in counts among the sizes of processes, the rest does not.
    """
    sizes: dict[_Key, int] = {}
    on_their_way = 0
    for process in processes:
        try:
            for task in _with_descriptors(process):
                folder = f"/proc/{process}/task/{task}"
                for number, target in _links(f"{folder}/fd"):
                    if target.startswith("/memfd:"):
                        _measure(sizes, f"{folder}/fd/{number}")
                    elif target.startswith("socket:"):
                        on_their_way += _on_their_way(f"{folder}/fdinfo/{number}")
            for key, path in _mapped(process):
                if key not in sizes:
                    with contextlib.suppress(PermissionError):
                        _measure(sizes, path)
        except PermissionError:
            raise HiddenError from None
    uncounted = max(0, on_their_way - FEW_ON_THEIR_WAY) * _FILE_BYTES
    return sum(sizes.values()) + uncounted


def _with_descriptors(process: int) -> Iterator[str]:
    """The process's threads, as far as they have descriptors of their own."""
    for task in _entries(f"/proc/{process}/task"):
        shared = False
        if int(task) != process:
            with contextlib.suppress(OSError):  # not every system has the call
                shared = syscalls.call("kcmp", process, int(task), _KCMP_FILES, 0, 0) == 0
        if not shared:
            yield task


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except _GONE:
        return []


def _links(folder: str) -> Iterator[tuple[str, str]]:
    for name in _entries(folder):
        with contextlib.suppress(*_GONE):
            yield name, os.readlink(f"{folder}/{name}")  # noqa: PTH115


def _measure(sizes: dict[_Key, int], path: str) -> None:
    with contextlib.suppress(*_GONE):
        status = os.stat(path)  # noqa: PTH116
        sizes[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK


def _on_their_way(path: str) -> int:
    """How many descriptors wait in a socket to be received."""
    with contextlib.suppress(*_GONE, ValueError), open(path, "rb") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith(b"scm_fds:"):
                return int(line.split()[1])
    return 0


def _mapped(process: int) -> Iterator[tuple[_Key, str]]:
    """Each mapping of such a file: which file, and the path by which its size can be asked."""
    with contextlib.suppress(*_GONE), open(f"/proc/{process}/maps", "rb") as lines:  # noqa: PTH123
        for line in lines:
            if b" /memfd:" in line or b" /dev/zero (deleted)" in line:
                addresses, _, _, device, inode, *_ = line.split(maxsplit=5)
                major, minor = (int(part, 16) for part in device.split(b":"))
                ends = "-".join(f"{int(end, 16):x}" for end in addresses.split(b"-"))
                key = os.makedev(major, minor), int(inode)
                yield key, f"/proc/{process}/map_files/{ends}"
