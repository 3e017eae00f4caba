"""What is asked of LinearClassifier.train: a subclass whose loss the judge answers watches it.

Shapes: W (D, C), X (N, D), y (N,); a minibatch is X_batch (B, D), y_batch (B,).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.linear_oracle import HINGE, Problem
from autograder.judge import Student, as_array, expect, expect_close, expect_equal, expect_shape

# The name of the class is the student's; `observe` is answered by the judge.
SPY = """
class Spy(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        return observe(self.W, X_batch, y_batch, reg)

spy = Spy()
if start is not None:
    spy.W = start
history = spy.train(X, y, **settings)
W = spy.W
"""
ONCE_MORE = "\nhistory = spy.train(X, y, **settings)\nW = spy.W\n"


@dataclass
class Run:
    """One training as the loss saw it, and what it ended with."""

    start: np.ndarray | None
    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray, Any]] = field(default_factory=list)
    gradients: list[np.ndarray] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    history: Any = None
    W: Any = None

    def batches(self, shape: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The minibatches, each of which must have this shape."""
        expect(bool(self.seen), "train never called self.loss")
        return [
            (
                expect_shape(X_batch, shape, "X_batch"),
                expect_shape(y_batch, shape[:1], "y_batch"),
            )
            for _, X_batch, y_batch, _ in self.seen
        ]


def watch(
    student: Student,
    rng: Generator,
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray | None = None,
    loss: Any = None,
    more: str = "",
    **settings: Any,
) -> Run:
    """Train on X and y. ``loss`` is one of the oracle's; by default values and gradients are drawn.

    Gradients differ from step to step, so that a step which uses an earlier one is noticed.
    """
    run = Run(start)

    def observe(W: Any, X_batch: Any, y_batch: Any, reg: Any) -> tuple[float, np.ndarray]:
        weights = as_array(W, "self.W").astype(np.float64)
        run.seen.append((weights, as_array(X_batch), as_array(y_batch), reg))
        if loss is None:
            value, gradient = float(rng.normal()), rng.normal(size=weights.shape)
        else:
            batch = Problem(weights, as_array(X_batch), as_array(y_batch).astype(np.int64))
            value, gradient = loss(batch, float(reg))
        run.losses.append(value)
        run.gradients.append(gradient.copy())
        return value, gradient

    bindings = {
        "observe": student.stand_in(observe),
        "start": start,
        "X": X.copy(),
        "y": y.copy(),
        "settings": settings,
    }
    after = student.rerun(SPY + more, bindings, ("history", "W"))
    run.history, run.W = after.get("history"), after.get("W")
    return run


def numbered_rows(N: int, D: int, C: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that can be recognised: row i begins with i, and its label is i % C."""
    X = np.arange(N, dtype=np.float64)[:, None] + np.linspace(0, 0.5, D)
    return X, np.arange(N) % C


def steps_are_exact(student: Student, rng: Generator) -> None:
    """W0 - learning_rate * (sum of the gradients so far), at each step; one loss a step."""
    X, y = numbered_rows(20, 4, 3)
    start = rng.normal(size=(4, 3))
    run = watch(student, rng, X, y, start, learning_rate=0.25, reg=3.0, num_iters=6, batch_size=5)
    expect(len(run.seen) == 6, f"self.loss was called {len(run.seen)} times in 6 iterations")
    hint = "one step is the learning rate times the gradient of this minibatch, downhill"
    for step, (W, *_) in enumerate(run.seen):
        want = start - 0.25 * np.sum(run.gradients[:step], axis=0)
        expect_close(W, want, what=f"self.W after {step} step(s)", hint=hint)
    want = start - 0.25 * np.sum(run.gradients, axis=0)
    expect_close(run.W, want, what="self.W after the last step", hint=hint)
    expect(run.history is not None, "train returned None: is the return statement gone?")
    what = "the list of losses that train returns"
    expect_close(run.history, run.losses, what=what, hint="one loss for each iteration, in order")


def minibatches_are_right(student: Student, rng: Generator) -> None:
    """Shapes, rows with their labels, and reg as given."""
    X, y = numbered_rows(40, 4, 7)
    start = np.zeros((4, 7))
    run = watch(student, rng, X, y, start, learning_rate=0.1, reg=2.5, num_iters=5, batch_size=9)
    for X_batch, y_batch in run.batches((9, 4)):
        rows = np.round(X_batch[:, 0]).astype(int)
        expect(
            np.isin(rows, np.arange(40)).all() and np.array_equal(X_batch, X[rows]),
            "X_batch holds rows that are not in X",
        )
        hint = "take X and y at the same row numbers"
        expect_equal(y_batch, y[rows], what="y_batch beside X_batch", hint=hint)
    for *_, reg in run.seen:
        expect_close(reg, 2.5, what="the reg that self.loss was given")


def minibatches_are_random(student: Student, rng: Generator) -> None:
    """No two batches in a row are the same, and no row is left out for ever."""
    # 120 batches of 5 from 12 rows: a given row is missed by all with probability (11/12)^600,
    # below 1e-22; two batches of 5 are equal, in order, with at most 1 / (12 * 11 * 10 * 9 * 8).
    X, y = numbered_rows(12, 3, 2)
    run = watch(
        student, rng, X, y, np.zeros((3, 2)), learning_rate=0.1, num_iters=120, batch_size=5
    )
    batches = [tuple(np.round(X_batch[:, 0])) for X_batch, _ in run.batches((5, 3))]
    different = len(set(batches))
    expect(
        different > 10,
        f"only {different} different minibatches in {len(batches)} steps: draw new rows each time",
    )
    drawn = {int(row) for batch in batches for row in batch}
    expect(len(drawn) == 12, f"only {len(drawn)} of the 12 rows of X were ever drawn")


def second_call_goes_on(student: Student, rng: Generator) -> None:
    """The weights of the first call are where the second begins."""
    X, y = numbered_rows(20, 4, 3)
    settings = {"learning_rate": 0.5, "reg": 0.0, "num_iters": 3, "batch_size": 4}
    run = watch(student, rng, X, y, None, more=ONCE_MORE, **settings)
    expect(len(run.seen) == 6, f"self.loss was called {len(run.seen)} times in twice 3 iterations")
    want = run.seen[0][0] - 0.5 * np.sum(run.gradients[:3], axis=0)
    hint = "make new weights only where self.W is None"
    expect_close(run.seen[3][0], want, what="self.W when train is called again", hint=hint)
    what = "the losses that the second call returns"
    expect_close(run.history, run.losses[3:], what=what, hint="those of its own steps")


def first_weights(student: Student, rng: Generator) -> None:
    """One column for each class up to the largest label; 0.001 times standard normal numbers."""
    X = rng.normal(size=(30, 500))
    y = rng.choice([0, 2, 5], size=30)  # classes may be missing
    y[7] = 5
    run = watch(student, rng, X, y, None, num_iters=2, batch_size=4, verbose=True)
    expect(bool(run.seen), "train never called self.loss")
    W = expect_shape(run.seen[0][0], (500, 6), "self.W for labels up to 5")
    # 3000 numbers: their deviation is within 1.3 % of the true one, and 10 % is 8 times that.
    small = 0.0009 < float(W.std()) < 0.0011 and abs(float(W.mean())) < 0.0002
    expect(small, "the first weights are not 0.001 times standard normal numbers")


def defaults_hold(student: Student, rng: Generator) -> None:
    """learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200."""
    X, y = numbered_rows(220, 3, 2)
    start = np.zeros((3, 2))
    run = watch(student, rng, X, y, start)
    expect(len(run.seen) == 100, f"train(X, y) takes {len(run.seen)} steps instead of 100")
    run.batches((200, 3))
    expect_close(run.seen[0][3], 1e-5, what="reg in train(X, y)", rtol=1e-9, atol=0)
    want = -1e-3 * np.sum(run.gradients, axis=0)
    expect_close(run.W, want, what="self.W after train(X, y)", hint="the default learning rate")


def separable_classes_are_learned(student: Student, rng: Generator) -> None:
    """More than 95 % of two clouds on either side of a line."""
    y = rng.permutation(np.arange(80) % 2)
    X = np.stack([4.0 * y - 2 + rng.normal(size=80) / 3, rng.normal(size=80), np.ones(80)], axis=1)
    run = watch(
        student, rng, X, y, None, HINGE, learning_rate=0.05, reg=1e-3, num_iters=60, batch_size=16
    )
    W = expect_shape(run.W, (3, 2), "self.W")
    accuracy = float(np.mean(np.argmax(X @ W, axis=1) == y))
    expect(accuracy > 0.95, f"only {accuracy:.0%} of two separable classes are right afterwards")
