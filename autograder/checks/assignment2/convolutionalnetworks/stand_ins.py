"""Layers that the judge answers for, under the names that a notebook or ``cs231n_lib`` gives them.

There is one form of cache for the naive layer and all fast ones: the one that the contract names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.checks.assignment2.convolutionalnetworks.oracle import conv_layer, pool_layer
from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.checks.shared.stand_ins import LAYERS
from autograder.judge import as_array


def _conv_forward(x: Any, w: Any, b: Any, conv_param: Any) -> tuple[Array, tuple]:
    arrays = as_array(x, "x"), as_array(w, "w"), as_array(b, "b")
    x_shape, w_shape, b_shape = (array.shape for array in arrays)
    if len(x_shape) != 4 or len(w_shape) != 4 or x_shape[1] != w_shape[1] or b_shape != w_shape[:1]:
        given = f"x of shape {x_shape}, w of shape {w_shape} and b of shape {b_shape}"
        raise ValueError(f"a convolution was given {given}: they do not fit together")
    layer = conv_layer(int(conv_param["stride"]), int(conv_param["pad"]))
    return layers.value(layer, *arrays), (*arrays, conv_param)


def _conv_backward(dout: Any, cache: Any) -> tuple[Array, ...]:
    *arrays, param = cache
    layer = conv_layer(int(param["stride"]), int(param["pad"]))
    return layers.gradients(layer, [as_array(a) for a in arrays], as_array(dout, "dout"))


def _pool(param: Mapping[str, Any]) -> layers.Layer:
    return pool_layer(*(int(param[key]) for key in ("pool_height", "pool_width", "stride")))


def _pool_forward(x: Any, pool_param: Any) -> tuple[Array, tuple]:
    return layers.value(_pool(pool_param), as_array(x, "x")), (as_array(x, "x"), pool_param)


def _pool_backward(dout: Any, cache: Any) -> Array:
    x, param = cache
    return layers.gradients(_pool(param), [as_array(x)], as_array(dout, "dout"))[0]


def _conv_relu_forward(x: Any, w: Any, b: Any, conv_param: Any) -> tuple[Array, tuple]:
    a, conv_cache = _conv_forward(x, w, b, conv_param)
    out, relu_cache = LAYERS["relu_forward"](a)
    return out, (conv_cache, relu_cache)


def _conv_relu_backward(dout: Any, cache: Any) -> tuple[Array, ...]:
    conv_cache, relu_cache = cache
    return _conv_backward(LAYERS["relu_backward"](dout, relu_cache), conv_cache)


def _conv_relu_pool_forward(
    x: Any, w: Any, b: Any, conv_param: Any, pool_param: Any
) -> tuple[Array, tuple]:
    a, conv_cache = _conv_forward(x, w, b, conv_param)
    s, relu_cache = LAYERS["relu_forward"](a)
    out, pool_cache = _pool_forward(s, pool_param)
    return out, (conv_cache, relu_cache, pool_cache)


def _conv_relu_pool_backward(dout: Any, cache: Any) -> tuple[Array, ...]:
    conv_cache, relu_cache, pool_cache = cache
    ds = _pool_backward(dout, pool_cache)
    return _conv_backward(LAYERS["relu_backward"](ds, relu_cache), conv_cache)


STAND_INS: dict[str, Callable[..., Any]] = {
    **LAYERS,
    **{f"conv_forward_{kind}": _conv_forward for kind in ("naive", "fast", "im2col", "strides")},
    **{f"conv_backward_{kind}": _conv_backward for kind in ("naive", "fast", "im2col", "strides")},
    **{
        f"max_pool_forward_{kind}": _pool_forward for kind in ("naive", "fast", "im2col", "reshape")
    },
    **{
        f"max_pool_backward_{kind}": _pool_backward
        for kind in ("naive", "fast", "im2col", "reshape")
    },
    "conv_relu_forward": _conv_relu_forward,
    "conv_relu_backward": _conv_relu_backward,
    "conv_relu_pool_forward": _conv_relu_pool_forward,
    "conv_relu_pool_backward": _conv_relu_pool_backward,
}
