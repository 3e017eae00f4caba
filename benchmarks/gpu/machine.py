"""The device that is measured, and its name in the table; in a dry run, what stands for it."""

from __future__ import annotations

import datetime
import os
import platform
from dataclasses import dataclass

import pynvml

from autograder.host import gpus
from autograder.host.gpus import Device
from autograder.sandbox.policy import Gpu

GIB = 1 << 30
STAND_IN = Device("no GPU, a dry run", "GPU-0", "/dev/full", 16 * GIB)


@dataclass(frozen=True)
class Machine:
    """``device``: a GPU. ``cuda``: what cells compute on, "cpu" in a dry run."""

    device: Device
    cuda: str = "cuda"

    @property
    def dry(self) -> bool:
        return self.cuda == "cpu"

    def share(self, memory_bytes: int = 2 * GIB) -> Gpu:
        """A part of the device, as the judge sets one apart for a notebook."""
        one = self.device
        return Gpu(one.name, one.uuid, one.nodes, memory_bytes, one.total_bytes)


def find(*, dry: bool) -> tuple[Machine | None, str]:
    """The first GPU that can be used here; where there is none, why."""
    if dry:
        return Machine(STAND_IN, "cpu"), ""
    found, why = gpus.usable_devices()
    return (Machine(found[0]), "") if found else (None, why)


def described(machine: Machine) -> str:
    """The day, the device, and what else figures depend on."""
    import torch

    driver = "none" if machine.dry else str(pynvml.nvmlSystemGetDriverVersion())
    return ", ".join(
        (
            f"{datetime.date.today().isoformat()}: {machine.device.name}",
            f"{machine.device.total_bytes / GIB:.0f} GiB",
            f"driver {driver}",
            f"Linux {platform.release()}",
            f"PyTorch {torch.__version__}",
            f"Python {platform.python_version()}",
            f"{len(os.sched_getaffinity(0))} cores",
        )
    )
