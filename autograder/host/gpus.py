"""The GPUs of this host, and who may use which: as many kernels on each as its notebook allows.

Found and watched through NVML, the driver's own library.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pynvml

from autograder.notebook.template import MAX_SHARE
from autograder.sandbox.policy import Gpu

MOST = MAX_SHARE  # kernels on one device
CONTROL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
# What CUDA itself takes on a device for each process, with some room: 0.6 GiB on an H200.
CONTEXT_BYTES = 768 << 20
LEAST_BYTES = 512 << 20  # of memory beyond that: a smaller part of a device is of no use
LOOK_SECONDS = 0.1  # between two looks for a place


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


def places(device: Device, share: int) -> int:
    """How many notebooks that share a device by ``share`` it takes: so many, if it has the memory.

    Each has a context of CUDA's besides what it asks for.
    """
    return max(1, min(share, device.total_bytes // (CONTEXT_BYTES + LEAST_BYTES)))


def taken(device: Device) -> Fraction:
    """The part of a device that is given out at the moment.

    Not for who has a place there: to close the file lets go of it.
    """
    with _lock_file(device.uuid) as file:
        return sum((Fraction(1, count) for count in _holders(file).values()), Fraction(0))


@contextmanager
def reserve_gpu(found: Sequence[Device], share: int, memory_bytes: int) -> Iterator[Gpu]:
    """A place on one of the devices ``found``, once there is one.

    It is a ``share``-th part of a device, beside parts of other sizes as long as all are at most
    the whole. All workers of this user on this host say in the same files what they hold; the
    system lets go of what one held that dies. The device with the most room is taken. Who finds no
    room waits for it and lets nobody pass: else a notebook that wants a device for itself would
    never get it.

    The memory is what the part has beside a context of CUDA's, at most ``memory_bytes``.
    """
    with _lock_file("queue") as queue:
        fcntl.lockf(queue, fcntl.LOCK_EX)
        while (device := _with_room(found, share)) is None:
            time.sleep(LOOK_SECONDS)
        count = places(device, share)
        with _lock_file(device.uuid) as file:
            number = next(one for one in range(MOST) if _lock(file, one))
            os.pwrite(file, bytes([count]), number)
            fcntl.lockf(queue, fcntl.LOCK_UN)
            room = max(LEAST_BYTES, device.total_bytes // count - CONTEXT_BYTES)
            memory = min(memory_bytes, room)
            yield Gpu(device.name, device.uuid, device.nodes, memory, device.total_bytes)


def _with_room(found: Sequence[Device], share: int) -> Device | None:
    """For the holder of the queue, who alone takes places."""
    room = {device: 1 - taken(device) for device in found}
    able = [device for device in found if room[device] >= Fraction(1, places(device, share))]
    return max(able, key=lambda device: room[device], default=None)


def _holders(file: int) -> dict[int, int]:
    """Who holds a part: byte ``number`` of the file is locked, and says the how-manieth part."""
    found = {}
    for number in range(MOST):
        if _lock(file, number):
            fcntl.lockf(file, fcntl.LOCK_UN, 1, number)
        else:
            found[number] = max(1, *os.pread(file, 1, number))
    return found


def _lock(file: int, number: int) -> bool:
    """Whether byte ``number`` could be locked, since nobody else has."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _lock_file(name: str) -> Iterator[int]:
    path = Path(tempfile.gettempdir()) / f"cs231n-gpu-{os.getuid()}-{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
