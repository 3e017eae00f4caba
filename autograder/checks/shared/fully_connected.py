"""FullyConnectedNet: random cases, what it should compute, by torch, and how the class is asked.

Three notebooks ask for this class: plain, with normalisation, with dropout. The judge answers for
the layers of assignment 1; those of normalisation and dropout come with ``NET.with_layers``.

Shapes: X (N, d_1, ..., d_k), y (N,); W1 (D, H_1), b1 (H_1,), ..., WL (H_(L-1), C), bL (C,); with a
normalisation also gamma1, beta1 (H_1,), ..., of the L - 1 hidden layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import AWAY, Array
from autograder.checks.shared.net_case import NetCase
from autograder.checks.shared.stand_ins import LAYERS
from autograder.checks.shared.student_net import StudentNet

CLASS = "FullyConnectedNet"
EPS = 1e-5  # in the root of a normalisation, where nothing else is asked for
SEED = 0  # of the networks that drop


@dataclass(frozen=True)
class Case(NetCase):
    """Parameters and data of a small network.

    ``masks``: what dropout multiplies the output of each hidden layer by (N, H_l), zeros and
    1 / keep; none without dropout. ``running``: mean and variance (H_l,) of each hidden layer, for
    batch normalisation in test mode; where there are none, both are zero as before any training.
    """

    normalization: str | None = None
    keep: float = 1
    masks: tuple[Array, ...] = ()
    running: tuple[tuple[Array, Array], ...] = ()

    @property
    def sizes(self) -> list[int]:
        """D, H_1, ..., C."""
        biases = [len(self.params[f"b{layer}"]) for layer in range(1, self.depth + 1)]
        return [self.params["W1"].shape[0], *biases]


def draw_case(
    rng: Generator,
    *,
    N: int = 6,
    image: Sequence[int] = (5,),
    hidden: Sequence[int] = (7, 6),
    C: int = 4,
    normalization: str | None = None,
    keep: float = 1,
) -> Case:
    """Random numbers, biases too, of such a size that no layer's output grows or fades away.

    No unit is near its kink. For more than one example every unit is on somewhere and, in each
    layer, some unit is off somewhere: only then each line of the student's code shows.
    """
    sizes = [int(np.prod(image)), *hidden, C]
    while True:
        params: dict[str, Array] = {}
        for layer in range(1, len(sizes)):
            inputs, outputs = sizes[layer - 1 : layer + 1]
            params[f"W{layer}"] = rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs)
            params[f"b{layer}"] = 0.5 * rng.normal(size=outputs)
            if normalization and layer < len(sizes) - 1:
                params[f"gamma{layer}"] = rng.uniform(0.5, 1.5, size=outputs)
                params[f"beta{layer}"] = 0.5 * rng.normal(size=outputs)
        masks = tuple((rng.random((N, units)) < keep) / keep for units in hidden if keep != 1)
        X, y = rng.normal(size=(N, *image)), rng.permutation(np.arange(N) % C)
        case = Case(params, X, y, 0.0, normalization, keep, masks)
        before: list[torch.Tensor] = []
        _forward(_leaves(case), case, True, before)
        if all(_tells(array.detach().numpy(), N) for array in before):
            return case


def _tells(before: Array, N: int) -> bool:
    """Whether these inputs of a ReLU (N, H) are away from 0 and show what it does."""
    on = before > 0
    shows = on.any() if N == 1 else on.any(axis=0).all()
    return bool(np.abs(before).min() > AWAY and shows and not on.all())


# -- what is right --------------------------------------------------------------------------------


def right_scores(case: Case, *, training: bool = False) -> Array:
    """The scores (N, C): in test mode, as ``loss(X)`` returns them, or in training mode."""
    return _forward(_leaves(case), case, training, []).detach().numpy()


def right_loss(case: Case) -> tuple[float, dict[str, Array]]:
    """Loss and gradients in training mode, without the penalty."""
    leaves = _leaves(case)
    scores = _forward(leaves, case, True, [])
    loss = layers.cross_entropy(scores, torch.tensor(case.y))
    loss.backward()
    grads = {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
    return float(loss.detach()), grads


def _leaves(case: Case) -> dict[str, torch.Tensor]:
    return {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in case.params.items()
    }


def _forward(
    params: Mapping[str, torch.Tensor], case: Case, training: bool, before: list[torch.Tensor]
) -> torch.Tensor:
    """The scores; what goes into each ReLU is appended to ``before``."""
    h = torch.tensor(case.X, dtype=torch.float64)
    for layer in range(1, case.depth):
        a = layers.affine(h, params[f"W{layer}"], params[f"b{layer}"])
        if case.normalization:
            a = _normalized(a, case, layer, training)
            a = params[f"gamma{layer}"] * a + params[f"beta{layer}"]
        before.append(a)
        h = torch.relu(a)
        if training and case.masks:
            h = h * torch.tensor(case.masks[layer - 1])
    return layers.affine(h, params[f"W{case.depth}"], params[f"b{case.depth}"])


def _normalized(a: torch.Tensor, case: Case, layer: int, training: bool) -> torch.Tensor:
    if case.normalization == "layernorm":
        mean, var = a.mean(1, keepdim=True), a.var(1, correction=0, keepdim=True)
    elif training:
        mean, var = a.mean(0), a.var(0, correction=0)
    elif case.running:
        mean, var = (torch.tensor(array) for array in case.running[layer - 1])
    else:
        mean, var = torch.zeros_like(a[0]), torch.zeros_like(a[0])
    return (a - mean) / torch.sqrt(var + EPS)


# -- the student's class --------------------------------------------------------------------------


def _settings(case: Case) -> dict[str, Any]:
    """How a network is made for a case, and what the class's given text sets in it.

    The ratio to keep goes by position: its keyword has changed over the years.
    """
    D, *hidden, C = case.sizes
    drops, entry = case.keep != 1, {"mode": "train"} if case.normalization == "batchnorm" else {}
    seed = SEED if drops else None
    return {
        "args": [hidden, D, C, case.keep],
        "kwargs": {"normalization": case.normalization, "seed": seed},
        "dtype": "float64",
        "attributes": {
            "normalization": case.normalization,
            "use_dropout": drops,
            "num_layers": len(hidden) + 1,
            "bn_params": [dict(entry) for _ in hidden] if case.normalization else [],
            "dropout_param": {"mode": "train", "p": case.keep, "seed": seed} if drops else {},
        },
    }


NET = StudentNet(CLASS, _settings, LAYERS)
