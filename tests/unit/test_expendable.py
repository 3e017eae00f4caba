"""A child for one question: its answer, or how it ended; the parent goes on either way."""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.host.expendable import CLOCK, CRASH, ERROR, MEMORY, PROCESSOR, Ended, Limits
from autograder.host.expendable import run_limited as run


def test_the_answer_is_plain_data_and_nothing_else_comes_back() -> None:
    seen: list[int] = []
    answer = {"text": "\udcff", "bytes": b"\x00", 3: [1.5, None, True]}
    assert run(lambda: seen.append(os.getpid()) or answer) == answer
    assert seen == []
    assert run(os.getpid) != os.getpid()
    with pytest.raises(Ended, match="can not serialize 'object'"):
        run(object)


def spin() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("function", "limits", "cause", "reason"),
    [
        (lambda: ctypes.string_at(0), Limits(), CRASH, r"ended by signal 11 \(SIGSEGV\)"),
        (lambda: os.kill(os.getpid(), 9), Limits(), CRASH, r"ended by signal 9 \(SIGKILL\)"),
        (lambda: os._exit(0), Limits(), CRASH, "ended without a message"),
        (lambda: 1 // 0, Limits(), ERROR, "raised ZeroDivisionError: "),
        (lambda: bytes(1 << 28), Limits(1 << 27), MEMORY, "more than 128 MB of memory"),
        (spin, Limits(cpu_seconds=1), PROCESSOR, "more than 1 s of processor time"),
        (signal.pause, Limits(wall_seconds=0.1), CLOCK, "not finished after 0.1 s"),
        (lambda: bytes(3 << 20), Limits(answer_bytes=2 << 20), MEMORY, "larger than 2 MB"),
    ],
)
def test_however_it_ends_the_reason_is_told(
    function: Callable[[], object], limits: Limits, cause: str, reason: str
) -> None:
    with pytest.raises(Ended, match=reason) as ended:
        run(function, limits)
    assert ended.value.cause == cause
    assert run(lambda: "the next one") == "the next one"


@pytest.mark.parametrize("function", [lambda: 1, lambda: os._exit(1), signal.pause])
def test_nothing_of_it_is_left(function: Callable[[], object]) -> None:
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = set(Path("/proc/self/fd").iterdir()), children.read_text()
    with contextlib.suppress(Ended):
        run(function, Limits(wall_seconds=0.1 if function is signal.pause else 600.0))
    assert (set(Path("/proc/self/fd").iterdir()), children.read_text()) == before
