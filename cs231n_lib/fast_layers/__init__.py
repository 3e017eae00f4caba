"""Convolution and max-pooling in NumPy that is fast enough to train with.

Arguments and returns are those of the naive functions which students write; a cache is understood
only by the backward function of the same name. The ``_fast`` functions fit any shape. The others do
the same in the ways known from the literature, to compare: ``benchmarks/fast_layers.py``.
"""

from cs231n_lib.fast_layers.conv import conv_backward_fast, conv_forward_fast
from cs231n_lib.fast_layers.pool import max_pool_backward_fast, max_pool_forward_fast
from cs231n_lib.fast_layers.variants import (
    conv_backward_im2col,
    conv_backward_strides,
    conv_forward_im2col,
    conv_forward_strides,
    max_pool_backward_im2col,
    max_pool_backward_reshape,
    max_pool_forward_im2col,
    max_pool_forward_reshape,
)

__all__ = [
    "conv_backward_fast",
    "conv_backward_im2col",
    "conv_backward_strides",
    "conv_forward_fast",
    "conv_forward_im2col",
    "conv_forward_strides",
    "max_pool_backward_fast",
    "max_pool_backward_im2col",
    "max_pool_backward_reshape",
    "max_pool_forward_fast",
    "max_pool_forward_im2col",
    "max_pool_forward_reshape",
]
