"""The agent in the kernel: answers the judge's requests over the one inherited socket.

It runs beside the student's code, in the same process, and is therefore trusted by nobody. It is
written to serve honest students well; a dishonest one may break it, forge its messages or close
its socket, and earns nothing by that, since all it could ever say is what the student's functions
return, which the judge then compares.

Requests are dicts with ``op`` and ``id``; each ends with one reply ``{"re": id, "ok": ...}``.
Before that come events (outputs) and callbacks (calls of stand-ins that the judge answers).
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import importlib
import io
import select
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

from autograder.sandbox import devices, own_memory, shims, wire
from autograder.sandbox import shell as sandbox_shell
from autograder.sandbox.cells import CellNames, Notebook

CELL_OUTPUT_BYTES = 4 << 20  # what one cell may print or draw; the rest is dropped, and said so
NOTEBOOK_OUTPUT_BYTES = 32 << 20  # all cells together; the judge ends who sends twice as much
CALL_OUTPUT_CHARS = 1 << 16

_shell: sandbox_shell.SandboxShell | None = None


def prepare() -> None:
    """Build the shell, unless there is one; called in the zygote, before any fork."""
    global _shell
    if _shell is None:
        _shell = sandbox_shell.build_shell()
        shims.install()
        devices.compute_exactly()


def serve(channel: socket.socket) -> None:
    """Answer requests until the judge hangs up."""
    prepare()
    assert _shell is not None
    agent = Agent(channel, _shell)
    sandbox_shell.connect(_shell, agent.emit)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(agent.run(loop))


class Agent:
    """State of one kernel: the socket, the shell, and objects kept for the judge."""

    def __init__(self, channel: socket.socket, shell: sandbox_shell.SandboxShell) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._reader = wire.FrameReader()
        self._inbox: list[bytes] = []
        self._ended = False  # the judge has hung up
        self._shell = shell
        self._kept: dict[int, Any] = {}
        self._names = CellNames(shell)
        self._request = 0
        self._output_bytes = 0  # of the cell at hand
        self._all_output_bytes = 0
        self._ops: dict[str, Callable[[dict], Any]] = {
            "call": self._call,
            "get": self._get,
            "set": self._set,
            "put": lambda request: self._keep(request["value"]),
            "fetch": lambda request: (
                request["value"][slice(request["rows"])]
                if request["rows"] is not None
                else request["value"]
            ),
            "draw": self._draw,
            "grad": self._grad,
            "apply": self._apply,
        }

    async def run(self, loop: asyncio.AbstractEventLoop) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        arrived = asyncio.Event()

        def hear() -> None:
            if not self._receive():
                self._ended = True
                loop.remove_reader(self._channel)  # it would be called for ever
            arrived.set()

        loop.add_reader(self._channel, hear)
        while True:
            while not self._inbox:
                if self._ended:
                    return
                # Tasks that the student started in the background go on meanwhile.
                await arrived.wait()
                arrived.clear()
            body = self._inbox.pop(0)
            request = self._decode(body)
            self._request, self._output_bytes = request["id"], 0
            try:
                if request["op"] == "cell":
                    self._names.starts(str(request.get("cell", "")), request["source"])
                    importlib.invalidate_caches()  # of a module written a moment ago
                    with _interruptible(asyncio.current_task()):
                        error = await sandbox_shell.run_cell(self._shell, request["source"])
                    described = {"error": self._names.describe(error)} if error else {}
                    frame = self._reply({"ok": error is None, **described})
                else:
                    frame = self._answer(request, body)
            except (KeyboardInterrupt, asyncio.CancelledError):
                described = self._names.describe(KeyboardInterrupt("interrupted"))
                frame = self._reply({"ok": False, "error": described})
            self._send_frame(frame)

    # -- requests -------------------------------------------------------------------------------

    def _answer(self, request: dict, body: bytes) -> bytes:
        """Reply to anything but a cell: the value, or the exception, and what was printed."""

        def again(taken_along: Callable[[Any], Any]) -> dict:
            return wire.decode(body, lambda reference: taken_along(self._resolve(reference)))

        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                with _interruptible():
                    value = devices.asked(self._ops[request["op"]], request, again)
                said = {"stdout": printed.getvalue()[:CALL_OUTPUT_CHARS]}
                shallow = self._shallow(value, request.get("keep", ()))
                # A value too large or too deep fails here.
                return self._reply({"ok": True, "value": shallow, **said})
            except BaseException as error:
                reply = {"ok": False, "error": self._names.describe(error)}
        return self._reply(reply | {"stdout": printed.getvalue()[:CALL_OUTPUT_CHARS]})

    def _reply(self, reply: dict[str, Any]) -> bytes:
        return wire.encode({"re": self._request, **reply}, self._keep)

    def _call(self, request: dict) -> Any:
        function = self._target(request)
        with own_memory.at_most(request.get("room")):
            return function(*request["args"], **request["kwargs"])

    def _get(self, request: dict) -> Any:
        return self._target(request)

    def _set(self, request: dict) -> None:
        if "on" in request:
            setattr(request["on"], request["name"], request["value"])
        else:
            self._shell.user_ns[request["name"]] = request["value"]

    def _draw(self, request: dict) -> wire.Ref:
        """Numbers from -1 to 1 that stay here: large inputs need not cross."""
        import numpy as np

        generator = np.random.default_rng(request["seed"])
        return self._keep(generator.uniform(-1, 1, request["shape"]))

    def _grad(self, request: dict) -> dict[str, Any]:
        """Gradients of sum(upstream * output) with respect to the chosen arguments."""
        import torch

        args = list(request["args"])
        for index in request["wrt"]:
            args[index] = torch.as_tensor(args[index]).detach().clone().requires_grad_(True)
        output = self._target(request)(*args, **request["kwargs"])
        chosen = output if request["item"] is None else output[request["item"]]
        upstream = request["upstream"]
        upstream = torch.ones_like(chosen) if upstream is None else torch.as_tensor(upstream)
        (chosen * upstream.to(chosen.device)).sum().backward()
        return {"value": chosen.detach(), "grads": [args[index].grad for index in request["wrt"]]}

    def _apply(self, request: dict) -> Any:
        """Call a function of the judge's with a copy of the student's notebook, or with itself."""
        cells = {str(name): str(source) for name, source in request["cells"].items()}
        notebook: dict[str, Any] = self._shell.user_ns
        if not request["in_place"]:
            notebook = Notebook(self._shell, cells, request["bindings"])
        module: dict[str, Any] = {"__name__": "in_kernel"}
        exec(compile(request["source"], "<judge>", "exec"), module)
        return module[request["function"]](notebook, *request["args"], **request["kwargs"])

    def _target(self, request: dict) -> Any:
        if "on" in request:
            on = request["on"]
            return getattr(on, request["name"]) if request.get("name") else on
        name = request["name"]
        if name not in self._shell.user_ns:
            raise NameError(f"name {name!r} is not defined in the notebook")
        return self._shell.user_ns[name]

    # -- objects that stay here -----------------------------------------------------------------

    def _keep(self, value: Any) -> wire.Ref:
        number = len(self._kept) + 1
        self._kept[number] = value
        return wire.Ref(number, type(value).__name__)

    def _shallow(self, value: Any, keep: Any) -> Any:
        """``value`` with what the judge does not want to see replaced by references."""
        if keep is True:
            return self._keep(value)
        if keep and isinstance(value, tuple | list):
            return tuple(self._keep(v) if i in keep else v for i, v in enumerate(value))
        return value

    def _resolve(self, reference: wire.Ref | wire.StandIn) -> Any:
        if isinstance(reference, wire.Ref):
            return self._kept[reference.id]
        return self._stand_in(reference)

    def _stand_in(self, spec: wire.StandIn) -> Any:
        """A class (or function) whose calls are answered by the judge."""
        ask, instances = self._ask, iter(range(1, 1 << 31))

        def method(name: str) -> Callable:
            return lambda self, *args, **kwargs: ask(spec.id, self._number, name, args, kwargs)

        if not spec.methods:
            return lambda *args, **kwargs: ask(spec.id, 0, "", args, kwargs)

        def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
            self._number = next(instances)
            ask(spec.id, self._number, "__init__", args, kwargs)

        body = {name: method(name) for name in spec.methods}
        return type(spec.name, (), body | {"__init__": initialise})

    def _ask(self, stand_in: int, instance: int, method: str, args: tuple, kwargs: dict) -> Any:
        self._send(
            {
                "re": self._request,
                "callback": stand_in,
                "instance": instance,
                "method": method,
                "args": list(args),
                "kwargs": kwargs,
            }
        )
        while not self._inbox:
            select.select([self._channel], [], [])
            if not self._receive():
                raise EOFError("the judge hung up")
        answer = self._decode(self._inbox.pop(0))
        if "error" in answer:
            kind = getattr(builtins, str(answer["type"]), ValueError)
            is_error = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if is_error else ValueError)(answer["error"])
        return devices.beside(answer["answer"], [args, kwargs])

    # -- the socket -----------------------------------------------------------------------------

    def emit(self, event: dict[str, Any]) -> None:
        """Send one output, unless this cell has already sent its fill."""
        frame = wire.encode({"re": self._request, "event": event}, lambda v: wire.Ref(0, str(v)))
        spent = self._all_output_bytes > NOTEBOOK_OUTPUT_BYTES
        if spent or self._output_bytes > CELL_OUTPUT_BYTES:
            return
        self._output_bytes += len(frame)
        self._all_output_bytes += len(frame)
        most = ""
        if self._all_output_bytes > NOTEBOOK_OUTPUT_BYTES:
            most = f"{NOTEBOOK_OUTPUT_BYTES >> 20} MB of the whole notebook"
        elif self._output_bytes > CELL_OUTPUT_BYTES:
            most = f"{CELL_OUTPUT_BYTES >> 20} MB"
        if most:
            note = f"\n[output beyond {most} was dropped]\n"
            event = {"output_type": "stream", "name": "stdout", "text": note}
            frame = wire.encode({"re": self._request, "event": event})
        self._send_frame(frame)

    def _send(self, message: dict[str, Any]) -> None:
        self._send_frame(wire.encode(message, self._keep))

    def _send_frame(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            try:
                view = view[self._channel.send(view) :]
            except BlockingIOError:
                select.select([], [self._channel], [])

    def _receive(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            data = self._channel.recv(1 << 20)
            if not data:
                return False
            self._inbox.extend(self._reader.feed(data))
        return True

    def _decode(self, body: bytes) -> dict:
        return wire.decode(body, self._resolve)


@contextlib.contextmanager
def _interruptible(task: asyncio.Task | None = None) -> Iterator[None]:
    """Let SIGINT, the judge's first word at a time-out, stop what runs inside."""

    def interrupt(number: int, frame: Any) -> None:
        if task is not None and asyncio.current_task(task.get_loop()) is None:
            task.get_loop().call_soon_threadsafe(task.cancel)  # asleep in a top-level await
        else:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
