"""What the four networks compute, in float64, and the four losses in closed form.

A network is given as its layers that learn, in order, each a dict of a weight and perhaps a bias;
a bias that is missing counts as zero, since that it is missing costs points elsewhere. Every
function has the usual mistakes as options.
Shapes: images (N, 1, 28, 28), noise (N, Z), scores (N, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Layer = Mapping[str, Tensor]
Function = Callable[[Tensor], Tensor]
Norm = Literal["after", "before", "none", "initial statistics"]

SLOPE = 0.01
EPSILON = 1e-5  # of batch normalisation


def same(x: Tensor) -> Tensor:
    return x


# -- networks -------------------------------------------------------------------------------------


def classifier(
    layers: Sequence[Layer],
    images: Tensor,
    slopes: Sequence[float] = (SLOPE, SLOPE),
    last: Function = same,
) -> Tensor:
    """Scores of the vanilla discriminator: three linear layers, LeakyReLUs between them."""
    x = images.flatten(1)
    for layer, slope in zip(layers, slopes, strict=False):
        x = F.leaky_relu(linear(layer, x), slope)
    return last(linear(layers[-1], x))


def generator(
    layers: Sequence[Layer],
    noise: Tensor,
    slopes: Sequence[float] = (0.0, 0.0),
    last: Function = torch.tanh,
) -> Tensor:
    """Pixels (N, 784) of the vanilla generator; a ReLU is a LeakyReLU of slope 0."""
    return classifier(layers, noise, slopes, last)


def dc_classifier(
    layers: Sequence[Layer],
    images: Tensor,
    slopes: Sequence[float] = (SLOPE, SLOPE, SLOPE),
    last: Function = same,
    pool: Function = lambda x: F.max_pool2d(x, 2),
) -> Tensor:
    """Scores of the convolutional discriminator: two convolutions with poolings, two linear."""
    first, second, third, fourth = layers
    x = images
    for layer, slope in zip((first, second), slopes, strict=False):
        x = pool(F.leaky_relu(F.conv2d(x, layer["weight"], layer.get("bias")), slope))
    return classifier((third, fourth), x, slopes[2:], last)


def dc_generator(
    layers: Sequence[Layer],
    noise: Tensor,
    norm: Norm = "after",
    slopes: Sequence[float] = (0.0, 0.0, 0.0),
    last: Function = torch.tanh,
) -> Tensor:
    """Pixels (N, 784) of the convolutional generator: where a batch norm stands, is an option."""
    mains = [layer for layer in layers if layer["weight"].dim() > 1]
    norms = [layer for layer in layers if layer["weight"].dim() == 1]
    first, second, third, fourth = mains

    def between(x: Tensor, number: int) -> Tensor:
        """A ReLU and a batch normalisation, in either order."""

        def relu(x: Tensor) -> Tensor:
            return F.leaky_relu(x, slopes[number])

        if norm == "none":
            return relu(x)
        if norm == "before":
            return relu(normalise(norms[number], x))
        return normalise(norms[number], relu(x), own_statistics=norm == "after")

    x = between(linear(first, noise), 0)
    x = between(linear(second, x), 1).reshape(len(noise), -1, 7, 7)
    x = between(deconvolve(third, x), 2)
    return last(deconvolve(fourth, x)).flatten(1)


def linear(layer: Layer, x: Tensor) -> Tensor:
    return F.linear(x, layer["weight"], layer.get("bias"))


def deconvolve(layer: Layer, x: Tensor) -> Tensor:
    return F.conv_transpose2d(x, layer["weight"], layer.get("bias"), stride=2, padding=1)


def normalise(layer: Layer, x: Tensor, own_statistics: bool = True) -> Tensor:
    """Over all axes but the second, with the statistics of x, or with mean 0 and variance 1."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    shape = [1, -1] + [1] * (x.dim() - 2)
    if own_statistics:
        x = x - x.mean(dim=axes, keepdim=True)
        x = x / (x.square().mean(dim=axes, keepdim=True) + EPSILON).sqrt()
    return x * layer["weight"].reshape(shape) + layer["bias"].reshape(shape)


# -- losses ---------------------------------------------------------------------------------------


def d_loss(real: Tensor, fake: Tensor) -> Tensor:
    """mean -log sigmoid(real) + mean -log(1 - sigmoid(fake)), with softplus."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def g_loss(fake: Tensor) -> Tensor:
    """mean -log sigmoid(fake)."""
    return F.softplus(-fake).mean()


def ls_d_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mao et al. (2017), equation 9 with a = 0 and b = 1."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def ls_g_loss(fake: Tensor) -> Tensor:
    """The same with c = 1."""
    return (fake - 1).square().mean() / 2
