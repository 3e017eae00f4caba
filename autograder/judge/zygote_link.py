"""What crosses between the judge and a zygote: its environment, requests, answers, handles."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.judge.sandbox import Sandbox
from autograder.sandbox.policy import SandboxError

FORK_SECONDS = 30.0


def environment_of(search: Sequence[Path]) -> dict[str, str]:
    """Nothing of the judge's. One BLAS thread: forks can raise that, but not lower it."""
    course = Path(__file__).resolve().parents[2]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(str(path) for path in (course, *search)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLCONFIGDIR": str(cache / "cs231n-autograder" / "matplotlib"),  # the font list
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(cache / "cs231n-autograder" / "ipython"),
    }


@contextlib.contextmanager
def zygote_may_die() -> Iterator[None]:
    """Turn what a socket says of a peer that is gone into a SandboxError."""
    try:
        yield
    except ConnectionError as error:  # EPIPE, or ECONNRESET where a request was still unread
        raise SandboxError("zygote", f"the process is gone ({error.strerror})") from error


def parse(message: bytes) -> dict[str, Any]:
    if not message:
        raise SandboxError("zygote", "the process ended without a word")
    answer = json.loads(message)
    if "error" in answer:
        raise SandboxError(answer["stage"], answer["error"])
    return answer


def receive_handles(report: socket.socket, sandbox: Sandbox) -> dict[str, float]:
    """Complete ``sandbox``; returns the times at which the stages ended."""
    try:
        message, fds, _, _ = socket.recv_fds(report, 1 << 16, 2)
    except TimeoutError:
        raise SandboxError("start", f"not ready after {FORK_SECONDS:.0f} s") from None
    if len(fds) == 2:
        sandbox.adopt(*fds)
    return parse(message)["stages"]


@contextlib.contextmanager
def pidfd_of(pid: int) -> Iterator[int]:
    """A descriptor that becomes readable when the process ends. Raises ProcessLookupError."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def pack_files(files: Mapping[str, bytes]) -> int:
    """A memory file for ``Descriptors.files``. Raises ValueError for a path that leads outside."""
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"file name {name!r} does not stay inside the work folder")
    text = json.dumps({name: b64encode(content).decode() for name, content in files.items()})
    fd = os.memfd_create("submission")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def durations(began: float, stages: Mapping[str, float]) -> dict[str, float]:
    """Seconds that each stage took, in order, and ``total``."""
    seconds, last = {}, began
    for name, end in stages.items():
        seconds[name] = end - last
        last = end
    return seconds | {"total": time.monotonic() - began}
