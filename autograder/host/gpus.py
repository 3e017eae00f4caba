"""The GPUs of this host, and who may use which: as many kernels on each as its notebook allows.

Found and watched through NVML, the driver's own library.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pynvml

from autograder.notebook.template import MAX_SHARE
from autograder.sandbox.policy import Gpu

SLOTS = MAX_SHARE  # parts that a device is shared out in: a sixth of it is two
CONTROL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
CONTEXT_BYTES = 1 << 30  # what CUDA itself takes on a device for each process, with some room


@dataclass(frozen=True)
class Device:
    """One GPU of this host."""

    name: str
    uuid: str
    node: str
    total_bytes: int

    @property
    def nodes(self) -> tuple[str, ...]:
        """All device files it takes to compute on it."""
        return tuple(path for path in (self.node, *CONTROL) if Path(path).exists())


def devices() -> tuple[tuple[Device, ...], str]:
    """The GPUs that can be used here; where there are none, why."""
    try:
        pynvml.nvmlInit()
        found = list(_permitted(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        return (), f"no GPU here (NVML: {error})"
    usable = tuple(device for device in _given(found) if Path(device.node).exists())
    return usable, "" if usable else "no GPU here (the driver names none with a device file)"


def _permitted(count: int) -> Iterator[Device]:
    """Without those that a batch system has given to other jobs: the driver counts them, too."""
    for index in range(count):
        try:
            yield _device(index)
        except pynvml.NVMLError as error:
            if getattr(error, "value", None) != pynvml.NVML_ERROR_NO_PERMISSION:
                raise


def _given(found: Sequence[Device]) -> Iterator[Device]:
    """Those that CUDA would see: a batch system may name ours, and keep us from none."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        yield from found
        return
    for word in named.split(","):  # CUDA, too, stops at the first that there is not
        index = int(word) if word.strip().isdecimal() else -1
        of_name = [device for device in found if word and device.uuid.startswith(word.strip())]
        if 0 <= index < len(found):
            yield found[index]
        elif of_name:
            yield of_name[0]
        else:
            return


def usable_devices() -> tuple[tuple[Device, ...], str]:
    """`devices`, unless the installed PyTorch could not use them."""
    found, why = devices()
    if found:
        import torch  # seconds, and there mostly is no need

        if torch.version.cuda is None:
            return (), f"no GPU can be used (PyTorch {torch.__version__} is built without CUDA)"
    return found, why


def _device(index: int) -> Device:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    return Device(
        name=str(pynvml.nvmlDeviceGetName(handle)),
        uuid=str(pynvml.nvmlDeviceGetUUID(handle)),
        node=f"/dev/nvidia{pynvml.nvmlDeviceGetMinorNumber(handle)}",
        total_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
    )


def used_bytes(uuid: str, pids: Collection[int]) -> int:
    """Memory that these processes hold on a device, as far as the driver reports it.

    It reports nothing where it sees other process ids than we do, as in some containers.
    """
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError:
        return 0
    return sum(process.usedGpuMemory or 0 for process in running if process.pid in pids)


@contextmanager
def reserve_gpu(found: Sequence[Device], share: int, memory_bytes: int) -> Iterator[Gpu]:
    """A place on one of the devices ``found``, once there is one.

    On a device there are ``share`` places for notebooks like this one. All workers of this user on
    this host take their slots from the same files; the system frees those of one that dies. The
    device with the most room is taken. Who finds none free waits at one of them and lets nobody
    pass: else a notebook that wants a device for itself would never get it.
    """
    needed = -(-SLOTS // share)
    with _lock_file("queue") as queue:
        fcntl.lockf(queue, fcntl.LOCK_EX)
        free = {device: _free_slots(device) for device in found}
        device = max(found, key=lambda one: len(free[one]))
        with _lock_file(device.uuid) as slots:
            # Those that are free, then those that we have to wait for.
            order = sorted(range(SLOTS), key=lambda slot: slot not in free[device])
            for slot in order[:needed]:
                fcntl.lockf(slots, fcntl.LOCK_EX, 1, slot)
            fcntl.lockf(queue, fcntl.LOCK_UN)
            memory = min(memory_bytes, device.total_bytes // share)
            yield Gpu(device.name, device.uuid, device.nodes, memory, device.total_bytes)


def _free_slots(device: Device) -> list[int]:
    free = []
    with _lock_file(device.uuid) as slots:
        for slot in range(SLOTS):
            try:
                fcntl.lockf(slots, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
            except BlockingIOError:
                continue
            free.append(slot)
    return free  # closing the file has let go of them: only the holder of the queue takes slots


@contextmanager
def _lock_file(name: str) -> Iterator[int]:
    path = Path(tempfile.gettempdir()) / f"cs231n-gpu-{os.getuid()}-{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
