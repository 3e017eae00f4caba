"""The judge's end of one sandboxed kernel: requests, time limits, output and memory caps.

Nothing the kernel sends is believed beyond being an answer to the question just asked. Whatever
breaks the protocol, floods the judge or outgrows its memory is killed, with the reason kept.
"""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from autograder.judge.clock import COMPUTED, Budget, Clock
from autograder.judge.gpu_errors import gpu_trouble, speaks_of_loss
from autograder.judge.kernel_terms import CallTimeout, CellRun, KernelDied, KernelLimits
from autograder.judge.outputs import OutputBudget, to_notebook
from autograder.judge.results import DIED, GPU_LOST, OUT_OF_GPU_MEMORY, TIMED_OUT
from autograder.judge.stdio import Stdio
from autograder.judge.watchdog import WATCH_SECONDS, Watchdog
from autograder.sandbox import wire
from autograder.sandbox.policy import SandboxError

if TYPE_CHECKING:
    from autograder.judge.zygote import Sandbox

__all__ = ["CallTimeout", "CellRun", "Kernel", "KernelDied", "KernelLimits"]

EVENT_BYTES = 64 << 20  # received for one request beyond its reply: more is a flood
NOTEBOOK_EVENT_BYTES = 64 << 20  # in all requests: the agent drops output from half of that on
KILL_GRACE = 1.0  # seconds between the interrupt and the kill, by the same clock as the rest
ZYGOTE_SECONDS = 1.0  # until a killed zygote has gone, after the kernels that it takes along
USUAL = KernelLimits()


