"""Checks of ThreeLayerConvNet: how it starts.

Shapes: W1 (F, C, f, f), b1 (F,), W2 (F*H/2*W/2, hidden), b2 (hidden,), W3 (hidden, classes),
b3 (classes,).
"""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.net_oracle import BIASES, CLASS, WEIGHTS
from autograder.checks.shared.initial_parameters import (
    arrays,
    expect_dtype,
    expect_names_and_shapes,
    expect_normal,
    expect_spread,
    expect_start,
    parameters,
    typed_parameters,
)
from autograder.judge import Student, as_array, check, expect_close

INIT = "cnn-net-init"
SMALL = {"input_dim": (2, 6, 4), "num_filters": 3, "filter_size": 5, "hidden_dim": 7}
HIGH = {"input_dim": (1, 4, 10), "num_filters": 5, "filter_size": 3, "hidden_dim": 6}
# 4,800 numbers in each W at least.
WIDE = {"input_dim": (4, 6, 4), "num_filters": 60, "filter_size": 5, "hidden_dim": 80}


@check(INIT, probe="CNN-A1", weight=3)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Names and shapes, for images that are not square, other filters, and the default sizes."""
    every: tuple[dict[str, Any], ...] = (SMALL | {"num_classes": 4}, HIGH, {})
    for sizes in every:
        params = parameters(student, CLASS, **sizes)
        about = f"for input_dim = {sizes['input_dim']}" if sizes else "for the default sizes"
        expect_names_and_shapes(params, _shapes(**sizes), about)


@check(INIT, probe="CNN-A1", weight=2)
def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of all three weights, for two weight_scale and the default one."""
    for settings, scale in (
        ({"weight_scale": 0.5}, 0.5),
        ({"weight_scale": 2e-2}, 2e-2),
        ({}, 1e-3),
    ):
        params = parameters(student, CLASS, **WIDE, num_classes=60, **settings)
        expect_spread(arrays(params, WEIGHTS), scale)


@check(INIT, probe="CNN-A1")
def weights_are_normal_around_zero(student: Student, rng: Generator) -> None:
    """Mean zero, as many large numbers as a normal distribution has, no two weights alike."""
    params = parameters(student, CLASS, **WIDE, num_classes=60, weight_scale=1.0)
    expect_normal(arrays(params, WEIGHTS))


@check(INIT, probe="CNN-A1")
def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """All three biases, whatever the scale of the weights."""
    params = parameters(student, CLASS, **SMALL, weight_scale=2.0)
    expect_start(params, dict.fromkeys(BIASES, 0.0))


@check(INIT, probe="CNN-A1")
def parameters_have_the_asked_precision(student: Student, rng: Generator) -> None:
    """float32 unless dtype says otherwise."""
    expect_dtype(parameters(student, CLASS, **SMALL), "float32", "by default")
    expect_dtype(typed_parameters(student, CLASS, "float64", **SMALL), "float64", "as asked for")


@check(INIT, probe="CNN-A1")
def arguments_keep_their_places(student: Student, rng: Generator) -> None:
    """All arguments by position, in the order of the contract; self.reg is kept."""
    places = ((2, 6, 4), 60, 5, 70, 40)
    net = student.new(CLASS, *places, 0.25, 0.125)
    params = parameters(student, CLASS, *places, 0.25, 0.125)
    expect_names_and_shapes(params, _shapes(*places), "for arguments by position")
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
