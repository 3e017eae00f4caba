"""Small networks from plain descriptions. The judge runs this, and so does the kernel, as source.

It therefore imports nothing of ours, and holds nothing that a student may not see.
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


class Spy(nn.Module):
    """A network that keeps the inputs it was called with, detached, in ``seen``."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x.detach().clone())
        return self.network(x)


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
