"""What both linear losses are asked, naive or vectorised: declared by the SVM and the softmax.

Shapes: W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.in_kernel_linear import slopes
from autograder.checks.shared.linear_oracle import (
    Answer,
    Array,
    Loss,
    Problem,
    draw,
    gradient_of,
    loss_of,
)
from autograder.checks.shared.linear_penalty import (
    expect_coefficient_one,
    expect_gradient_of_penalty,
)
from autograder.judge import (
    Ref,
    Student,
    as_array,
    check,
    check_each,
    expect,
    expect_close,
    expect_near,
    expect_same_of_few,
    expect_unchanged,
    forbid_growth,
    forbid_loops,
)


@dataclass(frozen=True)
class LinearLoss:
    """A notebook's loss: its questions, and what only this loss is asked.

    ``probes``: the curriculum's, by what they ask. ``special``: problems by what is special about
    them. ``loss_slips`` and ``gradient_slips``: wrong answers to a problem, by the message that
    names the cause.
    """

    loss: Loss
    loss_cells: Mapping[str, str]  # function by the question about its loss
    gradient_cells: Mapping[str, str]  # function by the question about its gradient
    probes: Mapping[str, str]
    special: Callable[[Generator], Mapping[str, Problem]]
    loss_slips: Callable[[Problem], Mapping[str, float]]
    gradient_slips: Callable[[Problem], Mapping[str, Array]]


def declare_loss_checks(module: str, asked: LinearLoss) -> None:
    """The checks of the loss.

    The first weighs half of what every loss is asked, and demands that its arguments stay as they
    were: a function that changes W is of no use in training, where W is the same in every step.
    """
    probes = asked.probes

    @check_each(asked.loss_cells, probe=probes["values"], weight=6, module=module)
    def loss_of_random_rows(student: Student, rng: Generator, name: str) -> None:
        """The loss without penalty: N, D and C all different; W can be used again."""
        problem = draw(rng, 9, 6, 4)
        want = asked.loss(problem, 0.0).loss
        slips = {
            "the loss is a sum over the rows of X; it should be their mean": want * 9,
            "the loss is divided by the number of classes, not of rows": want * 9 / 4,
            "the loss is a mean over rows and classes; it should be one over rows": want / 4,
            **asked.loss_slips(problem),
        }

        def look_at(answer: Answer) -> None:
            what = "the loss for N = 9, D = 6, C = 4, reg = 0"
            expect_near(answer.loss, want, what=what, slips=slips, squeeze=True)

        _look_at(student, name, problem, look_at)

    @check_each(asked.loss_cells, probe=probes["penalty"], weight=2, module=module)
    def penalty_of_the_loss(student: Student, rng: Generator, name: str) -> None:
        """What reg adds to the loss."""
        expect_coefficient_one(student, draw(rng, 6, 5, 4), name)

    @check_each(asked.loss_cells, probe=probes["special"], weight=2, module=module)
    def loss_of_special_batches(student: Student, rng: Generator, name: str) -> None:
        """A single row, every row twice, W = 0, and the like."""
        for what, problem in {**_special(rng), **asked.special(rng)}.items():
            got, want = loss_of(student, name, problem, 0.0), asked.loss(problem, 0.0).loss
            expect_near(got, want, what=f"the loss of {what}", squeeze=True)

    @check_each(asked.loss_cells, probe=probes["values"], condition=True, module=module)
    def loss_is_a_number(student: Student, rng: Generator, name: str) -> None:
        """The loss is one number, not an array of any shape."""
        shape = as_array(loss_of(student, name, draw(rng, 6, 5, 4), 0.7), "the loss").shape
        expect(shape == (), f"the loss has shape {shape}; expected one number")


def declare_gradient_checks(module: str, asked: LinearLoss) -> None:
    """The checks of the gradient, of what is left unchanged, and of loops."""
    probes = asked.probes

    @check_each(asked.gradient_cells, probe=probes["values"], weight=6, module=module)
    def gradient_of_random_rows(student: Student, rng: Generator, name: str) -> None:
        """The gradient without penalty: N, D and C all different; W can be used again."""
        problem = draw(rng, 9, 6, 4)
        want = asked.loss(problem, 0.0).gradient
        slips = {
            "dW is a sum over the rows of X; the loss is their mean": want * 9,
            "dW is divided by the number of classes, not of rows": want * 9 / 4,
            "dW has the wrong sign throughout": -want,
            **asked.gradient_slips(problem),
        }

        def look_at(answer: Answer) -> None:
            what = "dW for N = 9, D = 6, C = 4, reg = 0"
            expect_near(answer.gradient, want, what=what, slips=slips)

        _look_at(student, name, problem, look_at)

    @check_each(asked.gradient_cells, probe=probes["penalty"], weight=2, module=module)
    def penalty_of_the_gradient(student: Student, rng: Generator, name: str) -> None:
        """What reg adds to the gradient."""
        expect_gradient_of_penalty(student, draw(rng, 6, 5, 4), name)

    @check_each(asked.gradient_cells, probe=probes["special"], weight=2, module=module)
    def gradient_of_special_batches(student: Student, rng: Generator, name: str) -> None:
        """A single row, every row twice, W = 0, and the like."""
        for what, problem in {**_special(rng), **asked.special(rng)}.items():
            got, want = gradient_of(student, name, problem, 0.0), asked.loss(problem, 0.0).gradient
            expect_near(got, want, what=f"dW of {what}")

    @check_each(asked.gradient_cells, probe=probes["slope"], module=module)
    def gradient_is_the_slope_of_the_loss(student: Student, rng: Generator, name: str) -> None:
        """The gradient against small steps of the function's own loss."""
        problem = draw(rng, 4, 3, 4)
        got = as_array(gradient_of(student, name, problem, 0.0), "dW")
        expect(np.any(got != 0), "dW is zero everywhere")
        measured = student.apply(slopes, name, *problem, 0.0)
        # The step of 1e-5 leaves 1e-10 of truncation and 1e-16 / 1e-5 of rounding: 1e-6 is ample.
        what = "dW, compared with the slope of the loss that the same function returns"
        expect_close(got, measured, what=what, rtol=1e-5, atol=1e-6)

    @check_each(
        asked.gradient_cells, probe=probes["unchanged"], weight=3, condition=True, module=module
    )
    def arguments_are_unchanged(student: Student, rng: Generator, name: str) -> None:
        """W, X and y are as before after the call."""
        problem = draw(rng, 6, 4, 3)
        kept = [student.put(array) for array in problem]
        student.call(name, *kept, 0.7)
        _expect_unchanged(student, kept, problem)


