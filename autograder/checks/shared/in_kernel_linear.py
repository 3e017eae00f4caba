"""Run in the kernel, as source: the slopes of a student's loss. It holds nothing secret."""

from __future__ import annotations

from typing import Any

import numpy as np


def slopes(
    notebook: Any, name: str, W: Any, X: Any, y: Any, reg: float, step: float = 1e-5
) -> np.ndarray:
    """Centred differences (D, C) of function ``name``'s loss at W (D, C), moved in place.

    In place, as numerical gradients are usually taken: W is the same array in every call.
    """
    measured = np.zeros(W.shape)
    for place in np.ndindex(*W.shape):
        here = W[place]
        W[place] = here + step
        above = _loss(notebook[name](W, X, y, reg))
        W[place] = here - step
        below = _loss(notebook[name](W, X, y, reg))
        W[place] = here
        measured[place] = (above - below) / (2 * step)
    return measured


def _loss(returned: Any) -> float:
    loss = returned[0] if isinstance(returned, tuple | list) else returned
    if np.size(loss) != 1:
        raise ValueError(f"the loss is not one number, but has shape {np.shape(loss)}")
    return float(np.asarray(loss).reshape(()))
