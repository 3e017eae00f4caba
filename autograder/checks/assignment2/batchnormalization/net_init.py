"""What is asked of FullyConnectedNet.__init__ with normalisation: how the network starts.

Shapes: W1 (D, H_1), b1 (H_1,), ..., WL (H_(L-1), C), bL (C,); gamma1, beta1 (H_1,), ... of the
L - 1 hidden layers.
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.shared.fully_connected import CLASS
from autograder.checks.shared.initial_parameters import (
    arrays,
    expect_dtype,
    expect_names_and_shapes,
    expect_spread,
    expect_start,
    parameters,
)
from autograder.judge import Student, check, expect

CELL = "bn-net-init"
NORMALIZATIONS = ("batchnorm", "layernorm")


@check(CELL, probe="FCBN-A1", weight=3)
def gamma_and_beta_of_hidden_layers(student: Student, rng: Generator) -> None:
    """Names and shapes of all parameters, with either normalisation and with none."""
    for hidden in ([5], [6, 4, 7]):
        for normalization in (*NORMALIZATIONS, None):
            params = parameters(student, CLASS, hidden, 11, 3, normalization=normalization)
            shapes: dict[str, tuple[int, ...]] = {}
            for layer, size in enumerate(zip([11, *hidden], [*hidden, 3], strict=True), start=1):
                shapes |= {f"W{layer}": size, f"b{layer}": size[1:]}
                if normalization and layer <= len(hidden):
                    shapes |= {f"gamma{layer}": size[1:], f"beta{layer}": size[1:]}
            about = f"with {len(hidden)} hidden layers and normalization={normalization!r}"
            last = f"gamma{len(hidden) + 1}"
            one_more = normalization and last in params and last not in shapes
            expect(not one_more, f"params has an entry {last!r}: the last layer is not normalised")
            expect_names_and_shapes(params, shapes, about)


@check(CELL, probe="FCBN-A1", weight=2)
def normalization_starts_as_identity(student: Student, rng: Generator) -> None:
    """gamma starts at 1, beta and the biases at 0, whatever weight_scale; their type."""
    for normalization in NORMALIZATIONS:
        settings = {"normalization": normalization, "weight_scale": 2.0}
        params = parameters(student, CLASS, [6, 4], 11, 3, **settings)
        for layer in (1, 2):
            starts = {f"gamma{layer}": 1.0, f"beta{layer}": 0.0, f"b{layer}": 0.0}
            expect_start(params, starts)
            expect_dtype({name: params[name] for name in starts}, "float32", "by default")


@check(CELL, probe="FCBN-A1")
def spread_of_weights(student: Student, rng: Generator) -> None:
    """The standard deviation and the mean of the weights, with either normalisation."""
    for normalization, scale in zip(NORMALIZATIONS, (0.5, 2e-2), strict=True):
        settings = {"normalization": normalization, "weight_scale": scale}
        params = parameters(student, CLASS, [100, 100], 100, 100, **settings)
        weights = arrays(params, ("W1", "W2", "W3"))
        expect_spread(weights, scale)
        for name, values in weights.items():  # the mean of 10,000 numbers varies by 0.01 * scale
            expect(abs(values.mean()) < 0.07 * scale, f"{name} has a mean that is not 0")
