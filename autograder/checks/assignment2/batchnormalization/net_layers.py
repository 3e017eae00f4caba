"""Normalisation layers that the judge answers for, where a student's network looks for its own.

Shapes: x, out, dout (N, D); gamma, beta, running statistics (D,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from autograder.checks.assignment2.batchnormalization.oracle import DEFAULT_EPS, normalized
from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.judge import as_array

# The layer has to change the dictionary it is given, which no answer of the judge's can.
PRELUDE = """
def batchnorm_forward(x, gamma, beta, bn_param):
    out, cache, _statistics = _batchnorm(x, gamma, beta, dict(bn_param))
    bn_param.update(_statistics)
    return out, cache
"""


def _batchnorm(
    x: Any, gamma: Any, beta: Any, bn_param: Mapping[str, Any]
) -> tuple[Array, Any, dict[str, Array]]:
    """out, cache, and the running statistics as they are afterwards."""
    rows, scale, shift = as_array(x, "x"), as_array(gamma, "gamma"), as_array(beta, "beta")
    eps, momentum = bn_param.get("eps", DEFAULT_EPS), bn_param.get("momentum", 0.9)
    zeros = np.zeros(rows.shape[1])
    mean, var = (bn_param.get(name, zeros) for name in ("running_mean", "running_var"))
    if bn_param["mode"] == "test":
        return scale * (rows - mean) / np.sqrt(var + eps) + shift, None, {}
    if bn_param["mode"] != "train":
        raise ValueError(f"the mode of batchnorm_forward is {bn_param['mode']!r}")
    statistics = {
        "running_mean": momentum * mean + (1 - momentum) * rows.mean(axis=0),
        "running_var": momentum * var + (1 - momentum) * rows.var(axis=0),
    }
    return _forward(0, rows, scale, shift, eps), (rows, scale, shift, eps), statistics


def _layernorm(
    x: Any, gamma: Any, beta: Any, ln_param: Mapping[str, Any]
) -> tuple[Array, tuple[Array, Array, Array, float]]:
    arrays = as_array(x, "x"), as_array(gamma, "gamma"), as_array(beta, "beta")
    eps = ln_param.get("eps", DEFAULT_EPS)
    return _forward(1, *arrays, eps), (*arrays, eps)


def _forward(axis: int, x: Array, gamma: Array, beta: Array, eps: float) -> Array:
    return layers.value(_layer(axis, eps), x, gamma, beta)


def _layer(axis: int, eps: float) -> layers.Layer:
    def layer(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return gamma * normalized(x, axis, eps) + beta

    return layer


def _backward(axis: int) -> Callable[[Any, Any], tuple[Array, ...]]:
    def backward(dout: Any, cache: Any) -> tuple[Array, ...]:
        *arrays, eps = cache
        layer = _layer(axis, float(eps))
        return layers.gradients(layer, [as_array(a) for a in arrays], as_array(dout, "dout"))

    return backward


#: Keywords for the functions of ``fc_net_oracle`` that run the student's class.
LAYERS: dict[str, Any] = {
    "prelude": PRELUDE,
    "more_layers": {
        "_batchnorm": _batchnorm,
        "batchnorm_backward": _backward(0),
        "batchnorm_backward_alt": _backward(0),
        "layernorm_forward": _layernorm,
        "layernorm_backward": _backward(1),
    },
}
