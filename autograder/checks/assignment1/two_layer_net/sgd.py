"""What is asked of the update rule sgd: w and its gradient dw may have any shape, alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.layers import Array, several
from autograder.judge import Student, expect, expect_near, expect_shape, name_slip


def sgd_goes_against_the_gradient(student: Student, rng: Generator) -> None:
    """A step, for vectors, matrices and larger arrays, and several learning rates."""
    for shape, rate in (((5,), 0.5), ((3, 4), 1e-3), ((2, 3, 2, 2), 2.0)):
        w, dw = rng.normal(size=shape), rng.normal(size=shape)
        got, _ = _sgd(student, w, dw, {"learning_rate": rate})
        want = w - rate * dw
        name_slip(got, want, {"this is a step uphill: the loss grows": w + rate * dw})
        expect_near(got, want, what=f"w after a step with learning rate {rate}")


def sgd_has_a_default_rate(student: Student, rng: Generator) -> None:
    """No config, and a config without a learning rate."""
    w, dw = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    for more in ((), (None,), ({},), ({"note": 1},)):
        got, _ = _sgd(student, w, dw, *more)
        hint = "the learning rate is 0.01 where none is given"
        expect_near(got, w - 1e-2 * dw, what="w after a step", hint=hint)


def sgd_returns_its_config(student: Student, rng: Generator) -> None:
    """The config comes back, fit for the next step; whatever else is in it stays."""
    w, dw = rng.normal(size=3), rng.normal(size=3)
    _, config = _sgd(student, w, dw, {"learning_rate": 0.25, "note": 7})
    expect(config.get("note") == 7, "an entry of config was lost")
    rate = config.get("learning_rate")
    expect(rate is not None and np.isclose(float(rate), 0.25), "the learning rate did not stay")
    got, _ = _sgd(student, w, dw, config)
    expect_near(got, w - 0.25 * dw, what="w after a step with the config that came back")


def _sgd(student: Student, w: Array, dw: Array, *more: Any) -> tuple[Array, dict]:
    answer = several("sgd", student.call("sgd", w.copy(), dw.copy(), *more), "w, config")
    expect(isinstance(answer[1], dict), "the second thing that sgd returns must be a dictionary")
    return expect_shape(answer[0], w.shape, "w"), answer[1]
