"""The process outside a sandbox that waits for its end and clears up what is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
from pathlib import Path
from typing import NoReturn

from autograder.sandbox import syscalls


def watch(kernel: int, exit_pipe: int, lifelines: tuple[int, int], *, sweep: bool) -> NoReturn:
    """Wait for ``kernel``, write to ``exit_pipe`` how it ended once nothing is left, and exit.

    When one of the ``lifelines`` ends, so does the kernel. ``sweep``: kill its descendants one by
    one; with a pid namespace the kernel of the system has done so already.
    """
    try:
        for number, fd in enumerate(_parked(exit_pipe, *lifelines, os.pidfd_open(kernel))):
            os.dup2(fd, number)
        exit_pipe, *lifelines_here, pidfd = range(4)
        syscalls.close_from(4)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        for lifeline in lifelines_here:
            poll.register(lifeline, 0)  # a hang-up is always reported
        if all(fd != pidfd for fd, _ in poll.poll()):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        # WNOWAIT leaves a zombie, so that nobody else can get its process group's number.
        ended = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
        if sweep:
            _sweep(kernel)
        os.write(exit_pipe, _reason(ended).encode())
    finally:
        os._exit(0)


def _parked(*fds: int) -> list[int]:
    """Copies, out of the way of the first few numbers."""
    return [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64) for fd in fds]


def _sweep(group: int) -> None:
    """Kill the process group at one blow, then whoever left it; return when all are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    while True:
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)  # orphans come to us: we are their subreaper
        except ChildProcessError:
            return


def _reason(ended: os.waitid_result | None) -> str:
    assert ended is not None  # only with WNOHANG
    if ended.si_code == os.CLD_EXITED:
        return f"exit status {ended.si_status}"
    return f"killed by signal {ended.si_status} ({signal.Signals(ended.si_status).name})"
