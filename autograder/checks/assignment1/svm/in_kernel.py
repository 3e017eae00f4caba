"""Run in the kernel, as source: a training that the judge watches. It holds nothing secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class Weights(np.ndarray):
    """Weights to begin with. Unlike an array, they can be compared with None by == and !=."""

    def __eq__(self, other: Any) -> Any:
        return False if other is None else super().__eq__(other)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else super().__ne__(other)

    __hash__ = None  # as of any array


def train(
    notebook: Any,
    observe: Callable[..., tuple[float, Any]],
    start: Any,
    X: Any,
    y: Any,
    settings: Mapping[str, Any],
    calls: int,
) -> tuple[Any, list[Any]]:
    """Call train of a LinearClassifier whose loss is ``observe``, as often as ``calls`` says.

    ``start``: the weights to begin with, or None. Returns what the last call returned, and the
    weights after each call.
    """
    if "LinearClassifier" not in notebook:
        raise NameError("name 'LinearClassifier' is not defined in the notebook")

    class Spy(notebook["LinearClassifier"]):
        def loss(self, X_batch: Any, y_batch: Any, reg: Any) -> tuple[float, Any]:
            return observe(np.asarray(self.W), X_batch, y_batch, reg)

    spy = Spy()
    if start is not None:
        spy.W = np.asarray(start).view(Weights)
    history, weights = None, []
    for _ in range(calls):
        history = spy.train(X, y, **settings)
        weights.append(np.array(spy.W))
    return history, weights
