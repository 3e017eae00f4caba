"""What is asked of Unet.forward, over parts of the right shapes with numbers of the judge's.

Weights: skips in the wrong places make a network that still learns something, which is why a
student may not notice; they cost most.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.judge import Student, check, expect_near

CELL, CONDITION = "unet-forward", 5
MESSAGES = {
    "first in, first out": "of the two skips of a level, the one saved first is used first",
    "skip first": "x and skip are concatenated with the skip first",
    "no context": "the blocks are not given the context",
    "one skip twice": "the second skip of a level is used for both blocks",
    "no middle": "the two middle blocks are left out",
    "middle swapped": "the middle blocks are exchanged",
    "no text": "the text has no effect",
    "skips of inputs": "what is saved is the input of each block, not its output",
}


@check(CELL, probe="UNET-A3", weight=4)
def two_levels_are_right(student: Student, rng: Generator) -> None:
    """Two levels, three images of 8 x 8, with texts."""
    _expect(student, rng, (4, CONDITION, (1, 2)), [(3, 8, 8, True)])


@check(CELL, probe="UNET-A2, UNET-A3", weight=2)
def other_sizes_are_right(student: Student, rng: Generator) -> None:
    """Images of 4 x 4, 8 x 4 and 4 x 8, one alone and several."""
    sizes = [(1, 4, 4, True), (3, 8, 4, True), (2, 4, 8, True)]
    _expect(student, rng, (4, CONDITION, (1, 2)), sizes)


@check(CELL, probe="UNET-A3", weight=2)
def other_depths_are_right(student: Student, rng: Generator) -> None:
    """One level, and three."""
    _expect(student, rng, (4, CONDITION, (3,)), [(2, 4, 4, True)])
    _expect(student, rng, (4, CONDITION, (1, 2, 1)), [(2, 8, 8, True)])


@check(CELL, probe="UNET-A4, UNET-A5", weight=2)
def text_may_be_missing(student: Student, rng: Generator) -> None:
    """None in place of the texts."""
    _expect(student, rng, (4, CONDITION, (2, 1)), [(2, 8, 8, False)])


def _expect(
    student: Student,
    rng: Generator,
    sizes: tuple[int, int, tuple[int, ...]],
    calls: list[tuple[int, int, int, bool]],
) -> None:
    state = oracle.drawn_state(rng, oracle.shapes(*sizes))
    sent = [_drawn(rng, *call) for call in calls]
    specification = oracle.specification(*sizes)
    found = student.apply(in_kernel.outputs, list(sizes), specification, state, sent)
    for got, (x, time, text) in zip(found, sent, strict=True):
        want = oracle.unet(state, x, time, text).numpy()
        slips: dict[str, Any] = {}
        for slip in get_args(oracle.Slip):
            if slip:
                slips[MESSAGES[slip]] = oracle.unet(state, x, time, text, slip).numpy()
        texts = "with texts" if text is not None else "without texts"
        what = f"the output for {len(x)} images of {x.shape[2]} x {x.shape[3]}, {texts}"
        expect_near(got, want, what=what, precision="float32", slips=slips)


def _drawn(
    rng: Generator, b: int, h: int, w: int, with_text: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    def tensor(*shape: int) -> Tensor:
        return torch.from_numpy(rng.normal(size=shape).astype(np.float32))

    text = tensor(b, CONDITION) if with_text else None
    return tensor(b, 3, h, w), torch.from_numpy(rng.integers(0, 100, b)), text
