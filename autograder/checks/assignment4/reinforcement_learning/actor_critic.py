"""What is asked of actor_critic_losses, over the judge's policy-gradient loss.

Weights: values and gradients of both losses, and the end of an episode, cost about the same; with
any of them wrong, actor or critic learns something else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment4.reinforcement_learning import in_kernel, oracle
from autograder.checks.assignment4.reinforcement_learning.oracle import Steps
from autograder.judge import Refused, Student, as_array, check, expect, expect_near

QUESTION, CELL, NAME = "actor-critic", "actor-critic-code", "actor_critic_losses"
NAMES = ("logits", "values", "next_values")


@check(QUESTION, probe="RL-A6", weight=3)
def critic_is_compared_with_its_target(student: Student, rng: Generator) -> None:
    """The critic's loss, steps in the middle of episodes."""
    steps = _draw(rng, 6)
    error = steps.values - steps.targets
    want = np.mean(error**2)
    slips = {
        "this is half of the mean squared error": want / 2,
        "the squares are added up; take their mean": np.sum(error**2),
        "these are absolute values, not squares": np.abs(error).mean(),
        "this is the square of the mean error": error.mean() ** 2,
        "the target is the reward alone": steps.critic(steps.rewards),
        "the next value is not discounted": steps.critic(steps.rewards + steps.next_values),
        "the reward is missing in the target": steps.critic(steps.gamma * steps.next_values),
        "gamma multiplies the reward, too": steps.critic(
            steps.gamma * (steps.rewards + steps.next_values)
        ),
        "the next values are added where an episode has ended, and only there": steps.critic(
            steps.rewards + steps.gamma * steps.next_values * steps.terminated
        ),
        "the two losses are in the other order": steps.actor(steps.advantages),
    }
    got = _asked(student, steps)["value"]["value"]
    expect_near(got, want, what="the critic's loss", slips=slips, squeeze=True)


@check(QUESTION, probe="RL-A6", weight=3)
def actor_follows_the_advantage(student: Student, rng: Generator) -> None:
    """The actor's loss, steps in the middle of episodes."""
    steps = _draw(rng, 6)
    want = steps.actor(steps.advantages)
    slips = {
        "the sign of the advantage, or of the loss, is wrong": -want,
        "the targets are taken for advantages: subtract the values": steps.actor(steps.targets),
        "the rewards are taken for advantages": steps.actor(steps.rewards),
        "the rewards minus the values are taken for advantages: the future is missing": (
            steps.actor(steps.rewards - steps.values)
        ),
        "the next value is not discounted": steps.actor(
            steps.rewards + steps.next_values - steps.values
        ),
        "the next values are subtracted, not the values": steps.actor(
            steps.targets - steps.next_values
        ),
        "the advantages are squared": steps.actor(steps.advantages**2),
        "the terms are added up; take their mean": 6 * want,
        "the two losses are in the other order": steps.critic(steps.targets),
        "the advantages are standardised; they are taken as they are": steps.actor(
            (steps.advantages - steps.advantages.mean()) / steps.advantages.std()
        ),
    }
    got = _asked(student, steps)["policy"]["value"]
    expect_near(got, want, what="the actor's loss", slips=slips, squeeze=True)


@check(QUESTION, probe="RL-A6", weight=3)
def nothing_comes_after_the_end(student: Student, rng: Generator) -> None:
    """Some steps are terminated: no next value is added there, in neither loss."""
    steps = _draw(rng, 7, ended=(1, 4, 6))
    found = _asked(student, steps)
    on = steps.rewards + steps.gamma * steps.next_values
    after = steps.rewards + steps.gamma * steps.next_values * steps.terminated
    off = on * ~steps.terminated
    wrong = {
        "next values are added although the episode has terminated": on,
        "next values are added where the episode has terminated, and only there": after,
        "the reward of a terminated step is left out as well": off,
    }
    for name, what in (("value", "the critic's loss"), ("policy", "the actor's loss")):
        loss = (
            steps.critic if name == "value" else lambda targets: steps.actor(targets - steps.values)
        )
        slips = {message: loss(targets) for message, targets in wrong.items()}
        what = f"{what} with terminated steps"
        expect_near(found[name]["value"], loss(steps.targets), what=what, slips=slips, squeeze=True)


