"""Loops found by what they cost: how much processor time each row more takes, seen from outside.

Source can hide a loop; its cost cannot be hidden, since the judge asks the system for it and not
the kernel. Processor time depends little on how busy the machine is, and what is allowed is
measured beside it, on the same machine at the same moment, and far from what either answer takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.judge.expect import Failed
from autograder.judge.student import Student

FEW, MANY = 1_000, 21_000  # rows
TRIES = 5
Call = Callable[[], object]


def forbid_growth(student: Student, prepare: Callable[[int], Call], hint: str) -> None:
    """Fail when each row more costs as much as a Python loop would.

    ``prepare(rows)`` puts short rows into the kernel and returns the call that works on them, and
    that compares its answer by :func:`expect_same_of_few`: nothing is quicker than doing nothing. A
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


def expect_same_of_few(many: Any, few: Any, factors: Sequence[float] = (1.0,)) -> None:
    """Fail when the timed call's answer is not the one that a call with few of its rows gives.

    Both are the student's own, so a mistake in the formula is not charged here. ``factors``: by
    which the first may be larger, for instance where rows come again and somebody adds them up.
    """
    expected, got = _numbers(few), _numbers(many)
    if expected is None:
        return  # whatever it is, other checks look at it
    if got is not None and got.shape == expected.shape:
        scaled = (expected * factor for factor in factors)
        if any(np.allclose(got, one, rtol=1e-2, atol=1e-5, equal_nan=True) for one in scaled):
            return
    raise Failed("with many rows it returns something else than with a few of the same rows")


def _numbers(value: Any) -> np.ndarray | None:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None


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
