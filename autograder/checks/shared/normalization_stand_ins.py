"""Normalisation layers that the judge answers for, where a student's network looks for its own.

Shapes: x, out, dout (N, D); gamma, beta, running statistics (D,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.checks.shared.normalization import BATCH, DEFAULT_EPS, LAYER, Norm, layer_of
from autograder.judge import as_array


def _batchnorm(
    x: Any, gamma: Any, beta: Any, bn_param: Mapping[str, Any]
) -> tuple[Array, Any, dict[str, Array]]:
    """out, cache, and the running statistics as they are afterwards."""
    rows, scale, shift = as_array(x, "x"), as_array(gamma, "gamma"), as_array(beta, "beta")
    eps, momentum = bn_param.get("eps", DEFAULT_EPS), bn_param.get("momentum", 0.9)
    zeros = np.zeros(rows.shape[1])
    mean, var = (bn_param.get(name, zeros) for name in ("running_mean", "running_var"))
    if np.shape(mean) != zeros.shape:
        raise ValueError(
            f"bn_param holds a running_mean of shape {np.shape(mean)}, but x has {len(zeros)} "
            "columns: each layer has a dictionary of its own"
        )
    if bn_param["mode"] == "test":
        return scale * (rows - mean) / np.sqrt(var + eps) + shift, None, {}
    if bn_param["mode"] != "train":
        raise ValueError("the mode of batchnorm_forward is neither train nor test")
    statistics = {
        "running_mean": momentum * mean + (1 - momentum) * rows.mean(axis=0),
        "running_var": momentum * var + (1 - momentum) * rows.var(axis=0),
    }
    arrays = rows, scale, shift
    return layers.value(layer_of(BATCH, eps), *arrays), ("batchnorm", *arrays, eps), statistics


def _layernorm(
    x: Any, gamma: Any, beta: Any, ln_param: Mapping[str, Any]
) -> tuple[Array, tuple[Any, ...]]:
    arrays = as_array(x, "x"), as_array(gamma, "gamma"), as_array(beta, "beta")
    eps = ln_param.get("eps", DEFAULT_EPS)
    return layers.value(layer_of(LAYER, eps), *arrays), ("layernorm", *arrays, eps)


def _backward(norm: Norm, kind: str) -> Callable[[Any, Any], tuple[Array, ...]]:
    def backward(dout: Any, cache: Any) -> tuple[Array, ...]:
        if cache is None:
            raise ValueError(f"{kind}_backward was given the cache of a call in test mode")
        made_by, *arrays, eps = cache
        if made_by != kind:
            raise ValueError(f"{kind}_backward was given the cache of {made_by}_forward")
        layer = layer_of(norm, float(eps))
        return layers.gradients(layer, [as_array(a) for a in arrays], as_array(dout, "dout"))

    return backward


#: The layers by name, for `StudentNet.with_layers`.
NORMS: dict[str, Callable[..., Any]] = {
    "batchnorm_forward": _batchnorm,
    "batchnorm_backward": _backward(BATCH, "batchnorm"),
    "batchnorm_backward_alt": _backward(BATCH, "batchnorm"),
    "layernorm_forward": _layernorm,
    "layernorm_backward": _backward(LAYER, "layernorm"),
}
#: Of these, the last answer is what changes in the dictionary that they are given.
UPDATING = ("batchnorm_forward",)
