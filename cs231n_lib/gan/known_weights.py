"""A network with weights that are so simple that its outputs can be computed by hand."""

from collections.abc import Collection

import torch
from torch import nn


@torch.no_grad()
def with_known_weights(
    network: nn.Module, size: float, negative: Collection[tuple[int, ...]] = ()
) -> nn.Module:
    """Set each weight to ``size``, or to ``-size`` where its shape is one of ``negative``.

    Biases become zero. A batch normalisation keeps its scales, which are 1 in a new network.
    Returns the same network, in evaluation mode.
    """
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.fill_(-size if tuple(parameter.shape) in negative else size)
        elif not bool((parameter == 1).all()):
            parameter.zero_()
    return network.eval()
