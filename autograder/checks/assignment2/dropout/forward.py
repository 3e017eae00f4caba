"""What is asked of dropout_forward. How masks are judged: see `layer`.

Shapes: x and out are alike, of any number of axes.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.dropout import in_kernel
from autograder.checks.assignment2.dropout.layer import KEEP, SHAPES, ask_forward, away_from_zero
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    advice,
    check,
    expect,
    expect_close,
    expect_shape,
    expect_unchanged,
    name_slip,
)

CELL = "do-forward"
CENTRE = 10.0  # x around 10 is never 0, so a 0 in out is a dropped entry
CALLS = 200

# -- train mode -----------------------------------------------------------------------------------


@check(CELL, probe="DO-A1", weight=2)
def share_that_is_kept(student: Student, rng: Generator) -> None:
    """Which part of many numbers comes out as 0, for several p and for p = 1."""
    for p in (*KEEP, 1.0):
        _, out = _many(student, rng, p)
        dropped = float(np.mean(out == 0))
        reversed_ = p != 1 and abs(dropped - p) < 0.01
        message = f"for p = {p:g}, {dropped:.1%} of {out.size} numbers were dropped"
        expect(not reversed_, f"{message}: p is the probability to keep a number, not to drop it")
        # 250,000 coins: the share varies by 0.001, so 0.01 is never reached by chance.
        expect(abs(dropped - (1 - p)) < (0.01 if p < 1 else 1e-9), message)


@check(CELL, probe="DO-A1", weight=2)
def scale_of_what_is_kept(student: Student, rng: Generator) -> None:
    """Every number that is not 0, for several p and for p = 1: an exact multiple of x."""
    for p in (*KEEP, 1.0):
        x, out = _many(student, rng, p)
        kept = out != 0
        expect(kept.any(), f"everything was dropped, although p = {p:g}")
        _expect_scaled(out[kept], x[kept], p)


# This is what inverted dropout is: in each call other numbers are dropped, and on average over the
# calls nothing changes. Whoever does not keep that trains another network, always the same thinned
# one for instance; with the check that finds the cause, it takes about half of the points.
@check(CELL, probe="DO-A1", weight=5)
def mean_over_many_calls(student: Student, rng: Generator) -> None:
    """The mean of each number over two hundred calls without a seed is the number itself."""
    x, p = away_from_zero(rng, (20, 15)), 0.3
    answer = student.apply(in_kernel.mean_and_share, x, {"mode": "train", "p": p}, CALLS)
    expect(answer is not None, "dropout_forward does not return an array like x, and a cache")
    mean, share = (expect_shape(array, x.shape, "out") for array in answer)
    always, never = int(np.sum(share == 1)), int(np.sum(share == 0))
    # A number is kept in none of 200 calls once in 10**30 times, in all of them yet more rarely.
    expect(
        not (always and never),
        f"in {CALLS} calls without a seed, {always} of {x.size} numbers were kept in every call "
        f"and {never} in none: each call must draw a new mask",
    )
    # A ratio varies by sqrt((1 - p) / p / 200) = 0.11, the mean of all 300 by 0.006; six times
    # that is never reached by chance.
    ratio = mean / x
    right = abs(ratio.mean() - 1) < 0.04 and np.all(np.abs(ratio - 1) < 0.66)
    expect(
        right,
        f"over {CALLS} calls with p = {p:g}, the mean of out is between {ratio.min():.2f} and "
        f"{ratio.max():.2f} times x, and {ratio.mean():.2f} times on average",
    )


@check(CELL, probe="DO-A7", weight=2)
def each_number_has_its_own_coin(student: Student, rng: Generator) -> None:
    """Numbers are dropped independently: not by rows, columns or images, nor alike in each call."""
    p = 0.5
    for shape in ((400, 300), (12, 10, 32, 33)):
        x = CENTRE + rng.uniform(-1, 1, size=shape)
        outs = [ask_forward(student, x, {"mode": "train", "p": p})[0] for _ in range(2)]
        kept = np.stack(outs, axis=-1) != 0
        correlations = {
            axis: max(
                abs(_correlation(kept.astype(np.float64), axis, step))
                for step in {1, min(2, length - 1), length // 2}
            )
            for axis, length in enumerate(kept.shape)
        }
        axis = max(correlations, key=lambda axis: correlations[axis])
        where = f"numbers that differ only in axis {axis} of a shape {shape} are"
        if axis == len(shape):
            where = "in two calls without a seed, the same numbers are"
        # Of 60,000 pairs or more, the correlation varies by 0.004.
        expect(
            correlations[axis] < 0.03,
            f"{where} kept together, or never together: toss a coin for each number of x",
        )


@check(CELL, probe="DO-A6")
def any_shape(student: Student, rng: Generator) -> None:
    """Arrays of one to four axes; numbers of both signs."""
    for shape in SHAPES:
        p = float(rng.uniform(0.4, 0.6))
        x = away_from_zero(rng, shape)
        out, _ = ask_forward(student, x, {"mode": "train", "p": p})
        kept = out != 0
        # 600 coins or more: nobody throws only heads, or only tails.
        some = 0.1 < kept.mean() < 0.9
        expect(some, f"{kept.mean():.0%} are kept in an x of shape {shape}, for p = {p:.2f}")
        _expect_scaled(out[kept], x[kept], p)


# -- random numbers -------------------------------------------------------------------------------


@check(CELL, probe="DO-A3")
def masks_differ_from_call_to_call(student: Student, rng: Generator) -> None:
    """Two calls without a seed, and a call with a seed between two without."""
    x = away_from_zero(rng, (30, 20))
    seed = int(rng.integers(1, 2**31))
    given = ({}, {}, {"seed": seed}, {})
    outs = [ask_forward(student, x, {"mode": "train", "p": 0.5} | more)[0] for more in given]
    again = "two calls without a seed dropped the same numbers: draw a new mask each time"
    expect(not np.array_equal(outs[0] != 0, outs[1] != 0), again)
    # After the same seed, the global generator goes on alike; that much is free.
    expect(not np.array_equal(outs[1] != 0, outs[3] != 0), again)
    expect(
        not np.array_equal(outs[2] != 0, outs[3] != 0),
        "a call without a seed repeated the mask of the call before, which had one",
    )


@check(CELL, probe="DO-A3")
def seed_makes_a_mask_repeatable(student: Student, rng: Generator) -> None:
    """The same seed twice, with another call in between; then another seed."""
    for shape in ((30, 20), (4, 3, 6, 9)):
        x = away_from_zero(rng, shape)
        first, second = (int(s) for s in rng.choice(2**31 - 1, size=2, replace=False))
        param = {"mode": "train", "p": 0.6}
        once, _ = ask_forward(student, x, param | {"seed": first})
        other, _ = ask_forward(student, x, param | {"seed": second})
        ask_forward(student, x, param)
        again, _ = ask_forward(student, x, param | {"seed": first})
        hint = "toss the coins with NumPy's global generator, which the given lines seed"
        expect_close(again, once, what="out for the same seed again", hint=hint)
        differ = not np.array_equal(other != 0, once != 0)
        expect(differ, "two seeds gave the same mask: the seed in dropout_param must count")


# -- test mode and dtype --------------------------------------------------------------------------


@check(CELL, probe="DO-A2", weight=2)
def test_mode_changes_nothing(student: Student, rng: Generator) -> None:
    """Test mode: out is x, for several p and shapes."""
    for p, shape in zip((*KEEP, 1.0), SHAPES, strict=True):
        x = away_from_zero(rng, shape)
        for more in ({}, {"seed": 3}):
            out, _ = ask_forward(student, x, {"mode": "test", "p": p} | more)
            slips = {
                "in test mode x is multiplied by p: with inverted dropout, the scaling happens in "
                "training and nothing is left to do": x * p,
                "in test mode x is divided by p: nothing is dropped there, so nothing has to be "
                "compensated": x / p,
            }
            expect_close(out, x, what="out in test mode", slips=slips)


@check(CELL, probe="DO-A6")
def dtype_is_kept(student: Student, rng: Generator) -> None:
    """float32 stays float32 and float64 stays float64, in both modes."""
    for dtype in (np.float32, np.float64):
        for mode in ("train", "test"):
            x = away_from_zero(rng, (7, 5)).astype(dtype)
            out, _ = ask_forward(student, x, {"mode": mode, "p": 0.5})
            expect(
                out.dtype == dtype,
                f"x is {np.dtype(dtype)} and out is {out.dtype}, in {mode} mode",
            )


@advice(CELL)
def x_is_unchanged(student: Student, rng: Generator) -> None:
    """x after the call: it may be changed, but a caller may still need it."""
    for mode in ("train", "test"):
        x = away_from_zero(rng, (6, 5))
        kept = student.put(x)
        student.call("dropout_forward", kept, {"mode": mode, "p": 0.5}, keep=True)
        expect_unchanged(student.fetch(kept), x, "x")


# -- asking and judging ---------------------------------------------------------------------------


def _many(student: Student, rng: Generator, p: float) -> tuple[Array, Array]:
    """x and out of many numbers. Two checks look at them, so they cross only once."""

    def ask() -> tuple[Array, Array]:
        x = CENTRE + rng.uniform(-1, 1, size=(500, 500 if p > 0.3 else 1000))
        return x, ask_forward(student, x, {"mode": "train", "p": p})[0]

    return student.once(f"dropout of many numbers, p = {p}", ask)


def _expect_scaled(kept: Array, x: Array, p: float) -> None:
    slips = {
        f"for p = {p:g}, what is kept is not scaled: then the next layer gets less in training "
        "than in test mode": x,
        f"for p = {p:g}, what is kept is multiplied by p": x * p,
    }
    if p < 1:
        slips[f"for p = {p:g}, what is kept is scaled by 1 - p instead of p"] = x / (1 - p)
    name_slip(kept, x / p, slips)
    expect_close(kept, x / p, what=f"what is kept for p = {p:g}")


def _correlation(kept: Array, axis: int, step: int) -> float:
    """Of entries of a 0/1 array and those ``step`` further along an axis."""
    length = kept.shape[axis]
    first = np.take(kept, range(length - step), axis) - kept.mean()
    second = np.take(kept, range(step, length), axis) - kept.mean()
    spread = kept.var()
    return float(np.mean(first * second) / spread) if spread else 1.0
