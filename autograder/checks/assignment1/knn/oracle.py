"""A right nearest-neighbour classifier by SciPy, and the student's cross-validation run with it.

Shapes: Nte test rows, Ntr training rows, D numbers each; distances are (Nte, Ntr).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from autograder.checks.assignment1.knn import in_kernel
from autograder.judge import Instance, Rows, Student, as_array, expect, parse_cell

FOLDS = 5
EVEN, UNEVEN = 130, 133  # training rows
WIDTH, NARROW = 3072, 3  # numbers in a row: of an image as it is in the notebook, and any other


def trained(student: Student, X: np.ndarray, y: np.ndarray | None = None) -> Instance:
    """The student's classifier, holding this training set."""
    knn = student.new("KNearestNeighbor")
    knn.call("train", X, np.zeros(len(X), dtype=np.int64) if y is None else y)
    return knn


def majority(dists: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Majority vote (Nte,) of the k nearest columns of dists; a tie goes to the smallest label."""
    labels, index = np.unique(y, return_inverse=True)  # labels in ascending order
    nearest = np.argsort(dists, axis=1)[:, :k]
    votes = (index[nearest][:, :, None] == np.arange(len(labels))).sum(axis=1)
    return labels[votes.argmax(axis=1)]  # the first of equal maxima


class Oracle:
    """A right classifier for the student's loop: it lives here, and notes what it is given.

    It answers for ``rows`` of the training set of the check, and for no others.
    """

    seen: list[tuple[np.ndarray, np.ndarray]]
    rows: Rows

    def train(self, X: np.ndarray, y: np.ndarray) -> None:
        self.X, self.y = self._near(X).copy(), as_array(y).ravel()
        self.seen.append((self.X, self.y))

    def compute_distances_two_loops(self, X: np.ndarray) -> np.ndarray:
        return self.compute_distances_no_loops(X)

    def compute_distances_one_loop(self, X: np.ndarray) -> np.ndarray:
        return self.compute_distances_no_loops(X)

    def compute_distances_no_loops(self, X: np.ndarray) -> np.ndarray:
        return cdist(self._near(X), self.X)

    def _near(self, X: np.ndarray) -> np.ndarray:
        return near_columns(self.rows.expect(as_array(X)))

    def predict_labels(self, dists: np.ndarray, k: int = 1) -> np.ndarray:
        return majority(as_array(dists), self.y, int(k))

    def predict(self, X: np.ndarray, k: int = 1, num_loops: int = 0) -> np.ndarray:
        return majority(self.compute_distances_no_loops(X), self.y, int(k))


@dataclass(frozen=True)
class CrossValidation:
    """What the student's cell made of other data, with a right classifier in its hands."""

    X: np.ndarray  # (rows, width)
    y: np.ndarray  # (rows,)
    X_folds: list[np.ndarray]
    y_folds: list[np.ndarray]
    table: dict  # k_to_accuracies
    seen: list[tuple[np.ndarray, np.ndarray]]  # near columns and labels of each training


def cross_validate(
    student: Student, rng: Generator, rows: int = EVEN, width: int = WIDTH
) -> CrossValidation:
    """Run the student's cell on ``rows`` training rows; later checks share the run."""
    key = f"cross-validation {rows} {width}"
    return student.once(key, lambda: _cross_validate(student, rng, rows, width))


def near_columns(X: np.ndarray) -> np.ndarray:
    """The columns of rows in which they differ: distances are those of the rows."""
    return X[:, :NARROW]


def _cross_validate(student: Student, rng: Generator, rows: int, width: int) -> CrossValidation:
    X, y = np.zeros((rows, width)), rng.integers(0, 4, size=rows)
    X[:, :NARROW] = rng.normal(size=(rows, NARROW))
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    members = dict(vars(Oracle)) | {"seen": seen, "rows": Rows.of(X)}
    oracle = type("KNearestNeighbor", (Oracle,), members)
    bindings = {
        "KNearestNeighbor": student.stand_in(oracle),
        "X_train": X,
        "y_train": y,
        "num_training": rows,
    }
    names = ("X_train_folds", "y_train_folds", "k_to_accuracies")
    after = _run_cell(student, "cross-validation", names, bindings)
    for name in names:
        expect(name in after, f"the variable {name} does not exist after the cell")
    X_folds, y_folds = (_list(after[name], name) for name in names[:2])
    table = after[names[2]]
    expect(isinstance(table, dict), "k_to_accuracies is not a dict")
    return CrossValidation(X, y, X_folds, y_folds, table, seen)


def choose_k(student: Student, rng: Generator, ks: Sequence[int]) -> tuple[list[int], list[object]]:
    """The best k of two made-up tables, and what the student's cell takes for it.

    In each table one k is far ahead in every fold but one: there, in each fold, another k is first.
    """
    asked = [int(k) for k in rng.choice(ks, size=2, replace=False)]
    found = []
    for best in asked:
        accuracies = {k: rng.uniform(0.20, 0.24, size=FOLDS) for k in ks}
        accuracies[best] += 0.4
        others = rng.permutation([k for k in ks if k != best])
        for fold, decoy in enumerate(others[:FOLDS]):
            accuracies[int(decoy)][fold] = 0.8
        bindings = {
            "k_to_accuracies": {k: a.tolist() for k, a in accuracies.items()},
            "k_choices": list(ks),
            "accuracies_mean": np.array([a.mean() for a in accuracies.values()]),
            "accuracies_std": np.array([a.std() for a in accuracies.values()]),
        }
        after = _run_cell(student, "best-k", ["best_k"], bindings)
        found.append(as_array(after.get("best_k"), "best_k").tolist())
    return asked, found


def _run_cell(
    student: Student, cell: str, names: Sequence[str], bindings: Mapping[str, object]
) -> dict[str, Any]:
    """What the student's cell makes of other values of its variables."""
    return student.apply(in_kernel.run_cell, cell, names, cells=(cell,), bindings=bindings)


def typed_in(student: Student, cell: str, name: str) -> bool:
    """Whether the cell only ever gives ``name`` a number that stands there."""
    nodes = list(ast.walk(parse_cell(student.sources.get(cell, ""))))
    stores = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
    stores = [n for n in stores if isinstance(n.ctx, ast.Store)]
    plain = [n for n in nodes if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)]
    constant = [t for n in plain for t in n.targets if isinstance(t, ast.Name) and t.id == name]
    return bool(stores) and len(constant) == len(stores)


def _list(value: object, name: str) -> list[np.ndarray]:
    rows = list(value) if isinstance(value, list | tuple | np.ndarray) else None
    expect(rows is not None, f"{name} is not a list of arrays")
    expect(len(rows or []) == FOLDS, f"{name} has {len(rows or [])} folds; expected {FOLDS}")
    return [as_array(fold, f"{name}[{i}]") for i, fold in enumerate(rows or [])]
