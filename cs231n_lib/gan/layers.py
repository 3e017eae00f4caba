"""Small parts of GANs: shapes, starting weights, ranges of pixels, and the loss of logits.

Dimension letters: N images, C channels, H x W pixels.
"""

from collections.abc import Iterator
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import Sampler

from cs231n_lib.device import best_device

NOISE_DIM = 96

#: ``x.type(dtype)`` puts a tensor where the networks are trained: on the GPU if there is one.
dtype: Any = (
    cast(Any, torch.cuda).FloatTensor if best_device().startswith("cuda") else torch.FloatTensor
)

Values = TypeVar("Values", Tensor, np.ndarray)


class ChunkSampler(Sampler[int]):
    """The rows start, start + 1, ... start + num_samples - 1, in this order, for a DataLoader."""

    def __init__(self, num_samples: int, start: int = 0) -> None:
        self.num_samples, self.start = num_samples, start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.start + self.num_samples))

    def __len__(self) -> int:
        return self.num_samples


class Flatten(nn.Module):
    """Make a row of each image: (N, C, H, W) to (N, C*H*W)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1)


class Unflatten(nn.Module):
    """Make images of rows again: (N, C*H*W) to (N, C, H, W). N = -1: as many as there are."""

    def __init__(self, N: int = -1, C: int = 128, H: int = 7, W: int = 7) -> None:
        super().__init__()
        self.N, self.C, self.H, self.W = N, C, H, W

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.N, self.C, self.H, self.W)

    def extra_repr(self) -> str:
        return f"N={self.N}, C={self.C}, H={self.H}, W={self.W}"


def initialize_weights(m: nn.Module) -> None:
    """Draw the weights of a linear or transposed convolutional layer anew; for ``model.apply``.

    Uniformly within +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010). Biases, and layers
    of other kinds, stay as they are.
    """
    if isinstance(m, nn.Linear | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(m.weight)


def preprocess_img(x: Values) -> Values:
    """Pixels from 0..1 to -1..1, the range of tanh."""
    return 2 * x - 1


def deprocess_img(x: Values) -> Values:
    """Pixels from -1..1 to 0..1, to be looked at."""
    return (x + 1) / 2


def count_params(model: nn.Module) -> int:
    """How many numbers ``model`` learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def bce_loss(input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 (the name users pass)
    """Return the mean binary cross-entropy of logits: -log sigmoid(input) where the target is 1.

    Where it is 0, -log(1 - sigmoid(input)). Computed from the logits, so that none of them is too
    large. Shapes: input (N, 1) or (N,), target (N,) or (N, 1) from 0 to 1; returns a scalar.
    Raises ValueError when there is not one target for each logit.
    """
    if input.numel() != target.numel():
        raise ValueError(
            f"input has shape {tuple(input.shape)} and target {tuple(target.shape)}; they need one "
            "target for each logit"
        )
    labels = target.reshape(-1).to(dtype=input.dtype, device=input.device)
    return binary_cross_entropy_with_logits(input.reshape(-1), labels)
