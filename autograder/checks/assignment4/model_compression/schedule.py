"""What is asked of prune_schedule, a number."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, check, expect_close

QUESTION, NAME = "prune-schedule", "prune_schedule"


@check(QUESTION, probe="MC-A5", weight=4)
def ramp_is_cubic(student: Student, rng: Generator) -> None:
    """Steps on the ramp, which does not begin at 0."""
    for _ in range(3):
        begin, final = int(rng.integers(20, 60)), float(rng.uniform(0.5, 0.97))
        end = begin + int(rng.integers(50, 200))
        step = begin + (end - begin) * rng.uniform(0.2, 0.4)
        p = (step - begin) / (end - begin)
        late = step / end
        slips = {
            "the sparsity rises along a straight line": final * p,
            "the ramp begins slowly: 1 minus the progress is to be cubed": final * p**3,
            "the ramp is the wrong way round: it falls": final * (1 - p) ** 3,
            "the ramp is quadratic, not cubic": final * (1 - (1 - p) ** 2),
            "final does not reach the formula": 1 - (1 - p) ** 3,
            "begin is not subtracted": final * (1 - (1 - late) ** 3),
            "progress is divided by end, not by end - begin": (
                final * (1 - (1 - (step - begin) / end) ** 3)
            ),
        }
        got = student.call(NAME, step, begin, end, final)
        expect_close(got, final * (1 - (1 - p) ** 3), what="the sparsity", slips=slips)


@check(QUESTION, probe="MC-A5", weight=2)
def is_zero_before_and_final_after(student: Student, rng: Generator) -> None:
    """Before the ramp 0, after it the final sparsity."""
    begin, final = int(rng.integers(20, 60)), float(rng.uniform(0.5, 0.97))
    end = begin + int(rng.integers(50, 200))
    for step, want in ((0, 0.0), (begin - 1, 0.0), (begin, 0.0), (end, final), (3 * end, final)):
        where = "after" if step > end else "before" if step < begin else "at an end of"
        got = np.asarray(student.call(NAME, step, begin, end, final), float)
        expect_close(got, want, what=f"the sparsity {where} the ramp")
