"""Our pytest plug-in beside nbval's: tolerance where a cell asks for it, and one event a cell.

Events are lines of JSON, written to the file descriptor ``--cell-events``.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import time
from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal
from queue import Empty
from typing import Any

import pytest
from nbformat import NotebookNode
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, NbCellError, coalesce_streams

from autograder.authoring.tolerance import Measured, difference, tolerance

RAISED, DIFFERS = "raised", "output differs"
TIMED_OUT, BROKE_OFF = "timed out", "broke off"
RAISED_NOTHING = "raised nothing"

LOOK_SECONDS = 1.0  # between two looks whether a silent kernel lives

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cell-events", type=int, metavar="FD", help="Write one JSON line a cell.")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let nbval compare number by number: what it compares comes out of its sanitiser."""
    if not isinstance(item, IPyNbCell):
        return
    try:
        bound = tolerance(item.cell.metadata.get("tags", ()))
    except ValueError as error:
        where = f"{item.path.name}: cell {item.cell.get('id', item.cell_num)!r}"
        raise pytest.UsageError(f"{where}: {error}") from None
    if bound is not None:
        _measure(item, bound)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """See what nbval overlooks: a kernel that died, a magic there is not, an error that is due."""
    if not isinstance(item, IPyNbCell) or item.parent.kernel is None:
        return (yield)
    replies = _watch(item.parent.kernel)
    yield
    reply = replies[-1] if replies else {}
    if any(output.output_type == "error" for output in item.test_outputs or []):
        return
    if reply.get("status") == "error":  # IPython shows the wrong use of a magic without an error
        raise Overlooked(item, RAISED, f"{reply.get('ename')}: {reply.get('evalue')}")
    if item.options["check_exception"]:
        raise Overlooked(item, RAISED_NOTHING, "tagged raises-exception, and nothing was raised")


class KernelDied(Exception):
    """The kernel's process ended while a cell ran."""


class Overlooked(NbCellError):
    """What is wrong with a cell that nbval finds right."""

    def __init__(self, item: IPyNbCell, kind: str, message: str) -> None:
        super().__init__(item.cell_num, message, item.cell.source)
        self.kind = kind


def _watch(kernel: RunningKernel) -> list[dict[str, Any]]:
    """Let a kernel's silence end when its process does; collect its replies from now on."""
    replies: list[dict[str, Any]] = []

    def get_message(stream: str, timeout: float | None = None) -> dict[str, Any]:
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            wait = max(0.0, min(LOOK_SECONDS, end - time.monotonic()))
            try:
                message = RunningKernel.get_message(kernel, stream, wait)
            except Empty:
                if not kernel.is_alive():
                    raise KernelDied("the kernel's process ended in this cell") from None
                if time.monotonic() >= end:
                    raise
                continue
            if message["msg_type"] == "execute_reply":
                replies.append(message["content"])
            return message

    kernel.get_message = get_message
    return replies


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, IPyNbCell) and (call.when == "call" or report.failed):
        kind, lines = _what_went_wrong(item, call) if report.failed else ("", [])
        _send(item, id=item.cell.id, seconds=call.duration, kind=kind, lines=lines)
        if kind in (TIMED_OUT, BROKE_OFF):  # the state of the kernel is unknown, if it has one
            item.session.shouldfail = f"{kind} at {item.cell.id}"
    return report


def _measure(item: IPyNbCell, bound: Decimal) -> None:
    sanitize = item.sanitize

    def measured(s: Any) -> Any:
        clean = sanitize(s)
        return Measured(clean, bound) if isinstance(clean, str) else clean

    item.sanitize = measured


def _send(item: pytest.Item, **event: Any) -> None:
    descriptor = item.config.getoption("--cell-events")
    if descriptor is not None:
        os.write(descriptor, json.dumps(event).encode() + b"\n")


def _what_went_wrong(item: IPyNbCell, call: pytest.CallInfo[None]) -> tuple[str, list[str]]:
    """The kind of failure, and lines that show it."""
    error = call.excinfo.value if call.excinfo else None
    outputs = item.test_outputs or []
    if item.parent.timed_out:
        return TIMED_OUT, [str(error)]
    if isinstance(error, Overlooked):
        return error.kind, str(error).splitlines()
    if not isinstance(error, NbCellError):
        return BROKE_OFF, [f"{type(error).__name__}: {error}"]
    if outputs and outputs[-1].output_type == "error":
        message = f"{outputs[-1].ename}: {outputs[-1].evalue}"
        return RAISED, _COLOUR.sub("", message).splitlines()
    compared = getattr(item, "comparison_traceback", [])
    lines = list(_changes(_text(item, item.cell.outputs), _text(item, outputs)))
    return DIFFERS, lines or _COLOUR.sub("", "\n".join([str(error), *compared])).splitlines()


def _text(item: IPyNbCell, outputs: Sequence[NotebookNode]) -> str:
    """The sanitised text of outputs, as a reader sees it."""
    texts = (
        output.text if output.output_type == "stream" else output.data.get("text/plain", "")
        for output in coalesce_streams(outputs)
        if output.output_type in ("stream", "display_data", "execute_result")
    )
    return item.sanitize("".join(texts))


def _changes(stored: str, new: str) -> Iterator[str]:
    """The lines that differ: - as stored, + as they are now."""
    bound = stored.bound if isinstance(stored, Measured) else None
    before, after = stored.splitlines(), new.splitlines()
    if len(before) != len(after):
        lines = difflib.unified_diff(before, after, lineterm="", n=0)
        yield from (line for line in list(lines)[2:] if not line.startswith("@@"))
        return
    for old, fresh in zip(before, after, strict=True):
        why = "" if bound is None else difference(old, fresh, bound)
        if why or (bound is None and old != fresh):
            yield from (f"-{old}", f"+{fresh}")
            if why:
                yield f"  ({why})"
