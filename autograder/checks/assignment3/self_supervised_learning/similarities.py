"""What is asked of sim, sim_positive_pairs and compute_sim_matrix: cosines, and their gradients.

Shapes: z_i and z_j (D,) -> (); out_left and out_right (N, D) -> (N, 1); out (2N, D) -> (2N, 2N).
Weights: a function that gives other numbers, or through which nothing is learned, is useless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.self_supervised_learning import (
    gradients,
    in_kernel,
    oracle,
    slips,
)
from autograder.judge import (
    Student,
    advice,
    as_array,
    check_each,
    expect,
    expect_near,
    expect_shape,
)


@dataclass(frozen=True)
class Question:
    """One of the three functions, its cell, and what usual mistakes answer."""

    name: str
    cell: str
    count: int  # of the arguments
    vectors: bool  # each argument is one vector, not a matrix of them
    slips: Callable[..., dict[str, oracle.Array]]

    def draw(self, rng: Generator, N: int, D: int) -> list[Tensor]:
        shape = (D,) if self.vectors else (N, D)
        return [oracle.draw(rng, *shape) for _ in range(self.count)]

    def right(self, arguments: list[Tensor]) -> Tensor:
        return oracle.ANSWERED[self.name](*arguments)


SIM = Question("sim", "sim", 2, True, slips.of_sim)
PAIRS = Question("sim_positive_pairs", "sim-positive-pairs", 2, False, slips.of_pairs)
MATRIX = Question("compute_sim_matrix", "sim-matrix", 1, False, slips.of_matrix)
QUESTIONS = {"cosine": SIM, "positive-pairs": PAIRS, "all-pairs": MATRIX}


@check_each(QUESTIONS, probe="SSL-A3, SSL-A6, SSL-A7", weight=4)
def similarities_are_cosines(student: Student, rng: Generator, question: Question) -> None:
    """Cosine similarities of vectors of various lengths."""
    calls = [question.draw(rng, N, D) for N, D in ((6, 5), (4, 9), (2, 3))]
    for got, call in zip(_asked(student, question, *calls), calls, strict=True):
        want = question.right(call).numpy()
        expect_near(got, want, what="the result", slips=question.slips(*call), squeeze=True)


@check_each(QUESTIONS, probe="SSL-A3, SSL-A7, SSL-A9")
def special_directions_are_exact(student: Student, rng: Generator, question: Question) -> None:
    """Parallel, opposite and orthogonal vectors: 1, -1 and 0, however long they are."""
    D = 6
    a, b = np.linalg.qr(rng.normal(size=(D, 2)))[0].T
    lengths = rng.uniform(1.5, 4.0, size=4)
    # Rows 1 and 3 are the partners of rows 0 and 2 where halves are compared.
    rows = torch.from_numpy(np.stack([a, a, -a, b]) * lengths[:, None])
    cosines = np.array([[1, 1, -1, 0], [1, 1, -1, 0], [-1, -1, 1, 0], [0, 0, 0, 1.0]])
    if question is MATRIX:
        calls, wanted = [[rows]], [cosines]
    elif question is PAIRS:
        calls, wanted = [[rows[[0, 0, 0]], rows[1:]]], [cosines[0, 1:, None]]
    else:
        calls = [[rows[0], rows[k]] for k in (1, 2, 3)]
        wanted = [cosines[0, k] for k in (1, 2, 3)]
    found = _asked(student, question, *calls)
    for got, want in zip(found, wanted, strict=True):
        what = "the result for parallel, opposite and orthogonal vectors"
        expect_near(got, want, what=what, squeeze=True)


@check_each({"cosine": SIM, "positive-pairs": PAIRS}, probe="SSL-A3, SSL-A6")
def shape_is_right(student: Student, rng: Generator, question: Question) -> None:
    """One number for two vectors; a column (N, 1) for N pairs."""
    for N in (5, 1):
        call = question.draw(rng, N, 4)
        shape = tuple(question.right(call).shape)
        expect_shape(_asked(student, question, call)[0], shape)


@check_each(QUESTIONS, probe="SSL-A10", weight=3)
def gradients_reach_the_vectors(student: Student, rng: Generator, question: Question) -> None:
    """The gradient with respect to every argument."""
    call = question.draw(rng, 4, 5)
    named = {"sim": ["z_i", "z_j"], "compute_sim_matrix": ["out"]}
    names = named.get(question.name, ["out_left", "out_right"])
    upstream = torch.from_numpy(rng.normal(size=tuple(question.right(call).shape)))
    gradients.expect_direction(
        student, question.name, dict(zip(names, call, strict=True)), upstream,
        right=oracle.ANSWERED[question.name], runs=question.cell,
    )  # fmt: skip


@check_each(QUESTIONS, probe="SSL-B2", advises=True)
def zero_vectors_are_no_nan(student: Student, rng: Generator, question: Question) -> None:
    """A vector of zeros, which has no direction: the task leaves open what comes out."""
    call = [argument.clone() for argument in question.draw(rng, 4, 5)]
    call[0].view(-1, 5)[0] = 0
    got = as_array(_asked(student, question, call)[0])
    found = "where a vector is zero, the result is nan"
    expect(np.isfinite(got).all(), found, "torch's own functions divide by at least 1e-8 or so")


@advice("cosine", probe="SSL-B3")
def vectors_may_be_rows(student: Student, rng: Generator) -> None:
    """Two matrices of one row, (1, D)."""
    call = [oracle.draw(rng, 1, 5) for _ in range(2)]
    got = as_array(_asked(student, SIM, call)[0])
    want = oracle.sim(*call).numpy()
    expect_near(got.squeeze(), want, what="the result for two matrices (1, D)")


def _asked(student: Student, question: Question, *calls: list[Tensor]) -> list[Any]:
    cells = (student.cell_defining(question.name) or question.cell,)
    return student.apply(in_kernel.answers, question.name, list(calls), cells=cells)
