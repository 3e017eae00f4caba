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

from autograder.judge.definitions import cell_defining, definition
from autograder.judge.expect import Failed
from autograder.judge.instance import Instance
from autograder.judge.kernel import CallTimeout, Kernel
from autograder.judge.stand_ins import CALLS, Sent, Served, serving
from autograder.judge.student_error import TIME_OUT, StudentError
from autograder.judge.told import message_of
from autograder.sandbox.wire import Ref, StandIn

__all__ = ["TIME_OUT", "Instance", "Ref", "Student", "StudentError"]

T = TypeVar("T")


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
        """Numbers made in the kernel: ``default_rng(seed).uniform(-1, 1, shape)``.

        Large inputs need not cross; the judge can draw the same, or their first rows. Normal
        numbers would take four times as long.
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
        in_place: bool = False,
        **kwargs: Any,
    ) -> Any:
        """What ``function(notebook, *args, **kwargs)`` returns in the kernel, beside the student.

        ``notebook`` is a copy of the student's namespace, a dict in which ``bindings`` have taken
        the place of what was there; ``notebook.run(cell)`` executes one of ``cells`` in it. The
        whole module of ``function`` is sent as source: it imports nothing of ours, and holds
        nothing that a student may not see (modules called ``in_kernel``, or in a folder of that
        name). Errors of the student's code become StudentError, named after ``cells``. With
        ``in_place`` it gets the namespace itself, to change it, and no cells and bindings.
        """
        message = {
            "op": "apply",
            "source": inspect.getsource(sys.modules[function.__module__]),
            "function": function.__name__,
            "cells": {cell: self.sources.get(cell, "") for cell in cells},
            "bindings": dict(bindings or {}),
            "in_place": in_place,
            "args": list(args),
            "kwargs": kwargs,
        }
        named = " and ".join(repr(cell) for cell in cells)
        what = f"the cell{'s' * (len(cells) > 1)} {named}" if cells else "your code"
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
        methods, serve = serving(what)
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
        return cell_defining(self.sources, name)

    def definition(self, name: str) -> tuple[str, ast.FunctionDef] | None:
        """The last function or method ``name`` in the code cells: (cell id, syntax tree)."""
        return definition(self.sources, name)

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
