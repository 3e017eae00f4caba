"""The student's TwoLayerNet over right layers: a mistake in an earlier layer costs nothing here.

The cell with the class is executed again in a copy of the notebook's namespace. There, the names
of the layers stand for functions that the judge answers, by torch's autograd.

Shapes: X (N, d_1, ..., d_k), W1 (D, H), b1 (H,), W2 (H, C), b2 (C,), y (N,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers
from autograder.checks.shared.layers import AWAY, Array
from autograder.checks.shared.net_case import Net
from autograder.checks.shared.net_case import NetCase as Case
from autograder.checks.shared.stand_ins import LAYERS, cell_of_class
from autograder.judge import Student

NAMES = ("W1", "b1", "W2", "b2")

# __init__ has a question of its own, so it may fail here. It is called all the same: the class may
# set more in it than the contract asks for.
MAKE = """
_net = TwoLayerNet.__new__(TwoLayerNet)
try:
    _net.__init__(input_dim={D}, hidden_dim={H}, num_classes={C})
except Exception:
    pass
_net.params, _net.reg = _params, _reg
"""


def draw_case(
    rng: Generator, *, N: int = 6, image: tuple[int, ...] = (5,), H: int = 7, C: int = 4
) -> Case:
    """Random numbers, biases too; no hidden unit is near its kink."""
    D = int(np.prod(image))
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    while True:
        params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        X, y = rng.normal(size=(N, *image)), rng.permutation(np.arange(N) % C)
        before = X.reshape(N, -1) @ params["W1"] + params["b1"]
        # Every unit is on for some example and off for another: only then each line shows.
        mixed = N == 1 or ((before > 0).any(axis=0) & (before < 0).any(axis=0)).all()
        if mixed and np.abs(before).min() > AWAY:
            return Case(params, X, y)


def right_scores(case: Case) -> Array:
    return layers.value(_scores, case.X, *(case.params[name] for name in NAMES))


def right_loss(case: Case) -> tuple[float, dict[str, Array]]:
    """Loss and gradients without the penalty."""
    leaves = [torch.tensor(case.params[name], requires_grad=True) for name in NAMES]
    scores = _scores(torch.tensor(case.X), *leaves)
    loss = layers.cross_entropy(scores, torch.tensor(case.y))
    loss.backward()
    found = (leaf.grad.numpy() for leaf in leaves if leaf.grad is not None)
    return float(loss.detach()), dict(zip(NAMES, found, strict=True))


def _scores(
    X: torch.Tensor, W1: torch.Tensor, b1: torch.Tensor, W2: torch.Tensor, b2: torch.Tensor
) -> torch.Tensor:
    return layers.affine(layers.relu(layers.affine(X, W1, b1)), W2, b2)


# -- the student's class --------------------------------------------------------------------------


def run(student: Student, case: Case, source: str, *names: str) -> dict[str, Any]:
    """Execute ``source`` with ``_net``, a network of the student's, and ``_X`` and ``_y``.

    Returns the values of ``names`` afterwards.
    """
    D, H = case.params["W1"].shape
    make = MAKE.format(D=D, H=H, C=len(case.params["b2"]))
    bindings = {name: student.stand_in(function) for name, function in LAYERS.items()}
    bindings |= {
        "_params": {name: value.copy() for name, value in case.params.items()},
        "_reg": case.reg,
        "_X": case.X.copy(),
        "_y": case.y.copy(),
    }
    return student.rerun(f"{cell_of_class(student)}\n{make}\n{source}", bindings, names)


NET = Net(run)
scores_of, loss_of, gradients_of = NET.scores_of, NET.loss_of, NET.gradients_of
