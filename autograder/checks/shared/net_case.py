"""A small network of a student's class, asked for scores, loss and gradients.

TwoLayerNet, FullyConnectedNet and ThreeLayerConvNet are asked alike. Each has an oracle of its own,
which draws a ``NetCase``, knows what is right, and how to ``run`` code with a network of the class.

Shapes: X (N, d_1, ..., d_k), y (N,); the L layers have weights W1, ..., WL and biases b1, ..., bL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from autograder.checks.shared.layers import Array


@dataclass(frozen=True)
class NetCase:
    """Parameters and data of a small network."""

    params: Mapping[str, Array]
    X: Array
    y: Array
    reg: float = 0.0

    @property
    def depth(self) -> int:
        """L: the number of layers with weights."""
        return sum(name.startswith("W") for name in self.params)

    @property
    def classes(self) -> int:
        return len(self.params[f"b{self.depth}"])

    @property
    def squares(self) -> dict[str, float]:
        """The sum of squares of each parameter."""
        return {name: float(np.sum(value**2)) for name, value in self.params.items()}

    def with_reg(self, reg: float) -> Self:
        return replace(self, reg=reg)

    def with_params(self, params: Mapping[str, Array]) -> Self:
        return replace(self, params=params)