def declare_no_loops(module: str, grade_id: str, name: str, probe: str) -> None:
    """The condition of a vectorised loss."""

    hint = "Write down the shapes, and let NumPy treat all rows."

    @check(grade_id, probe=probe, weight=3, condition=True, module=module)
    def vectorized_has_no_loop(student: Student, rng: Generator) -> None:
        """No Python loop of any kind."""
        forbid_loops(student, name, hint)

    @check(grade_id, probe=probe, condition=True, module=module)
    def vectorized_takes_no_time_for_a_row(student: Student, rng: Generator) -> None:
        """Rows that are short, few of them and then many: no loop, however it is written."""

        def prepare(rows: int) -> Callable[[], object]:
            W, X, y = rng.normal(size=(2, 3)), rng.normal(size=(50, 2)), rng.integers(3, size=50)
            order = rng.permutation(np.arange(rows) % len(X))
            kept = [student.put(array) for array in (W, X[order], y[order])]
            times = rows / len(X)

            def call() -> None:
                many, few = (student.call(name, *these, 0.0) for these in (kept, (W, X, y)))
                for part in zip_longest(
                    *map(_parts, (many, few))
                ):  # a part that is missing differs
                    expect_same_of_few(*part, factors=(1.0, times, 1 / times))

            return call

        forbid_growth(student, prepare, hint)


def _parts(answer: object) -> Sequence[object]:
    return answer if isinstance(answer, tuple | list) else (answer,)


def _special(rng: Generator) -> dict[str, Problem]:
    """What any loss over rows is asked: one row, rows that come again, equal scores."""
    once = draw(rng, 7, 5, 3)
    twice = Problem(once.W, np.concatenate([once.X, once.X]), np.concatenate([once.y, once.y]))
    return {
        "a single row": draw(rng, 1, 5, 4),
        "rows that each occur twice": twice,
        "two classes": draw(rng, 6, 3, 2),
        "W = 0": once._replace(W=np.zeros((5, 3))),
    }


def _look_at(
    student: Student, name: str, problem: Problem, look_at: Callable[[Answer], None]
) -> None:
    """Look at what the function returns, and at whether its arguments can be used again."""
    kept = [student.put(array) for array in problem]
    look_at(Answer(name, student.call(name, *kept, 0.0)))
    _expect_unchanged(student, kept, problem)


def _expect_unchanged(student: Student, kept: list[Ref], problem: Problem) -> None:
    for reference, before, what in zip(kept, problem, problem._fields, strict=True):
        expect_unchanged(student.fetch(reference), before, what)
