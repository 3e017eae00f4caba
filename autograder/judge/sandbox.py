"""One locked-down process tree, seen from the judge. Linux only."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

from autograder.judge.process_memory import proportional, resident
from autograder.sandbox import syscalls
from autograder.sandbox.policy import SandboxError

_KILL_SECONDS = 10.0
FEW_SOCKETS = 16  # what a notebook may well have: they are not counted
# A full buffer of the system's default size, and one message more. Seccomp keeps it at that.
SOCKET_BYTES = 320 << 10


class Sandbox:
    """Made by ``Zygote.fork``. What runs inside is hostile: believe nothing it says.

    Attributes
        channel: stream socket; the agent has the other end.
        stdio: read end of the pipe that is standard output and error inside; non-blocking.
        pidfd: of the kernel process.
        timings: seconds of each stage of the start.
        supervisor: pid of the trusted process that waits for the kernel.
        home: its folder on this host, in tiers without an own root.
        zygote_died: whether the process it was forked from dies within so many seconds.
    """

    def __init__(
        self,
        channel: socket.socket,
        stdio: int,
        exit_pipe: int,
        home: str,
        zygote: int,
        zygote_died: Callable[[float], bool],
    ) -> None:
        self.channel = channel
        self.zygote_died = zygote_died
        self.stdio = stdio
        self.pidfd = -1
        self.timings: dict[str, float] = {}
        self.supervisor = -1
        self.closed = False
        self._work = -1
        self._exit_pipe = exit_pipe
        self._schedstat = -1
        self.home = home
        self._reason: str | None = None
        self._zygote, self._base = zygote, 0

    def forked(self, supervisor: int) -> None:
        """Its first process is there; what the zygote has by now, it has inherited."""
        self.supervisor = supervisor
        self._base = resident(self._zygote)[0]

    def adopt(self, work: int, pidfd: int) -> None:
        """Take over the handles that the kernel sent before it was given to the student."""
        self._work, self.pidfd = work, pidfd

    def interrupt(self) -> None:
        """SIGINT to the kernel process: KeyboardInterrupt, unless the student ignores it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGINT)

    def kill(self) -> None:
        """End everything inside, daemons included; nothing is left when this returns.

        Raises SandboxError if something is (an uninterruptible system call, for example).
        """
        if self.pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        self._wait(_KILL_SECONDS)
        if self.exit_reason() is None:
            raise SandboxError("kill", f"still alive {_KILL_SECONDS:.0f} s after SIGKILL")

    def exit_reason(self) -> str | None:
        """None while alive, else for example ``"killed by signal 9 (SIGKILL)"``."""
        if self._reason is None and not self.closed:
            with contextlib.suppress(BlockingIOError):
                text = os.read(self._exit_pipe, 200).decode()
                self._reason = text or "the supervisor was killed"
        return self._reason

    def _wait(self, seconds: float) -> None:
        if self._reason is None and not self.closed:
            poll = select.poll()
            poll.register(self._exit_pipe, select.POLLIN)
            poll.poll(seconds * 1000)

    def private_bytes(self, *, exact: bool = False, files: int = 0) -> int:
        """Memory of all processes inside, beyond what they share with the zygote.

        ``files``: what is known to be in files in memory; what is mapped of it counts once.

        The default takes about 0.1 ms a process. It misses pages of the zygote's that were
        written to (at most the zygote's size a process), and counts what a worker shares with
        its parent twice; ``exact`` shares such pages out and takes milliseconds, except for an
        ordinary user in the flat tier, who may not look that closely and gets the default.
        """
        processes = self.processes()
        sizes = [resident(pid) for pid in processes]
        own = sum(max(0, anonymous - self._base) for anonymous, _ in sizes)
        if exact:
            with contextlib.suppress(PermissionError):  # flat tier, as an ordinary user
                sizes = [proportional(pid) for pid in processes]
                own = sum(anonymous for anonymous, _ in sizes)
        return own + max(files, sum(shared for _, shared in sizes)) + self._socket_bytes()

    def _socket_bytes(self) -> int:
        """What the buffers of its sockets may hold: memory of the system's, of no process.

        0 in tiers that share their sockets' namespace with the host.
        """
        if not self.home:
            for pid in children(self.supervisor):
                with contextlib.suppress(OSError):
                    listed = Path(f"/proc/{pid}/net/unix").read_bytes().count(b"\n") - 1
                    return max(0, listed - FEW_SOCKETS) * SOCKET_BYTES
        return 0

    def processes(self) -> list[int]:
        """The numbers, outside, of all that run inside."""
        return _descendants(self.supervisor)

    def cpu_seconds(self) -> float:
        """Processor time of all processes inside that still run, as the system counts it."""
        total = 0.0
        for pid in self.processes():
            with contextlib.suppress(OSError):  # it has just ended
                total += time.clock_gettime(_cpu_clock(pid))
        return total

    def waited_seconds(self) -> float:
        """How long the kernel's main thread has been ready to run while others had the processors.

        0 where the system does not count that.
        """
        return self._schedule()[1]

    def ran_seconds(self) -> float:
        """How long the kernel's main thread has been on a processor. 0 where nobody counts that."""
        return self._schedule()[0]

    def _schedule(self) -> tuple[float, float]:
        """Of the kernel's main thread: seconds on a processor, and in the queue for one.

        Asked at the beginning and end of each request, so the file stays open.
        """
        with contextlib.suppress(OSError, ValueError):
            if self._schedstat < 0 and not self.closed:
                for pid in children(self.supervisor)[:1]:
                    self._schedstat = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            ran, waited, _ = os.pread(self._schedstat, 100, 0).split()
            return int(ran) / 1e9, int(waited) / 1e9
        return 0.0, 0.0

    def read_file(self, name: str, cap: int) -> bytes:
        """A regular file of the work folder, at most ``cap`` bytes.

        Follows no links and waits for nobody. Raises OSError when there is no such file, ValueError
        when it is something else, hard-linked, or too large.
        """
        fd = syscalls.open_beneath(self._work, name, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{name}: not a regular file")
            if status.st_nlink != 1:
                raise ValueError(f"{name}: has {status.st_nlink} names; expected one")
            content = bytearray()
            while chunk := os.read(fd, min(1 << 20, cap + 1 - len(content))):
                content += chunk
            if len(content) > cap:
                raise ValueError(f"{name}: larger than {cap} bytes")
        finally:
            os.close(fd)
        return bytes(content)

    def close(self) -> None:
        """Kill, and release everything. Idempotent."""
        if self.closed:
            return
        try:
            self.channel.close()
            if self.supervisor > 0:
                self.kill()
        finally:
            self.closed = True
            for fd in (self.stdio, self._exit_pipe, self.pidfd, self._work, self._schedstat):
                if fd >= 0:
                    os.close(fd)
            self._schedstat = -1
            if self.home:
                remove(self.home)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _cpu_clock(pid: int) -> int:
    """The clock of another process, threads that have ended included: clock_getcpuclockid(3)."""
    return (~pid << 3) | 2


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        more = children(waiting.pop())
        waiting += more
        found += more
    return found


def children(pid: int) -> list[int]:
    """The processes that this one has started, or taken in, and that still run."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def remove(folder: str) -> None:
    """Delete a folder that its owner may have tried to make undeletable."""

    def open_up_and_retry(function: object, path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            if not Path(path).is_symlink():
                Path(path).chmod(0o700)
            if Path(path).is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink()

    shutil.rmtree(folder, onerror=open_up_and_retry)
