"""Places on GPUs: taken, waited for and let go of by real processes. No GPU is needed."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from autograder.host import gpus
from autograder.notebook.template import MAX_SHARE

GIB = 1 << 30
WAITS = "waits"
SECONDS = 120  # on the busiest of machines, for what takes a moment


def device(number: int = 0, total_bytes: int = 48 * GIB) -> gpus.Device:
    return gpus.Device(f"d{number}", f"GPU-{number}", "/dev/full", total_bytes)


def hold(link: Connection, devices: list[gpus.Device], share: int) -> None:
    """In a process of its own: take a place, saying so if it has to be waited for, until told."""
    pause, told = time.sleep, []

    def sleep(seconds: float) -> None:
        if not told:
            told.append(link.send(WAITS))
        pause(seconds)

    gpus.time.sleep = sleep  # of this process alone
    with gpus.reserve_gpu(devices, share, 40 * GIB) as gpu:
        link.send((gpu.name, gpu.memory_bytes))
        link.recv()


class Holder:
    """A process that has, or waits for, the ``share``-th part of one of the devices."""

    def __init__(self, devices: list[gpus.Device], share: int) -> None:
        context = multiprocessing.get_context("fork")
        self._link, theirs = context.Pipe()
        self.process = context.Process(target=hold, args=(theirs, devices, share), daemon=True)
        self.process.start()
        theirs.close()

    def says(self) -> Any:
        """The next thing: that it waits, or the name of its device and its memory."""
        assert self._link.poll(SECONDS), "neither a place nor a word"
        return self._link.recv()

    def leave(self) -> None:
        self._link.send("leave")
        self.process.join()


Start = Callable[..., Holder]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts holders that know no others of this machine, and ends them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started: list[Holder] = []

    def begin(devices: list[gpus.Device], share: int) -> Holder:
        started.append(Holder(devices, share))
        return started[-1]

    yield begin
    for holder in started:
        holder.process.kill()
        holder.process.join()


@pytest.mark.parametrize("share", range(1, MAX_SHARE + 1))
def test_a_share_is_so_many_places(share: int, start: Start) -> None:
    """Each with its part of the memory; one more waits, until one of them is killed."""
    one = device()
    holders = [start([one], share) for _ in range(share)]
    each = one.total_bytes // share - gpus.CONTEXT_BYTES
    assert [holder.says() for holder in holders] == [("d0", min(each, 40 * GIB))] * share
    assert gpus.taken(one) == 1
    another = start([one], share)
    assert another.says() == WAITS
    holders[share // 2].process.kill()
    assert another.says() == ("d0", min(each, 40 * GIB))
    holders[share // 2].process.join()
    assert gpus.taken(one) == 1


def test_notebooks_of_different_shares_fill_a_device(start: Start) -> None:
    """A fourth, a fourth and a third leave a sixth: too little for a fourth, enough for an eighth.

    What all may take, their contexts included, is no more than there is.
    """
    one = device()
    parts = (4, 4, 3)
    holders = [start([one], share) for share in parts]
    given = [holder.says() for holder in holders]
    needs = [memory + gpus.CONTEXT_BYTES for _, memory in given]
    assert needs == [one.total_bytes // share for share in parts]
    assert gpus.taken(one) == Fraction(5, 6)
    fourth = start([one], 4)
    assert fourth.says() == WAITS
    holders[2].leave()
    assert fourth.says() == ("d0", needs[0] - gpus.CONTEXT_BYTES)
    eighth = start([one], 8)
    assert eighth.says() == ("d0", one.total_bytes // 8 - gpus.CONTEXT_BYTES)
    assert gpus.taken(one) == Fraction(7, 8)


def test_the_device_with_the_most_room_is_taken(start: Start) -> None:
    devices = [device(0), device(1)]
    first, second = start(devices, 1), start(devices, 1)
    said = [first.says(), second.says()]
    assert sorted(said) == [("d0", 40 * GIB), ("d1", 40 * GIB)]
    third = start(devices, 1)
    assert third.says() == WAITS
    second.leave()
    assert third.says() == said[1]
    first.leave()
    assert start(devices, 4).says()[0] == said[0][0]


def test_who_wants_a_device_alone_is_not_passed_by(start: Start) -> None:
    """There is room for who comes late, and would always be: nobody would ever be alone."""
    one = device(total_bytes=8 * GIB)
    part = ("d0", 2 * GIB - gpus.CONTEXT_BYTES)
    sharing = [start([one], 4) for _ in range(3)]
    assert [holder.says() for holder in sharing] == [part] * 3
    alone = start([one], 1)
    assert alone.says() == WAITS
    late = start([one], 4)
    for holder in sharing:
        holder.leave()
    assert alone.says() == ("d0", 8 * GIB - gpus.CONTEXT_BYTES)
    assert late.says() == WAITS
    alone.leave()
    assert late.says() == part


def test_a_small_device_has_fewer_places() -> None:
    """Each part holds a context of CUDA's and something beside it."""
    small = device(total_bytes=4 * GIB)
    assert [gpus.places(small, share) for share in (1, 3, 12)] == [1, 3, 3]
    assert gpus.places(device(), 12) == 12
