"""What is asked of Unet.__init__: the levels of the way down and of the way up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.judge import Student, check, expect

CELL = "unet-parts"
SIZES = ((2, 4, (1, 2, 4)), (3, 5, (2, 3)))


@check(CELL, probe="UNET-A1", weight=2)
def way_down_has_its_blocks(student: Student, rng: Generator) -> None:
    """self.downs: two blocks of the level's channels on each level."""
    for sizes in SIZES:
        _expect_blocks(student, sizes, "downs", first=0)


@check(CELL, probe="UNET-A1", weight=3)
def way_up_has_its_blocks(student: Student, rng: Generator) -> None:
    """self.ups: smallest images first, two blocks with twice the channels on each level."""
    for sizes in SIZES:
        _expect_blocks(student, sizes, "ups", first=1)


@check(CELL, probe="UNET-A1", weight=2)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Names and shapes of all parameters, as the shipped weights have them."""
    for sizes in SIZES:
        parts = _parts(student, sizes)
        found = {name: tuple(shape) for name, shape in parts["shapes"].items()}
        want = oracle.shapes(*sizes)
        for name in sorted(want.keys() | found.keys()):
            text = f"parameter {name} is {found.get(name, 'missing')}"
            expect(name in want, f"the task has no parameter {name}, of shape {found.get(name)}")
            expect(found.get(name) == want[name], f"{text} with dim_mults={sizes[2]}")
        count = sum(int(np.prod(shape)) for shape in want.values())
        shared = "two blocks share their parameters: each place has a block of its own"
        expect(parts["count"] == count, shared)


def _parts(student: Student, sizes: tuple[Any, ...]) -> dict[str, Any]:
    return student.once(f"parts {sizes}", lambda: student.apply(in_kernel.parts, list(sizes)))


def _expect_blocks(student: Student, sizes: tuple[Any, ...], name: str, first: int) -> None:
    dim, _, mults = sizes
    levels = _parts(student, sizes)["levels"][name]
    where = f"self.{name} with dim_mults={mults}"
    expect(len(levels) == len(mults), f"{where} has {len(levels)} levels")
    channels = [dim, *(dim * mult for mult in mults)][:-1]
    wanted = [[c, c] for c in channels] if name == "downs" else [[2 * c, c] for c in channels[::-1]]
    expect(all(isinstance(level, list) for level in levels), f"{where}: a level is no ModuleList")
    blocks = [[part for part in level if isinstance(part, list)] for level in levels]
    counts = [len(level) for level in blocks]
    expect(counts == [2] * len(mults), f"{where} has {counts} blocks on its levels")
    order = all(
        isinstance(part, list) == (first <= place < first + 2)
        for level in levels
        for place, part in enumerate(level)
    )
    expect(order, f"{where}: the parts of a level are in another order than the task's")
    found = [[part[:2] for part in level] for level in blocks]
    if name == "ups":
        turned = [[want] * 2 for want in wanted[::-1]]
        known = found == turned != [[want] * 2 for want in wanted]
        expect(not known, f"{where}: the largest images come first; the way up begins at the small")
        single = [[[want[1], want[1]]] * 2 for want in wanted]
        expect(found != single, f"{where}: the blocks have no room for the skips")
    for number, (level, want) in enumerate(zip(found, wanted, strict=True)):
        for part in level:
            text = f"{where}: a block of level {number} goes from {part[0]} to {part[1]} channels"
            expect(part == want, text)
    contexts = {part[2] for level in blocks for part in level}
    expect(contexts == {4 * dim}, f"{where}: blocks take a context of {sorted(contexts)} numbers")
