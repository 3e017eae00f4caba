"""What is asked of compute_saliency_maps(X, y, model): X (N, 3, H, W), y (N,) -> (N, H, W)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.network_visualization.oracle import (
    DTYPE,
    Array,
    conv_net,
    draw_images,
    linear_net,
    score_gradients,
)
from autograder.checks.shared.small_nets import SmallNet, draw_net
from autograder.judge import (
    Instance,
    Ref,
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_near,
    expect_shape,
)

CELL = "nv-saliency"
WHAT = "the saliency maps"
CONTRACT = (
    "A map is the absolute value of the gradient of the image's own score, the largest of 3 colours"
)


@check(CELL, probe="SAL-A1", weight=3)
def maps_of_five_images(student: Student, rng: Generator) -> None:
    """Five images, ten classes, a small convolutional network."""
    net, X, y = conv_net(rng, 10), draw_images(rng, 5, 3, 8, 8), _labels(rng, 5, 10)
    _expect_maps(student, net, X, y, CONTRACT)


@check(CELL, probe="SAL-A2", weight=2)
def maps_of_other_sizes(student: Student, rng: Generator) -> None:
    """Three images that are not square, and another number of classes; then many small ones."""
    for shape, classes in (((3, 3, 7, 12), 4), ((8, 3, 9, 5), 6)):
        labels = _labels(rng, shape[0], classes)
        _expect_maps(student, conv_net(rng, classes), draw_images(rng, *shape), labels)


@check(CELL, probe="SAL-A3", condition=True)
def maps_have_two_axes_each(student: Student, rng: Generator) -> None:
    """The maps of N images of H x W pixels have the shape (N, H, W)."""
    X, y = draw_images(rng, 3, 3, 5, 6), _labels(rng, 3, 4)
    expect_shape(_ask(student, conv_net(rng, 4).in_kernel(student), X, y), (3, 5, 6))


@check(CELL, probe="SAL-A3", weight=2)
def images_do_not_disturb_each_other(student: Student, rng: Generator) -> None:
    """A batch of four gives the same maps as its two halves."""
    net, X, y = conv_net(rng, 5), draw_images(rng, 4, 3, 6, 8), _labels(rng, 4, 5)
    whole = _maps(student, net, X, y)
    expect(whole.min() >= 0, "a map has negative entries: take the absolute value of the gradient")
    halves = [_maps(student, net, X[part], y[part]) for part in (slice(0, 2), slice(2, 4))]
    want = np.concatenate(halves)
    slips = {"the maps become smaller with N: sum the scores, do not average them": want / 2}
    what = "the maps of four images, compared with those of two and two,"
    expect_near(whole, want, what=what, slips=slips, precision="float32")


@check(CELL, probe="SAL-A4", weight=2)
def scores_and_no_probabilities(student: Student, rng: Generator) -> None:
    """A very confident network: its softmax is flat, its scores are not."""
    net = conv_net(rng, 5)
    *front, last, bias = net.weights
    sure = SmallNet(net.layers, (*front, 60 * last, 60 * bias))
    _expect_maps(student, sure, draw_images(rng, 4, 3, 8, 6), _labels(rng, 4, 5))


@check(CELL, probe="SAL-A5")
def evaluation_mode_is_kept(student: Student, rng: Generator) -> None:
    """A network with dropout and batch normalisation, in evaluation mode."""
    layers = (
        ("conv", 3, 6, 3, 1, 1),
        ("batchnorm", 6),
        ("tanh",),
        ("dropout", 0.5),
        ("avgpool", 2),
        ("flatten",),
        ("linear", 24, 5),
    )
    net = draw_net(rng, layers, DTYPE)
    spy = net.in_kernel(student, spy=True)
    X, y = draw_images(rng, 4, 3, 6, 6), _labels(rng, 4, 5)
    answer = _ask(student, spy, X, y)
    modes = Instance(student, spy, "model").get("modes")
    in_training = isinstance(modes, list) and True in modes
    expect(not in_training, "the model was called in training mode: leave it in evaluation mode")
    _expect_right(answer, net, X, y)


@check(CELL, probe="SAL-A6", weight=2)
def falling_scores_count_too(student: Student, rng: Generator) -> None:
    """A linear network whose scores fall with every pixel: all gradients are negative."""
    weights = -rng.uniform(0.1, 1.0, size=(4, 3 * 5 * 6))
    X, y = draw_images(rng, 3, 3, 5, 6), _labels(rng, 3, 4)
    _expect_maps(student, linear_net(weights), X, y)


@advice(CELL, probe="SAL-B1")
def a_single_image(student: Student, rng: Generator) -> None:
    """One image: the map still has three axes."""
    net, X, y = conv_net(rng, 5), draw_images(rng, 1, 3, 8, 6), _labels(rng, 1, 5)
    answer = _ask(student, net.in_kernel(student), X, y)
    _expect_right(expect_shape(answer, (1, 8, 6)), net, X, y)


# -- asking and judging ---------------------------------------------------------------------------


def _expect_maps(student: Student, net: SmallNet, X: Tensor, y: Tensor, hint: str = "") -> None:
    _expect_right(_ask(student, net.in_kernel(student), X, y), net, X, y, hint)


def _expect_right(answer: Array, net: SmallNet, X: Tensor, y: Tensor, hint: str = "") -> None:
    """The numbers: axes of length 1 too many, or too few, cost points elsewhere."""
    want = _largest_colour(np.abs(score_gradients(net, X, y.tolist())))
    slips = {message: wrong(net, X, y) for message, wrong in SLIPS.items()}
    what = f"the maps of X with shape {tuple(X.shape)}"
    options = {"hint": hint, "slips": slips, "squeeze": True}
    expect_near(answer, want, what=what, precision="float32", **options)


def _maps(student: Student, net: SmallNet, X: Tensor, y: Tensor) -> Array:
    """The student's maps, as (N, H, W) where they only have axes of length 1 too many."""
    maps = _ask(student, net.in_kernel(student), X, y)
    shape = (len(X), *X.shape[2:])
    return maps.reshape(shape) if maps.squeeze().shape == shape else expect_shape(maps, shape)


