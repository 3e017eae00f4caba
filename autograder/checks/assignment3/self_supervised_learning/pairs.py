"""What is asked of CIFAR10Pair.__getitem__(index) -> (x_i, x_j, target).

The transform is a spy in the kernel, which numbers its views and draws two numbers for each.
Weights: equal views, or views of two images, teach nothing; the rest is light.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.self_supervised_learning import in_kernel
from autograder.judge import Failed, Student, as_array, check, expect

QUESTION, CELL, IMAGES = "pairs", "pair-dataset", 5


@check(QUESTION, probe="SSL-A2", weight=5)
def views_are_two_draws_of_one_image(student: Student, rng: Generator) -> None:
    """Two applications of the transform to the image with this index, with other random numbers."""
    images, labels = _data(rng)
    for index in rng.choice(IMAGES, size=2, replace=False):
        found = _item(student, images, labels, int(index))
        drawn = [as_array(view) for view in found["views"]]
        expect(drawn, "the transform is never called")
        numbers = [_number_of(view, drawn) for view in found["item"][:2]]
        for which, number in zip(("first", "second"), numbers, strict=True):
            expect(number is not None, f"the {which} view is not what the transform returned")
        first, second = (int(number) for number in numbers if number is not None)
        expect(first != second, "both views are the same draw: call the transform for each")
        for number in (first, second):
            _expect_image(found["seen"][number], drawn, images, int(index))
        same = np.array_equal(drawn[first][1:], drawn[second][1:])
        expect(not same, "both views were drawn with the same random numbers")


@check(QUESTION, probe="SSL-A2")
def transform_is_called_twice(student: Student, rng: Generator) -> None:
    """Two calls of the transform for an item, no more and no fewer."""
    images, labels = _data(rng)
    calls = len(_item(student, images, labels, 1)["seen"])
    times = "once" if calls == 1 else f"{calls} times"
    expect(calls == 2, f"the transform is called {times} for an item")


@check(QUESTION, probe="SSL-A2", weight=2)
def target_is_the_label(student: Student, rng: Generator) -> None:
    """The third of the three is the image's label."""
    images, labels = _data(rng)
    for index in (0, 3):
        target = _target(_item(student, images, labels, index))
        expect(target != index, "the target is the image's index; it should be the label")
        expect(target == labels[index], "the target is not the image's label")


@check(QUESTION, probe="SSL-A2")
def target_transform_is_used(student: Student, rng: Generator) -> None:
    """target_transform is applied to the label."""
    images, labels = _data(rng)
    target = _target(_item(student, images, labels, 2, offset=100))
    expect(target != labels[2], "target_transform has no effect on the target")
    expect(target == labels[2] + 100, "the target is not what target_transform makes of the label")


# The notebook's own lines do this: a condition.
@check(QUESTION, probe="SSL-A2", condition=True)
def transform_may_be_none(student: Student, rng: Generator) -> None:
    """Without a transform there is an item all the same, with its label."""
    images, labels = _data(rng)
    target = _target(_item(student, images, labels, 4, transformed=False))
    expect(target == labels[4], "without a transform, the target is not the image's label")


# -- asking and judging ---------------------------------------------------------------------------


def _data(rng: Generator) -> tuple[np.ndarray, list[int]]:
    """Images (5, 32, 32, 3) and labels from 10 on, none of them twice."""
    images = rng.integers(256, size=(IMAGES, 32, 32, 3)).astype(np.uint8)
    return images, [int(label) for label in 10 + rng.permutation(IMAGES)]


def _item(
    student: Student, images: np.ndarray, labels: list[int], index: int, **options: Any
) -> dict[str, Any]:
    cells = (student.cell_defining("CIFAR10Pair") or CELL,)
    options = {"cells": cells, **options}
    found = student.apply(in_kernel.pair, images, labels, index, **options)
    item = found["item"]
    expect(item is not None, "an item is None: is a return statement missing?")
    kind = f"an item is a {type(item).__name__}" if not isinstance(item, tuple | list) else ""
    expect(not kind, f"{kind}; it should be x_i, x_j and target")
    expect(
        len(item) == 3, f"an item consists of {len(item)} values; it should be x_i, x_j and target"
    )
    return found


def _number_of(view: Any, drawn: list[np.ndarray]) -> int | None:
    """Which of the transform's draws this is."""
    try:
        array = as_array(view)
    except Failed:
        return None
    same = (
        n for n, one in enumerate(drawn) if one.shape == array.shape and np.allclose(one, array)
    )
    return next(same, None)


def _expect_image(seen: Any, drawn: list[np.ndarray], images: np.ndarray, index: int) -> None:
    """What the transform was called with is the image with this index."""
    array = as_array(seen, "what the transform is called with")
    if array.shape == images[index].shape and np.array_equal(array, images[index]):
        return
    again = _number_of(array, drawn) is not None
    expect(not again, "the transform is applied to a view; both views are made of the image")
    others = [n for n in range(len(images)) if np.array_equal(array, images[n])]
    expect(not others, "a view is made of an image with another index")
    raise Failed("a view is not made of the image as it is")


def _target(found: dict[str, Any]) -> float:
    target = as_array(found["item"][2], "the target")
    expect(target.size == 1, f"the target has shape {target.shape}; it should be one label")
    return float(target.reshape(()))
