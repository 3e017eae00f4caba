"""Both linear losses by torch's autograd in float64, and problems that stay away from kinks.

Shapes: W (D, C) weights, X (N, D) rows, y (N,) classes; scores X @ W are (N, C).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.judge import Failed, Student, expect_shape

Array = np.ndarray


class Problem(NamedTuple):
    """The arguments of a loss function, but for reg."""

    W: Array
    X: Array
    y: Array

    def copy(self) -> Problem:
        return Problem(self.W.copy(), self.X.copy(), self.y.copy())


class LossAndGradient(NamedTuple):
    loss: float
    gradient: Array


@dataclass(frozen=True)
class Loss:
    """A loss over scores: ``data_term(scores, y)`` is the mean over rows, in torch."""

    name: str
    data_term: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    at_zero: Callable[[int], float]  # its value for C equal scores

    def __call__(self, problem: Problem, reg: float) -> LossAndGradient:
        """The value and, by autograd, the gradient with the penalty reg * sum(W * W)."""
        W = torch.tensor(problem.W, dtype=torch.float64, requires_grad=True)
        X, y = torch.tensor(problem.X, dtype=torch.float64), torch.tensor(problem.y)
        loss = self.data_term(X @ W, y) + reg * (W * W).sum()
        loss.backward()
        assert W.grad is not None
        return LossAndGradient(float(loss.detach()), W.grad.numpy())


def _hinge(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    # torch also divides by the number of classes; the course does not.
    return functional.multi_margin_loss(scores, y, margin=1.0) * scores.shape[1]


HINGE = Loss("hinge", _hinge, lambda C: C - 1.0)
CROSS_ENTROPY = Loss("cross-entropy", functional.cross_entropy, lambda C: float(np.log(C)))


def draw(rng: Generator, N: int, D: int, C: int, scale: float = 1.0) -> Problem:
    """Random numbers; every class is some row's, where N allows. No margin is near its kink.

    ``scale`` multiplies the scores. The hinge loss is of their size: a loss of 0, or almost, would
    not tell a mean from a sum, or leave float32 less of the loss than rounding takes.
    """
    while True:
        y = rng.permutation(np.arange(N) % C)
        problem = Problem(rng.normal(size=(D, C)), scale * rng.normal(size=(N, D)), y)
        violated = np.maximum(margins(problem), 0).sum() / N - 1  # without the true classes' own
        if away_from_kinks(problem) and violated > 0.05 * scale:
            return problem


def margins(problem: Problem) -> Array:
    """What every wrong class lacks, s_j - s_y + 1 (N, C); the true class's entry is 1."""
    scores = problem.X @ problem.W
    return scores - np.take_along_axis(scores, problem.y[:, None], axis=1) + 1


def away_from_kinks(problem: Problem, by: float = 1e-3) -> bool:
    """No finite difference of 1e-5 and no rounding, float32 included, can cross a kink."""
    scale = max(1.0, float(np.abs(problem.X @ problem.W).max()))
    lacking = margins(problem)
    np.put_along_axis(lacking, problem.y[:, None], np.inf, axis=1)  # the true class has no kink
    return bool(np.abs(lacking).min() > by * scale)


def ask(student: Student, name: str, problem: Problem, reg: float) -> LossAndGradient:
    """The student's loss and gradient, not yet looked at; Failed unless there are two."""
    answer = student.call(name, *problem, reg)
    if answer is None:
        raise Failed(f"{name} returned None: is a return statement missing?")
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        kind = type(answer).__name__
        raise Failed(f"{name} must return two things, the loss and dW; it returned a {kind}")
    return LossAndGradient(*answer)


def loss_of(student: Student, name: str, problem: Problem, reg: float) -> Array:
    """The student's loss, which must be one number, in the precision it was returned in."""
    return expect_shape(ask(student, name, problem, reg).loss, (), "the loss")


def gradient_of(student: Student, name: str, problem: Problem, reg: float) -> Array:
    """The student's dW, which must have the shape of W."""
    return expect_shape(ask(student, name, problem, reg).gradient, problem.W.shape, "dW")
