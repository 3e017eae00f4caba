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

from autograder.checks.shared.held_out import held_out_images
from autograder.judge import (
    Failed,
    Instance,
    Ref,
    Student,
    as_array,
    expect,
    expect_close,
)

DIM, CLASSES = 6, 4
SIZES = {"train": 151, "val": 97, "test": 83}  # primes: no two accuracies agree by accident

# What the student's cell finds under the name of the classifier. `learn` and `answer` are the
# judge's. W is a real attribute, so that copies of it, and copies of the object, work as usual.
STAND_IN = """
class {name}:
    def __init__(self):
        self.W = None

    def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200,
              verbose=False):
        self.W, losses = _learn(self.W, X, y, learning_rate, reg, num_iters)
        return losses

    def loss(self, X_batch, y_batch, reg):
        return 1.0, 0.0 * self.W

    def predict(self, X):
        return _answer(self.W, X)

"""
AFTER = """
_best = globals().get({best!r})
_best_W = getattr(_best, "W", None)
"""


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


@dataclass
class Search:
    """What the student's cell did with the stand-in, and the variables it left."""

    X: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    trained: list[tuple[float, float, Any, Any, bool]] = field(default_factory=list)
    # (lr, reg, X, y, was it trained before?)
    asked: list[np.ndarray] = field(default_factory=list)  # rows that predict was asked about
    weights: dict[tuple[float, float], np.ndarray] = field(default_factory=dict)
    results: Any = None
    best_val: Any = None
    best_weights: Any = None
    has_best: bool = False

    def accuracy(self, setting: tuple[float, float], part: str) -> float:
        predicted = np.argmax(self.X[part] @ self.weights[setting], axis=1)
        return float(np.mean(predicted == self.y[part]))


def run_search(student: Student, rng: Generator, cell: TuningCell) -> Search:
    """Run the student's cell on small data with the stand-in; later checks share the run."""
    return student.once(f"search {cell.cell}", lambda: _run(student, rng, cell))


def _run(student: Student, rng: Generator, cell: TuningCell) -> Search:
    source = student.sources.get(cell.cell, "")
    truth = rng.normal(size=(DIM, CLASSES))
    X = {part: rng.normal(size=(rows, DIM)) for part, rows in SIZES.items()}
    y = {part: np.argmax(rows @ truth, axis=1) for part, rows in X.items()}
    search, salt = Search(X, y), rng.bytes(8)

    def learn(W: Any, X: Any, y: Any, lr: Any, reg: Any, num_iters: Any) -> tuple[Any, list]:
        lr, reg = float(lr), float(reg)
        search.trained.append((lr, reg, as_array(X), as_array(y), W is not None))
        weights = search.weights[(lr, reg)] = _weights(truth, salt, lr, reg)
        return weights.copy(), [1.0] * min(int(num_iters), 100_000)

    def answer(W: Any, X: Any) -> np.ndarray:
        if W is None:
            raise ValueError("predict was called before train")
        rows = as_array(X)
        search.asked.append(rows)
        return np.argmax(rows @ as_array(W), axis=1)

    bindings = {"_learn": student.stand_in(learn), "_answer": student.stand_in(answer)}
    for name, label, part in zip(cell.rows, cell.labels, SIZES, strict=True):
        bindings |= {name: X[part].copy(), label: y[part].copy()}
    names = (cell.results, cell.best_val, "_best", "_best_W")
    whole = STAND_IN.format(name=cell.classifier) + source + AFTER.format(best=cell.best)
    after = student.rerun(whole, bindings, names)
    search.results, search.best_val = after.get(cell.results), after.get(cell.best_val)
    search.has_best, search.best_weights = after.get("_best") is not None, after.get("_best_W")
    return search


