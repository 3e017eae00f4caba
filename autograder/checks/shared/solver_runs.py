"""A cell that trains networks with the Solver, run with stand-ins that learn nothing.

Every stand-in network gets from its training a number. By that number, the judge knows what the
network was trained on and with which settings, and answers for its scores. So nothing is trained,
all accuracies are known, and a mistake in an earlier cell costs nothing here.

The judge also decides which network is good: each a little better in validation than the one
before, or each a little worse; and the other way round on training and test images.

Shapes: images (N, 3, 32, 32), labels (N,), C = 10 classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, as_array, expect

CLASSES = 10
SIZES = {"train": 61, "val": 199, "test": 47}  # primes: no two accuracies agree by accident
SECONDS = 30.0


@dataclass(frozen=True)
class Training:
    """One call of ``train``."""

    again: bool  # the network had been trained before
    sizes: tuple[int, ...]  # D, H, C
    epochs: int
    settings: str  # all of them
    on: str  # where its images came from, those to learn and those to choose by: "train, val"
    images: int  # how many to learn from


@dataclass
class Run:
    """What the student's cell did, and the variables it left."""

    rising: bool  # later networks are better in validation
    trainings: list[Training] = field(default_factory=list)
    asked_test: bool = False
    after: Any = None  # what the function that ran the cell has read off afterwards

    def right(self, part: str, number: int) -> int:
        """How many images of a part the network of this training puts into the right class.

        It depends on the settings alone: training again with the same ones gives the same.
        """
        order = list(dict.fromkeys(training.settings for training in self.trainings))
        rank, size = order.index(self.trainings[number - 1].settings) + 1, SIZES[part]
        upwards = self.rising == (part == "val")
        return min(size // 10 + rank, size) if upwards else max(size - rank, size // 10)


def run_cell(
    student: Student,
    rng: Generator,
    function: Callable[..., Any],
    cell: str,
    more: Mapping[str, Any],
    *,
    rising: bool = True,
) -> Run:
    """Execute the student's ``cell`` by a function of `in_kernel_solver`; later checks share it.

    ``more`` are further names that the cell finds. Raises Failed, StudentError.
    """
    key = f"training in {cell}, {'rising' if rising else 'falling'}"
    return student.once(key, lambda: _run(student, rng, function, cell, more, Run(rising)))


def _run(
    student: Student,
    rng: Generator,
    function: Callable[..., Any],
    cell: str,
    more: Mapping[str, Any],
    run: Run,
) -> Run:
    X = {part: rng.normal(size=(rows, 3, 32, 32)) for part, rows in SIZES.items()}
    y = {part: rng.integers(0, CLASSES, size=rows) for part, rows in SIZES.items()}
    place = {image.tobytes(): (part, i) for part in X for i, image in enumerate(X[part])}

    def train(
        before: float, sizes: list[int], epochs: int, settings: str, *data: Any
    ) -> tuple[int, float, float]:
        """Called by the stand-in Solver: the number of this training, and two accuracies."""
        parts = [_part(images, labels, X, y) for images, labels in (data[:2], data[2:])]
        done = Training(
            before > 0, tuple(sizes), epochs, str(settings), ", ".join(parts), len(data[1])
        )
        run.trainings.append(done)
        number = len(run.trainings)
        train, val = (run.right(part, number) / SIZES[part] for part in ("train", "val"))
        return number, train, val

    def answer(number: float, images: Any) -> np.ndarray:
        """Called by the stand-in network: the scores of images."""
        rows = as_array(images, "X").reshape(-1, 3, 32, 32)
        scores = np.zeros((len(rows), CLASSES))
        for row, image in enumerate(rows):
            part, i = place.get(image.tobytes(), ("", 0))
            run.asked_test |= part == "test"
            if part:
                wrong = number == 0 or i >= run.right(part, int(number))
                scores[row, (y[part][i] + wrong) % CLASSES] = 1.0
        return scores

    bindings: dict[str, Any] = {"_train": student.stand_in(train)}
    bindings |= {"_answer": student.stand_in(answer), "num_training": SIZES["train"]} | dict(more)
    bindings["data"] = {
        f"{letter}_{part}": (X if letter == "X" else y)[part].copy()
        for part in SIZES
        for letter in "Xy"
    }
    # The notebook's name for a part of the data, which short runs may use.
    bindings["few_thousand"] = {
        name: array[:40] if "train" in name else array for name, array in bindings["data"].items()
    }
    run.after = student.apply(function, cell, cells=(cell,), bindings=bindings, seconds=SECONDS)
    return run


def _part(
    images: Any, labels: Any, X: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]
) -> str:
    """Which part of the data these come from, with their own labels; else "others"."""
    rows, classes = as_array(images, "images"), as_array(labels, "labels").ravel()
    given = {(row.tobytes(), int(c)) for row, c in zip(rows, classes, strict=False)}
    for part in X:
        if given <= {(row.tobytes(), int(c)) for row, c in zip(X[part], y[part], strict=True)}:
            return part
    return "others"


def expect_trainings(run: Run) -> None:
    """Fail unless something was trained."""
    expect(bool(run.trainings), "no Solver was trained in this cell: call its train()")
