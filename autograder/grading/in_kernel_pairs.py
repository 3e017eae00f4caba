"""Run in the kernel, as source: forward and backward functions are tried together."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

STEP, TOLERANCE = 1e-5, 1e-4


def misfits(
    notebook: Any, loaded: str, pairs: Sequence[tuple[str, Sequence[str], Sequence[Any], int]]
) -> list[str]:
    """The forward functions of the notebook ``loaded`` with which a backward does not work.

    Each is called on small arguments, and the gradient compared with finite differences of the
    forward function. Raises what ``load`` raises.
    """
    from cs231n_lib.notebooks import load

    module = load(loaded)
    return [
        forward
        for forward, backwards, arguments, wrt in pairs
        if not all(_fits(module, forward, backward, arguments, wrt) for backward in backwards)
    ]


def _fits(module: Any, forward: str, backward: str, arguments: Sequence[Any], wrt: int) -> bool:
    try:
        go, back = getattr(module, forward), getattr(module, backward)
        *outs, cache = go(*copy.deepcopy(arguments))
        rng = np.random.default_rng(0)
        upstream = [rng.normal(size=np.shape(out)) for out in outs]
        found = back(*copy.deepcopy(upstream), cache)
        found = found[0] if isinstance(found, tuple | list) else found
        want = _slopes(go, arguments, wrt, upstream)
        return bool(np.allclose(np.reshape(found, want.shape), want, TOLERANCE, TOLERANCE))
    except Exception:  # whatever it is, they do not work together
        return False


def _slopes(
    go: Callable[..., Any], arguments: Sequence[Any], wrt: int, upstream: Sequence[Any]
) -> Any:
    """The gradient of sum(upstream * out) with respect to one argument, by central differences."""
    slopes = np.zeros(np.shape(arguments[wrt]))
    for place in np.ndindex(slopes.shape):
        sides = []
        for step in (STEP, -STEP):
            moved = list(copy.deepcopy(arguments))
            moved[wrt][place] += step
            *outs, _ = go(*moved)
            sides.append(sum(np.sum(up * out) for up, out in zip(upstream, outs, strict=True)))
        slopes[place] = (sides[0] - sides[1]) / (2 * STEP)
    return slopes
