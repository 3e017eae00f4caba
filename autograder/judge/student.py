"""What a hidden check sees of a submission: functions, classes and variables, at arm's length.

Arguments are copied into the kernel and answers copied out, as plain data. An object that is no
plain data stays there and is held by a `Ref`, which can be passed back.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, TypeVar

from autograder.judge.expect import Failed
from autograder.judge.kernel import CallTimeout, Kernel
from autograder.judge.stand_ins import CALLS, Sent, Served
from autograder.judge.told import message_of
from autograder.notebook.syntax import parse_cell
from autograder.sandbox.wire import Ref, StandIn

__all__ = ["Instance", "Ref", "Student", "StudentError"]

T = TypeVar("T")

TIME_OUT = "time-out"


class StudentError(Exception):
    """The student's code raised, or did what comes to the same.

    The text is for the student: it holds nothing of a hidden input (see `told`). ``type_name`` is
    the kernel's word, or TIME_OUT where the judge had to interrupt it.
    """

    def __init__(self, text: str, type_name: str = "TypeError") -> None:
        super().__init__(text)
        self.type_name = type_name


class Student:
    """Proxy of one running submission.

    ``sources``: the code cells executed so far, in order, for checks of the source itself.
    """

    def __init__(
        self, kernel: Kernel, sources: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> None:
        self.sources = {} if sources is None else sources
        self.printed = ""  # by the last call
        self._known: dict[str, Any] = {}  # by once()
        self._kernel = kernel
        self._seconds = seconds or kernel.limits.call_seconds
        self._stand_ins: dict[int, Served] = {}
        self._ids = count(1)

    def call(
        self,
        name: str,
        *args: Any,
        keep: Sequence[int] | bool = (),
        seconds: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the student's function ``name``.

        ``keep=True`` leaves the answer in the kernel and returns a Ref; ``keep=(1,)`` does so for
        item 1 of a returned tuple (a cache, say). Raises StudentError when the function raised or
        outlasted ``seconds``, KernelDied when it took the kernel with it.
        """
        message = {"op": "call", "name": name, "args": list(args), "kwargs": kwargs}
        return self.request(f"{name}()", message, keep, seconds)

    def new(self, name: str, *args: Any, **kwargs: Any) -> Instance:
        """An instance of the student's class ``name``."""
        message = {"op": "call", "name": name, "args": list(args), "kwargs": kwargs}
        reference = self.request(f"{name}()", message, keep=True)
        return Instance(self, reference, name)

    def get(self, name: str) -> Any:
        """The value of a variable of the notebook."""
        return self.request(f"the variable {name}", {"op": "get", "name": name})

    def set(self, name: str, value: Any) -> None:
        """Give a variable of the notebook a value."""
        self.request(f"setting {name}", {"op": "set", "name": name, "value": value})

    def put(self, value: Any) -> Ref:
        """Copy a value into the kernel, to look at it again after a call."""
        return self.request("put", {"op": "put", "value": value})

    def fetch(self, reference: Ref, rows: int | None = None) -> Any:
        """The present value of an object kept in the kernel, or its first ``rows``."""
        return self.request("fetch", {"op": "fetch", "value": reference, "rows": rows})

    def draw(self, seed: int, shape: Sequence[int]) -> Ref:
        """Standard normal numbers made in the kernel: ``default_rng(seed).normal(size=shape)``.

        Large inputs need not cross; the judge can draw the same, or their first rows.
        """
        return self.request("draw", {"op": "draw", "seed": seed, "shape": list(shape)})

    def grad(
        self,
        name: str,
        *args: Any,
        wrt: Sequence[int] = (0,),
        upstream: Any = None,
        item: int | None = None,
        **kwargs: Any,
    ) -> tuple[Any, list[Any]]:
        """Value of a torch function and d sum(upstream * value) / d args[i] for i in ``wrt``.

        ``item`` chooses one output of several; ``upstream`` defaults to ones.
        """
        message = {
            "op": "grad",
            "name": name,
            "args": list(args),
            "kwargs": kwargs,
            "wrt": list(wrt),
            "upstream": upstream,
            "item": item,
        }
        answer = self.request(f"{name}()", message)
        if not isinstance(answer, dict):
            raise StudentError(f"{name}() raised TypeError: no gradients came back")
        return answer.get("value"), list(answer.get("grads", ()))

    def apply(
        self,
        function: Callable[..., Any],
        *args: Any,
        cells: Collection[str] = (),
        bindings: Mapping[str, Any] | None = None,
        keep: Sequence[int] | bool = (),
        seconds: float = 60.0,
        **kwargs: Any,
    ) -> Any:
        """What ``function(notebook, *args, **kwargs)`` returns in the kernel, beside the student.

        ``notebook`` is a copy of the student's namespace, a dict in which ``bindings`` have taken
        the place of what was there; ``notebook.run(cell)`` executes one of ``cells`` in it. The
        whole module of ``function`` is sent as source: it imports nothing of ours, and holds
        nothing that a student may not see (modules called ``in_kernel``, or in a folder of that
        name). Errors of the student's code become StudentError, named after ``cells``.
        """
        message = {
            "op": "apply",
            "source": inspect.getsource(sys.modules[function.__module__]),
            "function": function.__name__,
            "cells": {cell: self.sources.get(cell, "") for cell in cells},
            "bindings": dict(bindings or {}),
            "args": list(args),
            "kwargs": kwargs,
        }
        named = " and ".join(repr(cell) for cell in cells)
        what = (
            f"the cell {named}"
            if len(cells) == 1
            else f"the cells {named}"
            if cells
            else "your code"
        )
        return self.request(what, message, keep, seconds)

    def stand_in(
        self,
        what: Callable[..., Any],
        name: str | None = None,
        *,
        calls: int = CALLS,
        weights: int = 0,
    ) -> StandIn:
        """A class, or a function, for the kernel that the judge answers for.

        Of a class ``what``, the instances live in the judge; the student's code calls its public
        methods as usual and never sees how they work. Anything else is a function: the student's
        code calls it, and gets what ``what`` returns here. Good for the next request only, for at
        most so many ``calls``, and for arrays of sizes that this request sends. ``weights``: only
        where there is one among the arguments that it sends, of so many axes (see `stand_ins`).
        """
        instances: dict[int, Any] = {}
        is_class = isinstance(what, type)
        methods = tuple(n for n in vars(what) if not n.startswith("_")) if is_class else ()

        def serve(number: int, method: str, args: list, kwargs: dict) -> Any:
            if not is_class:
                return what(*args, **kwargs)
            if method == "__init__":
                instances[number] = what(*args, **kwargs)
                return None
            if method not in methods:
                raise KeyError(f"no method {method!r}")
            return getattr(instances[number], method)(*args, **kwargs)

        label = name or getattr(what, "__name__", type(what).__name__)
        spec = StandIn(next(self._ids), label, methods)
        self._stand_ins[spec.id] = Served(serve, calls, weights)
        return spec

    def told(self, error: Mapping[str, Any]) -> str:
        """``raised ...`` for an exception that a function of the judge's met in the kernel.

        ``error`` holds its type and message.
        """
        return message_of(error, self.sources)

    def cpu_seconds(self) -> float:
        """Processor time that the kernel has had so far, as the system says."""
        return self._kernel.cpu_seconds()

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """What ``compute`` returns, or the Failed or StudentError it raises: it is run once.

        For a costly answer that several checks look at.
        """
        if key not in self._known:
            try:
                self._known[key] = compute()
            except (Failed, StudentError) as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, Failed | StudentError):
            raise known
        return known

    def forget(self) -> None:
        """Compute again what ``once`` knows."""
        self._known.clear()

    def cell_defining(self, name: str) -> str:
        """The id of the last cell that defines this function or class; empty where none does."""
        found = ""
        for cell, source in self.sources.items():
            for node in parse_cell(source).body:
                defines = isinstance(node, ast.ClassDef | ast.FunctionDef)
                if defines and node.name == name:
                    found = cell
        return found

    def definition(self, name: str) -> tuple[str, ast.FunctionDef] | None:
        """The last function or method ``name`` in the code cells: (cell id, syntax tree)."""
        found = None
        for cell, source in self.sources.items():
            for node in ast.walk(parse_cell(source)):
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    found = cell, node
        return found

    def request(
        self,
        what: str,
        message: dict[str, Any],
        keep: Sequence[int] | bool = (),
        seconds: float | None = None,
    ) -> Any:
        """One request to the kernel; errors of the student's code become StudentError."""
        message["keep"] = keep if isinstance(keep, bool) else list(keep)
        # Stand-ins answer during the one request they are made for: a student's code that keeps
        # one finds it silent when the next question comes.
        serving, self._stand_ins = self._stand_ins, {}
        sent = Sent(message if serving else None)
        answering = {number: partial(served.answer, sent) for number, served in serving.items()}
        try:
            reply = self._kernel.request(message, seconds or self._seconds, stand_ins=answering)
        except CallTimeout as error:
            raise StudentError(f"{what} {error}", TIME_OUT) from None
        self.printed = str(reply.get("stdout", ""))
        if reply.get("ok") is not True:
            error = reply.get("error")
            said = {text for served in serving.values() for text in served.said}
            raise self._error(what, message, error if isinstance(error, dict) else {}, said)
        return reply.get("value")

    def _error(
        self, what: str, message: dict[str, Any], error: dict[str, Any], said: Collection[str]
    ) -> StudentError:
        """What the kernel says of an exception, as far as a student may be told."""
        named = [message.get("name"), message.get("function"), *message.get("kwargs", ())]
        named += [one for one in message.get("args", ()) if isinstance(one, str)]
        known = {str(name) for name in named if name}
        told = message_of(error, self.sources, known, said)
        return StudentError(f"{what} {told}", str(error.get("type", "Exception")))


class Instance:
    """An object of a student's class, living in the kernel."""

    def __init__(self, student: Student, reference: Any, class_name: str) -> None:
        if not isinstance(reference, Ref):
            raise StudentError(f"{class_name}() raised TypeError: made no object")
        self.reference = reference
        self._student = student
        self._class = class_name

    def call(
        self,
        method: str,
        *args: Any,
        keep: Sequence[int] | bool = (),
        seconds: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a method; see :meth:`Student.call`."""
        message = {
            "op": "call",
            "on": self.reference,
            "name": method,
            "args": list(args),
            "kwargs": kwargs,
        }
        return self._student.request(f"{self._class}.{method}()", message, keep, seconds)

    def get(self, attribute: str) -> Any:
        """The value of an attribute."""
        message = {"op": "get", "on": self.reference, "name": attribute}
        return self._student.request(f"{self._class}.{attribute}", message)

    def set(self, attribute: str, value: Any) -> None:
        """Give an attribute a value."""
        message = {"op": "set", "on": self.reference, "name": attribute, "value": value}
        self._student.request(f"{self._class}.{attribute}", message)
