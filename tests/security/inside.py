"""Entry of the sandboxes in these tests: runs whatever code it is sent.

Each request is one line of JSON ``{"code": ..., "names": {...}}``; the answer is the value of the
variable ``got``, or the exception. The attacks' vocabulary is below.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from autograder.sandbox import syscalls

libc = ctypes.CDLL(None, use_errno=True)


def errno_of(name: str, *args: int) -> str:
    """The error of a system call by name, ``"none"`` when it succeeded."""
    try:
        syscalls.call(name, *args)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "none"


def connect(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> str:
    with socket.socket(family, kind) as client:
        client.settimeout(3)
        client.connect(address)
        client.send(b"x")
    return "sent"


def watch(path: str) -> None:
    """Be told of what happens to a file."""
    if libc.inotify_add_watch(libc.inotify_init1(0), os.fsencode(path), 0xFFF) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def in_child(act: Any) -> int:
    """The wait status of a child that does ``act``."""
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def call_32_bit() -> None:
    """getpid through ``int 0x80``, the 32-bit door into a 64-bit kernel."""
    code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20; int 0x80; ret
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    ctypes.CFUNCTYPE(ctypes.c_long)(address)()


def fork_sleepers(most: int) -> int:
    """How many children can be had, up to ``most``."""
    for count in range(most):
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            return count
    return most


def daemonise() -> None:
    """Leave a process behind that has left session and parent and ignores all signals."""
    if os.fork() == 0:
        with contextlib.suppress(OSError):  # the flat tier does not let it
            os.setsid()
        if os.fork() == 0:
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()


def fill(folder: str, size: int, most: int) -> int:
    """How many files of ``size`` bytes fit, up to ``most``."""
    for count in range(most):
        try:
            Path(folder, f"fill-{count}").write_bytes(bytes(size))
        except OSError:
            return count
    return most


def serve(channel: socket.socket) -> None:
    lines = channel.makefile("rw")
    for line in lines:
        request = json.loads(line)
        scope: dict[str, Any] = {**globals(), **request["names"], "got": None}
        try:
            exec(request["code"], scope)
            answer = {"got": repr(scope["got"])}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        lines.write(json.dumps(answer) + "\n")
        lines.flush()
