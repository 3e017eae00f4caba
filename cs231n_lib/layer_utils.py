"""Layers that often follow each other, put together from the reader's own.

``affine_relu_forward`` calls *your* ``affine_forward`` and ``relu_forward``, found by name in the
notebook whose code calls it: the loaded one, if that is where the calling class is defined, and
otherwise the one that uses the class. ``layers=`` says where to look instead: it may be a loaded
notebook. Convolution and pooling are those of ``fast_layers``: loops would train for days.

``_forward`` functions return (out, cache), ``_backward`` functions the gradients in the order of
the arguments. A notebook that defines a function of the same name uses its own.
All raise LayerError when a layer is missing, or does not return what it should.
Dimension letters: N examples, D inputs, M outputs; for images those of ``windows``.
"""

from typing import Any

from cs231n_lib.callers import Place, call_layer
from cs231n_lib.fast_layers import (
    conv_backward_fast,
    conv_forward_fast,
    max_pool_backward_fast,
    max_pool_forward_fast,
)
from cs231n_lib.windows import Array

__all__ = [
    "affine_bn_relu_backward",
    "affine_bn_relu_forward",
    "affine_ln_relu_backward",
    "affine_ln_relu_forward",
    "affine_relu_backward",
    "affine_relu_forward",
    "conv_bn_relu_backward",
    "conv_bn_relu_forward",
    "conv_relu_backward",
    "conv_relu_forward",
    "conv_relu_pool_backward",
    "conv_relu_pool_forward",
]

Settings = dict[str, Any]
Answer = tuple[Array, Any]


def affine_relu_forward(x: Array, w: Array, b: Array, *, layers: Place = None) -> Answer:
    """Affine, then ReLU. Shapes: x (N, d_1, ..., d_k), w (D, M), b (M,); out (N, M)."""
    a, affine_cache = call_layer("affine_forward", layers, x, w, b)
    out, relu_cache = call_layer("relu_forward", layers, a)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db. Shapes: dout (N, M)."""
    affine_cache, relu_cache = cache
    da = call_layer("relu_backward", layers, dout, relu_cache)
    return call_layer("affine_backward", layers, da, affine_cache)


def affine_bn_relu_forward(
    x: Array,
    w: Array,
    b: Array,
    gamma: Array,
    beta: Array,
    bn_param: Settings,
    *,
    layers: Place = None,
) -> Answer:
    """Affine, batch normalisation, ReLU.

    Shapes: x (N, d_1, ..., d_k), w (D, M), b, gamma and beta (M,); out (N, M).
    """
    return _affine_norm_relu("batchnorm_forward", layers, (x, w, b), (gamma, beta, bn_param))


def affine_bn_relu_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db, dgamma, dbeta. Shapes: dout (N, M)."""
    return _affine_norm_relu_back("batchnorm_backward", layers, dout, cache)


def affine_ln_relu_forward(
    x: Array,
    w: Array,
    b: Array,
    gamma: Array,
    beta: Array,
    ln_param: Settings,
    *,
    layers: Place = None,
) -> Answer:
    """Affine, layer normalisation, ReLU. Shapes as for ``affine_bn_relu_forward``."""
    return _affine_norm_relu("layernorm_forward", layers, (x, w, b), (gamma, beta, ln_param))


def affine_ln_relu_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db, dgamma, dbeta. Shapes: dout (N, M)."""
    return _affine_norm_relu_back("layernorm_backward", layers, dout, cache)


def conv_relu_forward(
    x: Array, w: Array, b: Array, conv_param: Settings, *, layers: Place = None
) -> Answer:
    """Convolution, then ReLU. Shapes: x (N, C, H, W), w (F, C, HH, WW), b (F,)."""
    a, conv_cache = conv_forward_fast(x, w, b, conv_param)
    out, relu_cache = call_layer("relu_forward", layers, a)
    return out, (conv_cache, relu_cache)


def conv_relu_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db. Shapes: dout (N, F, H', W')."""
    conv_cache, relu_cache = cache
    da = call_layer("relu_backward", layers, dout, relu_cache)
    return conv_backward_fast(da, conv_cache)


def conv_bn_relu_forward(
    x: Array,
    w: Array,
    b: Array,
    gamma: Array,
    beta: Array,
    conv_param: Settings,
    bn_param: Settings,
    *,
    layers: Place = None,
) -> Answer:
    """Convolution, spatial batch normalisation, ReLU.

    Shapes: x (N, C, H, W), w (F, C, HH, WW), b, gamma and beta (F,).
    """
    a, conv_cache = conv_forward_fast(x, w, b, conv_param)
    normal, norm_cache = call_layer("spatial_batchnorm_forward", layers, a, gamma, beta, bn_param)
    out, relu_cache = call_layer("relu_forward", layers, normal)
    return out, (conv_cache, norm_cache, relu_cache)


def conv_bn_relu_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db, dgamma, dbeta. Shapes: dout (N, F, H', W')."""
    conv_cache, norm_cache, relu_cache = cache
    dnormal = call_layer("relu_backward", layers, dout, relu_cache)
    da, dgamma, dbeta = call_layer("spatial_batchnorm_backward", layers, dnormal, norm_cache)
    return *conv_backward_fast(da, conv_cache), dgamma, dbeta


def conv_relu_pool_forward(
    x: Array,
    w: Array,
    b: Array,
    conv_param: Settings,
    pool_param: Settings,
    *,
    layers: Place = None,
) -> Answer:
    """Convolution, ReLU, max-pooling. Shapes: x (N, C, H, W), w (F, C, HH, WW), b (F,)."""
    a, conv_cache = conv_forward_fast(x, w, b, conv_param)
    s, relu_cache = call_layer("relu_forward", layers, a)
    out, pool_cache = max_pool_forward_fast(s, pool_param)
    return out, (conv_cache, relu_cache, pool_cache)


def conv_relu_pool_backward(dout: Array, cache: Any, *, layers: Place = None) -> tuple[Array, ...]:
    """Return dx, dw, db. Shapes: dout like what the forward function returned."""
    conv_cache, relu_cache, pool_cache = cache
    ds = max_pool_backward_fast(dout, pool_cache)
    da = call_layer("relu_backward", layers, ds, relu_cache)
    return conv_backward_fast(da, conv_cache)


def _affine_norm_relu(
    norm: str, layers: Place, affine: tuple[Array, ...], scale: tuple[Any, ...]
) -> Answer:
    a, affine_cache = call_layer("affine_forward", layers, *affine)
    normal, norm_cache = call_layer(norm, layers, a, *scale)
    out, relu_cache = call_layer("relu_forward", layers, normal)
    return out, (affine_cache, norm_cache, relu_cache)


def _affine_norm_relu_back(norm: str, layers: Place, dout: Array, cache: Any) -> tuple[Array, ...]:
    affine_cache, norm_cache, relu_cache = cache
    dnormal = call_layer("relu_backward", layers, dout, relu_cache)
    da, dgamma, dbeta = call_layer(norm, layers, dnormal, norm_cache)
    dx, dw, db = call_layer("affine_backward", layers, da, affine_cache)
    return dx, dw, db, dgamma, dbeta
