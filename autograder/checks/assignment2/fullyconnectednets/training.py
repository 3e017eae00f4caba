"""What is asked of the cells that choose settings for 50 images, and of the search for best_model.

Nothing is trained with the student's code. The settings are tried by the judge on a net of its
own, and the search is run over stand-ins: those of the two-layer net's notebook, with a
FullyConnectedNet among them.

Shapes: X (N, D) with D = 3072, y (N,); W1 (D, H), ..., in torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.checks.assignment1.two_layer_net import training as tuning
from autograder.checks.assignment1.two_layer_net.training_oracle import STAND_INS
from autograder.checks.shared.layers import Array
from autograder.judge import Student, StudentError, as_array, expect
from cs231n_lib.data import find_cifar10, load_cifar10, spritecifar

SETTINGS = ("weight_scale", "learning_rate")
FEW, POOL = 50, 1000
BATCH, EPOCHS = 25, 20
TRIES = 6
LEARNED = 0.85  # of the images: whoever gets all in one own run gets most in the best of six

# After the stand-ins of assignment 1, which keep the number of a training in the biases b2. Of two
# trainings with different rules, only one can be the better one: the rule joins the settings.
# `few_thousand` is the notebook's name for a part of the data, which short runs may use.
STAND_IN = """
import numpy as _np

few_thousand = {_name: _a[:40] if "train" in _name else _a for _name, _a in data.items()}

class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout_keep_ratio=1,
                 normalization=None, reg=0.0, weight_scale=1e-2, dtype=_np.float32, seed=None):
        self.reg, self._scale, self.dtype = reg, weight_scale, dtype
        self.num_layers, self._sizes = 1 + len(hidden_dims), (input_dim, *hidden_dims, num_classes)
        self._sizes = tuple(int(size) for size in self._sizes)
        self.params = {"b2": _np.zeros(1)}
        for _layer in range(1, self.num_layers + 1):
            self.params[f"W{_layer}"] = _np.zeros(self._sizes[_layer - 1 : _layer + 1], dtype)
            self.params[f"b{_layer}"] = _np.zeros(self._sizes[_layer], dtype)

    loss = TwoLayerNet.loss

class Solver(Solver):
    def train(self):
        rule = getattr(self.update_rule, "__name__", self.update_rule)
        scale, self.model._scale = self.model._scale, (self.model._scale, str(rule))
        super().train()
        self.model._scale = scale

"""
# What the notebook gives for these cells, so that it counts as a training.
LEARN_FEW = """
def learn_few(hidden_dims, weight_scale, learning_rate, seed=0):
    _net = FullyConnectedNet(hidden_dims, weight_scale=weight_scale)
    _run = Solver(_net, few, optim_config={"learning_rate": learning_rate}, num_epochs=20)
    _run.train()
    return _run

"""


# -- 50 images by heart ---------------------------------------------------------------------------


def settings_learn_few_images(
    student: Student, rng: Generator, cell: str, hidden: Sequence[int]
) -> None:
    """weight_scale and learning_rate teach a right net, not the notebook's, 50 images by heart."""
    X, y = _few_images(rng)
    told = ""
    for after in _settings(student, cell):
        scale, rate = (_positive(after, name) for name in SETTINGS)
        reached = 0.0
        for _ in range(TRIES):
            if reached < LEARNED:
                tried = _learn(rng, X, y, [X.shape[1], *hidden, 10], scale, rate)
                reached = max(reached, tried)
        if reached >= LEARNED:
            return
        told = (
            f"with weight_scale = {scale:g} and learning_rate = {rate:g}, {len(hidden) + 1} layers "
            f"learn {reached:.0%} of {FEW} images in {EPOCHS} epochs"
        )
    expect(not told, told)


def _settings(student: Student, cell: str) -> Iterator[dict]:
    """The variables as the cell sets them, run by itself where every training succeeds.

    A cell that trains may choose by what it sees. So after it come those of the notebook.
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
    source = f"{STAND_INS}\n{STAND_IN}\n{LEARN_FEW}\n{student.sources.get(cell, '')}"
    try:
        yield student.rerun(source, bindings, SETTINGS)
    except StudentError:
        if not trainings:
            raise
    if trainings:
        yield {name: student.get(name) for name in SETTINGS}


def _positive(after: dict, name: str) -> float:
    value = as_array(after.get(name), f"the variable {name}")
    sensible = value.shape == () and np.isfinite(value) and value > 0
    expect(sensible, f"the variable {name} is no positive number")
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


# -- the search for best_model --------------------------------------------------------------------


class _Searcher(Student):
    """The same student, whose search stands where the checks of assignment 1 look for it."""

    def __init__(self, student: Student, cell: str) -> None:
        self.__dict__.update(vars(student))
        self.sources = {tuning.TUNING_CELL: f"{STAND_IN}\n{student.sources.get(cell, '')}"}


def search_trains_on_training_images(student: Student, rng: Generator, cell: str) -> None:
    """Networks are made and trained in this cell, each new, on training images alone."""
    tuning.tuning_trains_on_training_images(_Searcher(student, cell), rng)


def search_keeps_the_best(student: Student, rng: Generator, cell: str) -> None:
    """best_model is the network that did best in validation, the first, the last or another."""
    tuning.tuning_keeps_the_best(_Searcher(student, cell), rng)


def search_leaves_the_test_set(student: Student, rng: Generator, cell: str) -> None:
    """No network is asked about a test image during the search."""
    tuning.tuning_leaves_the_test_set(_Searcher(student, cell), rng)


def best_model_classifies(student: Student, rng: Generator, threshold: float) -> None:
    """The notebook's own best_model on images that nobody has seen."""
    tuning.best_model_classifies(student, rng, threshold)