@check(QUESTION, probe="RL-A6", weight=3)
def actors_gradient_reaches_logits_only(student: Student, rng: Generator) -> None:
    """The gradient of the actor's loss: right for the logits, none for the critic's values."""
    steps = _draw(rng, 5, ended=(2,))
    grads = _asked(student, steps)["policy"]["grads"]
    _expect_none(grads, ("values", "next_values"), "the actor's loss: the advantage is a constant")
    want = oracle.policy_grad(steps.logits, steps.actions, steps.advantages)
    expect(grads[0] is not None, "the actor's loss: no gradient reaches the logits")
    slips = {"the actor's loss: good actions become less probable": -want}
    expect_near(grads[0], want, what="the actor's gradient of the logits", slips=slips)


@check(QUESTION, probe="RL-A6", weight=3)
def critics_gradient_reaches_values_only(student: Student, rng: Generator) -> None:
    """The gradient of the critic's loss: right for the values, none for logits and next values."""
    steps = _draw(rng, 5, ended=(2,))
    grads = _asked(student, steps)["value"]["grads"]
    _expect_none(grads, ("next_values",), "the critic's loss: the target is a constant")
    _expect_none(grads, ("logits",), "the critic's loss")
    want = 2 * (steps.values - steps.targets) / 5
    expect(grads[1] is not None, "the critic's loss: no gradient reaches the values")
    slips = {"the critic's loss: the values move away from their targets": -want}
    expect_near(grads[1], want, what="the critic's gradient of the values", slips=slips)


@check(QUESTION, probe="RL-A6", weight=1)
def one_step_is_enough(student: Student, rng: Generator) -> None:
    """A single step, and other numbers of actions: scalars all the same."""
    steps = _draw(rng, 1, A=4)
    found = _asked(student, steps)
    for name, want in (
        ("policy", steps.actor(steps.advantages)),
        ("value", steps.critic(steps.targets)),
    ):
        got = as_array(found[name]["value"], "a loss")
        expect(got.shape == (), f"a loss of one step has shape {got.shape}; a scalar is asked for")
        expect_near(got, want, what="a loss of one step")


# -- asking ---------------------------------------------------------------------------------------


def _draw(rng: Generator, T: int, A: int = 3, ended: tuple[int, ...] = ()) -> Steps:
    terminated = np.isin(np.arange(T), ended)
    numbers = {name: rng.normal(size=T) + 1 for name in ("values", "rewards", "next_values")}
    return Steps(
        rng.normal(size=(T, A)), actions=rng.integers(A, size=T), terminated=terminated, gamma=0.7,
        **numbers,
    )  # fmt: skip


def _asked(student: Student, steps: Steps) -> dict[str, Any]:
    T, A = steps.logits.shape

    def answer(logits: Any, actions: Any, advantages: Any) -> dict[str, Any]:
        z, taken, weights = (as_array(one, "an argument") for one in (logits, actions, advantages))
        fits = z.shape == (T, A) and taken.shape == (T,) and taken.dtype.kind in "iu"
        if not fits or weights.shape != (T,) or taken.min() < 0 or taken.max() >= A:
            raise Refused(
                f"policy_gradient_loss is called with shapes {z.shape}, {taken.shape} and "
                f"{weights.shape}"
            )
        arguments = z.astype(float), taken, weights.astype(float)
        return {
            "loss": torch.tensor(oracle.policy_loss(*arguments), dtype=torch.float64),
            "grad": torch.from_numpy(oracle.policy_grad(*arguments)),
        }

    cell = student.cell_defining(NAME) or CELL
    numbers = {name: torch.from_numpy(getattr(steps, name)) for name in (*NAMES, "rewards")}
    found = student.apply(
        in_kernel.both_losses, cell, student.stand_in(answer), numbers,
        torch.from_numpy(steps.actions), torch.from_numpy(steps.terminated), steps.gamma,
        cells=(cell,),
    )  # fmt: skip
    return found


def _expect_none(grads: Any, names: tuple[str, ...], what: str) -> None:
    for name in names:
        grad = grads[NAMES.index(name)]
        none = grad is None or not np.any(as_array(grad, "a gradient"))
        expect(none, f"{what}, but a gradient reaches {name}")
