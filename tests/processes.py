"""Other processes, seen from tests: any of them may end between two looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.judge.sandbox import children


def below(pid: int) -> Iterator[int]:
    """The processes that a process has started, those that these have started, and so on."""
    for child in children(pid):
        yield child
        yield from below(child)


def named(pid: int, word: bytes) -> list[int]:
    """Those below ``pid`` with ``word`` in their command line."""
    return [child for child in below(pid) if word in _read(child, "cmdline")]


def running(pid: int) -> bool:
    state = _read(pid, "stat").rpartition(b")")[2].split()[:1]
    return state not in ([], [b"Z"])


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return b""
