"""The judge's handles on a zygote and on the sandboxes forked from it. Linux only.

with Zygote("root") as zygote, zygote.fork(files={"knn.ipynb": content}) as sandbox:
    sandbox.channel.sendall(...)
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.judge.sandbox import Sandbox
from autograder.sandbox import mounts, syscalls
from autograder.sandbox.policy import Gpu, Limits, Packages, Policy, SandboxError, Tier

_START_SECONDS = 120.0  # imports from a cold disk
_FORK_SECONDS = 30.0
_NO_FILES: Mapping[str, bytes] = {}
_NO_ENV: Mapping[str, str] = {}


class Zygote:
    """A warm Python, from which :meth:`fork` makes sandboxes in some 40 ms.

    Args:
        tier: how to isolate, one of ``policy.TIERS``; ``"none"`` isolates nothing.
        readable: more files and folders the sandboxes may read, such as the data cache.
        env: more environment variables inside, for example where that cache is.
        blas_threads: threads of BLAS and OpenMP in each sandbox.
        entry: ``module:function``, called in the sandbox with the channel's other end.
        search: more folders to import the entry from. Sandboxes cannot read them.
        warm: import numpy, torch and the rest beforehand.
        python: the interpreter to start, by default this one.
        gpu_nodes: device files that :meth:`fork` may hand to a sandbox.
        packages: which :meth:`fork` gives a sandbox if it is not told.
        trial: tried on the process for other packages, when one is started.

    Raises SandboxError when the tier does not work here.
    """

    def __init__(
        self,
        tier: Tier,
        *,
        readable: Sequence[Path] = (),
        env: Mapping[str, str] = _NO_ENV,
        blas_threads: int = 1,
        entry: str = "autograder.sandbox.agent:serve",
        search: Sequence[Path] = (),
        warm: bool = True,
        python: Path = Path(sys.executable),
        gpu_nodes: Sequence[str] = (),
        packages: Packages = "all",
        trial: Callable[[Zygote], None] | None = None,
    ) -> None:
        self.tier = tier
        self.packages: Packages = packages
        self._others: dict[Packages, Zygote] = {}
        self._trial = trial
        self._start_other = partial(
            Zygote, tier, readable=readable, env=env, blas_threads=blas_threads, entry=entry,
            search=search, warm=warm, python=python, gpu_nodes=gpu_nodes,
        )  # fmt: skip
        self._starting = threading.Lock()  # of others
        self._lock = threading.Lock()  # one request at a time on the control socket
        self._sandboxes: list[Sandbox] = []
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stage = tempfile.mkdtemp(prefix="cs231n-sandbox-")
        syscalls.set_dumpable(False)  # what the judge knows is in its memory
        with theirs:
            self._process = subprocess.Popen(
                # Like -I, which would also ignore PYTHONHASHSEED.
                [python, "-s", "-P", "-m", "autograder.sandbox.zygote", str(theirs.fileno())],
                env=_zygote_environment(search),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        try:
            policy = Policy(
                tier=tier,
                readable=tuple(str(Path(path).absolute()) for path in readable),
                stage=self._stage,
                entry=entry,
                env=dict(env),
                warm=warm,
                blas_threads=blas_threads,
                gpu_nodes=tuple(gpu_nodes),
                packages=packages,
            )
            self._control.settimeout(_START_SECONDS)
            with _zygote_may_die():
                self._control.send(json.dumps(policy.to_json()).encode())
                self.start_seconds = float(self._answer()["ready"])
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs; a machine short of memory may have killed it.

        One that has just been killed counts as alive until its memory is given back. `fork` then
        raises SandboxError.
        """
        return self._process.poll() is None

    def died(self, seconds: float) -> bool:
        """Whether it has died, or does so within so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.alive

    def fork(
        self,
        limits: Limits | None = None,
        *,
        files: Mapping[str, bytes] = _NO_FILES,
        seed: int = 0,
        gpu: Gpu | None = None,
        packages: Packages | None = None,
    ) -> Sandbox:
        """Make a sandbox whose agent is about to run.

        ``files`` (relative path -> content) are in its work folder before it starts; ``seed``
        goes to random, numpy and torch; without ``gpu`` there is none inside. Where other
        ``packages`` are asked for, a second process with those is started and kept. Raises
        SandboxError naming the layer that failed.
        """
        if packages not in (None, self.packages):
            return self._other(packages).fork(limits, files=files, seed=seed, gpu=gpu)
        began = time.monotonic()
        packed = _pack(files)
        home = "" if self.tier in ("root", "userns") else mounts.make_home()
        request = {
            "limits": asdict(limits or Limits()),
            "home": home,
            "seed": seed,
            "gpu": asdict(gpu) if gpu else None,
        }
        channel, their_channel = socket.socketpair()
        report, their_report = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stdio, their_stdio = os.pipe2(os.O_CLOEXEC)
        exit_pipe, their_exit = os.pipe2(os.O_CLOEXEC)
        for fd in (stdio, exit_pipe):
            os.set_blocking(fd, False)
        theirs = [their_channel.detach(), their_stdio, their_report.detach(), their_exit, packed]
        sandbox = Sandbox(channel, stdio, exit_pipe, home, self.pid, self.died)
        try:
            try:
                with self._lock, _zygote_may_die():
                    socket.send_fds(self._control, [json.dumps(request).encode()], theirs)
                    sandbox.supervisor = int(self._answer()["pid"])
            finally:
                for fd in theirs:
                    os.close(fd)
            report.settimeout(_FORK_SECONDS)
            stages = _receive_handles(report, sandbox)
        except BaseException:
            sandbox.close()
            raise
        finally:
            report.close()
        sandbox.timings = _durations(began, stages)
        self._sandboxes = [old for old in self._sandboxes if not old.closed] + [sandbox]
        return sandbox

    def _other(self, packages: Packages) -> Zygote:
        """A live zygote with these packages, tried out."""
        with self._starting:
            known = self._others.get(packages)
            if known is None or not known.alive:
                known = self._start_other(packages=packages)
                try:
                    if self._trial:
                        self._trial(known)
                except BaseException:
                    known.close()
                    raise
                self._others[packages] = known
            return known

    def close(self) -> None:
        """End the zygote and all its sandboxes. Idempotent."""
        for other in self._others.values():
            other.close()
        self._others = {}
        for sandbox in self._sandboxes:
            sandbox.close()
        self._sandboxes = []
        self._control.close()  # the zygote exits when it sees this
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:  # still importing
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            os.rmdir(self._stage)  # noqa: PTH106

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        try:
            return _parse(self._control.recv(1 << 16))
        except TimeoutError:
            raise SandboxError("zygote", f"no answer in {_START_SECONDS:.0f} s") from None


def _zygote_environment(search: Sequence[Path]) -> dict[str, str]:
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
def _zygote_may_die() -> Iterator[None]:
    """Turn what a socket says of a peer that is gone into a SandboxError."""
    try:
        yield
    except ConnectionError as error:  # EPIPE, or ECONNRESET where a request was still unread
        raise SandboxError("zygote", f"the process is gone ({error.strerror})") from error


def _parse(message: bytes) -> dict[str, Any]:
    if not message:
        raise SandboxError("zygote", "the process ended without a word")
    answer = json.loads(message)
    if "error" in answer:
        raise SandboxError(answer["stage"], answer["error"])
    return answer


def _receive_handles(report: socket.socket, sandbox: Sandbox) -> dict[str, float]:
    """Complete ``sandbox``; returns the times at which the stages ended."""
    try:
        message, fds, _, _ = socket.recv_fds(report, 1 << 16, 2)
    except TimeoutError:
        raise SandboxError("start", f"not ready after {_FORK_SECONDS:.0f} s") from None
    if len(fds) == 2:
        sandbox.adopt(*fds)
    return _parse(message)["stages"]


def _pack(files: Mapping[str, bytes]) -> int:
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


def _durations(began: float, stages: Mapping[str, float]) -> dict[str, float]:
    """Seconds that each stage took, in order, and ``total``."""
    seconds, last = {}, began
    for name, end in stages.items():
        seconds[name] = end - last
        last = end
    return seconds | {"total": time.monotonic() - began}
