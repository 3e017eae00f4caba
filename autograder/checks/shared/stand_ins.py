"""The layers of assignment 1 as stand-ins, answered by the judge: right whatever the student's are.

A class that is built of layers is executed again with these in their places, so that a mistake in
a layer costs nothing in the question about the class. Their caches have the form that the
notebook's own affine_relu_forward shows, for those who take the pair apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.judge import as_array


def _affine_forward(x: Any, w: Any, b: Any) -> tuple[Array, tuple[Array, ...]]:
    arrays = as_array(x, "x"), as_array(w, "w"), as_array(b, "b")
    return layers.value(layers.affine, *arrays), arrays


def _affine_backward(dout: Any, cache: Any) -> tuple[Array, ...]:
    return layers.gradients(layers.affine, [as_array(a) for a in cache], as_array(dout, "dout"))


def _relu_forward(x: Any) -> tuple[Array, Array]:
    return layers.value(layers.relu, as_array(x, "x")), as_array(x, "x")


def _relu_backward(dout: Any, cache: Any) -> Array:
    return layers.gradients(layers.relu, [as_array(cache)], as_array(dout, "dout"))[0]


def _affine_relu_forward(x: Any, w: Any, b: Any) -> tuple[Array, tuple]:
    a, affine_cache = _affine_forward(x, w, b)
    out, relu_cache = _relu_forward(a)
    return out, (affine_cache, relu_cache)


def _affine_relu_backward(dout: Any, cache: Any) -> tuple[Array, ...]:
    affine_cache, relu_cache = cache
    return _affine_backward(_relu_backward(dout, relu_cache), affine_cache)


def _softmax_loss(x: Any, y: Any) -> tuple[float, Array]:
    return layers.loss_and_gradient(layers.cross_entropy, as_array(x, "x"), as_array(y, "y"))


def _svm_loss(x: Any, y: Any) -> tuple[float, Array]:
    return layers.loss_and_gradient(layers.hinge, as_array(x, "x"), as_array(y, "y"))


LAYERS: dict[str, Callable] = {
    "affine_forward": _affine_forward,
    "affine_backward": _affine_backward,
    "relu_forward": _relu_forward,
    "relu_backward": _relu_backward,
    "affine_relu_forward": _affine_relu_forward,
    "affine_relu_backward": _affine_relu_backward,
    "softmax_loss": _softmax_loss,
    "svm_loss": _svm_loss,
}
