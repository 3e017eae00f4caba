"""What is right for a recurrent layer over a sequence, also along the steps that forward took.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, k H), Wh (H, k H), b (k H,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array, fits
from autograder.checks.shared.recurrent_cases import GRADIENTS, Found, Recurrent, SequenceCase
from autograder.judge import expect_near


def right_h(layer: Recurrent, case: SequenceCase) -> Array:
    return layers.value(layer.sequence, *case.arguments)


def right_gradients(layer: Recurrent, case: SequenceCase) -> dict[str, Array]:
    found = layers.gradients(layer.sequence, case.arguments, case.dh)
    return dict(zip(GRADIENTS, found, strict=True))


def gradients_along(
    layer: Recurrent, case: SequenceCase, steps: tuple[tuple[Array, ...], ...]
) -> dict[str, Array] | None:
    """What going back through the steps that forward took makes of dh.

    None unless there was one step for each dh[:, t]. What leaves one step backwards enters the one
    before it, together with the gradient that the loss has there.
    """
    N, T, _ = case.dh.shape
    if len(steps) != T:
        return None
    carried = [np.zeros_like(case.h0) for _ in range(layer.states)]
    dxs, of_weights = [], []
    for t in reversed(range(T)):
        upstream = np.stack([case.dh[:, t] + carried[0], *carried[1:]])
        upstream = upstream if layer.states > 1 else upstream[0]
        try:
            dx, *rest = layers.gradients(layer.step, steps[t], upstream)
        except (ValueError, RuntimeError, TypeError):  # steps with arguments of other shapes
            return None
        carried = rest[: layer.states]
        dxs.append(dx)
        of_weights.append(rest[layer.states :])
    if any(dx.shape != (N, case.x.shape[2]) for dx in dxs):
        return None
    weights = [sum(parts) for parts in zip(*of_weights, strict=True)]
    found = (np.stack(dxs[::-1], axis=1), carried[0], *weights)
    return dict(zip(GRADIENTS, map(np.asarray, found), strict=True))


def expect_gradient(
    what: str,
    got: Any,
    layer: Recurrent,
    case: SequenceCase,
    found: Found,
    *,
    about: str = "",
    hint: str = "",
    slips: Mapping[str, Array] | None = None,
) -> None:
    """One gradient has the right numbers: those of a right forward, or of the steps it took."""
    taken = gradients_along(layer, found.case, found.steps)
    if taken is not None and fits(got, _like(got, taken[what])):
        return
    want = right_gradients(layer, case)[what]
    if found.miscounted and taken is not None:
        want, slips = _like(got, taken[what]), None
        about = f"over the {len(found.steps)} steps that {layer.name}_forward took {case.about}"
    expect_near(
        got, want, what=f"{what} {about or case.about}", hint=hint, slips=slips, squeeze=True
    )


def _like(got: Any, want: Array) -> Array:
    """The gradient of a sequence, with zeros for steps that were not taken, if ``got`` has more."""
    shape = np.shape(got)
    if want.ndim != 3 or len(shape) != 3 or shape[1] <= want.shape[1]:
        return want
    return np.pad(want, ((0, 0), (0, shape[1] - want.shape[1]), (0, 0)))
