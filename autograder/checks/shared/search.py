"""A student's search over hyperparameters, run with a stand-in that learns nothing.

The stand-in's weights depend on (learning rate, reg) and on numbers the judge drew; so every
accuracy is known, nothing is trained, and a wrong loss in an earlier cell costs nothing here.

Shapes: rows of training, validation and test set (N, D); W (D, C).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_search
from autograder.judge import Student, as_array

DIM, CLASSES = 6, 4
SIZES = {"train": 151, "val": 97, "test": 83}  # primes: no two accuracies agree by accident

FEW = 40


@dataclass(frozen=True)
class TuningCell:
    """Where a search is, and what its variables are called.

    ``cell`` is the id of the student's cell; ``classifier`` the class it makes new instances of;
    ``rows`` the names of the three matrices, with a one appended to each row or not.
    """

    cell: str
    classifier: str
    best: str
    results: str = "results"
    best_val: str = "best_val"
    rows: tuple[str, str, str] = ("X_train", "X_val", "X_test")
    labels: tuple[str, str, str] = ("y_train", "y_val", "y_test")
    few: tuple[str, str] = ("X_dev", "y_dev")  # some training rows, for a coarse search


Setting = tuple[float, float]


@dataclass(frozen=True)
class Training:
    """One call of the classifier's train."""

    setting: Setting
    X: np.ndarray
    y: np.ndarray
    again: bool  # it had been trained before
    steps: int


@dataclass
class Search:
    """What the student's cell did with the stand-in, and the variables it left.

    A setting is a pair (learning rate, reg).
    """

    X: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    trained: list[Training] = field(default_factory=list)
    asked: list[np.ndarray] = field(default_factory=list)  # rows that predict was asked about
    weights: dict[Setting, np.ndarray] = field(default_factory=dict)
    results: Any = None
    best_val: Any = None
    best_weights: Any = None
    has_best: bool = False

    @property
    def judged(self) -> dict[Setting, Training]:
        """The settings of the search itself, each with its last training.

        They are those in ``results``. Others belong to a coarse search before it, or to trials on
        some of the rows or for fewer steps; where they were tried later, and as thoroughly, they
        should be in ``results`` as well.
        """
        stored = self.results if isinstance(self.results, dict) else {}
        when = {training.setting: number for number, training in enumerate(self.trained)}
        last = {setting: self.trained[number] for setting, number in when.items()}
        kept = {setting: training for setting, training in last.items() if setting in stored}
        if not kept:
            return last
        begin = min(when[setting] for setting in kept)
        steps = min(training.steps for training in kept.values())
        rows = min(len(training.X) for training in kept.values())
        return {
            setting: training
            for setting, training in last.items()
            if setting in kept
            or (when[setting] > begin and training.steps >= steps and len(training.X) >= rows)
        }

    def accuracy(self, setting: Setting, part: str) -> float:
        predicted = np.argmax(self.X[part] @ self.weights[setting], axis=1)
        return float(np.mean(predicted == self.y[part]))


def run_search(student: Student, rng: Generator, cell: TuningCell) -> Search:
    """Run the student's cell on small data with the stand-in; later checks share the run."""
    return student.once(f"search {cell.cell}", lambda: _run(student, rng, cell))


def _run(student: Student, rng: Generator, cell: TuningCell) -> Search:
    truth = rng.normal(size=(DIM, CLASSES))
    X = {part: rng.normal(size=(rows, DIM)) for part, rows in SIZES.items()}
    y = {part: np.argmax(rows @ truth, axis=1) for part, rows in X.items()}
    search, salt = Search(X, y), rng.bytes(8)

    def learn(W: Any, X: Any, y: Any, lr: Any, reg: Any, num_iters: Any) -> tuple[Any, list]:
        lr, reg = float(lr), float(reg)
        rows, labels, again = as_array(X), as_array(y), W is not None
        search.trained.append(Training((lr, reg), rows, labels, again, int(num_iters)))
        weights = search.weights[(lr, reg)] = _weights(truth, salt, lr, reg)
        return weights.copy(), [1.0] * min(int(num_iters), 100_000)

    def answer(W: Any, X: Any) -> np.ndarray:
        if W is None:
            raise ValueError("predict was called before train")
        rows = as_array(X)
        search.asked.append(rows)
        return np.argmax(rows @ as_array(W), axis=1)

    bindings = {}
    for name, label, part in zip(cell.rows, cell.labels, SIZES, strict=True):
        bindings |= {name: X[part].copy(), label: y[part].copy()}
    chosen = rng.permutation(SIZES["train"])[:FEW]
    bindings |= dict(zip(cell.few, (X["train"][chosen], y["train"][chosen]), strict=True))
    left = student.apply(
        in_kernel_search.search,
        cell.cell,
        cell.classifier,
        cell.best,
        (cell.results, cell.best_val),
        student.stand_in(learn),
        student.stand_in(answer),
        cells=(cell.cell,),
        bindings=bindings,
    )
    search.results, search.best_val = left.get(cell.results), left.get(cell.best_val)
    search.has_best, search.best_weights = left["has best"], left["best W"]
    return search


def _weights(truth: np.ndarray, salt: bytes, lr: float, reg: float) -> np.ndarray:
    """Weights (DIM, CLASSES) as good or bad as these settings happen to make them."""
    digest = hashlib.blake2b(repr((lr, reg)).encode(), key=salt, digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    return truth * rng.uniform(0.1, 1.5) + rng.normal(size=truth.shape)
