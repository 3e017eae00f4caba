"""Checks of ThreeLayerConvNet: how it starts.

Shapes: W1 (F, C, f, f), b1 (F,), W2 (F*H/2*W/2, hidden), b2 (hidden,), W3 (hidden, classes),
b3 (classes,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.net_oracle import (
    BIASES,
    CLASS,
    NAMES,
    WEIGHTS,
)
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
)

INIT = "cnn-net-init"


@check(INIT, probe="CNN-A1", weight=3)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Names and shapes, for images that are not square, other filters, and the default sizes."""
    wide = {"input_dim": (2, 6, 4), "num_filters": 3, "filter_size": 5, "hidden_dim": 7}
    high = {"input_dim": (1, 4, 10), "num_filters": 5, "filter_size": 3, "hidden_dim": 6}
    every: tuple[dict[str, Any], ...] = (wide | {"num_classes": 4}, high, {})
    for sizes in every:
        params = _parameters(student, **sizes)
        expect(set(params) == set(NAMES), f"params has the keys {sorted(map(str, params))[:8]}")
        for name, shape in _shapes(**sizes).items():
            expect_shape(params[name], shape, f"params[{name!r}]")


@check(INIT, probe="CNN-A1", weight=2)
def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of all three weights, for two weight_scale and the default one."""
    for more, scale in (({"weight_scale": 0.5}, 0.5), ({"weight_scale": 2e-2}, 2e-2), ({}, 1e-3)):
        for name, weights in _weights(student, **more).items():
            hint = "draw from a normal distribution, times weight_scale"
            # 4,800 numbers at least: the spread varies by 1 %, so 10 % is never reached by chance.
            what = f"the standard deviation of {name} for weight_scale = {scale:g}"
            expect_close(float(weights.std()), scale, what=what, rtol=0.1, atol=0, hint=hint)


@check(INIT, probe="CNN-A1")
def weights_are_normal_around_zero(student: Student, rng: Generator) -> None:
    """Mean zero, as many large numbers as a normal distribution has, no two weights alike."""
    for name, weights in _weights(student, weight_scale=1.0).items():
        # The mean of 4,800 numbers varies by 0.015, their fourth moment (3) by 0.14.
        expect(abs(float(weights.mean())) < 0.1, f"{name} has a mean that is not 0")
        expect(bool(weights.std()), f"all numbers in {name} are equal")
        fourth = float(np.mean((weights / weights.std()) ** 4))
        expect(2.1 < fourth < 3.9, f"{name} is not normally distributed")
        repeated = f"{name} repeats its numbers: filters that start alike stay alike"
        expect(len(np.unique(weights)) > 0.9 * weights.size, repeated)


@check(INIT, probe="CNN-A1")
def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """All three biases, whatever the scale of the weights."""
    sizes = {"input_dim": (2, 6, 4), "num_filters": 3, "filter_size": 3, "hidden_dim": 7}
    params = _parameters(student, **sizes, weight_scale=2.0)
    for name in BIASES:
        bias = expect_shape(params.get(name), _shapes(**sizes)[name], f"params[{name!r}]")
        expect(not bias.any(), f"params[{name!r}] does not start at zero")
    expect(as_array(params.get("W1"), "params['W1']").any(), "params['W1'] is zero as well")


@check(INIT, probe="CNN-A1")
def parameters_have_the_asked_precision(student: Student, rng: Generator) -> None:
    """float32 unless dtype says otherwise."""
    sizes = {"input_dim": (2, 6, 4), "num_filters": 3, "filter_size": 3, "hidden_dim": 7}
    code = "import numpy as _np\n_made = [dict(ThreeLayerConvNet(**_sizes, **_m).params) for _m in"
    source = f"{code} ({{}}, {{'dtype': _np.float64}})]"
    made = student.rerun(source, {"_sizes": sizes}, ("_made",)).get("_made") or []
    for params, dtype in zip(made, ("float32", "float64"), strict=True):
        for name in NAMES:
            found = as_array(params.get(name), f"params[{name!r}]").dtype
            expect(found == dtype, f"params[{name!r}] is of type {found}; {dtype} was asked for")


@check(INIT, probe="CNN-A1")
def arguments_keep_their_places(student: Student, rng: Generator) -> None:
    """All arguments by position, in the order of the contract; self.reg is kept."""
    net = student.new(CLASS, (2, 6, 4), 60, 5, 70, 40, 0.25, 0.125)
    params = net.get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    for name, shape in _shapes((2, 6, 4), 60, 5, 70, 40).items():
        expect_shape(params.get(name), shape, f"params[{name!r}]")
    spread = float(as_array(params["W2"]).std())
    expect_close(spread, 0.25, what="the standard deviation of W2", rtol=0.15, atol=0)
    expect_close(as_array(net.get("reg"), "self.reg"), 0.125, what="self.reg")


def _shapes(
    input_dim: tuple[int, int, int] = (3, 32, 32),
    num_filters: int = 32,
    filter_size: int = 7,
    hidden_dim: int = 100,
    num_classes: int = 10,
) -> dict[str, tuple[int, ...]]:
    C, H, W = input_dim
    return {
        "W1": (num_filters, C, filter_size, filter_size),
        "b1": (num_filters,),
        "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
        "b2": (hidden_dim,),
        "W3": (hidden_dim, num_classes),
        "b3": (num_classes,),
    }


def _parameters(student: Student, **sizes: Any) -> dict:
    params = student.new(CLASS, **sizes).get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    return params


def _weights(student: Student, **more: float) -> dict[str, Array]:
    """W1 (60, 4, 5, 5), W2 (360, 80), W3 (80, 60) of one net."""
    sizes = {"input_dim": (4, 6, 4), "num_filters": 60, "filter_size": 5, "hidden_dim": 80}
    params = _parameters(student, **sizes, num_classes=60, **more)
    shapes = _shapes(**sizes, num_classes=60)
    return {
        name: expect_shape(params.get(name), shapes[name], f"params[{name!r}]").astype(np.float64)
        for name in WEIGHTS
    }
