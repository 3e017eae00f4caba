"""LinearClassifier.train: a subclass whose loss the judge answers watches it.

Shapes: W (D, C), X (N, D), y (N,); a mini-batch is X_batch (B, D), y_batch (B,).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.svm import in_kernel
from autograder.checks.shared.linear_oracle import HINGE, Problem
from autograder.judge import (
    Failed,
    Student,
    StudentError,
    as_array,
    check,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    parse_cell,
)

NAMED = "in a second call of train, self.W == None compares number by number: write self.W is None"


@dataclass
class Run:
    """One training as the loss saw it, and what it ended with."""

    start: np.ndarray | None
    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray, Any]] = field(default_factory=list)
    gradients: list[np.ndarray] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    history: Any = None
    weights: list[np.ndarray] = field(default_factory=list)  # self.W after each call of train

    @property
    def final(self) -> np.ndarray:
        return self.weights[-1]

    def batches(self, shape: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The mini-batches, each of which must have this shape."""
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
    calls: int = 1,
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

    watched = student.stand_in(observe)
    run.history, run.weights = student.apply(in_kernel.train, watched, start, X, y, settings, calls)
    return run


def numbered_rows(N: int, D: int, C: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that can be recognised: row i begins with i, and its label is i % C."""
    X = np.arange(N, dtype=np.float64)[:, None] + np.linspace(0, 0.5, D)
    return X, np.arange(N) % C


# Without these steps nothing is learned: what goes uphill, or nowhere, loses half of the question.
@check("svm-train", probe="LIN-A1", weight=5)
def steps_go_down_the_gradient(student: Student, rng: Generator) -> None:
    """W0 - learning_rate * (sum of the gradients so far) after each step; one loss a step."""
    X, y = numbered_rows(20, 4, 3)
    start = rng.normal(size=(4, 3))
    run = watch(student, rng, X, y, start, learning_rate=0.25, reg=3.0, num_iters=6, batch_size=5)
    expect(len(run.seen) == 6, f"self.loss was called {len(run.seen)} times in 6 iterations")
    after = [W for W, *_ in run.seen[1:]] + [run.final]
    way = -0.25 * np.cumsum(run.gradients, axis=0)
    for step, W in enumerate(after):
        slips = {
            "the step goes up the gradient: the loss grows": start - way[step],
            "self.W is not changed: the step is not kept": start,
            "the step is divided by batch_size: self.loss returns a mean already": start
            + way[step] / 5,
        }
        what = f"self.W after {step + 1} step(s) of learning_rate times the gradient"
        expect_close(W, start + way[step], what=what, slips=slips)
    expect(run.history is not None, "train returned None: is the return statement gone?")
    expect_close(run.history, run.losses, what="the losses that train returns, one for each step")


@check("svm-train", probe="LIN-A1", weight=2)
def minibatches_are_rows_with_their_labels(student: Student, rng: Generator) -> None:
    """Shapes of the mini-batches; each row comes with its own label; reg is passed on."""
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


@check("svm-train", probe="LIN-A2", weight=2)
def minibatches_are_random(student: Student, rng: Generator) -> None:
    """Other rows in every step, in no fixed order, and every row has its chance."""
    # 120 batches of 5 from 12 rows: a given row is missed by all with probability (11/12)^600,
    # below 1e-22. Of 12^5 (or, without repeats, 95040) batches, 120 draws repeat hardly any; rows
    # that are shuffled once and taken in turn, or taken in their order, make 12.
    X, y = numbered_rows(12, 3, 2)
    run = watch(
        student, rng, X, y, np.zeros((3, 2)), learning_rate=0.1, num_iters=120, batch_size=5
    )
    batches = [tuple(np.round(X_batch[:, 0]).astype(int)) for X_batch, _ in run.batches((5, 3))]
    in_order = all((np.diff(batch) % 12 == 1).all() for batch in batches)
    expect(
        not in_order,
        "the mini-batches take the rows of X in their order: draw row numbers at random",
    )
    different = len(set(batches))
    expect(
        different > 60,
        f"only {different} different mini-batches in {len(batches)} steps: draw new rows each time",
    )
    drawn = {row for batch in batches for row in batch}
    expect(len(drawn) == 12, f"only {len(drawn)} of the 12 rows of X were ever drawn")


@check("svm-train", probe="LIN-A4")
def training_goes_on(student: Student, rng: Generator) -> None:
    """A second call of train goes on from the weights of the first."""
    X, y = numbered_rows(20, 4, 3)
    settings = {"learning_rate": 0.5, "reg": 0.0, "num_iters": 3, "batch_size": 4}
    try:
        run = watch(student, rng, X, y, None, calls=2, **settings)
    except StudentError as error:
        if _compares_with_none(student):
            raise Failed(f"{error}", NAMED) from None
        raise
    expect(len(run.seen) == 6, f"self.loss was called {len(run.seen)} times in twice 3 iterations")
    what = "self.W in the first step of the second call, compared with what the first call left"
    expect_close(run.seen[3][0], run.weights[0], what=what)
    what = "the losses that the second call returns, those of its own steps"
    expect_close(run.history, run.losses[3:], what=what)


def _compares_with_none(student: Student) -> bool:
    """Whether the cell compares anything with None by == or !=."""
    tree = parse_cell(student.sources.get(student.cell_defining("LinearClassifier"), ""))
    return any(
        isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        and any(isinstance(n, ast.Constant) and n.value is None for n in node.comparators)
        for node in ast.walk(tree)
    )


@check("svm-train", probe="LIN-A6")
def first_weights_are_small_and_random(student: Student, rng: Generator) -> None:
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


@check("svm-train", probe="LIN-A1")
def defaults_are_kept(student: Student, rng: Generator) -> None:
    """train(X, y): learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200."""
    X, y = numbered_rows(220, 3, 2)
    seed, start = int(rng.integers(1 << 32)), np.zeros((3, 2))
    run = watch(student, np.random.default_rng(seed), X, y, start)
    expect(len(run.seen) == 100, f"train(X, y) takes {len(run.seen)} steps instead of 100")
    run.batches((200, 3))
    expect_close(run.seen[0][3], 1e-5, what="reg in train(X, y)", rtol=1e-9, atol=0)
    # With the same gradients, whatever the student makes of them.
    settings = {"learning_rate": 1e-3, "reg": 1e-5, "num_iters": 100, "batch_size": 200}
    spelled_out = watch(student, np.random.default_rng(seed), X, y, start, **settings)
    what = "self.W after train(X, y), compared with train(X, y, learning_rate=1e-3)"
    expect_close(run.final, spelled_out.final, what=what)


@check("svm-train", probe="LIN-A5")
def separable_classes_are_learned(student: Student, rng: Generator) -> None:
    """More than 95 % of two clouds on either side of a line, with a right loss."""
    y = rng.permutation(np.arange(80) % 2)
    X = np.stack([4.0 * y - 2 + rng.normal(size=80) / 3, rng.normal(size=80), np.ones(80)], axis=1)
    settings = {"learning_rate": 0.05, "reg": 1e-3, "num_iters": 60, "batch_size": 16}
    run = watch(student, rng, X, y, None, HINGE, **settings)
    W = expect_shape(run.final, (3, 2), "self.W")
    accuracy = float(np.mean(np.argmax(X @ W, axis=1) == y))
    expect(accuracy > 0.95, f"only {accuracy:.0%} of two separable classes are right afterwards")
