"""Checks of TwoLayerNet.__init__: how the network starts.

Shapes: W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.shared.initial_parameters import (
    arrays,
    expect_names_and_shapes,
    expect_normal,
    expect_spread,
    expect_start,
    parameters,
)
from autograder.judge import Student, as_array, check, expect_close

CELL, CLASS = "tln-net-init", "TwoLayerNet"
WIDE = {"input_dim": 50, "hidden_dim": 200, "num_classes": 50}  # 10,000 numbers in each W


@check(CELL, probe="TLN-A1", weight=2)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Names and shapes of the parameters, with given sizes and with the default ones."""
    for sizes, (D, H, C) in (
        ({"input_dim": 11, "hidden_dim": 7, "num_classes": 4}, (11, 7, 4)),
        ({"input_dim": 3, "hidden_dim": 8}, (3, 8, 10)),
        ({}, (3072, 100, 10)),
    ):
        params = parameters(student, CLASS, **sizes)
        shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
        expect_names_and_shapes(params, shapes, f"for D = {D}, H = {H}, C = {C}")


@check(CELL, probe="TLN-A1", weight=2)
def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of both weights, for several weight_scale and the default one."""
    for settings, scale in (
        ({"weight_scale": 0.5}, 0.5),
        ({"weight_scale": 2e-2}, 2e-2),
        ({}, 1e-3),
    ):
        params = parameters(student, CLASS, **WIDE, **settings)
        expect_spread(arrays(params, ("W1", "W2")), scale)


@check(CELL, probe="TLN-A1")
def weights_are_normal(student: Student, rng: Generator) -> None:
    """Both weights: mean zero, normally distributed, no two alike."""
    params = parameters(student, CLASS, **WIDE, weight_scale=1.0)
    expect_normal(arrays(params, ("W1", "W2")))


@check(CELL, probe="TLN-A1")
def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """Both biases, whatever the scale of the weights."""
    params = parameters(student, CLASS, input_dim=6, hidden_dim=5, num_classes=3, weight_scale=2.0)
    expect_start(params, {"b1": 0.0, "b2": 0.0})


@check(CELL, probe="TLN-A1")
def reg_is_kept(student: Student, rng: Generator) -> None:
    """self.reg, given and by default; arguments by position, in the order of the contract."""
    for args, want in (((), 0.0), ((6, 5, 3, 1e-2, 0.25), 0.25)):
        reg = as_array(student.new(CLASS, *args).get("reg"), "self.reg")
        expect_close(reg, want, what="self.reg")
