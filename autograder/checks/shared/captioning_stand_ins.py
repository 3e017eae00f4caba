"""The layers of a captioning network as stand-ins, answered by the judge.

``CaptioningRNN`` is built of layers that are questions of their own, in this notebook and in
assignment 1. It is executed again over these, so that a mistake in a layer costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import torch

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array, Layer
from autograder.checks.shared.stand_ins import LAYERS as OF_ASSIGNMENT_1
from autograder.judge import as_array

Cache = tuple[Array, ...]


def _forward(layer: Layer) -> Callable[..., tuple[Array, Cache]]:
    def forward(*arguments: Any, **named: Any) -> tuple[Array, Cache]:
        bound = signature(layer).bind(*arguments, **named).arguments
        arrays = tuple(as_array(value, name) for name, value in bound.items())
        return layers.value(layer, *arrays), arrays

    return forward


def _backward(layer: Layer) -> Callable[[Any, Any], tuple[Array, ...]]:
    def backward(dout: Any, cache: Any) -> tuple[Array, ...]:
        return layers.gradients(layer, [as_array(a) for a in cache], as_array(dout, "dout"))

    return backward


def _lstm_step_forward(*arguments: Any, **named: Any) -> tuple[Array, Array, Cache]:
    (next_h, next_c), cache = _forward(recurrent.lstm_step)(*arguments, **named)
    return next_h, next_c, cache


def _lstm_step_backward(dnext_h: Any, dnext_c: Any, cache: Any) -> tuple[Array, ...]:
    upstream = torch.stack([torch.as_tensor(as_array(d)) for d in (dnext_h, dnext_c)])
    return _backward(recurrent.lstm_step)(upstream.numpy(), cache)


def _word_embedding_forward(x: Any, W: Any) -> tuple[Array, Cache]:
    words, W = as_array(x, "x"), as_array(W, "W")
    if words.dtype.kind not in "iu":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return W[words], (words, W)


def _word_embedding_backward(dout: Any, cache: Any) -> Array:
    words, W = (as_array(a) for a in cache)
    leaf = torch.tensor(W, dtype=torch.float64, requires_grad=True)
    recurrent.embedding(torch.tensor(words, dtype=torch.int64), leaf).backward(
        torch.tensor(as_array(dout, "dout"), dtype=torch.float64)
    )
    assert leaf.grad is not None
    return leaf.grad.numpy()


def _temporal_softmax_loss(x: Any, y: Any, mask: Any, verbose: bool = False) -> tuple[float, Array]:
    leaf = torch.tensor(as_array(x, "x"), dtype=torch.float64, requires_grad=True)
    targets = torch.tensor(as_array(y, "y"), dtype=torch.int64)
    loss = recurrent.temporal_loss(leaf, targets, torch.tensor(as_array(mask, "mask")))
    loss.backward()
    assert leaf.grad is not None
    return float(loss.detach()), leaf.grad.numpy()


LAYERS: dict[str, Callable[..., Any]] = {
    "affine_forward": OF_ASSIGNMENT_1["affine_forward"],
    "affine_backward": OF_ASSIGNMENT_1["affine_backward"],
    "softmax_loss": OF_ASSIGNMENT_1["softmax_loss"],
    "temporal_affine_forward": _forward(recurrent.temporal_affine),
    "temporal_affine_backward": _backward(recurrent.temporal_affine),
    "temporal_softmax_loss": _temporal_softmax_loss,
    "word_embedding_forward": _word_embedding_forward,
    "word_embedding_backward": _word_embedding_backward,
    "rnn_step_forward": _forward(recurrent.rnn_step),
    "rnn_step_backward": _backward(recurrent.rnn_step),
    "rnn_forward": _forward(recurrent.rnn),
    "rnn_backward": _backward(recurrent.rnn),
    "lstm_step_forward": _lstm_step_forward,
    "lstm_step_backward": _lstm_step_backward,
    "lstm_forward": _forward(recurrent.lstm),
    "lstm_backward": _backward(recurrent.lstm),
}
