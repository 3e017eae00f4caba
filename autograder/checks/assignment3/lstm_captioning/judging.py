"""Answers that may be right in more than one way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.checks.shared.layers import Array
from autograder.judge import RTOL, Slips, as_array, expect_near


def expect_one_of(
    got: Any, wants: Sequence[Array], *, what: str, slips: Slips | None = None, hint: str = ""
) -> None:
    """``got`` must be one of these, numbers only; messages compare it with the first."""
    first, *others = wants
    array = as_array(got, what)
    for other in others:
        if np.squeeze(array).shape == np.squeeze(other).shape and np.allclose(
            array.reshape(other.shape), other, rtol=RTOL["float64"], atol=_floor(other)
        ):
            return
    expect_near(array, first, what=what, slips=slips, hint=hint, squeeze=True)


def _floor(want: Array) -> float:
    return RTOL["float64"] * float(np.max(np.abs(want), initial=0.0)) + 1e-8
