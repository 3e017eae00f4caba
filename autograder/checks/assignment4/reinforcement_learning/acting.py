"""What is asked of epsilon_greedy: how often it takes which action.

Shares are measured over many calls and may be off by five and a half standard deviations.
Weights: an agent that does not take the best action, or never explores, is of no use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment4.reinforcement_learning import in_kernel
from autograder.judge import Student, as_array, check, expect, expect_unchanged

QUESTION = "epsilon-greedy"
SIGMAS = 5.5


@check(QUESTION, probe="RL-A1", weight=3)
def best_action_is_taken(student: Student, rng: Generator) -> None:
    """epsilon = 0, one best action: always that one, also where all values are negative."""
    for A in (2, 5):
        values = rng.permutation(A) - 0.5 - A
        found = _actions(student, rng, values, 0.0, 60)
        best, worst = int(values.argmax()), int(values.argmin())
        expect(not (found == worst).all(), "with epsilon = 0 the worst action is taken")
        share = np.mean(found == best)
        expect(share == 1, f"with epsilon = 0, {100 * share:.0f} % of the actions are the best one")


@check(QUESTION, probe="RL-A1", weight=3)
def explores_with_probability_epsilon(student: Student, rng: Generator) -> None:
    """epsilon = 0.3 and four actions: how often the best one is taken, and how often the others."""
    count, epsilon, A = 4000, 0.3, 4
    values = rng.permutation(A) * 1.0
    best = int(values.argmax())
    share = _shares(_actions(student, rng, values, epsilon, count), A)
    slips = {
        "the best action is not among the random ones: they are drawn from all A": 1 - epsilon,
        "it acts at random with probability 1 - epsilon": epsilon + (1 - epsilon) / A,
        "it never acts at random": 1.0,
        "it always acts at random": 1 / A,
    }
    _expect_share(share[best], 1 - epsilon + epsilon / A, count, "the best action", slips)
    for action in range(A):
        if action != best:
            _expect_share(share[action], epsilon / A, count, "one of the other actions")


@check(QUESTION, probe="RL-A1")
def random_actions_are_uniform(student: Student, rng: Generator) -> None:
    """epsilon = 1: all actions equally often, the first and the last included."""
    count, A = 3000, 5
    share = _shares(_actions(student, rng, rng.normal(size=A), 1.0, count), A)
    for action in range(A):
        what = f"action {action} of {A} with epsilon = 1"
        _expect_share(share[action], 1 / A, count, what)


@check(QUESTION, probe="RL-A1", weight=2)
def ties_are_drawn(student: Student, rng: Generator) -> None:
    """Several actions share the largest value: each of them is equally likely, and no other."""
    count, A = 1500, 5
    best = np.sort(rng.choice(A, size=3, replace=False))
    values = np.full(A, -2.0)
    values[best] = -1.0
    found = _actions(student, rng, values, 0.0, count)
    share = _shares(found, A)
    others = np.delete(share, best)
    expect(others.max() == 0, "with epsilon = 0 an action is taken that is not the best")
    for place, name in ((0, "first"), (-1, "last")):
        text = f"of three equally good actions, it always takes the {name}"
        expect(share[best[place]] < 1, text)
    for action in best:
        _expect_share(share[action], 1 / 3, count, "one of three equally good actions")


@check(QUESTION, probe="RL-A1", weight=1)
def random_numbers_come_from_rng(student: Student, rng: Generator) -> None:
    """The same generator gives the same actions, whatever else draws random numbers."""
    values = np.array([1.0, 1.0, 0.0, 1.0])
    seed = int(rng.integers(1 << 30))
    first, again = student.apply(in_kernel.actions_again, values, 0.5, seed, 100)
    same = np.array_equal(as_array(first, "the actions"), as_array(again, "the actions"))
    expect(same, "rng in the same state gives other actions: all random numbers come from rng")


@check(QUESTION, probe="RL-A1", condition=True)
def values_stay_as_they_are(student: Student, rng: Generator) -> None:
    """q_values is not changed."""
    values = rng.normal(size=4)
    found = student.apply(in_kernel.actions, values, 0.5, int(rng.integers(1 << 30)), 20)
    expect_unchanged(found["values"], values, "q_values")


# -- asking ---------------------------------------------------------------------------------------


def _actions(student: Student, rng: Generator, values: Any, epsilon: float, count: int) -> Any:
    """So many actions, each a whole number of an action that there is."""
    seed = int(rng.integers(1 << 30))
    found = student.apply(in_kernel.actions, np.asarray(values, float), epsilon, seed, count)
    array = as_array(found["actions"], "an action")
    expect(
        array.shape == (count,),
        f"an action is an array of shape {array.shape[1:]}, not one number",
    )
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and np.all(array == array.round()))
    expect(whole and array.dtype.kind != "b", f"an action is of type {array.dtype}, not an integer")
    expect(array.min() >= 0 and array.max() < len(values), "an action is taken that does not exist")
    return array.astype(int)


def _shares(found: Any, A: int) -> Any:
    return np.bincount(found, minlength=A) / len(found)


def _expect_share(
    got: float, want: float, count: int, what: str, slips: Mapping[str, float] | None = None
) -> None:
    bound = SIGMAS * float(np.sqrt(want * (1 - want) / count))
    if abs(got - want) <= bound:
        return
    for message, wrong in (slips or {}).items():
        near = SIGMAS * float(np.sqrt(wrong * (1 - wrong) / count))
        expect(abs(got - wrong) > near, message)
    expect(False, f"{what} is taken in {100 * got:.1f} % of {count} calls, which cannot be chance")
