"""A process of its own for whatever reads data of an enemy's choosing: it may die, and nobody else.

A fork of this process answers one question and is gone. It has limits of memory, of processor time
and of the clock; however it ends, the caller gets its answer or :class:`Ended` with the reason.
The answer is plain data (msgpack): were the child taken over, it could send nothing that runs here.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import msgpack

from autograder.sandbox import own_memory, syscalls

T = TypeVar("T")

MEMORY, PROCESSOR, CLOCK, CRASH, ERROR = "memory", "processor", "clock", "crash", "error"
CALLER = "caller"
_ANSWER, _EXCEPTION = b"a", b"e"
_CAUSE_CHARACTERS = 300


@dataclass(frozen=True)
class Limits:
    """What one child may take: memory beyond what it shares with its parent, and time."""

    memory_bytes: int = 2 << 30
    cpu_seconds: int = 60  # of processor time, which a busy machine does not use up
    wall_seconds: float = 600.0
    answer_bytes: int = 512 << 20


class Ended(Exception):
    """The child gave no answer. The message says why, ``cause`` in one of the words above."""

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause


def run_limited(function: Callable[[], T], limits: Limits = Limits(), caller: int = -1) -> T:
    """What ``function`` returns, called in a fork of this process. Raises Ended.

    Its answer is what msgpack brings across: None, numbers, text, bytes, lists and dicts of these;
    tuples come back as lists. Nothing else it does is seen here, but what it does to files and
    sockets. Call it from a thread that outlives the call; locks that other threads hold at that
    moment stay locked in the child. ``caller``: a socket or pipe; once its other end is closed,
    nobody waits for the answer any more.
    """
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    gc.freeze()  # a collection in the child would touch, and so copy, every page of ours
    try:
        child = os.fork()
        if child == 0:
            _answer(function, limits, theirs, parent)
    finally:
        gc.unfreeze()
        os.close(theirs)
    try:
        said = _listen(ours, limits, caller)
    except BaseException:
        _kill(child)
        _reap(child)
        raise
    finally:
        os.close(ours)
    return _understood(said, _reap(child), limits)


# -- the child ----------------------------------------------------------------------------------


def _answer(function: Callable[[], Any], limits: Limits, pipe: int, parent: int) -> NoReturn:
    """The life of the child. No exit handler and no ``finally`` of the parent's code runs in it."""
    said = _EXCEPTION
    try:
        _settle(limits, parent)
        said = _ANSWER + _packed(function())
    except MemoryError:
        said = _EXCEPTION + _packed([MEMORY, ""])
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"[:_CAUSE_CHARACTERS]
        said = _EXCEPTION + _packed([ERROR, text])
    finally:
        with contextlib.suppress(BaseException):
            view = memoryview(said)
            while view:
                view = view[os.write(pipe, view) :]
        os._exit(0)


def _settle(limits: Limits, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    syscalls.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)
    syscalls.set_dumpable(False)
    faulthandler.disable()  # the parent says how a child ended, in one sentence
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    # What counts so far is inherited, most of it.
    _limit(resource.RLIMIT_DATA, own_memory.sizes().get("VmData", 0) + limits.memory_bytes)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # The hard limit of time comes a second later: its signal is SIGKILL, which says less.
    above = 1 if kind == resource.RLIMIT_CPU and value != hard else 0
    resource.setrlimit(kind, (value, value + above))


def _packed(plain: Any) -> bytes:
    packed = msgpack.packb(plain, unicode_errors="surrogatepass")
    assert packed is not None  # msgpack's type for "written to a stream"
    return packed


# -- the parent ---------------------------------------------------------------------------------


def _listen(pipe: int, limits: Limits, caller: int) -> bytes:
    """Everything that the child says until it is gone. Raises Ended at a limit of ours."""
    said = bytearray()
    deadline = time.monotonic() + limits.wall_seconds
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    if caller >= 0:
        poll.register(caller, 0)  # a hang-up is always reported
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Ended(f"it had not finished after {limits.wall_seconds:g} s", CLOCK)
        ready = [descriptor for descriptor, _ in poll.poll(1000 * min(left, 60.0))]
        if caller in ready:
            raise Ended("nobody is waiting for it any more", CALLER)
        if ready:
            data = os.read(pipe, 1 << 20)
            if not data:
                return bytes(said)
            said += data
            if len(said) > limits.answer_bytes:
                raise Ended(f"its result is larger than {limits.answer_bytes >> 20} MB", MEMORY)


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)  # not reaped yet, so the number is still its own


def _reap(child: int) -> int:
    """How it ended, as os.waitpid says it."""
    try:
        return os.waitpid(child, 0)[1]
    except ChildProcessError:  # whoever runs us ignores the end of children
        return 0


def _understood(said: bytes, status: int, limits: Limits) -> Any:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            reason = f"it took more than {limits.cpu_seconds} s of processor time"
            raise Ended(reason, PROCESSOR)
        raise Ended(f"its process was ended by {_signal(number)}", CRASH)
    kind, packed = said[:1], said[1:]
    try:
        plain = msgpack.unpackb(packed, strict_map_key=False, unicode_errors="surrogatepass")
    except ValueError:
        raise Ended("its process ended without a message", CRASH) from None
    if kind == _ANSWER:
        return plain
    cause, text = plain
    if cause == MEMORY:
        raise Ended(f"it needed more than {limits.memory_bytes >> 20} MB of memory", MEMORY)
    raise Ended(f"it raised {text}", ERROR)


def _signal(number: int) -> str:
    with contextlib.suppress(ValueError):
        return f"signal {number} ({signal.Signals(number).name})"
    return f"signal {number}"
