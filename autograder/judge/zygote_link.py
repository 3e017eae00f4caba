"""What crosses between the judge and a zygote for each sandbox: files, handles, stages."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from autograder.host.warm_process import parse
from autograder.judge.sandbox import Sandbox
from autograder.sandbox.policy import SandboxError

FORK_SECONDS = 30.0


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
