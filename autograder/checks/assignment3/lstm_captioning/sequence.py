"""Sequences of LSTM steps by torch in float64: what usual slips make of them.

Shapes: x (N, T, D); h, dh (N, T, H); h0 (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from autograder.checks.assignment3.lstm_captioning.cell import Case, autograd
from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array
from autograder.checks.shared.recurrent_cases import GRADIENTS, SequenceCase

Tensor = torch.Tensor
Gradients = dict[str, Array]
Unroll = Callable[..., Tensor]  # x, h0, Wx, Wh, b -> h

SIZES = ((3, 4, 5, 6), (2, 6, 7, 3))  # N, T, D, H
SMALLEST = ((1, 4, 5, 6), (3, 1, 5, 6))  # one example; one step


# -- forward --------------------------------------------------------------------------------------


def unroll(
    x: Tensor,
    h0: Tensor,
    Wx: Tensor,
    Wh: Tensor,
    b: Tensor,
    *,
    first_c: Tensor | None = None,
    carry_h: bool = True,
    carry_c: bool = True,
    show: int = 0,
) -> Tensor:
    """The states after each step, hidden ones (``show`` 0) or cells (1). The rest are slips."""
    first = h0, torch.zeros_like(h0) if first_c is None else first_c
    (h, c), shown = first, []
    for x_t in x.unbind(1):
        after = recurrent.lstm_step(x_t, h, c, Wx, Wh, b)
        shown.append(after[show])
        h, c = after[0] if carry_h else first[0], after[1] if carry_c else first[1]
    return torch.stack(shown, dim=1)


SLIPS: dict[str, Unroll] = {
    "the cell starts from zero at every step; it should be carried on, as h is": (
        lambda *args: unroll(*args, carry_c=False)
    ),
    "every step starts from h0; step t should start from the h of step t - 1": (
        lambda *args: unroll(*args, carry_h=False)
    ),
    "the cell starts at h0; it starts at zero": lambda *args: unroll(*args, first_c=args[1]),
    "h0 has no effect": lambda x, h0, *rest: unroll(x, 0 * h0, *rest),
    "every step reads the first x": lambda x, *rest: unroll(x[:, :1].expand(x.shape), *rest),
    "x is read from its last step to its first": lambda x, *rest: unroll(x.flip(1), *rest),
    "h holds the steps from the last to the first": lambda *args: unroll(*args).flip(1),
    "h begins with h0; it should hold the state after each step": (
        lambda x, h0, *rest: torch.cat([h0[:, None], unroll(x, h0, *rest)[:, :-1]], dim=1)
    ),
    "h holds the cells, not the hidden states": lambda *args: unroll(*args, show=1),
    "every step of h holds the last hidden state": (
        lambda *args: unroll(*args)[:, -1:].expand(*args[0].shape[:2], -1)
    ),
}


def states(case: SequenceCase, by: Unroll) -> Array:
    """h (N, T, H)."""
    return layers.value(by, *case.arguments)


def gradients(case: SequenceCase, by: Unroll) -> Gradients:
    """The five gradients of sum(h * dh)."""
    leaves = [torch.tensor(array, requires_grad=True) for array in case.arguments]
    loss = (by(*leaves) * torch.tensor(case.dh)).sum()
    found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return dict(zip(GRADIENTS, (gradient.numpy() for gradient in found), strict=True))


# -- backward -------------------------------------------------------------------------------------


def walk_back(
    case: SequenceCase, *, carry_h: float = 1.0, carry_c: float = 1.0
) -> list[dict[str, Array]]:
    """Each step's own six gradients. ``carry_h``, ``carry_c``: how much of them is handed on."""
    h = np.concatenate([case.h0[:, None], states(case, unroll)], axis=1)
    cells = states(case, lambda *args: unroll(*args, show=1))
    c = np.concatenate([np.zeros_like(case.h0)[:, None], cells], axis=1)
    of_h, of_c = np.zeros_like(case.h0), np.zeros_like(case.h0)
    each: list[dict[str, Array]] = []
    for t in reversed(range(case.x.shape[1])):
        upstream = case.dh[:, t] + of_h, of_c
        one = Case(case.x[:, t], h[:, t], c[:, t], case.Wx, case.Wh, case.b, *upstream)
        each.insert(0, autograd(one))
        of_h, of_c = carry_h * each[0]["dprev_h"], carry_c * each[0]["dprev_c"]
    return each


def together(each: list[dict[str, Array]]) -> Gradients:
    """The gradients of the sequence from those of its steps."""
    return {
        "dx": np.stack([at["dx"] for at in each], axis=1),
        "dh0": each[0]["dprev_h"],
        **{name: np.sum([at[name] for at in each], axis=0) for name in ("dWx", "dWh", "db")},
    }


def gradient_slips(case: SequenceCase) -> dict[str, Gradients]:
    """What usual slips make of the gradients, each with its message."""
    T, names = case.x.shape[1], ("dWx", "dWh", "db")
    each = walk_back(case)
    right = together(each)
    last = replace(case, dh=case.dh * (np.arange(T) == T - 1)[:, None])
    return {
        "the h of step t also acts through step t + 1: the gradient from there is missing": (
            together(walk_back(case, carry_h=0))
        ),
        "the cell's gradient is not carried back from step to step": (
            together(walk_back(case, carry_c=0))
        ),
        "the steps are not connected: neither gradient is carried back": (
            together(walk_back(case, carry_h=0, carry_c=0))
        ),
        "only the loss of the last step counts; dh[:, t] should be added at every step": (
            together(walk_back(last))
        ),
        "only the first step counts; the weights are used at every step, so add up all steps": (
            right | {name: each[0][name] for name in names}
        ),
        "only the last step counts; the weights are used at every step, so add up all steps": (
            right | {name: each[-1][name] for name in names}
        ),
        "it is a mean over the steps; it should be their sum": (
            right | {name: right[name] / T for name in names}
        ),
        "it is divided by N; only the loss takes a mean over examples": {
            name: value / len(case.x) for name, value in right.items()
        },
        "the steps are in the order of the loop, from the last to the first": (
            right | {"dx": right["dx"][:, ::-1]}
        ),
        "dh of the first step is added again; it belongs to the h after that step": (
            right | {"dh0": right["dh0"] + case.dh[:, 0]}
        ),
        "it is what the last step returns; go on to the first": (
            right | {"dh0": each[-1]["dprev_h"]}
        ),
        "it is the gradient of the cell before the first step": (
            right | {"dh0": each[0]["dprev_c"]}
        ),
    }
