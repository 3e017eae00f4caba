"""A task grader in a process of its own, for callers that have threads.

A dask worker has them, and a fork of a process with threads may wait for ever for a lock that one
of them held. So the worker starts this module by exec; it has one thread, a warm zygote beside it,
and forks a child for each task. Run as ``python -m autograder.batch.judge_process FD``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from autograder.batch.task import Refused, Task, pack_answer, unpack_answer
from autograder.batch.task_grader import TaskGrader
from autograder.errors import NeedsHuman
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook
from autograder.judge.warm import warm_zygote
from autograder.sandbox import syscalls
from autograder.sandbox.policy import Packages, SandboxError

_SIZE = struct.Struct(">Q")
_GIVEN, _FAILED = b"g", b"f"
_OF_JUDGE = "judge"  # as whose a refusal comes; the worker puts its address there


class JudgeProcessDied(NeedsHuman):
    """The process ended while it was asked, or failed with an error of ours."""


class JudgeProcess:
    """The caller's end: grades a task as `TaskGrader` does, in another process. Not for threads.

    One that has died is replaced when it is asked next.
    """

    def __init__(self, material: bytes, tier: str | None, packages: Packages) -> None:
        self._material = material
        self._settings = json.dumps({"tier": tier, "packages": packages}).encode()
        self._process: subprocess.Popen[bytes] | None = None
        self._start()  # the imports take a while

    def grade(self, task: Task) -> GradedNotebook:
        """Raises SandboxError where no sandbox can be had, and JudgeProcessDied."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            if not self._has_material:
                _send(self._link, self._material)
                self._has_material = True
            _send(self._link, task.pack())
            said = _receive(self._link)
        except (OSError, EOFError) as error:
            self.close()
            raise JudgeProcessDied(f"the process of the judge died ({error})") from None
        if said[:1] == _FAILED:
            raise JudgeProcessDied(said[1:].decode("utf-8", "replace"))
        answer = unpack_answer(said[1:])
        if isinstance(answer, Refused):
            raise SandboxError(answer.stage, answer.reason)
        return answer

    def close(self) -> None:
        """End it and its zygote. Idempotent."""
        if self._process is not None:
            self._link.close()  # that is how it knows
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _start(self) -> None:
        self.close()
        self._has_material = False
        self._link, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        syscalls.set_dumpable(False)  # the course's secret is in our memory
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "autograder.batch.judge_process",
                    str(theirs.fileno()),
                ],
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        with contextlib.suppress(OSError):  # should it have died, whoever asks is told
            _send(self._link, self._settings)


def main() -> None:
    """Answer tasks until the caller hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the driver's to handle
    syscalls.set_dumpable(False)
    with socket.socket(fileno=int(sys.argv[1])) as link:
        link.set_inheritable(False)
        try:
            with warm_zygote(**json.loads(_receive(link))) as zygote:
                material = Material.unpack(_receive(link))
                grader = TaskGrader(material, zygote, caller=link.fileno())
                while True:
                    _send(link, _answer(grader, _receive(link)))
        except (OSError, EOFError):
            return


def _answer(grader: TaskGrader, task: bytes) -> bytes:
    try:
        return _GIVEN + pack_answer(grader.grade(Task.unpack(task)))
    except SandboxError as error:
        return _GIVEN + pack_answer(Refused(_OF_JUDGE, error.stage, error.reason))
    except Exception as error:  # of ours: the next task shall not suffer
        return _FAILED + f"{type(error).__name__}: {error}".encode("utf-8", "replace")


def _send(link: socket.socket, message: bytes) -> None:
    link.sendall(_SIZE.pack(len(message)))
    link.sendall(message)


def _receive(link: socket.socket) -> bytes:
    """The next message. Raises EOFError when the other side has gone."""
    (size,) = _SIZE.unpack(_exactly(link, _SIZE.size))
    return _exactly(link, size)


def _exactly(link: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = link.recv(min(1 << 20, size - len(data)))
        if not chunk:
            raise EOFError("it closed its connection")
        data += chunk
    return bytes(data)


if __name__ == "__main__":
    main()
