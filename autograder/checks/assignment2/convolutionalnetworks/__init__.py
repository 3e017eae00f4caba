"""Hidden checks of the notebook ConvolutionalNetworks. The oracle is torch, in float64.

Dimension letters: N images, C channels, H x W pixels; F filters of HH x WW; G groups of channels.
"""

from autograder.checks.assignment2.convolutionalnetworks import (
    caches,
    conv_backward,
    conv_forward,
    groupnorm,
    net_init,
    net_loss,
    pooling,
    spatial_batchnorm,
)

__all__ = [
    "caches",
    "conv_backward",
    "conv_forward",
    "groupnorm",
    "net_init",
    "net_loss",
    "pooling",
    "spatial_batchnorm",
]
