"""The process that kernels are forked from, seen from whoever has it: to be started, and its twins.

Nothing heavy is imported here. The command that grades starts the process first, and then imports
what it needs itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder.sandbox import syscalls
from autograder.sandbox.policy import (
    AGENT,
    OWN_LIBRARY,
    Library,
    Packages,
    Policy,
    SandboxError,
)

START_SECONDS = 120.0  # imports from a cold disk


class WarmProcess:
    """A zygote (:mod:`autograder.sandbox.zygote`): its control socket and its pidfd.

    It imports what notebooks use as soon as it is started (:meth:`launch`). Then it gives
    :meth:`twin`s of itself, or it is told its policy (:meth:`settle`) and forks sandboxes.
    """

    def __init__(
        self,
        control: socket.socket,
        pid: int,
        pidfd: int,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.control = control
        control.settimeout(START_SECONDS)
        self.pid = pid
        self.pidfd = pidfd
        self.stage = ""  # once settled: a folder of ours on which its sandboxes' root is mounted
        self._process = process  # None: it is somebody else's child
        self._requests = itertools.count()

    @classmethod
    def launch(
        cls,
        packages: Packages = "all",
        *,
        entry: str = AGENT,
        warm: bool = True,
        search: Sequence[Path] = (),
        python: Path = Path(sys.executable),
        library: Library = OWN_LIBRARY,
    ) -> WarmProcess:
        """Start one, which begins to import at once; nobody waits for it here."""
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        syscalls.set_dumpable(False)  # what the judge knows is in its memory
        with theirs:
            process = subprocess.Popen(
                # Like -I, which would also ignore PYTHONHASHSEED.
                [python, "-s", "-P", "-m", "autograder.sandbox.zygote", str(theirs.fileno())],
                env=environment_of(search),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        try:
            pidfd = os.pidfd_open(process.pid)
        except OSError:
            process.kill()
            process.wait()
            raise
        started = cls(control, process.pid, pidfd, process)
        ahead = {"packages": packages, "entry": entry, "warm": warm, "library": asdict(library)}
        with contextlib.suppress(OSError):  # should it have died, who asks it is told
            control.send(json.dumps(ahead).encode())
        return started

    @classmethod
    def taken_over(cls, control: int, pid: int, pidfd: int) -> WarmProcess:
        """One that another process has started and :meth:`let_go` of, by its descriptors."""
        return cls(socket.socket(fileno=control), pid, pidfd)

    def let_go(self) -> None:
        """Forget it: somebody else has its descriptors now."""
        self.control.close()
        os.close(self.pidfd)
        self.pidfd = -1

    def settle(self, policy: Policy) -> float:
        """Tell it the policy, and wait until it is ready; returns the seconds it took.

        The policy's ``stage`` is made here. Raises SandboxError.
        """
        self.stage = tempfile.mkdtemp(prefix="cs231n-sandbox-")
        told = replace(policy, stage=self.stage).to_json()
        with process_may_die():
            self.control.send(json.dumps(told).encode())
            return float(self.answer()["ready"])

    def twin(self) -> WarmProcess:
        """A fork of it, which has imported the same and knows no policy yet. Raises SandboxError.

        To be asked of one that is not settled. Neither ends with the other.
        """
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = f"twin-{next(self._requests)}"
        pidfds: list[int] = []
        try:
            with process_may_die():
                with theirs:
                    message = json.dumps({"id": request}).encode()
                    socket.send_fds(self.control, [message], [theirs.fileno()])
                pid = int(self.answer(request, pidfds)["pid"])
        except BaseException:
            control.close()
            for one in pidfds:
                os.close(one)
            raise
        return WarmProcess(control, pid, pidfds[0])

    def answer(self, request: str = "", descriptors: list[int] | None = None) -> dict[str, Any]:
        """What it says to a request; an answer to a fork that died meanwhile is dropped.

        ``descriptors`` is given what comes along. Raises SandboxError.
        """
        try:
            while True:
                message, fds, _, _ = socket.recv_fds(self.control, 1 << 16, 1)
                if descriptors is None:
                    for one in fds:
                        os.close(one)
                else:
                    descriptors += fds
                answer = parse(message)
                if answer.get("id", "") == request:
                    return answer
        except TimeoutError:
            raise SandboxError("zygote", f"no answer in {START_SECONDS:.0f} s") from None

    def died(self, seconds: float) -> bool:
        """Whether it has died, or does so within so many seconds. Its forks' forks may ask, too."""
        if self.pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def kill(self) -> None:
        """End it at once; whoever waits for an answer gets a SandboxError."""
        with contextlib.suppress(ProcessLookupError):
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End it, and release everything. Idempotent."""
        if self.pidfd < 0:
            return
        self.control.close()  # it exits when it sees this, unless it still imports
        if not self.died(2.0 if self.stage else 0.0):
            self.kill()
            self.died(2.0)
        if self._process is not None:
            self._process.wait()
        os.close(self.pidfd)
        self.pidfd = -1
        if self.stage:
            with contextlib.suppress(OSError):
                os.rmdir(self.stage)  # noqa: PTH106


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
def process_may_die() -> Iterator[None]:
    """Turn what a socket says of a peer that is gone into a SandboxError."""
    try:
        yield
    except ConnectionError as error:  # EPIPE, or ECONNRESET where a request was still unread
        raise SandboxError("zygote", f"the process is gone ({error.strerror})") from error


def parse(message: bytes) -> dict[str, Any]:
    if not message:
        raise SandboxError("zygote", "the process ended without a message")
    answer = json.loads(message)
    if "error" in answer:
        raise SandboxError(answer["stage"], answer["error"])
    return answer
