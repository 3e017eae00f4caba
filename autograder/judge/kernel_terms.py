"""What a kernel is asked and answers in: its limits, what a cell gave, how it can end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.judge.outputs import Outputs
from autograder.judge.results import DIED
from autograder.sandbox.policy import Gpu


class KernelDied(Exception):
    """The kernel is gone; the message says why, for student and TA, ``kind`` in a word."""

    def __init__(self, reason: str, kind: str = DIED) -> None:
        super().__init__(reason)
        self.kind = kind


class CallTimeout(Exception):
    """The student's code was interrupted at its time limit; the kernel lives."""


@dataclass(frozen=True)
class KernelLimits:
    """What one kernel may take.

    Seconds are wall clock, less what the kernel spent waiting for a processor: a busy host does
    not make a solution slow (see :class:`Clock`).
    """

    cell_seconds: float = 120.0
    call_seconds: float = 20.0
    notebook_seconds: float = math.inf  # all cells and calls together
    memory_bytes: int = 4 << 30
    gpu: Gpu | None = None  # which it may use, and how much of it


@dataclass
class CellRun:
    """What running one cell gave: outputs in nbformat's terms, and how it ended."""

    outputs: Outputs = field(default_factory=list)
    ok: bool = False
    timed_out: bool = False
    error: Mapping[str, Any] = field(default_factory=dict)  # type, message, line, code: as it says
