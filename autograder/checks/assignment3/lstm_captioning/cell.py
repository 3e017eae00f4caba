"""The LSTM cell by torch in float64, and what usual slips make of it.

Shapes: x (N, D); h, c, and each gate (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import recurrent
from autograder.checks.shared.layers import Array

Tensor = torch.Tensor
Gates = dict[str, Tensor]
Squash = Callable[[Tensor], Tensor]
Step = Callable[..., Any]  # x, h, c, Wx, Wh, b -> next_h, next_c

ORDER = "ifog"  # of the four blocks of H columns
ARGUMENTS = ("x", "prev_h", "prev_c", "Wx", "Wh", "b")
GRADIENTS = ("dx", "dprev_h", "dprev_c", "dWx", "dWh", "db")
# N, D and H differ, and neither D nor H is a multiple of 4: no axis fits by chance.
SHAPES = ((3, 5, 6), (5, 6, 3))


@dataclass(frozen=True)
class Case:
    """The arguments of a step, and the two gradients that come back to it."""

    x: Array
    prev_h: Array
    prev_c: Array
    Wx: Array
    Wh: Array
    b: Array
    dnext_h: Array
    dnext_c: Array

    @property
    def arguments(self) -> tuple[Array, ...]:
        """Copies, in the order of the call."""
        return tuple(getattr(self, name).copy() for name in ARGUMENTS)

    def with_gradients(self, *, of_h: float = 1.0, of_c: float = 1.0) -> Case:
        """The same with either gradient multiplied by a number: 0 closes that path."""
        return replace(self, dnext_h=of_h * self.dnext_h, dnext_c=of_c * self.dnext_c)


def draw_case(rng: Generator, N: int, D: int, H: int) -> Case:
    """Random numbers for which no gate is saturated, and every gate counts."""
    state = (N, H)
    return Case(
        x=rng.normal(size=(N, D)),
        prev_h=rng.uniform(-1, 1, size=state),
        prev_c=rng.normal(size=state),
        Wx=rng.normal(size=(D, 4 * H)) / np.sqrt(D),
        Wh=rng.normal(size=(H, 4 * H)) / np.sqrt(H),
        b=rng.normal(size=4 * H),
        dnext_h=rng.normal(size=state),
        dnext_c=rng.normal(size=state),
    )


# -- the step -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """A step written out, in which some things may be wrong.

    ``order``: of the four blocks. ``squash``: other functions for some gates. ``cell``: the new
    cell from the gates and prev_c; ``hidden``: next_h from the gates, the new cell and prev_c.
    ``uses``: how much of x, prev_h and b counts.
    """

    order: str = ORDER
    interleaved: bool = False
    squash: Mapping[str, Squash] = field(default_factory=dict)
    cell: Callable[[Gates, Tensor], Tensor] = lambda at, c: at["f"] * c + at["i"] * at["g"]
    hidden: Callable[[Gates, Tensor, Tensor], Tensor] = lambda at, new, c: at["o"] * torch.tanh(new)
    uses: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def gates(self, x: Tensor, h: Tensor, c: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Gates:
        """The four gates by name."""
        of_x, of_h, of_b = self.uses
        a = of_x * (x @ Wx) + of_h * (h @ Wh) + of_b * b
        blocks = [a[:, k::4] for k in range(4)] if self.interleaved else a.chunk(4, dim=1)
        usual = {"i": torch.sigmoid, "f": torch.sigmoid, "o": torch.sigmoid, "g": torch.tanh}
        squash = {**usual, **self.squash}
        return {gate: squash[gate](a) for gate, a in zip(self.order, blocks, strict=True)}

    def __call__(self, *args: Tensor) -> tuple[Tensor, Tensor]:
        """(next_h, next_c) for x, h, c, Wx, Wh, b."""
        at, c = self.gates(*args), args[2]
        new = self.cell(at, c)
        return self.hidden(at, new, c), new


# What is nearly right, by the message that says why it is not.
SLIPS: dict[str, Variant] = {
    "the candidate g goes through a sigmoid; it needs tanh": Variant(squash={"g": torch.sigmoid}),
    "all four blocks go through tanh; the three gates need a sigmoid": Variant(
        squash=dict.fromkeys("ifo", torch.tanh)
    ),
    "the input gate goes through tanh; it needs a sigmoid": Variant(squash={"i": torch.tanh}),
    "the forget gate goes through tanh; it needs a sigmoid": Variant(squash={"f": torch.tanh}),
    "the output gate goes through tanh; it needs a sigmoid": Variant(squash={"o": torch.tanh}),
    "the candidate is added whole: the input gate has no effect": Variant(
        cell=lambda at, c: at["f"] * c + at["g"]
    ),
    "prev_c is kept whole: the forget gate has no effect": Variant(
        cell=lambda at, c: c + at["i"] * at["g"]
    ),
    "prev_c has no effect: the new cell lacks f * prev_c": Variant(
        cell=lambda at, c: at["i"] * at["g"]
    ),
    "input and forget gate are exchanged: f should multiply prev_c, and i the candidate": Variant(
        cell=lambda at, c: at["i"] * c + at["f"] * at["g"]
    ),
    "prev_c is multiplied by 1 - f; f is the share that is kept": Variant(
        cell=lambda at, c: (1 - at["f"]) * c + at["i"] * at["g"]
    ),
    "the new cell goes through tanh before it is returned": Variant(
        cell=lambda at, c: torch.tanh(at["f"] * c + at["i"] * at["g"]),
        hidden=lambda at, new, c: at["o"] * new,
    ),
    "next_h is o * next_c; it is o * tanh(next_c)": Variant(
        hidden=lambda at, new, c: at["o"] * new
    ),
    "next_h is tanh(next_c): the output gate has no effect": Variant(
        hidden=lambda at, new, c: torch.tanh(new)
    ),
    "next_h is tanh(o * next_c); tanh is taken of the cell alone": Variant(
        hidden=lambda at, new, c: torch.tanh(at["o"] * new)
    ),
    "next_h is computed from prev_c; it should be computed from the new cell": Variant(
        hidden=lambda at, new, c: at["o"] * torch.tanh(c)
    ),
    "the bias b is not used": Variant(uses=(1, 1, 0)),
    "prev_h has no effect": Variant(uses=(1, 0, 1)),
    "x has no effect": Variant(uses=(0, 1, 1)),
    "every fourth column is taken for one gate; the gates are blocks of H columns": Variant(
        interleaved=True
    ),
} | {
    f"the blocks are taken as {', '.join(order)}; their order is i, f, o, g": Variant(order)
    for order in map("".join, permutations(ORDER))
    if order != ORDER
}


def tensors(case: Case) -> list[Tensor]:
    return [torch.tensor(array, dtype=torch.float64) for array in case.arguments]


def run(case: Case, by: Step = recurrent.lstm_step) -> tuple[Array, Array]:
    """next_h and next_c."""
    h, c = by(*tensors(case))
    return h.numpy(), c.numpy()


def autograd(case: Case, by: Step = recurrent.lstm_step) -> dict[str, Array]:
    """The six gradients of sum(next_h * dnext_h) + sum(next_c * dnext_c)."""
    leaves = [leaf.requires_grad_() for leaf in tensors(case)]
    h, c = by(*leaves)
    loss = (h * torch.tensor(case.dnext_h)).sum() + (c * torch.tensor(case.dnext_c)).sum()
    found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return dict(zip(GRADIENTS, (gradient.numpy() for gradient in found), strict=True))


def gates_and_cell(case: Case, by: Variant) -> dict[str, Array]:
    """i, f, o, g and the new cell, as "c", as this variant makes them."""
    args = tensors(case)
    at = by.gates(*args)
    return {name: values.numpy() for name, values in {**at, "c": by.cell(at, args[2])}.items()}
