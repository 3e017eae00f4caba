"""What is asked of DINOSegmentation, with points in groups that lie far apart.

Centres are at least 5 apart along random directions, and points are scattered by 0.3 around them:
any light classifier that is trained at all tells them apart.

Weights: a classifier that learns nothing is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.clip_dino import in_kernel
from autograder.judge import Student, advice, as_array, check, expect, expect_shape

QUESTION, CELL, NAME = "segmentation", "segmentation-code", "DINOSegmentation"
ENOUGH = 0.95
SEED = 1  # of the student's random weights


@dataclass(frozen=True)
class Points:
    """Points of K groups, those of a group together, and their centres."""

    centres: Tensor  # (K, D)
    X: Tensor
    Y: Tensor

    def more(self, rng: Generator, labels: Tensor) -> Tensor:
        noise = torch.from_numpy(rng.normal(size=(len(labels), self.centres.shape[1])))
        return (self.centres[labels] + 0.3 * noise).float()


def _draw(rng: Generator, K: int, D: int, each: int = 40, kept: tuple[int, ...] = ()) -> Points:
    """``kept``: the classes that occur; all where none is named."""
    directions, _ = np.linalg.qr(rng.normal(size=(D, K)))
    centres = torch.from_numpy(4 * directions.T)
    labels = torch.tensor(kept or tuple(range(K))).repeat_interleave(each)
    empty = Points(centres, torch.empty(0), labels)
    return Points(centres, empty.more(rng, labels), labels)


def _ask(
    student: Student, points: Points, K: int, tests: list[Tensor], **options: Any
) -> list[Any]:
    return _apply(student, in_kernel.segmented, K, points.X, points.Y, tests, SEED, **options)


def _apply(student: Student, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    cell = student.cell_defining(NAME) or CELL
    return student.apply(function, *args, cells=(cell,), **options)


def _share(got: object, labels: Tensor) -> float:
    """How many are right; a column of classes is as good as a row of them here."""
    found = as_array(got, "what inference returns").ravel()
    expect(found.size == len(labels), f"inference of {len(labels)} rows gives {found.size} numbers")
    return float(np.mean(found == labels.numpy()))


def _learns(student: Student, rng: Generator, K: int, D: int) -> None:
    points = _draw(rng, K, D)
    order = torch.from_numpy(rng.permutation(len(points.Y)))
    labels = points.Y[order]
    (got,) = _ask(student, points, K, [points.more(rng, labels)])
    right = _share(got, labels)
    expect(
        right > ENOUGH,
        f"{K} well separated groups in {D} dimensions: {100 * right:.0f} % of new points are "
        "right after training",
    )


@check(QUESTION, probe="DINO-A1", weight=6)
def four_groups_are_told_apart(student: Student, rng: Generator) -> None:
    """Four classes, 12 numbers a row: more than 95 % of new points are right."""
    _learns(student, rng, 4, 12)


@check(QUESTION, probe="DINO-A1", weight=3)
def two_groups_are_told_apart(student: Student, rng: Generator) -> None:
    """Two classes, 5 numbers a row: more than 95 % of new points are right."""
    _learns(student, rng, 2, 5)


@check(QUESTION, probe="DINO-A2", weight=2)
def gives_a_class_for_each_row(student: Student, rng: Generator) -> None:
    """(N,) whole numbers, each a class."""
    points = _draw(rng, 3, 6)
    test = points.more(rng, points.Y)[:50]
    (got,) = _ask(student, points, 3, [test], num_iters=20)
    array = expect_shape(got, (50,), "what inference returns")
    kind = array.dtype
    expect(kind.kind in "iu", f"inference returns numbers of type {kind}, not whole ones")
    expect(array.min() >= 0 and array.max() < 3, f"{array.max()} is not one of 3 classes")


@check(QUESTION, probe="DINO-A2", weight=1)
def answers_the_same_again(student: Student, rng: Generator) -> None:
    """The same rows, asked twice: the same classes."""
    points = _draw(rng, 4, 10)
    unclear = torch.from_numpy(rng.normal(size=(400, 10))).float()  # near all the borders
    first, again = (
        as_array(one, "inference")
        for one in _ask(student, points, 4, [unclear, unclear.clone()], num_iters=50)
    )
    expect(np.array_equal(first, again), "asked twice, the same rows get different classes")


@check(QUESTION, probe="DINO-A3", weight=3)
def a_class_may_be_missing(student: Student, rng: Generator) -> None:
    """A class that does not occur in training: the others are learned."""
    for kept in ((0, 1, 3), (0, 2)):
        points = _draw(rng, 4, 8, kept=kept)
        (got,) = _ask(student, points, 4, [points.more(rng, points.Y)])
        right = _share(got, points.Y)
        expect(
            right > ENOUGH,
            f"classes {kept} of 4 in the training set: {100 * right:.0f} % are right",
        )


@check(QUESTION, probe="DINO-A1", weight=2)
def takes_num_iters_steps(student: Student, rng: Generator) -> None:
    """Exactly num_iters steps, 500 where nothing is said, each along its own gradients."""
    points = _draw(rng, 3, 6, each=10)
    for num_iters in (7, None):
        seen = _apply(student, in_kernel.steps_taken, 3, points.X, points.Y, SEED, num_iters)
        steps, wanted = seen["steps"], num_iters or 500
        said = f"num_iters = {num_iters}" if num_iters else "nothing said about num_iters"
        # 0: no optimiser of torch's; then there is nothing to count.
        expect(steps in (0, wanted), f"{said}: the optimiser takes {steps} steps")
        expect(
            seen["gap"] <= 1,
            "a step follows gradients that are left over from the steps before: clear them",
        )


@check(QUESTION, probe="DINO-A1", weight=1)
def dino_has_384_numbers(student: Student, rng: Generator) -> None:
    """inp_dim is 384 where nothing is said."""
    points = _draw(rng, 2, 384, each=10)
    (got,) = _ask(student, points, 2, [points.X], num_iters=50, named=False)
    _share(got, points.Y)


@check(QUESTION, probe="DINO-A2", weight=1, condition=True)
def inference_makes_no_graph(student: Student, rng: Generator) -> None:
    """inference computes no gradients."""
    points = _draw(rng, 2, 6, each=10)
    found = _apply(student, in_kernel.graph_of_inference, 2, points.X, points.Y)
    expect(not found["graph"], "inference builds a graph for gradients that nobody asks for")


@advice(QUESTION, probe="DINO-B1")
def a_row_alone(student: Student, rng: Generator) -> None:
    """A single row gets the class that it gets among others."""
    points = _draw(rng, 3, 8)
    alone = [points.X[row : row + 1] for row in (0, 50, 100)]
    together, *each = (
        as_array(one, "inference") for one in _ask(student, points, 3, [points.X, *alone])
    )
    single = np.array([one.ravel()[0] for one in each])
    expect(
        np.array_equal(single, together.ravel()[[0, 50, 100]]),
        "a row alone gets another class than among others: is a normalisation over the batch in "
        "training mode?",
    )
