"""The way back through a step by hand: what usual slips make of its gradients.

The right gradients come from torch (`cell.autograd`). Here the formulas stand side by side with
what people write in their place.

Shapes: as in `cell`; the gradient of the four blocks (N, 4H).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from autograder.checks.assignment3.lstm_captioning.cell import (
    GRADIENTS,
    ORDER,
    SLIPS,
    Case,
    Variant,
    autograd,
    gates_and_cell,
    run,
)
from autograder.checks.shared.layers import Array
from autograder.judge import Failed, as_array

Gradients = dict[str, Array]


def way_back(
    case: Case,
    at: Mapping[str, Array],
    *,
    dcell: Array | None = None,
    to: Mapping[str, Array] | None = None,
    slopes: Mapping[str, Array] | None = None,
    order: str = ORDER,
) -> Gradients:
    """The six gradients by the formulas, for the gates and the cell that forward has found.

    What may be wrong: ``dcell``, the gradient that the cell receives; ``to``, the gradients of
    some gates; ``slopes`` of their sigmoid or tanh; the ``order`` of the blocks.
    """
    tanh_c = np.tanh(at["c"])
    if dcell is None:
        dcell = case.dnext_c + case.dnext_h * at["o"] * (1 - tanh_c**2)
    of_gate = {
        "i": dcell * at["g"],
        "f": dcell * case.prev_c,
        "o": case.dnext_h * tanh_c,
        "g": dcell * at["i"],
    } | dict(to or {})
    slope = {gate: at[gate] * (1 - at[gate]) for gate in "ifo"} | {"g": 1 - at["g"] ** 2}
    slope |= dict(slopes or {})
    da = np.concatenate([of_gate[gate] * slope[gate] for gate in order], axis=1)
    found = (
        da @ case.Wx.T,
        da @ case.Wh.T,
        dcell * at["f"],
        case.x.T @ da,
        case.prev_h.T @ da,
        da.sum(axis=0),
    )
    return dict(zip(GRADIENTS, found, strict=True))


def gradient_slips(case: Case) -> dict[str, Gradients]:
    """What usual slips make of the gradients, each with its message."""
    at = gates_and_cell(case, Variant())
    i, f, o, g, c = (at[name] for name in "ifogc")
    dh, dc, tanh_c = case.dnext_h, case.dnext_c, np.tanh(c)
    both = dc + dh * o * (1 - tanh_c**2)
    one = np.ones_like(i)

    def with_cell(dcell: Array) -> Gradients:
        return way_back(case, at, dcell=dcell)

    def with_gates(**to: Array) -> Gradients:
        return way_back(case, at, to=to)

    def with_slopes(**slopes: Array) -> Gradients:
        return way_back(case, at, slopes=slopes)

    return {
        "the cell lacks the path through next_h: next_h = o * tanh(next_c) depends on it": (
            with_cell(dc)
        ),
        "the cell lacks dnext_c: it also acts on later steps, directly": with_cell(both - dc),
        "the cell's path through next_h lacks the factor o": with_cell(dc + dh * (1 - tanh_c**2)),
        "the cell's path through next_h lacks the slope of tanh": with_cell(dc + dh * o),
        "the slope of tanh is taken at the wrong place: 1 - tanh(next_c)**2": (
            with_cell(dc + dh * o * (1 - c**2))
        ),
        "the slope of tanh is taken at prev_c; it should be taken at next_c": (
            with_cell(dc + dh * o * (1 - np.tanh(case.prev_c) ** 2))
        ),
        "dnext_c goes through o and tanh as well; only dnext_h should": (
            with_cell((dc + dh) * o * (1 - tanh_c**2))
        ),
        "the forget gate gets dc * next_c; it multiplied prev_c": with_gates(f=both * c),
        "the input gate gets dc * i; it multiplied g": with_gates(i=both * i),
        "the candidate gets dc * g; it multiplied i": with_gates(g=both * g),
        "i and g are exchanged: each should get dc times the other": (
            with_gates(i=both * i, g=both * g)
        ),
        "the output gate gets dnext_h * next_c; it multiplied tanh(next_c)": with_gates(o=dh * c),
        "the output gate gets the cell's gradient; it should get dnext_h": with_gates(
            o=both * tanh_c
        ),
        "the slopes of the three sigmoids are missing": with_slopes(i=one, f=one, o=one),
        "the slope of the candidate's tanh is missing": with_slopes(g=one),
        "the slopes of all four gates are missing": with_slopes(i=one, f=one, o=one, g=one),
        "the candidate has the slope of a sigmoid, g * (1 - g); it went through tanh": (
            with_slopes(g=g * (1 - g))
        ),
        "the gates have the slope of a tanh; they went through a sigmoid": (
            with_slopes(i=1 - i**2, f=1 - f**2, o=1 - o**2)
        ),
        "the blocks are joined as i, f, g, o; their order is i, f, o, g": (
            way_back(case, at, order="ifgo")
        ),
        "the blocks are joined as i, o, f, g; their order is i, f, o, g": (
            way_back(case, at, order="iofg")
        ),
        "the blocks are joined as f, i, o, g; their order is i, f, o, g": (
            way_back(case, at, order="fiog")
        ),
        "dprev_c is the cell's gradient, unchanged: prev_c was multiplied by f": (
            way_back(case, at) | {"dprev_c": both}
        ),
        "dprev_c is multiplied by i: prev_c was multiplied by f": (
            way_back(case, at) | {"dprev_c": both * i}
        ),
        "it is divided by N: only the loss takes a mean over the examples": {
            name: value / len(case.x) for name, value in way_back(case, at).items()
        },
    }


def fitting_gradients(case: Case, next_h: Any, next_c: Any) -> list[Gradients]:
    """The gradients that are right for whoever's forward function returned these; the first is.

    Somebody whose forward function is wrong has lost its points already. Where it makes a known
    slip, a backward function that differentiates just that is right. And so is one that is right
    in itself, for the gates and the cell that forward has left in the cache.
    """
    fitting = [autograd(case)]
    if _near((next_h, next_c), run(case)):
        return fitting
    for slip in SLIPS.values():
        if _near((next_h, next_c), run(case, slip)):
            fitting += autograd(case, slip), way_back(case, gates_and_cell(case, slip))
    if _are_numbers(next_c, case.prev_c.shape):
        own_cell = {"c": as_array(next_c).astype(np.float64)}
        fitting.append(way_back(case, gates_and_cell(case, Variant()) | own_cell))
    return fitting


def _near(found: tuple[Any, Any], wanted: tuple[Array, Array]) -> bool:
    return all(
        _are_numbers(got, want.shape) and np.allclose(as_array(got), want, rtol=1e-5, atol=1e-7)
        for got, want in zip(found, wanted, strict=True)
    )


def _are_numbers(value: Any, shape: tuple[int, ...]) -> bool:
    with suppress(Failed):  # if not, forward has lost its points for that
        array = as_array(value)
        return array.shape == shape and bool(np.isfinite(array).all())
    return False
