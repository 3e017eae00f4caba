"""Checks of the cells that choose settings for 50 images, and of the search for best_model.

Nothing is trained with the student's code. The settings are tried by the judge on a net of its
own, and cells are run over stand-ins that learn nothing.

Shapes: X (N, D) with D = 3072, y (N,); W1 (D, H), ..., in torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.checks.shared import in_kernel_solver
from autograder.checks.shared.layers import Array
from autograder.checks.shared.model_search import declare_search_checks
from autograder.judge import Failed, Student, StudentError, as_array, check_each, expect
from cs231n_lib.data import find_cifar10, load_cifar10, spritecifar

SETTINGS = ("weight_scale", "learning_rate")
FEW, POOL = 50, 1000
BATCH, EPOCHS = 25, 20
TRIES = 6
LEARNED = 0.85  # of the images: whoever gets all in one own run gets most in the best of six
CELLS = {
    "fcn-three-layers": ("overfit-three-layers", [100, 100]),
    "fcn-five-layers": ("overfit-five-layers", [100] * 4),
}


# -- 50 images memorised --------------------------------------------------------------------------


@check_each(CELLS, probe="FCN-C1")
def settings_learn_few_images(
    student: Student, rng: Generator, where: tuple[str, Sequence[int]]
) -> None:
    """With weight_scale and learning_rate a right net, not the notebook's, memorises 50 images."""
    cell, hidden = where
    X, y = _few_images(rng)
    found = ""
    for scale, rate in _settings(student, cell):
        reached = 0.0
        for _ in range(TRIES):
            if reached < LEARNED:
                tried = _learn(rng, X, y, [X.shape[1], *hidden, 10], scale, rate)
                reached = max(reached, tried)
        if reached >= LEARNED:
            return
        found = (
            f"with weight_scale = {scale:g} and learning_rate = {rate:g}, {len(hidden) + 1} layers "
            f"memorise {reached:.0%} of {FEW} images in {EPOCHS} epochs, at best"
        )
    raise Failed(found)


def _settings(student: Student, cell: str) -> Iterator[tuple[float, float]]:
    """weight_scale and learning_rate as the cell sets them, run where every training succeeds.

    A cell that trains may choose by what it sees. So after them come those of the notebook.
    """
    trainings: list[bool] = []
    images = np.zeros((FEW, 3, 32, 32), np.float32)
    few = {"X_train": images, "y_train": np.zeros(FEW, int)}
    few |= {"X_val": images.copy(), "y_val": np.zeros(FEW, int)}
    bindings = dict.fromkeys(SETTINGS) | {
        "_train": student.stand_in(lambda *_: trainings.append(True) or (1, 1.0, 1.0)),
        "_answer": student.stand_in(lambda _, X: np.zeros((len(as_array(X)), 10))),
        "data": few,
        "few": few,
    }
    chosen = in_kernel_solver.chosen_settings
    try:
        after = student.apply(chosen, cell, list(SETTINGS), cells=(cell,), bindings=bindings)
        yield _positive(after, "weight_scale"), _positive(after, "learning_rate")
    except StudentError:
        if not trainings:
            raise
    if trainings:
        after = {name: student.get(name) for name in SETTINGS}
        yield _positive(after, "weight_scale"), _positive(after, "learning_rate")


def _positive(after: dict, name: str) -> float:
    value = as_array(after.get(name), f"the variable {name}")
    sensible = value.shape == () and np.isfinite(value) and value > 0
    expect(sensible, f"the variable {name} is not a positive number")
    return float(value)


def _few_images(rng: Generator) -> tuple[Array, Array]:
    """50 training images (50, 3072) less the mean image, and their labels (50,)."""
    images, labels = _pool()
    rows = rng.permutation(len(images))[:FEW]
    return images[rows], labels[rows]


@lru_cache(maxsize=1)
def _pool() -> tuple[Array, Array]:
    if find_cifar10() is None:
        images, labels = spritecifar.load("train", POOL)  # load_cifar10 would announce the stand-in
    else:
        images, labels, *_ = load_cifar10(num_train=POOL, num_test=1)
    rows = np.asarray(images, np.float32).reshape(len(images), -1)
    return rows - rows.mean(axis=0), np.asarray(labels)


def _learn(
    rng: Generator, X: Array, y: Array, sizes: Sequence[int], scale: float, rate: float
) -> float:
    """The best training accuracy of plain SGD at the end of an epoch."""
    shapes = [tuple(sizes[i : i + 2]) for i in range(len(sizes) - 1)]
    weights = [scale * rng.standard_normal(shape, np.float32) for shape in shapes]
    leaves = [torch.tensor(array, requires_grad=True) for array in weights]
    leaves += [torch.zeros(shape[1], requires_grad=True) for shape in shapes]
    images, labels, best = torch.from_numpy(X), torch.from_numpy(y).long(), 0.0
    for step in range(EPOCHS * FEW // BATCH):
        rows = torch.from_numpy(rng.integers(FEW, size=BATCH))
        loss = functional.cross_entropy(_scores(images[rows], leaves), labels[rows])
        slopes = torch.autograd.grad(loss, leaves)
        with torch.no_grad():
            for leaf, slope in zip(leaves, slopes, strict=True):
                leaf -= rate * slope
            if step % 2:
                right = _scores(images, leaves).argmax(1) == labels
                best = max(best, float(right.float().mean()))
    return best


def _scores(images: torch.Tensor, leaves: Sequence[torch.Tensor]) -> torch.Tensor:
    depth, h = len(leaves) // 2, images
    for layer in range(depth):
        h = h @ leaves[layer] + leaves[depth + layer]
        h = torch.relu(h) if layer < depth - 1 else h
    return h


# The visible test asks for 46 % in validation with the embedded images, for 50 % with CIFAR-10.
declare_search_checks(
    __name__,
    "fcn-best-model",
    cell="best-model",
    probe="FCN-C2",
    threshold=0.38,
    data=("data", "few_thousand"),
)
