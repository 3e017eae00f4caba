"""Both linear losses by torch's autograd in float64, and problems that stay away from kinks.

Shapes: W (D, C) weights, X (N, D) rows, y (N,) classes; scores X @ W are (N, C).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from autograder.judge import Failed, Student

Array = np.ndarray


class Problem(NamedTuple):
    """The arguments of a loss function, but for reg."""

    W: Array
    X: Array
    y: Array


class LossAndGradient(NamedTuple):
    loss: float
    gradient: Array


@dataclass(frozen=True)
class Loss:
    """A loss over scores: ``data_term(scores, y)`` is the mean over rows, in torch."""

    name: str
    data_term: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

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


HINGE = Loss("hinge", _hinge)
CROSS_ENTROPY = Loss("cross-entropy", functional.cross_entropy)


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


def ask(student: Student, name: str, problem: Problem, reg: float) -> Answer:
    """What the student's function returns for these arguments."""
    return Answer(name, student.call(name, *problem, reg))


@dataclass(frozen=True)
class Answer:
    """What a loss function returned: each part is looked at on its own."""

    name: str
    returned: Any

    @property
    def loss(self) -> Any:
        """The loss; also where it is all that was returned."""
        if self._is_pair:
            return self.returned[0]
        alone = isinstance(self.returned, float | int | np.generic | np.ndarray)
        return self.returned if alone and np.size(self.returned) == 1 else self._not_two()

    @property
    def gradient(self) -> Any:
        """dW."""
        return self.returned[1] if self._is_pair else self._not_two()

    @property
    def _is_pair(self) -> bool:
        return isinstance(self.returned, tuple | list) and len(self.returned) == 2

    def _not_two(self) -> Any:
        if self.returned is None:
            raise Failed(f"{self.name} returned None: is a return statement missing?")
        is_sequence = isinstance(self.returned, tuple | list)
        number = f"{len(self.returned)} values" if is_sequence else "one value"
        raise Failed(f"{self.name} must return two values, the loss and dW; it returned {number}")


def loss_of(student: Student, name: str, problem: Problem, reg: float) -> Any:
    """The student's loss, in the precision it was returned in."""
    return ask(student, name, problem, reg).loss


def gradient_of(student: Student, name: str, problem: Problem, reg: float) -> Any:
    """The student's dW."""
    return ask(student, name, problem, reg).gradient