def _ask(student: Student, model: Ref, X: Tensor, y: Tensor) -> Array:
    """What comes back. X crosses as a copy, so no gradient of an earlier call is in it."""
    answer = student.call("compute_saliency_maps", X.clone(), y.clone(), model)
    maps = as_array(answer, WHAT)
    colours = maps.shape == tuple(X.shape)
    expect(not colours, "the maps still have three colours: take the maximum over that axis")
    return maps


def _labels(rng: Generator, number: int, classes: int) -> Tensor:
    """Random labels: two equal ones among them, and the images' own numbers avoided."""
    labels = rng.integers(0, classes, size=number)
    if number > 1:
        labels[-1] = labels[0] = rng.integers(1, classes)
    return torch.tensor(labels, dtype=torch.long)


# -- usual slips ----------------------------------------------------------------------------------


def _largest_colour(gradients: Array) -> Array:
    return gradients.max(axis=1)


def _of_log_probabilities(net: SmallNet, X: Tensor, y: Tensor, probability: bool) -> Array:
    leaf = X.double().requires_grad_()
    all_scores = net.in_judge().double()(leaf)
    chosen = all_scores.log_softmax(dim=1)[torch.arange(len(y)), y]
    chosen = chosen.exp() if probability else chosen
    return _largest_colour(torch.autograd.grad(chosen.sum(), leaf)[0].abs().numpy())


def _slip(reduce: Callable[[Array], Array]) -> Callable[[SmallNet, Tensor, Tensor], Array]:
    return lambda net, X, y: reduce(score_gradients(net, X, y.tolist()))


SLIPS: dict[str, Callable[[SmallNet, Tensor, Tensor], Array]] = {
    "these are gradients of a loss: start from the raw score of the class": (
        lambda net, X, y: _of_log_probabilities(net, X, y, False)
    ),
    "these are gradients of probabilities: start from the raw score of the class": (
        lambda net, X, y: _of_log_probabilities(net, X, y, True)
    ),
    "the absolute value is missing: a strongly negative gradient is just as important": _slip(
        _largest_colour
    ),
    "negative gradients count as 0: take the absolute value": _slip(
        lambda g: _largest_colour(np.maximum(g, 0))
    ),
    "the absolute value has to come before the maximum, not after it": _slip(
        lambda g: np.abs(_largest_colour(g))
    ),
    "the colours are added: take their maximum": _slip(lambda g: np.abs(g).sum(axis=1)),
    "this is the mean of the colours: take their maximum": _slip(lambda g: np.abs(g).mean(axis=1)),
    "the maps are divided by N: sum the scores, do not average them": _slip(
        lambda g: np.abs(g).max(axis=1) / len(g)
    ),
}