def _weights(truth: np.ndarray, salt: bytes, lr: float, reg: float) -> np.ndarray:
    """Weights (DIM, CLASSES) as good or bad as these settings happen to make them."""
    digest = hashlib.blake2b(repr((lr, reg)).encode(), key=salt, digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    return truth * rng.uniform(0.1, 1.5) + rng.normal(size=truth.shape)


# -- the checks -----------------------------------------------------------------------------------


def trains_on_training_rows(student: Student, rng: Generator, cell: TuningCell) -> None:
    """Two settings or more; new objects; all training rows with their labels and no others."""
    search = run_search(student, rng, cell)
    expect(bool(search.trained), f"no {cell.classifier} was trained in this cell")
    settings = {(lr, reg) for lr, reg, *_ in search.trained}
    expect(len(settings) > 1, "only one pair of learning rate and reg was tried")
    again = any(before for *_, before in search.trained)
    expect(not again, f"a {cell.classifier} that was trained before is trained on: make a new one")
    label_of = {
        row.tobytes(): c for row, c in zip(search.X["train"], search.y["train"], strict=True)
    }
    for _, _, X, y, _ in search.trained:
        expect(X.ndim == 2 and y.shape == X.shape[:1], "train was called with odd shapes")
        found = [label_of.get(row.tobytes()) for row in X.astype(np.float64)]
        expect(None not in found, f"trained on rows that are not in {cell.rows[0]}")
        hint = f"trained on labels that do not belong to the rows of {cell.rows[0]}"
        expect(found == y.tolist(), hint)
        complete = len({row.tobytes() for row in X}) == len(label_of)
        expect(complete, f"trained on {len(X)} of the {len(label_of)} rows of {cell.rows[0]}")


def table_is_right(student: Student, rng: Generator, cell: TuningCell) -> None:
    """results[(lr, reg)]: accuracies on training and validation rows, for each pair trained."""
    search = run_search(student, rng, cell)
    table = _table(search, cell)
    for setting in search.weights:
        value = as_array(table[setting], f"{cell.results}[{setting}]")
        expect(value.shape == (2,), f"{cell.results}[{setting}] is no pair of numbers")
        want = [search.accuracy(setting, part) for part in ("train", "val")]
        if np.allclose(value, want[::-1]):
            raise Failed("training and validation accuracy are in the wrong order")
        if np.isclose(value[1], search.accuracy(setting, "test")):
            raise Failed("the accuracy stored as validation accuracy is that on the test set")
        if np.allclose(value, np.multiply(want, 100)):
            raise Failed("these are percent; an accuracy is the share of right answers, 0 to 1")
        hint = "the share of right predictions of the classifier trained with this pair"
        expect_close(value, want, what=f"{cell.results}[{setting}]", hint=hint)


def best_is_the_best(student: Student, rng: Generator, cell: TuningCell) -> None:
    """The highest of the validation accuracies that were reached, and who reached it."""
    search = run_search(student, rng, cell)
    expect(bool(search.weights), f"no {cell.classifier} was trained in this cell")
    reached = {setting: search.accuracy(setting, "val") for setting in search.weights}
    highest = max(reached.values())
    expect(search.best_val is not None, f"the variable {cell.best_val} does not exist or is None")
    hint = f"{cell.best_val} is the highest validation accuracy of all pairs"
    expect_close(search.best_val, highest, what=cell.best_val, hint=hint)
    expect(search.has_best, f"{cell.best} does not exist or is None: keep the best classifier")
    expect(search.best_weights is not None, f"{cell.best} is not a trained {cell.classifier}")
    winners = [search.weights[s] for s, value in reached.items() if value == highest]
    W = as_array(search.best_weights, f"the weights of {cell.best}")
    expect(
        any(W.shape == w.shape and np.allclose(W, w) for w in winners),
        f"{cell.best} is not the classifier that reached the highest validation accuracy",
    )


def leaves_test_set_alone(student: Student, rng: Generator, cell: TuningCell) -> None:
    """No prediction for a row of the test set."""
    search = run_search(student, rng, cell)
    forbidden = {row.tobytes() for row in search.X["test"]}
    asked = {row.tobytes() for rows in search.asked for row in np.atleast_2d(rows)}
    expect(not asked & forbidden, "the search asks the test set: leave it for the very end")


def classifies_new_images(
    student: Student, rng: Generator, cell: TuningCell, *, threshold: float, images: int = 500
) -> None:
    """The notebook's own best classifier, on images it cannot have been trained on."""
    W = _weights_of(student, cell.best)
    mean = as_array(student.get("mean_image"), "mean_image").astype(np.float64).ravel()
    pictures, labels = held_out_images(rng, images)
    rows = pictures.reshape(images, -1)
    width = rows.shape[1]
    expect(mean.size == width, f"mean_image has {mean.size} numbers, not {width}")
    fits = W.ndim == 2 and W.shape[0] in (width, width + 1)
    expect(fits, f"the weights of {cell.best} have shape {W.shape}")
    rows = np.hstack([rows - mean, np.ones((images, 1))])[:, : W.shape[0]]
    accuracy = float(np.mean(np.argmax(rows @ W.astype(np.float64), axis=1) == labels))
    found = f"{cell.best} is right on {accuracy:.1%} of {images} new images"
    hint = "is the loss right, and are the settings within a useful range?"
    expect(accuracy >= threshold, f"{found}; at least {threshold:.0%} were expected: {hint}")


def _weights_of(student: Student, name: str) -> np.ndarray:
    value = student.get(name)
    expect(value is not None, f"{name} is None: no classifier was kept")
    expect(isinstance(value, Ref), f"{name} is no classifier")
    return as_array(Instance(student, value, name).get("W"), f"the weights of {name}")


def _table(search: Search, cell: TuningCell) -> dict:
    table = search.results
    expect(isinstance(table, dict), f"{cell.results} is not a dict")
    expect(bool(search.weights), f"no {cell.classifier} was trained in this cell")
    for setting in search.weights:
        expect(setting in table, f"{cell.results} has no entry for (lr, reg) = {setting}")
    extra = [key for key in table if key not in search.weights]
    expect(not extra, f"{cell.results} has {len(extra)} entries for pairs that were not trained")
    return table
