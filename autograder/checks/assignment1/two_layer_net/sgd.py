"""Checks of the update rule sgd: w and its gradient dw may have any shape, alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.layers import Array, unpack
from autograder.judge import Student, check, expect, expect_near

CELL = "tln-sgd"


@check(CELL, probe="SGD-A1", weight=2)
def step_is_right(student: Student, rng: Generator) -> None:
    """A step, for vectors, matrices and larger arrays, and several learning rates."""
    for shape, rate in (((5,), 0.5), ((3, 4), 1e-3), ((2, 3, 2, 2), 2.0)):
        w, dw = rng.normal(size=shape), rng.normal(size=shape)
        got, _ = _sgd(student, w, dw, {"learning_rate": rate})
        slips = {
            "this is a step uphill: the loss grows": w + rate * dw,
            "the learning rate in config makes no difference": w - 1e-2 * dw,
            "only the sign of the gradient counts here": w - rate * np.sign(dw),
        }
        what = f"w after a step with learning rate {rate}"
        expect_near(got, w - rate * dw, what=what, slips=slips)


@check(CELL, probe="SGD-A1")
def default_learning_rate(student: Student, rng: Generator) -> None:
    """No config, and a config without a learning rate."""
    w, dw = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    for more in ((), (None,), ({},), ({"note": 1},)):
        got, _ = _sgd(student, w, dw, *more)
        hint = "the learning rate is 0.01 where none is given"
        expect_near(got, w - 1e-2 * dw, what="w after a step", hint=hint)


@check(CELL, probe="SGD-A1")
def config_is_returned(student: Student, rng: Generator) -> None:
    """The config comes back, fit for the next step; whatever else is in it stays."""
    w, dw = rng.normal(size=3), rng.normal(size=3)
    _, config = _sgd(student, w, dw, {"learning_rate": 0.25, "note": 7})
    expect(isinstance(config, dict), "the second thing that sgd returns must be a dictionary")
    expect(config.get("note") == 7, "an entry of config was lost")
    expect("learning_rate" in config, "the config that came back has no learning_rate")
    expect_near(config["learning_rate"], 0.25, what="config['learning_rate'] after a step")


def _sgd(student: Student, w: Array, dw: Array, *more: Any) -> tuple[Any, Any]:
    return unpack("sgd", student.call("sgd", w.copy(), dw.copy(), *more), "w, config")
