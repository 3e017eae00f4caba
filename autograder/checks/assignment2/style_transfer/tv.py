"""What is asked of tv_loss(img, tv_weight): an image (1, 3, H, W) -> one number."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import oracle
from autograder.judge import Student, check, expect_unchanged, forbid_loops

CELL = "st-tv-loss"
FUNCTION = "tv_loss"
WHAT = "the total variation loss"
SHAPES = ((1, 3, 6, 4), (1, 3, 3, 8), (1, 3, 2, 2))


@check(CELL, probe="STY-A5", weight=3)
def value_is_right(student: Student, rng: Generator) -> None:
    """Images that are not square, several weights."""
    for shape in SHAPES:
        img, weight = oracle.draw(rng, *shape), float(rng.uniform(0.05, 0.4))
        got = student.call(FUNCTION, img.clone(), weight)
        oracle.expect_number(got, oracle.variation(img, weight), WHAT, _slips(img, weight))


@check(CELL, probe="STY-A5")
def single_bright_pixels(student: Student, rng: Generator) -> None:
    """One bright pixel in a uniform image: inside, at a border, in a corner. Then none."""
    height, width, weight = 5, 7, 0.3
    row, column = int(rng.integers(1, height - 1)), int(rng.integers(1, width - 1))
    places = {
        "inside": (row, column, 4),
        "at a side": (row, int(rng.choice([0, width - 1])), 3),
        "at the top or bottom": (int(rng.choice([0, height - 1])), column, 3),
        "in a corner": (int(rng.choice([0, height - 1])), int(rng.choice([0, width - 1])), 2),
    }
    flat = torch.full((1, 3, height, width), float(rng.uniform(-1, 1)))
    oracle.expect_number(student.call(FUNCTION, flat, weight), 0.0, f"{WHAT} of a uniform image")
    for where, (i, j, neighbours) in places.items():
        img, step = flat.clone(), float(rng.uniform(0.8, 1.5))
        img[0, int(rng.integers(3)), i, j] += step
        got = student.call(FUNCTION, img, weight)
        want = weight * neighbours * step**2
        oracle.expect_number(got, want, f"{WHAT} of one bright pixel {where}")


@check(CELL, probe="STY-A5", weight=2)
def rows_are_compared(student: Student, rng: Generator) -> None:
    """An image that varies only from row to row."""
    img = oracle.draw(rng, 1, 3, 4, 1).expand(1, 3, 4, 6).clone()
    what = f"{WHAT} of an image that varies from row to row"
    oracle.expect_number(student.call(FUNCTION, img, 0.25), oracle.variation(img, 0.25), what)


@check(CELL, probe="STY-A5", weight=2)
def columns_are_compared(student: Student, rng: Generator) -> None:
    """An image that varies only from column to column."""
    img = oracle.draw(rng, 1, 3, 1, 6).expand(1, 3, 4, 6).clone()
    what = f"{WHAT} of an image that varies from column to column"
    oracle.expect_number(student.call(FUNCTION, img, 0.25), oracle.variation(img, 0.25), what)


@check(CELL, probe="STY-A6", weight=7)
def gradient_reaches_the_image(student: Student, rng: Generator) -> None:
    """The gradient of the loss with respect to the pixels."""
    img, weight = oracle.draw(rng, 1, 3, 4, 6), float(rng.uniform(0.05, 0.4))
    value = student.call(FUNCTION, img.clone().requires_grad_(), weight)
    oracle.expect_differentiable(value, WHAT)
    _, (slope,) = student.grad(FUNCTION, img, weight)
    (want,) = oracle.slopes(lambda x: oracle.variation(x, weight), img)
    factor = oracle.one_number(value, WHAT) / float(oracle.variation(img, weight))
    oracle.expect_slope(slope, want, "the gradient with respect to the image", factor)


@check(CELL, probe="STY-A5", condition=True)
def there_is_no_loop(student: Student, rng: Generator) -> None:
    """No loop over pixels: whole parts of the image are subtracted at once."""
    forbid_loops(student, FUNCTION, "subtract a shifted part of the image from another one")


@check(CELL, probe="STY-A5", condition=True)
def image_is_left_alone(student: Student, rng: Generator) -> None:
    """The image is unchanged after the call."""
    img = oracle.draw(rng, 1, 3, 5, 4)
    kept = student.put(img)
    student.call(FUNCTION, kept, 0.2)
    expect_unchanged(student.fetch(kept), img.numpy(), "img")


def _slips(img: Tensor, weight: float) -> oracle.Slips:
    pixels = img.double().numpy()
    down, right = np.diff(pixels, axis=2), np.diff(pixels, axis=3)
    squares = float((down**2).sum() + (right**2).sum())
    means = float((down**2).mean() + (right**2).mean())
    around = sum(float(((np.roll(pixels, 1, axis) - pixels) ** 2).sum()) for axis in (2, 3))
    return {
        "the vertical differences are missing": weight * float((right**2).sum()),
        "the horizontal differences are missing": weight * float((down**2).sum()),
        "these are means of the squares: take their sums": weight * means,
        "the weight is missing": squares,
        "the weight is squared too: multiply the sum by it": weight**2 * squares,
        "there is no 1/2 in front of the sum": weight * squares / 2,
        "these are absolute values: take squares": (
            weight * float(np.abs(down).sum() + np.abs(right).sum())
        ),
        "there is no root: take the sum of the squares": weight * squares**0.5,
        "each pair of neighbours counts once, not from both sides": 2 * weight * squares,
        "the last row and the first one are not neighbours": weight * around,
    }
