"""The judge's handles on a zygote and on the sandboxes forked from it. Linux only.

with Zygote("root") as zygote, zygote.fork(files={"knn.ipynb": content}) as sandbox:
    sandbox.channel.sendall(...)
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from autograder.host.warm_process import WarmProcess, process_may_die
from autograder.judge.prepare import prepare
from autograder.judge.sandbox import Sandbox, children, remove
from autograder.judge.zygote_link import (
    FORK_SECONDS,
    durations,
    pack_files,
    pidfd_of,
    receive_handles,
)
from autograder.sandbox import mounts, syscalls
from autograder.sandbox.policy import (
    AGENT,
    OWN_LIBRARY,
    Gpu,
    Library,
    Limits,
    Packages,
    Policy,
    SandboxError,
    Tier,
)

_KILL_SECONDS = 10.0
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
        twin: the process, where it has been started already: see :meth:`of`.
        library: what students import.

    Raises SandboxError when the tier does not work here.
    """

    def __init__(
        self,
        tier: Tier,
        *,
        readable: Sequence[Path] = (),
        env: Mapping[str, str] = _NO_ENV,
        blas_threads: int = 1,
        entry: str = AGENT,
        search: Sequence[Path] = (),
        warm: bool = True,
        python: Path = Path(sys.executable),
        gpu_nodes: Sequence[str] = (),
        packages: Packages = "all",
        trial: Callable[[Zygote], None] | None = None,
        twin: WarmProcess | None = None,
        library: Library = OWN_LIBRARY,
    ) -> None:
        self.tier = tier
        self.library = library
        self._owner = os.getpid()
        self.packages: Packages = packages
        self._others: dict[Packages, Zygote] = {}
        self._trial = trial
        self._start_other = partial(
            Zygote, tier, readable=readable, env=env, blas_threads=blas_threads, entry=entry,
            search=search, warm=warm, python=python, gpu_nodes=gpu_nodes, library=library,
        )  # fmt: skip
        self._starting = threading.Lock()  # of others
        self._lock = threading.Lock()  # one request at a time on the control socket
        self._sandboxes: list[Sandbox] = []
        self._requests = itertools.count()
        self._lifeline = (0, -1, -1)  # the process that holds it, and its two ends
        self._group = -1
        self._homes = tempfile.mkdtemp(prefix="cs231n-sandbox-")
        Path(self._homes).chmod(0o711)  # a sandbox may run as another user
        syscalls.set_dumpable(False)  # what the judge knows is in its memory
        self._warm = twin or WarmProcess.launch(
            packages, entry=entry, warm=warm, search=search, python=python, library=library
        )
        self._control = self._warm.control
        policy = Policy(
            tier=tier,
            readable=tuple(str(Path(path).absolute()) for path in readable),
            entry=entry,
            env=dict(env),
            warm=warm,
            blas_threads=blas_threads,
            gpu_nodes=tuple(gpu_nodes),
            packages=packages,
            library=library,
        )
        try:
            self.start_seconds = self._warm.settle(policy)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of(
        cls, twin: WarmProcess, policy: Policy, trial: Callable[[Zygote], None] | None = None
    ) -> Zygote:
        """A zygote with this policy, of a process that has been started. Raises SandboxError."""
        return cls(
            policy.tier, readable=[Path(path) for path in policy.readable], env=policy.env,
            blas_threads=policy.blas_threads, entry=policy.entry, warm=policy.warm,
            gpu_nodes=policy.gpu_nodes, packages=policy.packages, trial=trial, twin=twin,
            library=policy.library,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._warm.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs; a machine short of memory may have killed it.

        One that has just been killed counts as alive until its memory is given back. `fork` then
        raises SandboxError. To be asked by forks of this process too, whose child it is not.
        """
        return not self.died(0.0)

    def died(self, seconds: float) -> bool:
        """Whether it has died, or does so within so many seconds."""
        return self._warm.died(seconds)

    def fork(
        self,
        limits: Limits | None = None,
        *,
        files: Mapping[str, bytes] = _NO_FILES,
        seed: int = 0,
        gpu: Gpu | None = None,
        packages: Packages | None = None,
        prepared: Sequence[str] = (),
    ) -> Sandbox:
        """Make a sandbox whose agent is about to run, and which ends when this process does.

        ``files`` (relative path -> content) are in its work folder before it starts; ``seed``
        goes to random, numpy and torch; without ``gpu`` there is none inside. Where other
        ``packages`` are asked for, a second process with those is started and kept. What is
        ``prepared`` (names of ``cs231n_lib.prepared``) is at hand inside, as far as possible.
        Raises SandboxError naming the layer that failed.
        """
        if packages not in (None, self.packages):
            other = self._other(packages)
            return other.fork(limits, files=files, seed=seed, gpu=gpu, prepared=prepared)
        if os.getpid() == self._owner:
            prepare(prepared)
        began = time.monotonic()
        packed = pack_files(files)
        home = "" if self.tier in ("root", "userns") else mounts.make_home(self._homes)
        request = {
            "id": f"{os.getpid()}-{next(self._requests)}",
            "limits": asdict(limits or Limits()),
            "home": home,
            "seed": seed,
            "gpu": asdict(gpu) if gpu else None,
            "prepared": list(prepared),
        }
        channel, their_channel = socket.socketpair()
        report, their_report = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stdio, their_stdio = os.pipe2(os.O_CLOEXEC)
        exit_pipe, their_exit = os.pipe2(os.O_CLOEXEC)
        for fd in (stdio, exit_pipe):
            os.set_blocking(fd, False)
        theirs = [their_channel.detach(), their_stdio, their_report.detach(), their_exit, packed]
        theirs.append(os.dup(self._own_lifeline()))
        theirs += [os.dup(self._group)] if self._group >= 0 else []
        sandbox = Sandbox(channel, stdio, exit_pipe, home, self.pid, self.died)
        try:
            try:
                with self._lock, process_may_die():
                    socket.send_fds(self._control, [json.dumps(request).encode()], theirs)
                    sandbox.forked(int(self._warm.answer(request["id"])["pid"]))
            finally:
                for fd in theirs:
                    os.close(fd)
            report.settimeout(FORK_SECONDS)
            stages = receive_handles(report, sandbox)
        except BaseException:
            sandbox.close()
            raise
        finally:
            report.close()
        sandbox.timings = durations(began, stages)
        self._sandboxes = [old for old in self._sandboxes if not old.closed] + [sandbox]
        return sandbox

    def sandboxes(self) -> set[int]:
        """The supervisors of the sandboxes that there are, whichever process asked for them."""
        return {one for each in (self, *self._others.values()) for one in children(each.pid)}

    def clear(self, known: set[int]) -> None:
        """After a fork of this process has died: see to it that nothing of its sandboxes is left.

        They end with it, all but those ``known`` from before. Raises SandboxError if they do not.
        """
        deadline = time.monotonic() + _KILL_SECONDS
        for supervisor in self.sandboxes() - known:
            with contextlib.suppress(ProcessLookupError), pidfd_of(supervisor) as ending:
                left = max(0.0, deadline - time.monotonic())
                if not select.select([ending], [], [], left)[0]:
                    raise SandboxError("kill", f"still alive {_KILL_SECONDS:.0f} s after its judge")
        for each in (self, *self._others.values()):
            each._remove_homes()

    def _remove_homes(self) -> None:
        """Folders of sandboxes that were not ours."""
        ours = {Path(sandbox.home) for sandbox in self._sandboxes if not sandbox.closed}
        for home in set(Path(self._homes).iterdir()) - ours:
            remove(str(home))

    def use_group(self, procs: int) -> None:
        """Put sandboxes made from now on into a memory cgroup: ``procs`` is its cgroup.procs."""
        for each in (self, *self._others.values()):
            each._group = procs

    def have_ready(self, packages: Packages, prepared: Sequence[str] = ()) -> None:
        """Start what has these packages, unless it runs; make what is to be ``prepared``.

        Forks of this process cannot do it.
        """
        prepare(prepared)
        if packages != self.packages:
            self._other(packages)

    def take(self, twin: WarmProcess, policy: Policy) -> None:
        """From now on this process is the one for the policy's packages, which are not our own."""
        with self._starting:
            if old := self._others.pop(policy.packages, None):
                old.close()
            self._others[policy.packages] = Zygote.of(twin, policy)
            try:
                if self._trial:
                    self._trial(self._others[policy.packages])
            except BaseException:
                self._others.pop(policy.packages).close()
                raise

    def _other(self, packages: Packages) -> Zygote:
        """A live zygote with these packages, tried out."""
        with self._starting:
            known = self._others.get(packages)
            if known is None or not known.alive:
                if os.getpid() != self._owner:
                    raise SandboxError("zygote", f"no process with packages {packages!r} is there")
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
        self._warm.close()
        for fd in self._lifeline[1:]:
            if fd >= 0:
                os.close(fd)
        self._lifeline = (0, -1, -1)
        shutil.rmtree(self._homes, ignore_errors=True)

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own_lifeline(self) -> int:
        """The reading end of a pipe that ends with this process: its sandboxes end with it.

        A fork of this process has one of its own, so that nothing is left of a fork that dies.
        """
        holder, reading, _ = self._lifeline
        if holder != os.getpid():
            reading, writing = os.pipe2(os.O_CLOEXEC)
            self._lifeline = (os.getpid(), reading, writing)
        return reading
