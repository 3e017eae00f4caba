"""What is asked of policy_gradient_loss: its value, its gradient, and where none may flow.

Weights: the gradient is what the loss is for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from scipy.special import log_softmax, softmax

from autograder.checks.assignment4.reinforcement_learning import in_kernel, oracle
from autograder.judge import Student, as_array, check, expect, expect_close, expect_near

QUESTION = "pg-loss"


@check(QUESTION, probe="RL-A5", weight=3)
def value_is_right(student: Student, rng: Generator) -> None:
    """Five steps and three actions, advantages of both signs."""
    logits, actions, advantages = _draw(rng, 5, 3)
    rows = np.arange(5)
    logs, shares = log_softmax(logits, axis=1)[rows, actions], softmax(logits, axis=1)
    want = -np.mean(logs * advantages)
    wrong_axis = log_softmax(logits, axis=0)[rows, actions]
    slips = {
        "the sign is wrong: the loss is lowered, so it is minus the mean": -want,
        "the terms are added up; take their mean": 5 * want,
        "the mean is taken over steps and actions; it is over steps": want / 3,
        "the advantages are missing": -logs.mean(),
        "these are probabilities, not their logarithms": -np.mean(
            shares[rows, actions] * advantages
        ),
        "the logits are taken for log-probabilities": -np.mean(logits[rows, actions] * advantages),
        "the softmax is over the steps, not over the actions": -np.mean(wrong_axis * advantages),
        "the advantages are squared": -np.mean(logs * advantages**2),
        "the means of log-probabilities and of advantages are multiplied": (
            -logs.mean() * advantages.mean()
        ),
        "all actions are weighed, not only those that were taken": (
            -np.mean(log_softmax(logits, axis=1) * advantages[:, None])
        ),
        "the mean advantage is subtracted; the loss takes the advantages as they are": (
            -np.mean(logs * (advantages - advantages.mean()))
        ),
    }
    got = _asked(student, logits, actions, advantages)["value"]
    expect_near(got, want, what="the loss", slips=slips, squeeze=True)


@check(QUESTION, probe="RL-A5", weight=4)
def gradient_reaches_the_logits(student: Student, rng: Generator) -> None:
    """The gradient with respect to the logits."""
    logits, actions, advantages = _draw(rng, 6, 4)
    got = _asked(student, logits, actions, advantages)["grads"][0]
    expect(got is not None, "no gradient reaches the logits: is the graph cut (detach, item)?")
    want = oracle.policy_grad(logits, actions, advantages)
    slips = {
        "good actions become less probable, and bad ones more": -want,
        "the gradient is that of a sum over the steps, not of a mean": 6 * want,
    }
    expect_near(got, want, what="the gradient of the logits", slips=slips)


@check(QUESTION, probe="RL-A5", weight=2)
def advantages_are_constants(student: Student, rng: Generator) -> None:
    """No gradient flows into the advantages."""
    logits, actions, advantages = _draw(rng, 5, 2)
    found = _asked(student, logits, actions, advantages)
    expect(found["grads"][0] is not None, "no gradient reaches the logits")
    grad = found["grads"][1]
    constant = grad is None or not np.any(as_array(grad, "a gradient"))
    expect(
        constant, "a gradient flows into the advantages: the loss can be lowered by changing them"
    )


@check(QUESTION, probe="RL-A5", weight=1)
def logits_far_apart(student: Student, rng: Generator) -> None:
    """Logits that differ by a thousand: the loss is finite."""
    logits = np.array([[1000.0, 0.0], [0.0, 900.0], [-800.0, 100.0]])
    actions, advantages = np.array([1, 0, 1]), rng.normal(size=3)
    got = as_array(_asked(student, logits, actions, advantages)["value"], "the loss")
    expect(np.isfinite(got).all(), "with logits far apart the loss is nan or infinite")
    want = oracle.policy_loss(logits, actions, advantages)
    expect_close(got, want, what="the loss of logits far apart", squeeze=True)


@check(QUESTION, probe="RL-A5", weight=1)
def one_step(student: Student, rng: Generator) -> None:
    """An episode of a single step: a scalar all the same."""
    logits, actions, advantages = _draw(rng, 1, 2)
    found = _asked(student, logits, actions, advantages)
    got = as_array(found["value"], "the loss")
    expect(got.shape == (), f"the loss of one step has shape {got.shape}; a scalar is asked for")
    want = oracle.policy_loss(logits, actions, advantages)
    expect_close(got, want, what="the loss of one step")


def _draw(rng: Generator, T: int, A: int) -> tuple[Any, Any, Any]:
    actions = rng.integers(A, size=T)
    return rng.normal(size=(T, A)), actions, rng.normal(size=T) + 0.5


def _asked(student: Student, logits: Any, actions: Any, advantages: Any) -> dict[str, Any]:
    tensors = [torch.from_numpy(array) for array in (logits, actions, advantages)]
    return student.apply(in_kernel.policy_loss, *tensors)
