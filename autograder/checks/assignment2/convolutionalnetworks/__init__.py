"""Hidden checks of the notebook ConvolutionalNetworks. The oracle is torch, in float64.

Dimension letters: N images, C channels, H x W pixels; F filters of HH x WW; G groups of channels.
"""

from autograder.checks.assignment2.convolutionalnetworks import (
    convolution,
    net_init,
    net_loss,
    own_work,
    pooling,
    spatial_batchnorm,
    spatial_groupnorm,
)

__all__ = [
    "convolution",
    "net_init",
    "net_loss",
    "own_work",
    "pooling",
    "spatial_batchnorm",
    "spatial_groupnorm",
]
