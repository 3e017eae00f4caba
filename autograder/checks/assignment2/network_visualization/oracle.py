"""Small networks and images for these checks, and what should come out, in float64.

The networks are smooth (tanh, averages): a gradient has no jumps, so the float32 of the student's
side and the float64 of the judge's agree.
Dimension letters: N images of H x W pixels, C classes, D = 3 * H * W.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from autograder.checks.shared.small_nets import Layers, SmallNet, draw_net
from autograder.judge import Failed, as_array

Array = NDArray[np.float64]
DTYPE = "float32"  # as everything in the notebook; public solutions make float32 tensors


def conv_net(rng: Generator, classes: int, scale: float = 1.0) -> SmallNet:
    """Two convolutions and a linear layer. Takes images of any size; every pixel counts."""
    layers: Layers = (
        ("conv", 3, 6, 3, 1, 1),
        ("tanh",),
        ("conv", 6, 5, 3, 2, 1),
        ("tanh",),
        ("avgpool", 2),
        ("flatten",),
        ("linear", 20, classes),
    )
    return draw_net(rng, layers, DTYPE, scale)


def linear_net(weights: Array) -> SmallNet:
    """Scores ``weights @ x``. Shape: weights (C, D)."""
    classes, inputs = weights.shape
    layers: Layers = (("flatten",), ("linear", inputs, classes))
    return SmallNet(layers, (weights.astype(DTYPE), np.zeros(classes, DTYPE)))


def bent_net(rng: Generator, inputs: int, classes: int) -> SmallNet:
    """One hidden layer, strongly curved: a step of length 1 turns the gradient visibly."""
    layers: Layers = (
        ("flatten",),
        ("linear", inputs, 24),
        ("tanh",),
        ("linear", 24, classes),
    )
    return draw_net(rng, layers, DTYPE)


def draw_images(rng: Generator, *shape: int) -> Tensor:
    """Standard normal pixels, float32."""
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


def scores(net: SmallNet, images: Tensor) -> Array:
    """The scores (N, C) of the images (N, 3, H, W)."""
    return _exact(net)(images.double()).numpy()


def score_gradients(net: SmallNet, images: Tensor, labels: list[int]) -> Array:
    """The gradient of each image's score of its own label: (N, 3, H, W)."""
    leaf = images.detach().double().requires_grad_()
    chosen = _exact(net)(leaf)[torch.arange(len(labels)), torch.tensor(labels)]
    return torch.autograd.grad(chosen.sum(), leaf)[0].numpy()


def margins(net: SmallNet, images: Tensor, target: int) -> Array:
    """How far the target's score is above the best of the others: (N,)."""
    all_scores = scores(net, images)
    return all_scores[:, target] - np.delete(all_scores, target, axis=1).max(axis=1)


def climb(net: SmallNet, image: Tensor, target: int, limit: int) -> list[Tensor]:
    """Unit steps up the target's score, until it is the highest: all images on the way.

    At most ``limit`` steps; whether the last image is the target's, ``margins`` says.
    """
    path = [image.detach().double()]
    for _ in range(limit):
        if margins(net, path[-1], target)[0] > 0:
            break
        gradient = torch.tensor(score_gradients(net, path[-1], [target]))
        path.append(path[-1] + gradient / gradient.norm())
    return path


def as_images(value: object, shape: tuple[int, ...], what: str, *, squeeze: bool = False) -> Tensor:
    """An image, or images, from the kernel in float64. Failed when the shape is another.

    ``squeeze``: axes of length 1 do not count.
    """
    array = as_array(value, what)
    if squeeze and array.squeeze().shape == tuple(n for n in shape if n != 1):
        array = array.reshape(shape)
    if array.shape != shape:
        raise Failed(f"{what} has shape {array.shape}; expected {shape}")
    if not np.isfinite(array).all():
        raise Failed(f"{what} holds numbers that are nan or infinite")
    return torch.tensor(array, dtype=torch.float64)


def cosine(a: Array, b: Array) -> float:
    """Of the angle between two steps, or gradients: 1 for the same direction."""
    return float(np.sum(a * b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-300))


@cache
def trained_net() -> SmallNet:
    """A small network trained to tell four kinds of stripes; always the same one."""
    layers: Layers = (
        ("conv", 3, 8, 5, 2, 2),
        ("tanh",),
        ("conv", 8, 8, 3, 2, 1),
        ("tanh",),
        ("flatten",),
        ("linear", 72, 4),
    )
    rng = np.random.default_rng(17)
    net = draw_net(rng, layers, DTYPE)
    model = net.in_judge().requires_grad_(True)
    parameters = list(model.parameters())
    momenta = [torch.zeros_like(p) for p in parameters]
    for _ in range(60):  # by hand: the first optimiser of a process costs three seconds
        labels = rng.integers(0, 4, size=32)
        loss = nn.functional.cross_entropy(model(stripes(rng, labels)), torch.tensor(labels))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, momentum, gradient in zip(parameters, momenta, gradients, strict=True):
                momentum.mul_(0.9).add_(gradient)
                parameter -= 0.1 * momentum
    weights = [tensor.numpy().copy() for tensor in model.state_dict().values()]
    return SmallNet(layers, tuple(weights))


def stripes(rng: Generator, labels: NDArray[np.int64]) -> Tensor:
    """Noisy images (N, 3, 12, 12): stripes along one of four directions, anywhere, any colour."""
    rows, columns = np.mgrid[:12, :12]
    angles = np.pi / 4 * labels[:, None, None]
    across = rows * np.cos(angles) + columns * np.sin(angles)
    waves = np.sin(1.3 * across + rng.uniform(0, 2 * np.pi, size=(len(labels), 1, 1)))
    colours = rng.uniform(0.5, 1.5, size=(len(labels), 3, 1, 1))
    images = colours * waves[:, None] + 0.3 * rng.normal(size=(len(labels), 3, 12, 12))
    return torch.tensor(images, dtype=torch.float32)


def _exact(net: SmallNet) -> nn.Module:
    return net.in_judge().double()
