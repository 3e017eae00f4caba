"""What is asked of how FullyConnectedNet starts, with normalisation.

Shapes: W1 (D, H_1), b1 (H_1,), ..., WL (H_(L-1), C), bL (C,); gamma1, beta1 (H_1,), ... of the
L - 1 hidden layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets.net_oracle import CLASS
from autograder.judge import Student, as_array, check, expect, expect_close, expect_shape

CELL = "bn-net-init"
BATCHNORM, LAYERNORM = "batchnorm", "layernorm"


@check(CELL, probe="FCBN-A1", weight=3)
def gamma_and_beta_of_hidden_layers(student: Student, rng: Generator) -> None:
    """Names and shapes of all parameters, with either normalisation and with none."""
    for hidden in ([5], [6, 4, 7]):
        for normalization in (BATCHNORM, LAYERNORM, None):
            params = _parameters(student, hidden, normalization)
            sizes = [11, *hidden, 3]
            shapes: dict[str, tuple[int, ...]] = {}
            for layer, units in enumerate(sizes[1:], start=1):
                shapes |= {f"W{layer}": (sizes[layer - 1], units), f"b{layer}": (units,)}
                if normalization and layer <= len(hidden):
                    shapes |= {f"gamma{layer}": (units,), f"beta{layer}": (units,)}
            about = f"with {len(hidden)} hidden layers and normalization={normalization!r}"
            missing = sorted(set(shapes) - set(params))
            expect(not missing, f"params has no entry for {', '.join(missing[:6])}, {about}")
            last = len(sizes) - 1
            extra = sorted(str(name) for name in params if name not in shapes)
            hint = "the last affine layer is not normalised: " if f"gamma{last}" in extra else ""
            expect(not extra, f"{hint}params has entries too many, {about}: {', '.join(extra[:4])}")
            for name, shape in shapes.items():
                expect_shape(params[name], shape, f"params[{name!r}]")


@check(CELL, probe="FCBN-A1", weight=2)
def normalization_starts_as_identity(student: Student, rng: Generator) -> None:
    """gamma, beta and the biases at the start, whatever weight_scale; their type."""
    for normalization in (BATCHNORM, LAYERNORM):
        params = _parameters(student, [6, 4], normalization, weight_scale=2.0)
        for layer in (1, 2):
            for name, start in ((f"gamma{layer}", 1.0), (f"beta{layer}", 0.0), (f"b{layer}", 0.0)):
                got = as_array(params.get(name), f"params[{name!r}]")
                hint = "scaling and shifting are learned: at the start they do nothing"
                expect_close(got, np.full(got.shape, start), what=f"params[{name!r}]", hint=hint)
                expect(got.dtype == np.float32, f"params[{name!r}] is not of the asked dtype")


@check(CELL, probe="FCBN-A1")
def weights_start_as_before(student: Student, rng: Generator) -> None:
    """The spread of the weights with a normalisation."""
    for normalization, scale in ((BATCHNORM, 0.5), (LAYERNORM, 2e-2)):
        net = student.new(
            CLASS, [100, 100], 100, 100, normalization=normalization, weight_scale=scale
        )
        params = net.get("params")
        for layer in (1, 2, 3):
            weights = expect_shape(params.get(f"W{layer}"), (100, 100), f"params['W{layer}']")
            # 10,000 numbers: the spread varies by 0.7 %, so 10 % is never reached by chance.
            what = f"the standard deviation of W{layer} for weight_scale = {scale:g}"
            expect_close(float(weights.std()), scale, what=what, rtol=0.1, atol=0)
            centred = abs(float(weights.mean())) < 0.07 * scale  # it varies by 0.01 * scale
            expect(centred, f"W{layer} has a mean that is not 0")


def _parameters(
    student: Student, hidden: list[int], normalization: str | None, **more: float
) -> dict[str, Any]:
    params = student.new(CLASS, hidden, 11, 3, normalization=normalization, **more).get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    return params
