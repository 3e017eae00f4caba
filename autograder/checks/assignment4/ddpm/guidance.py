"""What is asked of Unet.cfg_forward, over a forward pass that is a simple formula.

Weights: a scale that is forgotten after the first call makes a different experiment of every
sample, and costs as much as a wrong formula.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment4.ddpm import in_kernel
from autograder.judge import Student, check, expect, expect_close

CELL = "guidance"
SHAPE = (3, 3, 2, 2)


@check(CELL, probe="CFG-A1", weight=2)
def scale_0_is_the_conditional_answer(student: Student, rng: Generator) -> None:
    """With scale 0, the answer with the text."""
    _expect_guided(student, rng, 0.0)


@check(CELL, probe="CFG-A1", weight=4)
def answers_are_combined(student: Student, rng: Generator) -> None:
    """With other scales, small and large ones."""
    for scale in (0.5, 2.5, 7.0):
        _expect_guided(student, rng, scale)


@check(CELL, probe="CFG-A2", weight=4)
def scale_is_kept(student: Student, rng: Generator) -> None:
    """Three calls with the same dictionary: the same answer each time, and the same dictionary."""
    found = _found(student, rng, 2.0, 3)[0]
    forgotten = "the second call with the same dictionary is not guided: the caller's has changed"
    expect(found["counts"][1] > 1, forgotten)
    expect(
        found["keys"] == ["cfg_scale", "other", "text_emb"], "the caller's dictionary has changed"
    )
    first, *others = found["found"]
    for other in others:
        expect_close(other, first, what="the answer of a later call", precision="float32")


@check(CELL, probe="CFG-A3", weight=2)
def network_is_asked_twice(student: Student, rng: Generator) -> None:
    """Two forward passes, with and without the text, all else as it was given."""
    found, x, text = _found(student, rng, 3.0, 1)
    asked, count = found["asked"], found["counts"][0]
    expect(count == 2, f"forward is called {count} times")
    without = [one["text"] is None for one in asked]
    expect(sorted(without) == [False, True], f"of two calls, {sum(without)} are without a text")
    for one in asked:
        expect("other" in one["others"], "another entry of model_kwargs is lost")
        expect_close(one["x"], x, what="x, as forward is given it", precision="float32")
        if one["text"] is not None:
            expect_close(one["text"], text, what="the text", precision="float32")


def _expect_guided(student: Student, rng: Generator, scale: float) -> None:
    found, x, text = _found(student, rng, scale, 1)
    sums = text.sum(axis=1).reshape(-1, 1, 1, 1)
    one, none, zeros = 2 * x + sums, 1 - x, 2 * x
    want = (scale + 1) * one - scale * none
    slips: dict[str, Any] = {
        "this is the answer with the text, without guidance": one,
        "this is the answer without the text": none,
        "the two answers are exchanged": (scale + 1) * none - scale * one,
        "the answer without the text is added": (scale + 1) * one + scale * none,
        "this is w * with - (w - 1) * without: the scale counts from 1 here": (
            scale * one - (scale - 1) * none
        ),
        "this is a mean of the two answers": scale * one + (1 - scale) * none,
        "the second call has zeros for a text; without a text means None": (
            (scale + 1) * one - scale * zeros
        ),
    }
    what = f"the answer with scale {scale:g}"
    expect_close(found["found"][0], want, what=what, precision="float32", slips=slips, atol=1e-4)


def _found(
    student: Student, rng: Generator, scale: float, times: int
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    x, text = (rng.normal(size=shape).astype(np.float32) for shape in (SHAPE, (3, 5)))
    given = {"text_emb": torch.from_numpy(text), "cfg_scale": scale, "other": "kept"}
    sent = torch.from_numpy(x), torch.from_numpy(rng.integers(0, 50, 3)), given
    return student.apply(in_kernel.guided, *sent, times), x.astype(float), text.astype(float)
