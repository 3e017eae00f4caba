"""What is asked of FullyConnectedNet.__init__: names, shapes, types and statistics of parameters.

Shapes: W1 (D, H_1), b1 (H_1,), W2 (H_1, H_2), b2 (H_2,), ..., WL (H_(L-1), C), bL (C,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets.net_oracle import CLASS
from autograder.checks.shared.layers import Array
from autograder.judge import Student, as_array, expect, expect_close, expect_shape

TYPES = """
import numpy as _np
_params = {
    "float32 by default": FullyConnectedNet([5, 4], 6).params,
    "float32": FullyConnectedNet([5, 4], 6, dtype=_np.float32).params,
    "float64": FullyConnectedNet([5, 4], 6, dtype=_np.float64).params,
}
"""


def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """One to four hidden layers of different widths: names and shapes."""
    for hidden in ([8], [7, 9], [5, 8, 6], [9, 4, 7, 5]):
        _expect_shapes(student, hidden, 11, 3)


def other_sizes_are_accepted(student: Student, rng: Generator) -> None:
    """Other numbers of inputs and classes, and the default ones."""
    D, C = int(rng.integers(12, 40)), int(rng.integers(2, 9))
    _expect_shapes(student, [7, 6], D, C)
    _expect_shapes(student, [4], None, None)


def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of all weights, for several weight_scale and the default one."""
    for more, scale in (({"weight_scale": 0.5}, 0.5), ({"weight_scale": 2e-3}, 2e-3), ({}, 1e-2)):
        for name, weights in _weights(student, **more).items():
            what = f"the standard deviation of {name} for weight_scale = {scale:g}"
            hint = "draw from a normal distribution, times weight_scale"
            # 10,000 numbers: the spread varies by 0.7 %, so 10 % is never reached by chance.
            spread = float(weights.std())
            expect_close(spread, scale, what=what, rtol=0.1, atol=0, hint=hint)


def weights_are_normal_around_zero(student: Student, rng: Generator) -> None:
    """Mean zero, as many large numbers as a normal distribution has, no two weights alike."""
    for name, weights in _weights(student, weight_scale=1.0).items():
        # The mean of 10,000 numbers varies by 0.01, their fourth moment (3) by 0.1.
        expect(abs(float(weights.mean())) < 0.07, f"{name} has a mean that is not 0")
        expect(bool(weights.std()), f"all numbers in {name} are equal")
        fourth = float(np.mean((weights / weights.std()) ** 4))
        expect(2.4 < fourth < 3.6, f"{name} is not normally distributed")
        # float32 knows some 10 million numbers around 1: a few of 10,000 are alike by chance.
        repeated = f"{name} repeats its numbers: units that start alike stay alike"
        expect(len(np.unique(weights)) > 0.9 * weights.size, repeated)


def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """All biases, whatever the scale of the weights."""
    params = _parameters(student, [5, 4, 6], input_dim=6, num_classes=3, weight_scale=2.0)
    for layer, size in enumerate((5, 4, 6, 3), start=1):
        bias = expect_shape(params.get(f"b{layer}"), (size,), f"params['b{layer}']")
        expect(not bias.any(), f"params['b{layer}'] does not start at zero")
        weights = as_array(params.get(f"W{layer}"), f"params['W{layer}']")
        expect(weights.any(), f"params['W{layer}'] is zero as well")


def parameters_have_the_asked_type(student: Student, rng: Generator) -> None:
    """dtype float32, float64, and the default one."""
    for asked, params in student.rerun(TYPES, {}, ("_params",)).get("_params", {}).items():
        expect(isinstance(params, dict) and bool(params), "self.params is empty, or no dictionary")
        for key, value in params.items():
            found = as_array(value, f"params[{key!r}]").dtype.name
            expect(asked.startswith(found), f"params[{key!r}] has the type {found}, not {asked}")


def no_hidden_layer_starts(student: Student, rng: Generator) -> None:
    """hidden_dims may be empty: a linear classifier."""
    _expect_shapes(student, [], 6, 4)


def _expect_shapes(student: Student, hidden: Sequence[int], D: int | None, C: int | None) -> None:
    given = {"input_dim": D, "num_classes": C}
    given = {name: size for name, size in given.items() if size is not None}
    params = _parameters(student, list(hidden), **given)
    sizes = [D or 3 * 32 * 32, *hidden, C or 10]
    layers = range(1, len(sizes))
    names = {f"{letter}{layer}" for letter in "Wb" for layer in layers}
    found = sorted(map(str, params))[:12]
    expect(set(params) == names, f"for hidden_dims = {list(hidden)}, params has the keys {found}")
    for layer in layers:
        shape = tuple(sizes[layer - 1 : layer + 1])
        what = f"for hidden_dims = {list(hidden)}, params"
        expect_shape(params[f"W{layer}"], shape, f"{what}['W{layer}']")
        expect_shape(params[f"b{layer}"], shape[1:], f"{what}['b{layer}']")


def _parameters(student: Student, hidden: list[int], **more: object) -> dict:
    params = student.new(CLASS, hidden, **more).get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    return params


def _weights(student: Student, **more: float) -> dict[str, Array]:
    """W1 to W3 of a net in which each has 10,000 numbers."""
    params = _parameters(student, [200, 50], input_dim=50, num_classes=200, **more)
    return {
        name: expect_shape(params.get(name), shape, f"params[{name!r}]").astype(np.float64)
        for name, shape in (("W1", (50, 200)), ("W2", (200, 50)), ("W3", (50, 200)))
    }
