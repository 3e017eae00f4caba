"""What is asked of dropout_backward. How masks are judged: see `layer`.

Shapes: x, out, dout and dx are alike, of any number of axes.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.dropout.layer import (
    KEEP,
    SHAPES,
    ask_backward,
    ask_forward,
    away_from_zero,
)
from autograder.checks.shared.layers import Array
from autograder.judge import RTOL, Student, check, expect, expect_close

CELL = "do-backward"


@check(CELL, probe="DO-A4", weight=3)
def dx_has_the_mask_of_out(student: Student, rng: Generator) -> None:
    """Train mode: the gradient goes where the number went, scaled alike. One to four axes."""
    for p, shape in zip((0.25, 0.5, 0.8, 0.6), SHAPES, strict=True):
        x, dout = away_from_zero(rng, shape), away_from_zero(rng, shape)
        out, cache = ask_forward(student, x, {"mode": "train", "p": p})
        _expect_gradient(ask_backward(student, dout, cache), dout, _factor(out, x), p)


@check(CELL, probe="DO-A4")
def dx_where_x_is_zero(student: Student, rng: Generator) -> None:
    """An x in which many numbers are exactly 0, as after a ReLU."""
    p, shape = 0.6, (30, 20)
    x, dout = away_from_zero(rng, shape), away_from_zero(rng, shape)
    zero = rng.random(shape) < 0.5
    x[zero] = 0
    out, cache = ask_forward(student, x, {"mode": "train", "p": p})
    got = ask_backward(student, dout, cache)
    # What came of a 0 does not show in out. Of 300 numbers some are kept, whatever the coins say.
    passed = zero & (got != 0)
    slip = "where x is 0 but kept, the gradient must still pass: it depends on the mask, not on x"
    expect(passed.any(), slip)
    factor = _factor(out[~zero], x[~zero])
    whole = np.where(passed, np.max(np.abs(factor), initial=0.0), 0.0)
    whole[~zero] = factor
    _expect_gradient(got, dout, whole, p)


@check(CELL, probe="DO-A4")
def dx_of_several_calls(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for each: its own cache decides."""
    p, shape = 0.5, (20, 30)
    pairs = []
    for _ in range(2):
        x = away_from_zero(rng, shape)
        out, cache = ask_forward(student, x, {"mode": "train", "p": p})
        pairs.append((_factor(out, x), cache))
    for factor, cache in pairs:
        dout = away_from_zero(rng, shape)
        _expect_gradient(ask_backward(student, dout, cache), dout, factor, p)


@check(CELL, probe="DO-A5")
def dx_in_test_mode(student: Student, rng: Generator) -> None:
    """Test mode: dx is dout."""
    for p, shape in zip((*KEEP, 1.0), SHAPES, strict=True):
        x, dout = away_from_zero(rng, shape), away_from_zero(rng, shape)
        _, cache = ask_forward(student, x, {"mode": "test", "p": p})
        got = ask_backward(student, dout, cache)
        slips = {f"in test mode dx is dout times {f:.3g}": dout * f for f in (p, 1 / p)}
        expect_close(
            got, dout, what="dx in test mode", slips=slips, hint="out was x, so dx is dout"
        )


def _factor(out: Array, x: Array) -> Array:
    """What each number of x was multiplied by; x is never 0."""
    expect(np.isfinite(out).all(), "out in train mode holds numbers that are nan or infinite")
    return out / x


def _expect_gradient(got: Array, dout: Array, factor: Array, p: float) -> None:
    """``factor``: out / x of the forward call.

    Where forward scales wrongly it has lost its points for that. A backward function that fits it
    has made no mistake of its own, and neither has one that is right in itself.
    """
    want = dout * factor
    right = dout * (factor != 0) / p
    if np.allclose(got, right, rtol=RTOL["float64"], atol=1e-8):
        return
    scale = float(np.max(np.abs(factor), initial=0.0)) or 1.0
    slips = {
        "dx is dout with nothing dropped, although the mode was 'train'": dout,
        "dx has the right zeros but lacks the scaling of the forward pass": want / scale,
        "dx is scaled by 1 / p once more than the forward pass": want / p,
        "dx passes exactly where the forward pass dropped": dout * (factor == 0) * scale,
    }
    hint = "dx is dout with the mask of the forward pass, from the cache, and its scaling"
    expect_close(got, want, what="dx in train mode", slips=slips, hint=hint)
