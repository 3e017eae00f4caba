"""What one sandbox may do, as plain data that crosses from the judge to the zygote as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from autograder.errors import NeedsHuman

Tier = Literal["root", "userns", "flat", "none"]
TIERS: tuple[Tier, ...] = get_args(Tier)  # best first
Packages = Literal["all", "numpy"]
PACKAGES: tuple[Packages, ...] = get_args(Packages)

AGENT = "autograder.sandbox.agent:serve"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MIN_MEMORY = 600 * MIB  # with less, OpenBLAS hangs instead of raising MemoryError


class SandboxError(NeedsHuman):
    """A sandbox could not be set up; no student code has run.

    ``stage`` names the layer that failed, for example ``"landlock"``.
    """

    next_step = "Run `python -m autograder doctor`."

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"sandbox, stage {stage!r}: {reason}")
        self.stage = stage
        self.reason = reason

    def __reduce__(self) -> tuple[type[SandboxError], tuple[str, str]]:
        return SandboxError, (self.stage, self.reason)  # it may come from another process


@dataclass(frozen=True)
class Limits:
    """Resources of one sandbox. Sizes in bytes; processes and inodes are counts.

    ``memory_bytes`` holds for each process (RLIMIT_DATA). The judge's watchdog looks after the
    total of all processes, see ``Sandbox.private_bytes``.
    """

    memory_bytes: int = 4 * GIB
    processes: int = 256
    open_files: int = 1024
    file_bytes: int = 256 * MIB
    cpu_seconds: int = 3600  # of one process; the wall clock is the judge's
    work_bytes: int = 256 * MIB
    tmp_bytes: int = 128 * MIB
    shm_bytes: int = 128 * MIB
    inodes: int = 8192  # of each of the three file systems above

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value <= 0:
                raise ValueError(f"Limits.{name} must be positive, got {value}")
        if self.memory_bytes < MIN_MEMORY:
            raise ValueError(
                f"Limits.memory_bytes is {self.memory_bytes >> 20} MiB; numpy and torch need at "
                f"least {MIN_MEMORY >> 20} MiB"
            )


@dataclass(frozen=True)
class Gpu:
    """The share of a GPU that one sandbox gets.

    ``uuid`` is what CUDA calls it, ``nodes`` its device files. Of its ``total_bytes`` PyTorch gives
    out ``memory_bytes``; code that goes round PyTorch is for the judge's watchdog.
    """

    name: str
    uuid: str
    nodes: tuple[str, ...]
    memory_bytes: int
    total_bytes: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gpu:
        return cls(**{**data, "nodes": tuple(data["nodes"])})


@dataclass(frozen=True)
class Library:
    """What students import, which is there in every sandbox.

    ``folder``: the course's, where it lies in there and not among the installed packages. Of that
    folder nothing else may be readable inside; ``hidden`` names what there has to be kept so, as
    far as not every course has it.
    """

    name: str = "cs231n_lib"
    folder: str = ""
    hidden: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Library:
        return cls(**{**data, "hidden": tuple(data["hidden"])})


#: That of the course that comes with the engine.
OWN_LIBRARY = Library()


@dataclass(frozen=True)
class Policy:
    """Everything a zygote needs to know; the limits come with each fork.

    Fields
        tier: which kind of lock-down (see docs/threat-model.md).
        readable: extra files and folders that the sandbox may read, such as the data cache.
        stage: an empty folder of the host on which the sandbox's root is mounted.
        entry: ``module:function``, called with the channel once everything is locked.
        env: environment inside the sandbox, on top of the standard one.
        warm: import what notebooks use before the first fork.
        blas_threads: threads of BLAS and OpenMP in a sandbox.
        gpu_nodes: device files that a fork may be given, see :class:`Gpu`.
        packages: all that are installed, or those of a notebook in NumPy (``packages.py``).
        library: what students import.
    """

    tier: Tier
    readable: tuple[str, ...] = ()
    stage: str = ""
    entry: str = AGENT
    env: Mapping[str, str] = field(default_factory=dict)
    warm: bool = True
    blas_threads: int = 1
    gpu_nodes: tuple[str, ...] = ()
    packages: Packages = "all"
    library: Library = OWN_LIBRARY

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError(f"unknown isolation tier {self.tier!r}; use one of {', '.join(TIERS)}")

    @property
    def namespaces(self) -> bool:
        """Whether this tier has its own mount, pid, network, ipc and uts namespaces."""
        return self.tier in ("root", "userns")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        tuples = {name: tuple(data[name]) for name in ("readable", "gpu_nodes")}
        return cls(**{**data, **tuples, "library": Library.from_json(data["library"])})
