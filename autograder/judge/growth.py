"""Loops found by what they cost: how much processor time each row more takes, seen from outside.

Source can hide a loop; its cost cannot be hidden, since the judge asks the system for it and not
the kernel. Processor time depends little on how busy the machine is, and what is allowed is
measured beside it, on the same machine at the same moment, and far from what either answer takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from autograder.judge.expect import Failed
from autograder.judge.student import Student

FEW, MANY = 1_000, 21_000  # rows
TRIES = 5
Call = Callable[[], object]


def forbid_growth(student: Student, prepare: Callable[[int], Call], hint: str) -> None:
    """Fail when each row more costs as much as a Python loop would.

    ``prepare(rows)`` puts short rows into the kernel and returns the call that works on them. A
    loop over something of which there are always as many (classes, test rows) passes.
    """
    few, many = prepare(FEW), prepare(MANY)
    spent = 0.0
    for _ in range(TRIES):  # once is enough for whoever has no loop
        before = student.cpu_seconds()
        few()
        between = student.cpu_seconds()
        many()
        spent = (student.cpu_seconds() - between) - (between - before)
        if spent < _loop_seconds(MANY - FEW):
            return
    each = spent / (MANY - FEW) * 1e6
    raise Failed(
        f"each additional row takes {each:.1f} microseconds of processor time, as much as a Python "
        f"loop over the rows does (with {MANY:,} rows instead of {FEW:,}). {hint}"
    )


def _loop_seconds(rows: int) -> float:
    """What a loop takes here and now that does one small thing with NumPy for each row.

    Naive losses and distances take three times as long or more; what works on all rows at once
    takes less than a third.
    """
    tried = rows // 10
    array = np.ones((tried, 4))
    started = time.thread_time()
    for row in array:
        row.sum()
    return (time.thread_time() - started) / tried * rows
