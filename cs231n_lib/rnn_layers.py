"""Layers that work on every time step of a sequence at once, and the stable sigmoid.

An affine layer or a softmax loss does not care whether its rows are N examples or N * T words: the
temporal layers here flatten the first two axes and call *your* ``affine_forward``,
``affine_backward`` and ``softmax_loss``, found by name in the notebook whose code calls them, as
``layer_utils`` finds its layers; ``layers=`` says where to look instead. All but ``sigmoid`` raise
LayerError when a layer is missing, or does not return what it should.
Dimension letters: N sequences, T time steps, D inputs, M outputs, V words of the vocabulary.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n_lib.callers import Place, call_layer
from cs231n_lib.windows import Array

__all__ = [
    "sigmoid",
    "temporal_affine_backward",
    "temporal_affine_forward",
    "temporal_softmax_loss",
]


def sigmoid(x: ArrayLike) -> Array:
    """Return 1 / (1 + exp(-x)), in which no exponential can overflow.

    exp(-|x|) is at most 1. For x >= 0 it is the exponential of the formula; for x < 0 the fraction
    is expanded by exp(x). Shapes: x any; returns an array like x, of its dtype if that is floating.
    """
    values = np.asarray(x)
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + small), small / (1 + small))


def temporal_affine_forward(
    x: Array, w: Array, b: Array, *, layers: Place = None
) -> tuple[Array, Any]:
    """Apply one affine layer to the vector of every time step. Returns (out, cache).

    Shapes: x (N, T, D), w (D, M), b (M,); out (N, T, M).
    """
    N, T, D = x.shape
    rows, cache = call_layer("affine_forward", layers, x.reshape(N * T, D), w, b)
    return np.reshape(rows, (N, T, -1)), (cache, x.shape)


def temporal_affine_backward(
    dout: Array, cache: Any, *, layers: Place = None
) -> tuple[Array, Array, Array]:
    """Return dx (N, T, D), dw (D, M), db (M,). The weights are shared: their gradients are summed.

    Shapes: dout (N, T, M).
    """
    affine_cache, (N, T, D) = cache
    rows = dout.reshape(N * T, -1)
    dx, dw, db = call_layer("affine_backward", layers, rows, affine_cache)
    return np.reshape(dx, (N, T, D)), dw, db


def temporal_softmax_loss(
    x: Array, y: Array, mask: Array, verbose: bool = False, *, layers: Place = None
) -> tuple[float, Array]:
    """Softmax loss of a word at every time step: summed over time, averaged over the sequences.

    Where ``mask`` is False (padding) there is neither loss nor gradient. ``softmax_loss`` is asked
    about the other rows alone and averages over them; multiplied by their number and divided by N
    that becomes the sum over time. Returns (loss, dx); dx has the shape and dtype of x.
    Shapes: x (N, T, V) scores, y (N, T) ids of the right words, mask (N, T).
    Raises ValueError when the shapes do not go together. ``verbose`` prints the shapes.
    """
    N, T, V = x.shape
    if np.shape(y) != (N, T) or np.shape(mask) != (N, T):
        raise ValueError(
            f"the scores x are {x.shape}, so y and mask must be {(N, T)}; y is {np.shape(y)} and "
            f"mask is {np.shape(mask)}"
        )
    counts = np.asarray(mask).astype(bool)  # (N, T)
    if verbose:
        print(f"x {x.shape}, of which {np.count_nonzero(counts)} rows of {V} scores count")
    dx = np.zeros_like(x)
    if not counts.any():  # softmax_loss would average over no rows
        return 0.0, dx
    words = np.count_nonzero(counts)
    mean, dscores = call_layer("softmax_loss", layers, x[counts], np.asarray(y)[counts])
    dx[counts] = np.asarray(dscores) * (words / N)
    return float(mean) * words / N, dx
