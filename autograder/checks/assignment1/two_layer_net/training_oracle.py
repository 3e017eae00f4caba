"""A cell that trains networks with the Solver, run with stand-ins that learn nothing.

Every stand-in network gets from its training a number. By that number, the judge knows what the
network was trained on and with which settings, and answers for its scores. So nothing is trained,
all accuracies are known, and a mistake in an earlier cell costs nothing here.

The judge also decides which network is good: each a little better in validation than the one
before, or each a little worse; and the other way round on training and test images.

Shapes: images (N, 3, 32, 32), labels (N,), C = 10 classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, as_array, expect

CLASSES = 10
SIZES = {"train": 61, "val": 199, "test": 47}  # primes: no two accuracies agree by accident
SECONDS = 30.0

# What the cell finds under the names TwoLayerNet and Solver. `_train` and `_answer` are the
# judge's. The number of the last training is kept in the biases, where copies of the parameters
# take it along.
STAND_INS = """
import numpy as _np

class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3,
                 reg=0.0):
        self.reg, self._scale = reg, weight_scale
        self._sizes = (int(input_dim), int(hidden_dim), int(num_classes))
        self.params = {
            "W1": _np.zeros((input_dim, hidden_dim)), "b1": _np.zeros(hidden_dim),
            "W2": _np.zeros((hidden_dim, num_classes)), "b2": _np.zeros(num_classes),
        }

    def loss(self, X, y=None):
        if y is None:
            return _answer(float(self.params["b2"][0]), X)
        return 2.3, {name: 0.0 * value for name, value in self.params.items()}

class Solver:
    def __init__(self, model, data, *, update_rule="sgd", optim_config=None, lr_decay=1.0,
                 batch_size=100, num_epochs=10, num_train_samples=1000, num_val_samples=None,
                 checkpoint_name=None, print_every=10, verbose=True, seed=None):
        self.model, self.update_rule, self.num_epochs = model, update_rule, num_epochs
        self.lr_decay, self.batch_size, self.verbose = lr_decay, batch_size, verbose
        self.optim_config = dict(optim_config or {})
        self.X_train, self.y_train = data["X_train"], data["y_train"]
        self.X_val, self.y_val = data["X_val"], data["y_val"]
        self.epoch, self.best_val_acc, self.best_params, self._number = 0, 0.0, {}, 0
        self.loss_history, self.train_acc_history, self.val_acc_history = [], [], []
        self.optim_configs = {name: dict(self.optim_config) for name in model.params}

    def train(self):
        net = self.model
        settings = (net._sizes, net.reg, net._scale, self.num_epochs, self.batch_size,
                    self.lr_decay, sorted(self.optim_config.items()))
        self._number, train, val = _train(
            float(net.params["b2"][0]), list(net._sizes), int(self.num_epochs), repr(settings),
            self.X_train, self.y_train, self.X_val, self.y_val,
        )
        self.epoch, self.best_val_acc = self.num_epochs, val
        self.train_acc_history = [0.1] + [train] * max(self.num_epochs, 1)
        self.val_acc_history = [0.1] + [val] * max(self.num_epochs, 1)
        self.loss_history = list(_np.linspace(2.3, 1.0, 20))
        self.model.params["b2"] = self.model.params["b2"] + 0.0
        self.model.params["b2"][:] = self._number
        self.best_params = {name: value.copy() for name, value in self.model.params.items()}

    def check_accuracy(self, X, y, num_samples=None, batch_size=100):
        return float(_np.mean(_np.argmax(self.model.loss(_np.asarray(X)), axis=1) == y))

"""


@dataclass(frozen=True)
class Training:
    """One call of ``train``."""

    again: bool  # the network had been trained before
    sizes: tuple[int, ...]  # D, H, C
    epochs: int
    settings: str  # all of them
    on: str  # where its images came from, those to learn and those to choose by: "train, val"


@dataclass
class Run:
    """What the student's cell did, and the variables it left."""

    rising: bool  # later networks are better in validation
    trainings: list[Training] = field(default_factory=list)
    asked_test: bool = False
    after: Mapping[str, Any] = field(default_factory=dict)

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
    cell: str,
    more: Mapping[str, Any],
    tail: str,
    *names: str,
    rising: bool = True,
) -> Run:
    """Execute the student's ``cell``, then ``tail``; later checks share the run.

    ``more`` are further names that the cell finds. Raises Failed, StudentError.
    """
    source = f"{STAND_INS}\n{student.sources.get(cell, '')}\n{tail}"
    key = f"training in {cell}, {'rising' if rising else 'falling'}"
    return student.once(key, lambda: _run(student, rng, source, more, names, Run(rising)))


def _run(
    student: Student,
    rng: Generator,
    source: str,
    more: Mapping[str, Any],
    names: tuple[str, ...],
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
        done = Training(before > 0, tuple(sizes), epochs, str(settings), ", ".join(parts))
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
    run.after = student.rerun(source, bindings, names, seconds=SECONDS)
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
