"""A student's notebook that runs in this process: what a check calls is the function itself.

Nothing here protects anybody; only the benchmark's own submissions are run so.
"""

from __future__ import annotations

import copy
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from autograder.judge.kernel import CallTimeout
from autograder.sandbox.wire import Ref, StandIn


class Late(BaseException):
    """The time is up; ``except Exception`` does not catch it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise Late in what runs inside when it takes longer, not counting waiting for a processor.

    All that hangs in this class computes: processor time is what our grading counts, too.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise Late

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Notebook(dict[str, Any]):
    """A copy of the student's namespace, and cells that can be run in it."""

    cells: Mapping[str, str] = {}

    def run(self, cell: str) -> None:
        exec(compile(self.cells[cell], cell, "exec"), self)


class Direct:
    """Answers a Student's requests as a kernel does, by calling what is in the same process."""

    def __init__(self, space: dict[str, Any]) -> None:
        self._space = space
        self._kept: list[Any] = []

    def cpu_seconds(self) -> float:
        """Processor time used so far, by which a loop over rows is found."""
        return time.process_time()

    def request(
        self,
        message: dict[str, Any],
        seconds: float,
        on_output: object = None,
        stand_ins: Mapping[int, Callable[..., Any]] | None = None,
    ) -> dict[str, Any]:
        try:
            with limited(seconds):
                value = self._answer(message, stand_ins or {})
        except Late:
            raise CallTimeout(f"took longer than {seconds:g} s") from None
        except Exception as error:
            return {"ok": False, "error": {"type": type(error).__name__, "message": str(error)}}
        return {"ok": True, "value": value, "stdout": ""}

    def _answer(self, message: dict[str, Any], stand_ins: Mapping[int, Callable]) -> Any:
        def real(value: Any) -> Any:
            if isinstance(value, StandIn):
                return _stand_in(value, stand_ins[value.id])
            return self._kept[value.id] if isinstance(value, Ref) else value

        match message["op"]:
            case "call":
                args = [real(value) for value in message["args"]]
                kwargs = {name: real(value) for name, value in message["kwargs"].items()}
                return self._shallow(self._target(message)(*args, **kwargs), message["keep"])
            case "get":
                return self._target(message)
            case "put":
                return self._keep(copy.deepcopy(message["value"]))
            case "fetch":
                value = real(message["value"])
                return value if message["rows"] is None else value[: message["rows"]]
            case "draw":
                import numpy as np

                rng = np.random.default_rng(message["seed"])
                return self._keep(rng.uniform(-1, 1, message["shape"]))
            case "apply":
                notebook = Notebook(self._space)
                notebook |= {name: real(value) for name, value in message["bindings"].items()}
                notebook.cells = message["cells"]
                module: dict[str, Any] = {"__name__": "in_kernel"}
                exec(compile(message["source"], "in_kernel", "exec"), module)
                args = [real(value) for value in message["args"]]
                kwargs = {name: real(value) for name, value in message["kwargs"].items()}
                function = module[message["function"]]
                return self._shallow(function(notebook, *args, **kwargs), message["keep"])
        raise NotImplementedError(message["op"])

    def _target(self, message: dict[str, Any]) -> Any:
        if "on" not in message:
            return self._space[message["name"]]
        return getattr(self._kept[message["on"].id], message["name"])

    def _keep(self, value: Any) -> Ref:
        self._kept.append(value)
        return Ref(len(self._kept) - 1, type(value).__name__)

    def _shallow(self, value: Any, keep: Sequence[int] | bool) -> Any:
        if keep is True:
            return self._keep(value)
        if keep:
            return tuple(self._keep(one) if i in keep else one for i, one in enumerate(value))
        return value


def _stand_in(spec: StandIn, serve: Callable[..., Any]) -> Any:
    """A class whose methods the check answers."""

    def method(name: str) -> Callable[..., Any]:
        return lambda self, *args, **kwargs: serve(id(self), name, list(args), kwargs)

    return type(spec.name, (), {name: method(name) for name in (*spec.methods, "__init__")})
