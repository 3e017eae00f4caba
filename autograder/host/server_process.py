"""A module of ours in a process of its own, and messages to and from it.

It is started by exec, so callers may have threads. Nothing heavy is imported here: a command starts
such processes first, and then imports what it needs itself.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.sandbox import syscalls

_SIZE = struct.Struct(">Q")
_END_SECONDS = 10.0


class ServerProcess:
    """``python -m MODULE FD``, FD being the other end of ``link``; it ends when that is closed."""

    def __init__(self, module: str) -> None:
        self.link, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        syscalls.set_dumpable(False)  # the course's secret is in our memory
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                env={"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def hang_up(self) -> None:
        """Tell it to end, and whoever waits for a message of it that none will come."""
        with contextlib.suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End one that nobody has asked anything yet."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End it; returns when it has ended. Idempotent."""
        self.hang_up()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.link.close()


def send(link: socket.socket, message: bytes, descriptors: Sequence[int] = ()) -> None:
    """Raises OSError when the other side has gone."""
    link.sendall(_SIZE.pack(len(message)))
    link.sendall(message)
    if descriptors:
        socket.send_fds(link, [b"."], descriptors)


def receive(link: socket.socket) -> bytes:
    """The next message. Raises EOFError when the other side has gone."""
    (size,) = _SIZE.unpack(_exactly(link, _SIZE.size))
    return _exactly(link, size)


def receive_descriptors(link: socket.socket, count: int) -> list[int]:
    """What came with the message that was received last. Raises EOFError."""
    said, descriptors, _, _ = socket.recv_fds(link, 1, count)
    if not said or len(descriptors) != count:
        raise EOFError("it closed its connection")
    return descriptors


def _exactly(link: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = link.recv(min(1 << 20, size - len(data)))
        if not chunk:
            raise EOFError("it closed its connection")
        data += chunk
    return bytes(data)
