"""The three-layer ConvNet as it should compute, with the gradients of its parameters.

Shapes: x (N, C_in, H, W); weights conv_w1 (c1, C_in, K1, K1), conv_b1 (c1,), conv_w2 (c2, c1, K2,
K2), conv_b2 (c2,), fc_w (c2*H*W, C), fc_b (C,); scores (N, C).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

NAMES = ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")
AWAY = 1e-4  # no ReLU is nearer to its kink: computed in float32, it is on the same side


def convolve(x: Tensor, w: Tensor, b: Tensor, padding: int) -> Tensor:
    """Convolution as a matrix product over all windows of the zero-padded input."""
    N, _, H, W = x.shape
    size = H + 2 * padding - w.shape[2] + 1, W + 2 * padding - w.shape[3] + 1
    windows = torch.nn.functional.unfold(x, w.shape[2:], padding=padding)  # (N, C*K*K, places)
    return (w.flatten(1) @ windows + b[:, None]).reshape(N, len(w), *size)


def before_relus(x: Tensor, params: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """What the two convolutions return."""
    first = convolve(x, params[0], params[1], 2)
    return first, convolve(first.clamp(min=0), params[2], params[3], 1)


def scores(x: Tensor, params: Sequence[Tensor]) -> Tensor:
    second = before_relus(x, params)[1]
    return second.clamp(min=0).flatten(1) @ params[4] + params[5]


def gradients(x: Tensor, params: Sequence[Tensor], upstream: Tensor) -> list[np.ndarray]:
    """Of sum(upstream * scores), for each parameter."""
    leaves = [param.clone().requires_grad_() for param in params]
    (scores(x, leaves) * upstream).sum().backward()
    return [leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]


def draw(
    rng: Generator, N: int, size: tuple[int, int], filters: tuple[int, int], classes: int
) -> tuple[Tensor, list[Tensor]]:
    """Images (N, 3, *size) and six parameters; all biases matter, no ReLU is at a kink.

    float64, but all numbers such as float32 has: that is what the notebook computes with.
    """
    c1, c2 = filters
    shapes = ((c1, 3, 5, 5), (c1,), (c2, c1, 3, 3), (c2,), (c2 * size[0] * size[1], classes))
    while True:
        x = rounded(rng.normal(size=(N, 3, *size)))
        params = []
        for shape in (*shapes, (classes,)):
            fan_in = {4: np.prod(shape[1:]), 2: shape[0]}.get(len(shape), 1)
            params.append(rounded(rng.normal(size=shape) / np.sqrt(fan_in)))
        if min(float(out.abs().min()) for out in before_relus(x, params)) > AWAY:
            return x, params


def rounded(values: np.ndarray) -> Tensor:
    """As float64, the numbers nearest to these that float32 has."""
    return torch.from_numpy(values).float().double()
