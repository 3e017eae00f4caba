"""The student's ThreeLayerConvNet over right layers, and what it should compute, by torch.

Shapes: X (N, C, H, W), y (N,); W1 (F, C, f, f), b1 (F,), W2 (F*H/2*W/2, hidden), b2 (hidden,),
W3 (hidden, classes), b3 (classes,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks.oracle import conv_layer, pool_layer
from autograder.checks.assignment2.convolutionalnetworks.stand_ins import STAND_INS
from autograder.checks.shared import layers
from autograder.checks.shared.layers import AWAY, Array
from autograder.checks.shared.net_case import NetCase as Case
from autograder.checks.shared.student_net import StudentNet

CLASS = "ThreeLayerConvNet"
WEIGHTS, BIASES = ("W1", "W2", "W3"), ("b1", "b2", "b3")
NAMES = (*WEIGHTS, *BIASES)


def draw_case(
    rng: Generator,
    *,
    N: int = 4,
    image: tuple[int, int, int] = (2, 6, 4),
    F: int = 3,
    f: int = 3,
    hidden: int = 6,
    classes: int = 5,
) -> Case:
    """Random numbers, biases too; no ReLU is near its kink, no two maxima of a window are near."""
    C, H, W = image
    pooled = F * (H // 2) * (W // 2)
    shapes = {
        "W1": (F, C, f, f),
        "b1": (F,),
        "W2": (pooled, hidden),
        "b2": (hidden,),
        "W3": (hidden, classes),
        "b3": (classes,),
    }
    while True:
        # Spreads that keep the numbers of every layer of size one.
        params = {
            name: rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) if name == "W1" else shape[0])
            for name, shape in shapes.items()
        }
        X, y = rng.normal(size=(N, C, H, W)), rng.permutation(np.arange(N) % classes)
        case = Case(params, X, y)
        if _is_smooth(case):
            return case


def _is_smooth(case: Case) -> bool:
    """Whether no small step crosses a kink, and the hidden units are on and off."""
    tensors = {name: torch.tensor(value) for name, value in case.params.items()}
    conv, hidden, _ = _layers(torch.tensor(case.X), tensors)
    windows = conv.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    first, second = windows.topk(2, dim=-1).values.unbind(-1)
    # A window whose numbers are all negative gives 0, whichever of them is the largest.
    ties = ((first - second) < AWAY / 10) & (first > 0)
    mixed = bool((hidden > 0).any() and (hidden < 0).any() and (first < 0).any())
    near = min(float(first.abs().min()), float(hidden.abs().min()))
    return mixed and not bool(ties.any()) and near > AWAY / 10


def _layers(
    X: torch.Tensor, params: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The outputs of the convolution, of the first and of the second affine layer."""
    size = params["W1"].shape[2]
    conv = conv_layer(1, (size - 1) // 2)(X, params["W1"], params["b1"])
    pooled = pool_layer(2, 2, 2)(torch.relu(conv))
    hidden = layers.affine(pooled, params["W2"], params["b2"])
    return conv, hidden, layers.affine(torch.relu(hidden), params["W3"], params["b3"])


def right_scores(case: Case) -> Array:
    tensors = {name: torch.tensor(value) for name, value in case.params.items()}
    return _layers(torch.tensor(case.X), tensors)[2].numpy()


def right_loss(case: Case) -> tuple[float, dict[str, Array]]:
    """Loss and gradients without the penalty."""
    leaves = {n: torch.tensor(value, requires_grad=True) for n, value in case.params.items()}
    loss = layers.cross_entropy(_layers(torch.tensor(case.X), leaves)[2], torch.tensor(case.y))
    loss.backward()
    grads = {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
    return float(loss.detach()), grads


# -- the student's class --------------------------------------------------------------------------


def _settings(case: Case) -> dict[str, Any]:
    """What __init__ is called with for a case."""
    F, _, f, _ = case.params["W1"].shape
    sizes = {"input_dim": case.X.shape[1:], "num_filters": F, "filter_size": f}
    sizes |= {"hidden_dim": len(case.params["b2"]), "num_classes": case.classes}
    return {"kwargs": sizes, "dtype": "float64"}


NET = StudentNet(CLASS, _settings, STAND_INS)
