"""What ``share`` means: how many notebooks hold a place on a device at once."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator
from typing import Any

from autograder.host import gpus
from benchmarks.gpu.machine import GIB, Machine
from benchmarks.gpu.table import Row

SHARES = tuple(range(1, 13))
ENTER_SECONDS = 10.0
WAIT_SECONDS = 0.5  # in which one more would have been let in


def places(machine: Machine, shares: tuple[int, ...] = SHARES) -> Iterator[Row]:
    """As many as ``share`` says hold one, and one more waits."""
    found = {share: held(machine, share) for share in shares}
    numbers = " ".join(str(count) for count, _ in found.values())
    wanted = " ".join(map(str, shares))
    yield Row(f"places where share is {wanted}", numbers, wanted, numbers == wanted)
    memory = " ".join(f"{size / GIB:.1f}" for _, size in found.values())
    yield Row("memory of each, GiB, where 1 TiB is asked for", memory)


def held(machine: Machine, share: int) -> tuple[int, int]:
    """How many of share + 1 processes get a place while nobody leaves, and the memory of one."""
    context = multiprocessing.get_context("fork")  # of this process, which has no thread yet
    entered, leave = context.Queue(), context.Event()
    arguments = (machine.device, share, entered, leave)
    holders = [context.Process(target=_hold, args=arguments) for _ in range(share + 1)]
    for holder in holders:
        holder.start()
    memory: list[int] = []
    try:
        while len(memory) <= share:
            seconds = ENTER_SECONDS if len(memory) < share else WAIT_SECONDS
            memory.append(entered.get(timeout=seconds))
    except queue.Empty:
        pass
    leave.set()
    for holder in holders:
        holder.join()
    return len(memory), memory[0] if memory else 0


def _hold(device: gpus.Device, share: int, entered: Any, leave: Any) -> None:
    with gpus.reserve_gpu([device], share, 1 << 40) as gpu:
        entered.put(gpu.memory_bytes)
        leave.wait()
