"""A student's training of nets, run with stand-ins that learn nothing.

What each net answers after its training is written down by the judge, so that every accuracy is
known, and a wrong net or update rule of an earlier notebook costs nothing here.

Shapes: N rows of D features, C classes, H hidden units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.features import in_kernel
from autograder.judge import Student, as_array, expect

CELL, BEST = "train-net", "best_net"
DIM, CLASSES, HIDDEN = 6, 10, 500
LARGEST = 20_000
SIZES = {"train": 211, "val": 101, "test": 83}


@dataclass
class Net:
    """A net after one training (or none): what it answers, and how that came about."""

    answers: dict[bytes, int]  # the class given to a row
    shape: tuple[int, int, int]  # D, H, C as it was made
    before: bytes = b""  # the same net before this training
    accuracy: float = 0.0  # on the validation rows it was given
    X: np.ndarray = field(default_factory=lambda: np.zeros((0, DIM)))
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    X_val: np.ndarray = field(default_factory=lambda: np.zeros((0, DIM)))
    y_val: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass
class Training:
    """What the student's cell did with the stand-ins, and what it left in best_net."""

    X: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    falling: bool  # whether each net is worse in validation than the one before, or better
    nets: dict[bytes, Net] = field(default_factory=dict)  # by their parameters
    asked: set[bytes] = field(default_factory=set)  # rows whose scores were asked for
    best: Any = None  # the parameters of best_net

    @property
    def trained(self) -> list[Net]:
        return [net for net in self.nets.values() if net.before]

    @property
    def final(self) -> list[Net]:
        """The trained nets, each after the last of its trainings."""
        earlier = {net.before for net in self.nets.values()}
        return [net for key, net in self.nets.items() if net.before and key not in earlier]

    @property
    def kept(self) -> Net | None:
        """The net in best_net, if it is one of those trained here."""
        net = self.nets.get(_fingerprint(self.best)) if self.best else None
        return net if net is not None and net.before else None

    def earlier(self, net: Net) -> list[Net]:
        """The states of a net after its earlier trainings."""
        states = []
        while (before := self.nets.get(net.before)) is not None and before.before:
            states.append(before)
            net = before
        return states


def run_training(student: Student, rng: Generator, falling: bool) -> Training:
    """Run the student's cell on small data with the stand-ins; later checks share the run.

    When ``falling``, the first net is best in validation and the last in training, else the other
    way round: whoever chooses by anything but validation accuracy is wrong in one of the two.
    """
    return student.once(f"nets {falling}", lambda: _run(student, rng, falling))


def _run(student: Student, rng: Generator, falling: bool) -> Training:
    X = {part: rng.normal(size=(rows, DIM)) for part, rows in SIZES.items()}
    y = {part: rng.integers(CLASSES, size=rows) for part, rows in SIZES.items()}
    run = Training(X, y, falling)

    def remember(net: Net) -> dict[str, np.ndarray]:
        D, H, C = net.shape
        shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
        params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        run.nets[_fingerprint(params)] = net
        return params

    def new(input_dim: Any, hidden_dim: Any, num_classes: Any) -> dict[str, np.ndarray]:
        shape = (int(input_dim), int(hidden_dim), int(num_classes))
        if max(shape) > LARGEST:
            raise ValueError(f"a net has more than {LARGEST} units in a layer")
        return remember(Net(_script(run, rng, 0.1, 0.1), shape))

    def scores(params: Any, rows: Any) -> np.ndarray:
        keys = [row.tobytes() for row in np.atleast_2d(as_array(rows)).astype(np.float64)]
        run.asked.update(keys)
        net = run.nets.get(_fingerprint(params))
        answers = net.answers if net else {}
        return np.eye(CLASSES)[[answers.get(key, 0) for key in keys]]

    def learn(params: Any, *rows: Any) -> tuple[dict[str, np.ndarray], list[float]]:
        before = _fingerprint(params)
        known = run.nets.get(before)
        if known is None:
            raise ValueError("the parameters of this net were changed by hand")
        X, y, X_val, y_val = (as_array(part) for part in rows)
        high, low = 0.6 * 0.95 ** len(run.trained), 0.6 - 0.3 * 0.95 ** len(run.trained)
        on_val, on_train = (high, low) if falling else (low, high)
        net = Net(_script(run, rng, on_train, on_val), known.shape, before)
        net.X, net.y, net.X_val, net.y_val = X, y.ravel(), X_val, y_val.ravel()
        reached = [_share(net, X, net.y), _share(net, X_val, net.y_val)]
        net.accuracy = reached[1]
        return remember(net), reached

    bindings: dict[str, Any] = {}
    for part in SIZES:
        bindings |= {f"X_{part}_feats": X[part].copy(), f"y_{part}": y[part].copy()}
    # Names that the cell, or an earlier one, gives to the same things.
    bindings |= {"input_dim": DIM, "num_features": DIM, "hidden_dim": HIDDEN}
    bindings |= {"num_classes": CLASSES, "data": _data(X, y)}
    judge = [student.stand_in(answer) for answer in (new, scores, learn)]
    run.best = student.apply(
        in_kernel.train_nets, CELL, BEST, *judge, cells=(CELL,), bindings=bindings
    )
    return run


def _data(X: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"X_{part}": X[part].copy() for part in X} | {f"y_{part}": y[part].copy() for part in y}


def _script(run: Training, rng: Generator, on_train: float, on_val: float) -> dict[bytes, int]:
    """A class for each row, right on these shares of them."""
    answers: dict[bytes, int] = {}
    for part, share in (("train", on_train), ("val", on_val), ("test", 0.5)):
        truth = run.y[part]
        right = rng.permutation(len(truth)) < round(share * len(truth))
        given = np.where(right, truth, (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES)
        answers |= {x.tobytes(): int(c) for x, c in zip(run.X[part], given, strict=True)}
    return answers


def _share(net: Net, X: np.ndarray, y: np.ndarray) -> float:
    given = [net.answers.get(row.tobytes(), 0) for row in X.astype(np.float64)]
    return float(np.mean(np.array(given) == y))


def _fingerprint(params: Any) -> bytes:
    expect(isinstance(params, dict) and "W1" in params, f"{BEST} has no params with a W1")
    return np.ascontiguousarray(params["W1"], np.float64).tobytes()
