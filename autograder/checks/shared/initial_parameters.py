"""How a network starts: names, shapes, types and statistics of its parameters.

``params`` are a network's parameters by name, such as W1 (D, H) and b1 (H,).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks.shared import in_kernel_net
from autograder.checks.shared.layers import Array
from autograder.judge import Student, as_array, expect, expect_close, expect_shape, named

Shapes = Mapping[str, Sequence[int]]
NORMAL = "draw from a normal distribution, times weight_scale"


def parameters(student: Student, class_name: str, *args: Any, **settings: Any) -> dict[str, Any]:
    """The parameters of a new network of the student's class."""
    return _dictionary(student.new(class_name, *args, **settings).get("params"))


def typed_parameters(
    student: Student, class_name: str, dtype: str, *args: Any, **settings: Any
) -> dict[str, Any]:
    """The same for a ``dtype``, by its name."""
    made = in_kernel_net.parameters
    return _dictionary(student.apply(made, class_name, list(args), settings, dtype))


def expect_names_and_shapes(params: Mapping[str, Any], shapes: Shapes, about: str = "") -> None:
    """Exactly these parameters; ``about`` says of which network: "for 3 hidden layers"."""
    about = about and f", {about}"
    missing = [name for name in shapes if name not in params]
    expect(not missing, f"params has no entry for {', '.join(missing[:6])}{about}")
    extra = named(name for name in params if name not in shapes)
    expect(not extra, f"params has extra entries{about}: {extra}")
    for name, shape in shapes.items():
        expect_shape(params[name], shape, f"params[{name!r}]{about}")


def arrays(params: Mapping[str, Any], names: Collection[str]) -> dict[str, Array]:
    """Some parameters as float64 arrays, whatever their shapes."""
    return {name: _entry(params, name).astype(np.float64) for name in names}


def expect_spread(weights: Mapping[str, Array], scale: float, about: str = "") -> None:
    """The standard deviation of each is ``scale``, to within 10 %.

    That of n numbers varies by 1 / sqrt(2 n): for 5,000 by 1 %, so that no chance reaches 10 %.
    """
    for name, values in weights.items():
        what = f"the standard deviation of {name} {about or f'for weight_scale = {scale:g}'}"
        _expect_many(values, name)
        expect_close(float(values.std()), scale, what=what, rtol=0.1, atol=0, hint=NORMAL)


def expect_normal(weights: Mapping[str, Array]) -> None:
    """Mean zero, as many large numbers as a normal distribution has, no two alike.

    Of n standard normal numbers the mean varies by 1 / sqrt(n), the fourth moment, which is 3, by
    sqrt(96 / n). Six times that is never reached by chance.
    """
    for name, values in weights.items():
        _expect_many(values, name)
        expect(bool(values.std()), f"all numbers in {name} are equal")
        mean, n = float(values.mean()), values.size
        expect(abs(mean) < 6 * values.std() / n**0.5, f"{name} has a mean that is not 0")
        fourth = float(np.mean(((values - mean) / values.std()) ** 4))
        expect(abs(fourth - 3) < 6 * (96 / n) ** 0.5, f"{name} is not normally distributed")
        # float32 knows some 10 million numbers around 1: a few of 10,000 are alike by chance.
        repeated = f"{name} repeats its numbers: units that start alike stay alike"
        expect(len(np.unique(values)) > 0.9 * n, repeated)


def expect_start(params: Mapping[str, Any], starts: Mapping[str, float]) -> None:
    """All numbers of each of these, biases at 0 and gamma at 1 say; no whole numbers."""
    for name, start in starts.items():
        what, values = f"params[{name!r}]", _entry(params, name)
        expect(bool(np.all(values == start)), f"{what} does not start at {start:g}")
        whole = f"{what} holds whole numbers: no small step can change them in place"
        expect(values.dtype.kind == "f", whole)


def expect_dtype(params: Mapping[str, Any], dtype: str, about: str) -> None:
    """Every parameter is of this type; ``about`` says what was asked for: "by default"."""
    for name, value in params.items():
        found = as_array(value, f"params[{name!r}]").dtype.name
        expect(found == dtype, f"params[{name!r}] is {found}, not {dtype} {about}".rstrip())


def _dictionary(params: Any) -> dict[str, Any]:
    expect(isinstance(params, dict), "self.params is not a dictionary")
    return params


def _entry(params: Mapping[str, Any], name: str) -> Array:
    expect(name in params, f"params has no entry for {name}")
    return as_array(params[name], f"params[{name!r}]")


def _expect_many(values: Array, name: str) -> None:
    many = f"{name} has {values.size} numbers, too few for its size: see the check of its shape"
    expect(values.size >= 4_000, many)
