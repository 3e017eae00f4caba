"""Checks of FullyConnectedNet.__init__: how the network starts.

Shapes: W1 (D, H_1), b1 (H_1,), W2 (H_1, H_2), b2 (H_2,), ..., WL (H_(L-1), C), bL (C,).
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from autograder.checks.shared.fully_connected import CLASS
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
from autograder.judge import Student, advice, check

CELL = "fcn-init"
WIDE = {"input_dim": 50, "num_classes": 200}  # and [200, 50] hidden: 10,000 numbers in each W
WEIGHTS = ("W1", "W2", "W3")


@check(CELL, probe="FCN-A1", weight=2)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """One to four hidden layers of different widths: names and shapes."""
    for hidden in ([8], [7, 9], [5, 8, 6], [9, 4, 7, 5]):
        _expect_shapes(student, hidden, 11, 3)


@check(CELL, probe="FCN-A1", weight=2)
def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of all weights, for several weight_scale and the default one."""
    for settings, scale in (
        ({"weight_scale": 0.5}, 0.5),
        ({"weight_scale": 2e-3}, 2e-3),
        ({}, 1e-2),
    ):
        params = parameters(student, CLASS, [200, 50], **WIDE, **settings)
        expect_spread(arrays(params, WEIGHTS), scale)


@check(CELL, probe="FCN-A1")
def weights_are_normal(student: Student, rng: Generator) -> None:
    """All weights: mean zero, normally distributed, no two alike."""
    params = parameters(student, CLASS, [200, 50], **WIDE, weight_scale=1.0)
    expect_normal(arrays(params, WEIGHTS))


@check(CELL, probe="FCN-A1")
def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """All biases, whatever the scale of the weights."""
    params = parameters(student, CLASS, [5, 4, 6], input_dim=6, num_classes=3, weight_scale=2.0)
    expect_start(params, {f"b{layer}": 0.0 for layer in range(1, 5)})


@check(CELL, probe="FCN-A6")
def parameters_have_the_asked_type(student: Student, rng: Generator) -> None:
    """dtype float32, float64, and the default one."""
    expect_dtype(parameters(student, CLASS, [5, 4], 6), "float32", "by default")
    for dtype in ("float32", "float64"):
        params = typed_parameters(student, CLASS, dtype, [5, 4], 6)
        expect_dtype(params, dtype, "as asked for")


@check(CELL, probe="FCN-A7")
def other_sizes_are_accepted(student: Student, rng: Generator) -> None:
    """Other numbers of inputs and classes, and the default ones."""
    D, C = int(rng.integers(12, 40)), int(rng.integers(2, 9))
    _expect_shapes(student, [7, 6], D, C)
    _expect_shapes(student, [4], None, None)


@advice(CELL, probe="FCN-B1")
def no_hidden_layer_starts(student: Student, rng: Generator) -> None:
    """hidden_dims may be empty: a linear classifier."""
    _expect_shapes(student, [], 6, 4)


def _expect_shapes(student: Student, hidden: Sequence[int], D: int | None, C: int | None) -> None:
    given = {"input_dim": D, "num_classes": C}
    given = {name: size for name, size in given.items() if size is not None}
    params = parameters(student, CLASS, list(hidden), **given)
    sizes = [D or 3 * 32 * 32, *hidden, C or 10]
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(1, len(sizes)):
        shapes[f"W{layer}"] = (sizes[layer - 1], sizes[layer])
        shapes[f"b{layer}"] = (sizes[layer],)
    expect_names_and_shapes(params, shapes, f"for hidden_dims = {list(hidden)}")
