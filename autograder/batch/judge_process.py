"""A task grader in a process of its own, for callers that have threads.

A process with threads cannot fork safely: the child may wait for ever for a lock that one of them
held. So the caller starts this module by exec; it has one thread, a warm zygote beside it, and
forks a child for each task. Run as ``python -m autograder.batch.judge_process FD``.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict

from autograder.batch.task import Refused, Task, pack_answer, unpack_answer
from autograder.batch.task_grader import TaskGrader
from autograder.errors import NeedsHuman
from autograder.grading.material import Material
from autograder.host.server_process import (
    ServerProcess,
    receive,
    receive_descriptors,
    send,
)
from autograder.host.warm_process import WarmProcess
from autograder.judge.results import GradedNotebook
from autograder.judge.warm import start_zygote, tried_out, try_out, warm_zygote
from autograder.judge.zygote import Zygote
from autograder.sandbox import syscalls
from autograder.sandbox.policy import Library, Packages, Policy, SandboxError

MODULE = "autograder.batch.judge_process"
_TASK, _TWIN = b"t", b"z"
_GIVEN, _FAILED = b"g", b"f"
_OF_JUDGE = "judge"  # as whose a refusal comes; the worker puts its address there

Twins = Callable[[Packages], tuple[WarmProcess, Policy]]


class JudgeProcessDied(NeedsHuman):
    """The process ended while it was asked."""


class JudgeFailed(NeedsHuman):
    """An error of ours in that process, with this task; it has gone on."""


class JudgeProcess:
    """The caller's end: grades a task as `TaskGrader` does, in another process. Not for threads.

    One that has died is replaced when it is asked next. ``twins`` gives warm processes; without it
    the process starts one itself. ``started``: the process, where it has been started already.
    """

    def __init__(
        self,
        material: Material,
        tier: str | None,
        packages: Packages,
        twins: Twins | None = None,
        started: ServerProcess | None = None,
    ) -> None:
        self._material = material
        self._settings = {
            "tier": tier,
            "packages": packages,
            "waits": twins is not None,
            "library": asdict(material.course.library),
        }
        self._twins = twins
        self._closing = False
        self._begin(started or ServerProcess(MODULE))  # the imports take a while

    def _begin(self, process: ServerProcess) -> None:
        self._process = process
        self._has_material = False
        self._handed: set[Packages] = set()
        with contextlib.suppress(OSError):  # should it have died, whoever asks is told
            send(process.link, json.dumps(self._settings).encode())

    def grade(self, task: Task) -> GradedNotebook:
        """Raises SandboxError where no sandbox can be had, JudgeProcessDied and JudgeFailed."""
        if self._closing:
            raise JudgeProcessDied("it was told to end")
        if not self._process.alive:
            self._process.close()
            self._begin(ServerProcess(MODULE))
            if self._closing:  # meanwhile
                self._process.hang_up()
        link = self._process.link
        try:
            if not self._has_material:
                send(link, self._material.pack())
                self._has_material = True
            self._hand_over(task.notebook)
            send(link, _TASK + task.pack())
            said = receive(link)
        except (OSError, EOFError) as error:
            self.close()
            raise JudgeProcessDied(f"the process of the judge died ({error})") from None
        if said[:1] == _FAILED:
            raise JudgeFailed(said[1:].decode("utf-8", "replace"))
        answer = unpack_answer(said[1:])
        if isinstance(answer, Refused):
            raise SandboxError(answer.stage, answer.reason)
        return answer

    def hang_up(self) -> None:
        """Have it end, whatever it is doing. The one method for any thread; `close` follows."""
        self._closing = True
        self._process.hang_up()

    def close(self) -> None:
        """End it and its zygote. Idempotent."""
        self._process.close()

    def _hand_over(self, notebook: str) -> None:
        """The warm processes that the task needs, and that the other side has not been given."""
        template = self._material.template(notebook)
        needed = (self._material.templates[name] for name in self._material.needs(template))
        kinds: dict[Packages, None] = {one.packages(): None for one in (template, *needed)}
        for packages in kinds:
            if self._twins and packages not in self._handed:
                twin, policy = self._twins(packages)
                about = json.dumps({"pid": twin.pid, "policy": policy.to_json()})
                try:
                    handles = [twin.control.fileno(), twin.pidfd]
                    send(self._process.link, _TWIN + about.encode(), handles)
                finally:
                    twin.let_go()
                self._handed.add(packages)


class _HandedOver:
    """Warm processes that the caller has given us. Called, it gives a live one, ours at need."""

    def __init__(self, tier: str | None, packages: Packages, library: Library) -> None:
        self._tier = tier
        self._library = library
        self._packages: Packages = packages
        self._zygote: Zygote | None = None

    def __call__(self) -> Zygote:
        """Raises SandboxError where there is none to be had."""
        if self._zygote is None or not self._zygote.alive:
            self.close()
            self._zygote = start_zygote(self._tier, self._packages, self._library)
        return self._zygote

    def take(self, twin: WarmProcess, policy: Policy) -> None:
        """Use this one from now on for tasks that ask for its packages. Raises SandboxError."""
        if self._zygote is None:
            self._zygote = tried_out(Zygote.of(twin, policy, try_out))
        else:
            self._zygote.take(twin, policy)

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


def main() -> None:
    """Answer tasks until the caller hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the driver's to handle
    syscalls.set_dumpable(False)
    with (
        socket.socket(fileno=int(sys.argv[1])) as link,
        contextlib.suppress(OSError, EOFError),
    ):
        link.set_inheritable(False)
        _serve(link)


def _serve(link: socket.socket) -> None:
    """Raises OSError and EOFError when the caller has gone."""
    settings = json.loads(receive(link))
    about = settings["tier"], settings["packages"], Library.from_json(settings["library"])
    with contextlib.ExitStack() as stack:
        handed_over = _HandedOver(*about)
        stack.callback(handed_over.close)
        zygote = handed_over if settings["waits"] else stack.enter_context(warm_zygote(*about))
        grader = TaskGrader(Material.unpack(receive(link)), zygote, caller=link.fileno())
        failure: SandboxError | None = None
        while True:
            said = receive(link)
            if said[:1] == _TASK:
                send(link, _answer(grader, said[1:], failure))
                continue
            twin = json.loads(said[1:])
            control, pidfd = receive_descriptors(link, 2)
            try:
                taken_over = WarmProcess.taken_over(control, twin["pid"], pidfd)
                handed_over.take(taken_over, Policy.from_json(twin["policy"]))
            except SandboxError as error:
                failure = error  # whoever asks for a verdict next is told


def _answer(grader: TaskGrader, task: bytes, failure: SandboxError | None) -> bytes:
    try:
        if failure:
            raise failure
        return _GIVEN + pack_answer(grader.grade(Task.unpack(task)))
    except SandboxError as error:
        return _GIVEN + pack_answer(Refused(_OF_JUDGE, error.stage, error.reason))
    except Exception as error:  # of ours: the next task shall not suffer
        return _FAILED + f"{type(error).__name__}: {error}".encode("utf-8", "replace")


if __name__ == "__main__":
    main()
