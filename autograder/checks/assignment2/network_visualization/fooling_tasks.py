"""Images that a network can be fooled with, and how right code changes them, step by step.

Each task is such that the float32 of the student's side takes as many steps as the judge's float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.network_visualization.oracle import (
    bent_net,
    climb,
    draw_images,
    linear_net,
    margins,
    score_gradients,
    scores,
    stripes,
    trained_net,
)
from autograder.checks.shared.small_nets import SmallNet

CLEAR = 1e-3  # a margin between scores that float32 cannot turn round
TURNED = 0.97  # the cosine of two steps between which the gradient has turned visibly
ENOUGH = 40  # steps; whoever limits the number of steps allows a hundred


@dataclass(frozen=True)
class Task:
    """An image (1, 3, H, W), what it should be taken for, and the images on the right way."""

    net: SmallNet
    image: Tensor
    target: int
    path: list[Tensor]


def draw_linear(rng: Generator, shape: tuple[int, ...], classes: int) -> Task:
    """The least likely class of a linear network, several steps away."""
    while True:
        net = linear_net(rng.normal(size=(classes, int(np.prod(shape)))) / np.sqrt(50))
        image = 2 * draw_images(rng, *shape)
        target = int(np.argmin(scores(net, image)))
        if task := _clear_task(net, image, target, fewest=3):
            return task


def draw_bent(rng: Generator) -> Task:
    """A class that is reached after several steps, on a way with bends."""
    while True:
        net, image = bent_net(rng, 3 * 4 * 5, 6), draw_images(rng, 1, 3, 4, 5)
        task = _clear_task(net, image, int(rng.integers(6)), fewest=4)
        if task and _bends(task) and _single_precision_suffices(task):
            return task


def draw_stripes(rng: Generator) -> Task:
    """Stripes, for a small trained network, and the direction that it thinks least likely."""
    net, label = trained_net(), int(rng.integers(4))
    while True:
        image = stripes(rng, np.array([label]))
        target = int(np.argmin(scores(net, image)))
        path = climb(net, image, target, ENOUGH)
        if margins(net, path[-1], target)[0] > CLEAR:
            return Task(net, image, target, path)


def _clear_task(net: SmallNet, image: Tensor, target: int, fewest: int) -> Task | None:
    """The task, if its end is reached and float32 does not change the number of steps."""
    path = climb(net, image, target, ENOUGH)
    found = margins(net, torch.cat(path), target)
    clear = found[-1] > CLEAR and bool(np.all(np.abs(found) > CLEAR))
    return Task(net, image, target, path) if clear and len(path) > fewest else None


def _single_precision_suffices(task: Task) -> bool:
    """Whether float32 knows each gradient on the way 10 times as well as is asked.

    Where all units are saturated it does not: 1 - tanh^2 is then a difference of nearly equals.
    """
    coarse = task.net.in_judge()
    for here in task.path[:-1]:
        leaf = here.float().requires_grad_()
        rough = torch.autograd.grad(coarse(leaf)[0, task.target], leaf)[0].double()
        exact = torch.tensor(score_gradients(task.net, here, [task.target]))
        if (rough - exact).norm() > 4e-4 * exact.norm():  # turns it by 1 - cosine < 1e-7
            return False
    return True


def _bends(task: Task) -> bool:
    steps = [(b - a).flatten() for a, b in pairs(task.path)]
    return any(float(a @ b) < TURNED for a, b in pairs(steps))


def pairs(items: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Each one with the next; itertools is not among what checks import."""
    for number in range(1, len(items)):
        yield items[number - 1], items[number]
