"""What is asked of the trained agents: that they play, in the judge, with seeds of its own.

The weights of a policy come out of the kernel as plain numbers, and nothing else does: what the
notebook claims about its returns is never asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import nn

from autograder.checks.assignment4.reinforcement_learning import in_kernel
from autograder.judge import Student, as_array, check, expect
from cs231n_lib.reinforcement import play_episodes

QUESTION = "agents"
METHODS = ("reinforce", "baseline", "actor-critic")
ENOUGH, EPISODES, STEPS = 150, 40, 500
LAYERS, PARAMETERS = 12, 1_000_000  # at most
BETWEEN = {"Tanh": nn.Tanh, "ReLU": nn.ReLU}


def plays(student: Student, rng: Generator, method: str) -> None:
    """40 new episodes: a mean return of 150 or more."""
    policy = _policy(student, method)
    episodes = play_episodes(policy, EPISODES, rng, STEPS)
    mean = float(np.mean([episode.total for episode in episodes]))
    expect(
        mean >= ENOUGH,
        f"agents[{method!r}] keeps the pole up for {mean:.0f} steps, the mean of {EPISODES} new "
        f"episodes; at least {ENOUGH} were expected",
    )


@check(QUESTION, probe="RL-A7", weight=3)
def reinforce_plays(student: Student, rng: Generator) -> None:
    """The policy trained by REINFORCE: a mean return of 150 or more in 40 new episodes."""
    plays(student, rng, "reinforce")


@check(QUESTION, probe="RL-A7", weight=3)
def baseline_plays(student: Student, rng: Generator) -> None:
    """The policy trained with a baseline: a mean return of 150 or more in 40 new episodes."""
    plays(student, rng, "baseline")


@check(QUESTION, probe="RL-A7", weight=3)
def actor_critic_plays(student: Student, rng: Generator) -> None:
    """The policy of the actor-critic: a mean return of 150 or more in 40 new episodes."""
    plays(student, rng, "actor-critic")


@check(QUESTION, probe="RL-A7", condition=True)
def each_is_trained_by_itself(student: Student, rng: Generator) -> None:
    """No policy stands under two names."""
    weights = {method: _fingerprint(_policy(student, method)) for method in METHODS}
    for number, one in enumerate(METHODS):
        for other in METHODS[number + 1 :]:
            same = weights[one] == weights[other]
            expect(not same, f"agents[{one!r}] and agents[{other!r}] have the same weights")


def _policy(student: Student, method: str) -> nn.Sequential:
    """A network of the judge's with the weights of the student's; Failed where there is none."""
    layers = student.apply(in_kernel.layers_of, method)
    name = f"agents[{method!r}]"
    expect(isinstance(layers, list), str(layers))
    expect(0 < len(layers) <= LAYERS, f"{name} has {len(layers)} layers; 1 to {LAYERS} are played")
    built: list[nn.Module] = []
    width, total = 4, 0
    for kind, tensors in layers:
        if kind in BETWEEN:
            built.append(BETWEEN[kind]())
            continue
        expect(
            kind == "Linear",
            f"{name} has a layer of type {kind}: Linear, Tanh and ReLU may be there",
        )
        weight, *bias = (as_array(tensor, f"a weight of {name}") for tensor in tensors)
        fits = weight.ndim == 2 and weight.shape[1] == width
        expect(fits, f"{name}: a Linear of shape {weight.shape} follows on {width} numbers")
        width, total = weight.shape[0], total + weight.size
        expect(total <= PARAMETERS, f"{name} has more than {PARAMETERS} weights")
        built.append(_linear(weight, bias, name))
    expect(width == 2, f"{name} returns {width} numbers; two logits are asked for")
    return nn.Sequential(*built).double()


def _linear(weight: Any, bias: list[Any], name: str) -> nn.Linear:
    expect(all(one.shape == weight.shape[:1] for one in bias), f"{name}: a bias has another size")
    finite = all(np.isfinite(one).all() for one in (weight, *bias))
    expect(finite, f"{name} has weights that are nan or infinite")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bool(bias))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.astype(float)))
        if bias:
            layer.bias.copy_(torch.from_numpy(bias[0].astype(float)))
    return layer


def _fingerprint(policy: nn.Sequential) -> bytes:
    parts = [parameter.detach().numpy().tobytes() for parameter in policy.parameters()]
    return b"".join(parts)
