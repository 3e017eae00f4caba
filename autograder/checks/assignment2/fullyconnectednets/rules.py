"""The update rules: what a right step is, the usual slips, and the configs to try them with.

A step is computed in another arrangement than the notebook's; a test holds it against torch.optim,
which is not imported here because that takes seconds.

Shapes: a parameter w, its gradient dw and the arrays in its config are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.layers import Array

Config = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """An update rule: its settings, its memory, its step, and how it usually goes wrong.

    ``epsilon_slips``: steps with epsilon in another place, which is advice.
    """

    name: str
    defaults: Mapping[str, float]
    memory: tuple[str, ...]  # arrays like w
    others: tuple[Mapping[str, float], ...]  # settings that are unlike the defaults
    move: Callable[[Array, Config], tuple[Array, Config]]  # (dw, config): what is added to w
    slips: Callable[[Array, Config], dict[str, Array]]  # the same, gone wrong
    epsilon_slips: Callable[[Array, Config], dict[str, Array]] | None = None


def right_step(rule: Rule, w: Array, dw: Array, config: Config) -> tuple[Array, Config]:
    """The next w and config, in float64."""
    move, memory = rule.move(dw.astype(np.float64), config)
    return w + move, config | memory


def _momentum(dw: Array, config: Config) -> tuple[Array, Config]:
    velocity = -(config["learning_rate"] * dw - config["velocity"] * config["momentum"])
    return velocity, {"velocity": velocity}


def _rmsprop(dw: Array, config: Config) -> tuple[Array, Config]:
    cache = _towards(config["cache"], np.square(dw), config["decay_rate"])
    return _step(dw, np.sqrt(cache), config), {"cache": cache}


def _adam(dw: Array, config: Config) -> tuple[Array, Config]:
    beta1, beta2, t = config["beta1"], config["beta2"], config["t"] + 1
    m = _towards(config["m"], dw, beta1)
    v = _towards(config["v"], np.square(dw), beta2)
    # 1 - beta**t is the sum of all weights that a running mean has given so far.
    filled1 = (1 - beta1) * sum(beta1**i for i in range(t))
    filled2 = (1 - beta2) * sum(beta2**i for i in range(t))
    return _step(m / filled1, np.sqrt(v) / np.sqrt(filled2), config), {"m": m, "v": v, "t": t}


def _towards(mean: Array, new: Array, kept: float) -> Array:
    return mean + (1 - kept) * (new - mean)


def _step(direction: Array, size: Array, config: Config) -> Array:
    return -config["learning_rate"] * (direction / (size + config.get("epsilon", 0.0)))


# -- usual slips ----------------------------------------------------------------------------------


def _momentum_slips(dw: Array, config: Config) -> dict[str, Array]:
    old, push = config["momentum"] * config["velocity"], config["learning_rate"] * dw
    return {
        "this is a step uphill: the gradient must be subtracted": old + push,
        "the old velocity has no influence": -push,
        "w moves by the old velocity; it must move by the new one": config["velocity"],
        "the velocity is subtracted: it points downhill already": push - old,
        "this is Nesterov's momentum": config["momentum"] * (old - push) - push,
    }


def _rmsprop_slips(dw: Array, config: Config) -> dict[str, Array]:
    rho, old, rate = config["decay_rate"], config["cache"], config["learning_rate"]
    new = _towards(old, dw**2, rho)
    return {
        "this is a step uphill: the gradient must be subtracted": -_step(dw, np.sqrt(new), config),
        "the root is missing": -rate * dw / new,
        "the old cache is used; update it first": -rate * dw / np.sqrt(old),
        "squares are added up, as in AdaGrad": -rate * dw / np.sqrt(old + dw**2),
        "rho and 1 - rho have changed places": -rate * dw / np.sqrt(_towards(old, dw**2, 1 - rho)),
    }


def _adam_slips(dw: Array, config: Config) -> dict[str, Array]:
    beta1, beta2, t = config["beta1"], config["beta2"], config["t"] + 1
    m, v = _towards(config["m"], dw, beta1), _towards(config["v"], dw**2, beta2)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    late1, late2 = (1 - beta ** max(t - 1, 1) for beta in (beta1, beta2))
    rate = -config["learning_rate"]
    return {
        "this is a step uphill": -rate * m_hat / np.sqrt(v_hat),
        "the bias correction is missing": rate * m / np.sqrt(v),
        "the bias correction of v is missing": rate * m_hat / np.sqrt(v),
        "the bias correction of m is missing": rate * m / np.sqrt(v_hat),
        "the root is missing": rate * m_hat / v_hat,
        "t must be increased before it is used": rate * (m / late1) / np.sqrt(v / late2),
    }


def constant_slips(rule: Rule, dw: Array, config: Config) -> dict[str, Array]:
    """Steps that take a setting for what it is by default."""
    return {
        f"config[{name!r}] makes no difference: it is taken for {usual:g}": rule.move(
            dw, config | {name: usual}
        )[0]
        for name, usual in rule.defaults.items()
        if config[name] != usual
    }


def memory_slips(rule: Rule, before: Config, after: Config) -> dict[str, dict[str, Array]]:
    """For each array in config, what it usually is in place of the right one."""
    slips = {
        name: {
            f"config[{name!r}] is as it was before the step: store the new one": before[name],
            f"config[{name!r}] has the wrong sign": -after[name],
        }
        for name in rule.memory
    }
    if rule is ADAM:
        for name, beta in (("m", "beta1"), ("v", "beta2")):
            corrected = after[name] / (1 - before[beta] ** after["t"])
            slips[name][f"config[{name!r}] holds the corrected mean: store {name} itself"] = (
                corrected
            )
    return slips


def _rmsprop_epsilon(dw: Array, config: Config) -> dict[str, Array]:
    cache, epsilon = _rmsprop(dw, config)[1]["cache"], config["epsilon"]
    rate = -config["learning_rate"]
    return {
        "epsilon is added to the cache, under the root": rate * dw / np.sqrt(cache + epsilon),
        "epsilon is squared and added to the cache, under the root": (
            rate * dw / np.sqrt(cache + epsilon**2)
        ),
        "epsilon makes no difference": rate * dw / np.sqrt(cache),
        "the root, where it is smaller than epsilon, is replaced by epsilon": (
            rate * dw / np.maximum(np.sqrt(cache), epsilon)
        ),
    }


def _adam_epsilon(dw: Array, config: Config) -> dict[str, Array]:
    memory, epsilon = _adam(dw, config)[1], config["epsilon"]
    t, rate = memory["t"], -config["learning_rate"]
    filled = 1 - config["beta2"] ** t
    m_hat, v_hat = memory["m"] / (1 - config["beta1"] ** t), memory["v"] / filled
    before = np.sqrt(memory["v"]) + epsilon  # the bias correction is a factor of the learning rate
    return {
        "epsilon is added to v_hat, under the root": rate * m_hat / np.sqrt(v_hat + epsilon),
        "epsilon is squared and added to v_hat, under the root": (
            rate * m_hat / np.sqrt(v_hat + epsilon**2)
        ),
        "epsilon is added to the root of v before the bias correction": (
            rate * m_hat * np.sqrt(filled) / before
        ),
        "epsilon makes no difference": rate * m_hat / np.sqrt(v_hat),
        "the root, where it is smaller than epsilon, is replaced by epsilon": (
            rate * m_hat / np.maximum(np.sqrt(v_hat), epsilon)
        ),
    }


MOMENTUM = Rule(
    "sgd_momentum",
    {"learning_rate": 1e-2, "momentum": 0.9},
    ("velocity",),
    ({"momentum": 0.0, "learning_rate": 0.3}, {"momentum": 0.5, "learning_rate": 2.0}),
    _momentum,
    _momentum_slips,
)
RMSPROP = Rule(
    "rmsprop",
    {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8},
    ("cache",),
    ({"decay_rate": 0.5, "learning_rate": 0.3}, {"decay_rate": 0.8, "learning_rate": 1e-3}),
    _rmsprop,
    _rmsprop_slips,
    _rmsprop_epsilon,
)
ADAM = Rule(
    "adam",
    {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    ("m", "v"),
    (
        {"beta1": 0.5, "beta2": 0.7, "learning_rate": 0.3},
        {"beta1": 0.8, "beta2": 0.95, "learning_rate": 1e-2},
    ),
    _adam,
    _adam_slips,
    _adam_epsilon,
)

# -- inputs ---------------------------------------------------------------------------------------


def draw_gradient(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of either sign and of size 0.5 to 2.

    Far from 0, so that the place of epsilon, which is advice, does not show: 1e-8 in another
    place changes a step by less than a part in 10,000, also the first of rmsprop.
    """
    return rng.uniform(0.5, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)


def draw_state(rule: Rule, rng: Generator, shape: tuple[int, ...], **settings: float) -> Config:
    """A config in the midst of a training."""
    config: Config = {**rule.defaults, **settings}
    for name in rule.memory:
        squared = name in ("cache", "v")
        config[name] = rng.uniform(0.5, 2.0, size=shape) if squared else rng.normal(size=shape)
    if rule is ADAM:
        config["t"] = int(rng.integers(3, 9))
    return config


def fresh(rule: Rule, shape: tuple[int, ...], **settings: float) -> Config:
    """A config before the first step."""
    config: Config = {**rule.defaults, **settings}
    config |= {name: np.zeros(shape) for name in rule.memory}
    return config | ({"t": 0} if rule is ADAM else {})
