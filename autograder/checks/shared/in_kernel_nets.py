"""Small networks from plain descriptions: the same in the judge and beside the student's code.

The kernel gets this module as source: it imports nothing of ours, and holds nothing that a student
may not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

LAYERS = {
    "conv": nn.Conv2d,  # in, out, size, stride, padding
    "linear": nn.Linear,  # in, out
    "batchnorm": nn.BatchNorm2d,  # channels
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "flatten": nn.Flatten,
    "maxpool": nn.MaxPool2d,  # size
    "avgpool": nn.AdaptiveAvgPool2d,  # output size
    "dropout": nn.Dropout,  # probability of dropping
}


def build(layers: Sequence[Sequence[Any]], weights: Sequence[Any]) -> nn.Sequential:
    """The network, frozen and in eval mode, in the precision of its weights.

    ``weights``: an array for each parameter and buffer of ``state_dict``, in its order.
    """
    network = nn.Sequential(*(LAYERS[kind](*settings) for kind, *settings in layers))
    arrays = [torch.as_tensor(array) for array in weights]
    if arrays:
        network = network.to(arrays[0].dtype)
    names = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    network.load_state_dict(dict(zip(names, arrays, strict=True)), strict=False)
    return network.eval().requires_grad_(False)


class Spy(nn.Module):
    """A network that keeps the inputs it was called with, detached, in ``seen``.

    ``modes``: whether it was in training mode, for each call.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.train(network.training)
        self.seen: list[torch.Tensor] = []
        self.modes: list[bool] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x.detach().clone())
        self.modes.append(self.network.training)
        return self.network(x)


def make(
    notebook: dict[str, Any],
    layers: Sequence[Sequence[Any]],
    weights: Sequence[Any],
    *,
    spy: bool,
    train: bool,
) -> nn.Module:
    """The network for a student's function to be called with, in training mode if ``train``."""
    network = build(layers, weights).train(train)
    return Spy(network) if spy else network
