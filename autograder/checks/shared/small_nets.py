"""Small random networks for checks that hand a model to the student's code.

The kernel gets a plain description and arrays; the judge keeps the same network as its oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from torch import nn

from autograder.checks.shared import in_kernel_nets
from autograder.judge import Ref, Student

Layers = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class SmallNet:
    """A description, such as ``(("conv", 3, 4, 3, 1, 1), ("relu",), ...)``, and its numbers."""

    layers: Layers
    weights: tuple[np.ndarray, ...]

    def in_judge(self) -> nn.Sequential:
        """The network, frozen and in eval mode."""
        return in_kernel_nets.build(self.layers, self.weights)

    def in_kernel(self, student: Student, *, spy: bool = False, train: bool = False) -> Ref:
        """The same network beside the student's code.

        A ``spy`` keeps in its attributes ``seen`` and ``modes`` what it was called with, and in
        which mode. ``train`` leaves it in training mode, where dropout and batch statistics disturb
        whoever does not call ``eval()``.
        """
        layers, weights = [list(layer) for layer in self.layers], list(self.weights)
        return student.apply(in_kernel_nets.make, layers, weights, spy=spy, train=train, keep=True)


def draw_net(
    rng: Generator, layers: Layers, dtype: str = "float64", scale: float = 1.0
) -> SmallNet:
    """Random weights for a description: normal, ``scale`` times the square root of 2 / fan-in.

    Variances of batch normalisation are positive, as running variances are.
    """
    modules = [in_kernel_nets.LAYERS[kind](*settings) for kind, *settings in layers]
    weights = []
    for name, tensor in nn.Sequential(*modules).state_dict().items():
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            continue
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        numbers = scale * rng.normal(size=shape) * np.sqrt(2 / fan_in)
        if name.endswith("running_var"):
            numbers = rng.uniform(0.5, 2.0, size=shape)
        weights.append(numbers.astype(dtype))
    return SmallNet(layers, tuple(weights))
