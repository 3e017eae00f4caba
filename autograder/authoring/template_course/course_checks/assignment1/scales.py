"""Hidden checks of the notebook about scales; oracle: the statistics module, column by column."""

from __future__ import annotations

import statistics

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, check, expect_close, expect_unchanged

QUESTION = "standardize-columns"  # the id of the cell with the visible tests


def oracle(x: np.ndarray) -> np.ndarray:
    """The right answer, found in another way than in the notebook."""
    columns = []
    for column in x.T.tolist():
        mean, spread = statistics.fmean(column), statistics.pstdev(column)
        columns.append([(value - mean) / spread for value in column])
    return np.array(columns).T


@check(QUESTION, weight=3)
def each_column_by_itself(student: Student, rng: Generator) -> None:
    """Three columns of very different size."""
    x = rng.normal(loc=(5.0, -60.0, 400.0), scale=(0.5, 8.0, 90.0), size=(7, 3))
    slips = {
        "these are the columns minus their means; divide by the standard deviations, too": (
            x - x.mean(axis=0)
        ),
        "the mean and the standard deviation are those of all numbers together here": (
            (x - x.mean()) / x.std()
        ),
        "the mean and the standard deviation are those of each row here": (
            (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
        ),
        "this divides by the variance; its square root is the standard deviation": (
            (x - x.mean(axis=0)) / x.var(axis=0)
        ),
        "this standard deviation divides by N - 1; the notebook's divides by N": (
            (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
        ),
    }
    expect_close(student.call("standardize", x), oracle(x), slips=slips)


@check(QUESTION, weight=1)
def one_column(student: Student, rng: Generator) -> None:
    """A single column stays a column."""
    x = rng.uniform(10.0, 20.0, size=(5, 1))
    hint = "x.mean(axis=0) has one number for each column, also where there is only one"
    expect_close(student.call("standardize", x), oracle(x), hint=hint)


@check(QUESTION, condition=True)
def x_is_unchanged(student: Student, rng: Generator) -> None:
    """The argument keeps its values."""
    x = rng.normal(3.0, 2.0, size=(6, 2))
    argument = student.put(x)
    student.call("standardize", argument)
    expect_unchanged(student.fetch(argument), x, "x")