class Kernel:
    """One forked kernel. ``answer`` serves the stand-ins (see :mod:`autograder.judge.student`)."""

    def __init__(self, sandbox: Sandbox, limits: KernelLimits = USUAL) -> None:
        self.sandbox = sandbox
        self.limits = limits
        self.died = ""
        self.death = ""  # what kind: one of the outcomes in results
        self.gpu_full = False  # whether any of its errors was for want of a GPU's memory
        self.outputs = OutputBudget()
        self.budget = Budget(limits.notebook_seconds)
        self._socket = sandbox.channel
        self._socket.setblocking(False)
        self._reader = wire.FrameReader()
        self._inbox: list[bytes] = []
        self._number = 0
        self._held_up = False
        self._event_bytes = 0
        self._stdio = Stdio(sandbox.stdio)
        self._watchdog = Watchdog(sandbox, limits.memory_bytes, limits.gpu)

    def run_cell(self, source: str, seconds: float | None = None, cell: str = "") -> CellRun:
        """Run one cell; ``cell`` is its id. Returns also when it raised or was interrupted.

        Raises KernelDied otherwise.
        """
        run = CellRun()
        seconds = seconds or self.limits.cell_seconds
        try:
            message = {"op": "cell", "source": source, "cell": cell}
            reply = self.request(message, seconds, run.outputs.append)
            run.ok = reply.get("ok") is True
            error = reply.get("error")
            run.error = error if isinstance(error, dict) and not run.ok else {}
        except CallTimeout:
            run.timed_out = True
        finally:
            outputs = to_notebook(run.outputs, self._stdio.take())
            run.outputs = self.outputs.within(outputs, cell)
        return run

    def request(
        self,
        message: dict[str, Any],
        seconds: float,
        on_output: Callable[[dict], Any] = lambda event: None,
        stand_ins: Mapping[int, Callable[..., Any]] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return its reply.

        Raises CallTimeout when the student's code had to be interrupted after ``seconds``, and
        KernelDied when there is no kernel any more, for whichever reason.
        """
        if self.died:
            raise KernelDied(self.died, self.death)
        self._number += 1
        whole = Clock(self.sandbox, seconds)
        started = time.monotonic()
        try:
            return self._ask(message, whole, seconds, on_output, stand_ins or {})
        finally:
            self.budget.spend(whole.used(), time.monotonic() - started)

    @property
    def peak_bytes(self) -> int:
        """The most memory that it was seen to take."""
        return self._watchdog.peak_bytes

    def cpu_seconds(self) -> float:
        """Processor time it has had so far, whatever it says itself."""
        return self.sandbox.cpu_seconds()

    def held_up(self) -> bool:
        """Whether something that ran out of time here might not have, on another day.

        It was not on a processor for most of its seconds: it slept, or waited for too long.
        """
        ran = self.sandbox.ran_seconds
        without_budget = self.budget.left() <= 0
        return self._held_up or (without_budget and ran() < COMPUTED * self.limits.notebook_seconds)

    def close(self) -> None:
        """Kill whatever is left."""
        self.died = self.died or "closed"
        with contextlib.suppress(SandboxError):  # told already, where it came up
            self.sandbox.close()

    # -- inside ---------------------------------------------------------------------------------

    def _ask(
        self,
        message: dict[str, Any],
        clock: Clock,
        seconds: float,
        on_output: Callable[[dict], Any],
        stand_ins: Mapping[int, Callable[..., Any]],
    ) -> dict[str, Any]:
        """What ``request`` does, by a clock that was set to ``seconds``."""
        interrupted = False
        received = 0
        self._send(wire.encode({**message, "id": self._number}), clock)
        while True:
            if not self._inbox:
                if clock.expired():
                    if interrupted:
                        reason = f"did not stop within {seconds:g} s, nor when interrupted"
                        self._kill(reason, TIMED_OUT)
                    interrupted = True
                    self._held_up = self._held_up or clock.held_up()
                    clock = Clock(self.sandbox, KILL_GRACE)
                    self.sandbox.interrupt()
                self._wait(clock.deadline, for_write=False)
                continue
            body = self._inbox.pop(0)
            received += len(body)
            reply = self._decode(body)
            if reply.get("re") != self._number:
                continue  # left over from a request that was interrupted
            if "event" in reply:
                self._event_bytes += len(body)
                if received > EVENT_BYTES:
                    self._kill("sent more output than any cell may")
                if self._event_bytes > NOTEBOOK_EVENT_BYTES:
                    self._kill("sent more output than any notebook may")
                on_output(reply["event"])
            elif "callback" in reply:
                received -= len(body)
                self._answer(reply, stand_ins, clock)
            elif interrupted:
                raise CallTimeout(f"took longer than {seconds:g} s")
            else:
                self._note_gpu(reply.get("error"))
                return reply

    def _note_gpu(self, error: Any) -> None:
        """Without its GPU a kernel that was given one is of no use: nothing more runs there."""
        trouble = gpu_trouble(error)
        self.gpu_full = self.gpu_full or trouble == OUT_OF_GPU_MEMORY
        if trouble == GPU_LOST and self.limits.gpu:
            self._kill("lost its GPU to a CUDA error", GPU_LOST)

    def _answer(self, reply: dict, stand_ins: Mapping[int, Callable], clock: Clock) -> None:
        """Serve one call of a stand-in. A wrong call gives the student an exception."""
        started = time.monotonic()
        try:
            function = stand_ins[reply["callback"]]
            args, kwargs = list(reply["args"]), dict(reply["kwargs"])
            value = function(reply["instance"], str(reply["method"]), args, kwargs)
            answer = wire.encode({"answer": value})
        except Exception as error:  # arguments of an enemy's choosing can break anything
            answer = wire.encode({"error": str(error), "type": type(error).__name__})
        clock.excuse(time.monotonic() - started)
        self._send(answer, clock)

    def _send(self, frame: bytes, clock: Clock) -> None:
        view = memoryview(frame)
        last_chance = False
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                if clock.expired():
                    if last_chance:
                        self._kill("stopped listening")
                    last_chance, clock = True, Clock(self.sandbox, KILL_GRACE)
                self._wait(clock.deadline, for_write=True)
            except OSError:
                self._gone()

    def _wait(self, deadline: float, *, for_write: bool) -> None:
        """Wait a moment for anything to happen; take in what came; look at the memory."""
        poller = select.poll()
        events = select.POLLIN | (select.POLLOUT if for_write else 0)
        poller.register(self._socket, events)
        poller.register(self.sandbox.stdio, select.POLLIN)
        seconds = min(WATCH_SECONDS, max(0.0, deadline - time.monotonic()) + 0.001)
        ready = dict(poller.poll(seconds * 1000))
        if ready.get(self.sandbox.stdio, 0) & select.POLLIN:
            self._stdio.read()
        if ready.get(self._socket.fileno(), 0) & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._receive()
        if found := self._watchdog.look():
            self._kill(*found)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone()
        try:
            self._inbox.extend(self._reader.feed(data))
        except wire.ProtocolError as error:
            self._kill(f"broke the protocol ({error})")

    def _decode(self, body: bytes) -> dict:
        try:
            message = wire.decode(body)
        except wire.ProtocolError as error:
            self._kill(f"broke the protocol ({error})")
        if not isinstance(message, dict):
            self._kill("broke the protocol (a message that is not a dict)")
        return message

    def _gone(self) -> NoReturn:
        """The kernel closed its end of the socket: say how it ended, if it did.

        Raises SandboxError where it ended because its zygote did, which no student has done.
        """
        ended = select.select([self.sandbox.pidfd], [], [], KILL_GRACE)[0]
        self._end()  # returns when everything is gone, and the exit status known
        reason = self.sandbox.exit_reason() or ""
        if ended and "killed" in reason and self.sandbox.zygote_died(ZYGOTE_SECONDS):
            self.died, self.death = "ended with its zygote", DIED
            raise SandboxError("zygote", "the process died, and its kernels with it")
        aborted = self.limits.gpu and "killed" in reason and speaks_of_loss(self._stdio.look())
        kind = GPU_LOST if aborted else DIED
        self._kill(f"ended ({reason})" if ended else "closed its connection to the judge", kind)

    def _kill(self, reason: str, kind: str = DIED) -> NoReturn:
        self.died, self.death = reason, kind
        self._end()
        raise KernelDied(self.died, kind)

    def _end(self) -> None:
        try:
            self.sandbox.kill()
        except SandboxError as error:  # a fork bomb on a busy host can outlast any patience
            self.died += f", and could not be ended ({error})"
