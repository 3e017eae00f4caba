"""What is asked of q_learning_update: one number of a table, and the error that comes back.

Weights: a wrong target learns wrong values; the end of an episode is half of the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.random import Generator

from autograder.judge import Student, as_array, check, expect, expect_close, expect_shape

QUESTION = "q-update"


@dataclass(frozen=True)
class Step:
    """A table (S, A) and one step in its world."""

    Q: Any
    s: int
    a: int
    r: float
    s_next: int
    terminated: bool
    alpha: float
    gamma: float

    @property
    def target(self) -> float:
        return self.r + (0 if self.terminated else self.gamma * float(self.Q[self.s_next].max()))

    @property
    def now(self) -> float:
        return float(self.Q[self.s, self.a])

    def moved(self, target: float) -> float:
        return self.now + self.alpha * (target - self.now)

    def run(self, student: Student) -> tuple[Any, Any]:
        """The table afterwards, and what came back."""
        table = student.put(self.Q.copy())
        error = student.call(
            "q_learning_update", table, self.s, self.a, self.r, self.s_next, self.terminated,
            self.alpha, self.gamma,
        )  # fmt: skip
        return expect_shape(student.fetch(table), self.Q.shape, "Q"), error


@check(QUESTION, probe="RL-A2", weight=3)
def moves_towards_the_target(student: Student, rng: Generator) -> None:
    """A step in the middle of an episode, with positive and with negative values."""
    for shift in (4.0, -9.0):
        step = _draw(rng, shift)
        Q, _ = step.run(student)
        row, s, a = step.Q[step.s_next], step.s, step.a
        wrong = {
            "Q is as it was: it is to be changed in place": step.now,
            "the maximum is taken over the row of s, not of s_next": step.moved(
                step.r + step.gamma * step.Q[s].max()
            ),
            "the maximum is taken over a column of Q, not over the row of s_next": step.moved(
                step.r + step.gamma * step.Q[:, a].max()
            ),
            "the maximum is taken over the whole table": step.moved(
                step.r + step.gamma * step.Q.max()
            ),
            "the value of the same action in s_next is taken, not the largest": step.moved(
                step.r + step.gamma * row[a]
            ),
            "the smallest value of s_next is taken": step.moved(step.r + step.gamma * row.min()),
            "the mean of the row of s_next is taken, not its maximum": step.moved(
                step.r + step.gamma * row.mean()
            ),
            "the value of s_next is not discounted": step.moved(step.r + row.max()),
            "gamma multiplies the reward, too": step.moved(step.gamma * (step.r + row.max())),
            "the future is missing: the target is the reward alone": step.moved(step.r),
            "alpha has no effect: this is the target itself": step.target,
            "Q moves away from the target": step.now - step.alpha * (step.target - step.now),
            "alpha times the target is added to the old value; the old value is not taken off": (
                step.now + step.alpha * step.target
            ),
            "alpha and 1 - alpha are exchanged": (
                step.alpha * step.now + (1 - step.alpha) * step.target
            ),
        }
        expect_close(Q[s, a], step.moved(step.target), what="Q[s, a] after a step", slips=wrong)


@check(QUESTION, probe="RL-A2", weight=3)
def nothing_comes_after_the_end(student: Student, rng: Generator) -> None:
    """A terminated step: Q[s, a] moves towards the reward, whatever row s_next holds."""
    for shift in (4.0, -9.0):
        step = _draw(rng, shift, terminated=True)
        Q, _ = step.run(student)
        future = step.gamma * step.Q[step.s_next].max()
        wrong = {
            "the value of s_next is added although the episode has terminated": step.moved(
                step.r + future
            ),
            "Q is as it was after a terminated step": step.now,
            "after a terminated step, Q[s, a] is the reward: alpha has no effect": step.r,
        }
        what = "Q[s, a] after a terminated step"
        expect_close(Q[step.s, step.a], step.moved(step.r), what=what, slips=wrong)


@check(QUESTION, probe="RL-A2", weight=2)
def error_is_returned(student: Student, rng: Generator) -> None:
    """The temporal-difference error, as it was before the change."""
    for terminated in (False, True):
        step = _draw(rng, 0.0, terminated)
        _, error = step.run(student)
        want = step.target - step.now
        slips = {
            "the change alpha * error is returned, not the error": step.alpha * want,
            "the error that is left after the change is returned": (1 - step.alpha) * want,
            "the sign of the error is wrong: it is the target minus the value": -want,
            "the target is returned, not the error": step.target,
            "the new value is returned, not the error": step.moved(step.target),
            "the square of the error is returned": want**2,
        }
        expect_close(error, want, what="the error", slips=slips, squeeze=True)


@check(QUESTION, probe="RL-A2", weight=1, condition=True)
def only_one_number_changes(student: Student, rng: Generator) -> None:
    """All other numbers of the table stay as they were."""
    for terminated in (False, True):
        step = _draw(rng, 1.0, terminated)
        Q, _ = step.run(student)
        changed = as_array(Q, "Q") != step.Q
        changed[step.s, step.a] = False
        expect(not changed.any(), f"{int(changed.sum())} other numbers of Q have changed")


def _draw(rng: Generator, shift: float, terminated: bool = False) -> Step:
    """s, s_next and a are different rows and columns; all values are on one side of 0."""
    S, A = 6, 4
    s, s_next = (int(i) for i in rng.choice(S, size=2, replace=False))
    Q = rng.uniform(0, 4, size=(S, A)) + shift
    a = int(rng.integers(A))
    if a == int(Q[s_next].argmax()):  # otherwise some slips would be right
        a = (a + 1) % A
    return Step(Q, s, a, float(rng.uniform(1, 2)), s_next, terminated, 0.3, 0.8)
