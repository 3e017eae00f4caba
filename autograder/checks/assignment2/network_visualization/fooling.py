"""What is asked of make_fooling_image(X, target_y, model): X (1, 3, H, W) -> the same shape."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.network_visualization.fooling_tasks import (
    CLEAR,
    Task,
    draw_bent,
    draw_linear,
    draw_stripes,
    pairs,
)
from autograder.checks.assignment2.network_visualization.oracle import (
    Array,
    as_images,
    conv_net,
    cosine,
    draw_images,
    margins,
    score_gradients,
    scores,
)
from autograder.judge import (
    Failed,
    Instance,
    Ref,
    Student,
    check,
    expect,
    expect_near,
    expect_shape,
    expect_unchanged,
)

CELL = "nv-fooling"
SECONDS = 8.0  # a right solution needs a few hundredths
STRAIGHT = 0.99999  # a cosine; float32 rounds the pixels, which turns a step by less than 1e-5


@check(CELL, probe="FOOL-A1", weight=3)
def linear_network_is_fooled(student: Student, rng: Generator) -> None:
    """A linear network and its least likely class: how far to go is known exactly."""
    contract = "Each step is the gradient divided by its length, times 1"
    for shape, classes in (((1, 3, 6, 6), 5), ((1, 3, 5, 8), 8)):
        task = draw_linear(rng, shape, classes)
        _expect_fooled(task, fooled := _fool(student, task))
        want = task.path[-1].numpy()
        expect_near(fooled.numpy(), want, what="the image", hint=contract, precision="float32")


@check(CELL, probe="FOOL-A1", condition=True)
def original_is_left_alone(student: Student, rng: Generator) -> None:
    """X is unchanged after the call."""
    task = draw_linear(rng, (1, 3, 6, 6), 5)
    kept = student.put(task.image)
    student.call("make_fooling_image", kept, task.target, task.net.in_kernel(student),
                 seconds=SECONDS)  # fmt: skip
    expect_unchanged(student.fetch(kept), task.image.numpy(), "X")


@check(CELL, probe="FOOL-A1", condition=True)
def image_has_the_shape_of_x(student: Student, rng: Generator) -> None:
    """The returned image has the shape of X: (1, 3, H, W)."""
    task = draw_linear(rng, (1, 3, 5, 8), 6)
    expect_shape(_answer(student, task), (1, 3, 5, 8), "the fooling image")


# X itself, returned, would pass: a condition.
@check(CELL, probe="FOOL-A2", condition=True)
def nothing_to_do(student: Student, rng: Generator) -> None:
    """An image that is classified as the target already is returned as it is."""
    net, image = conv_net(rng, 5), draw_images(rng, 1, 3, 8, 6)
    target = int(np.argmax(scores(net, image)))
    fooled = _fool(student, Task(net, image, target, [image]))
    same = bool(torch.equal(fooled, image.double()))
    expect(same, "the image was changed although the model predicts the target for it already")


@check(CELL, probe="FOOL-A3", weight=4)
def every_step_is_a_unit_gradient(student: Student, rng: Generator) -> None:
    """A strongly nonlinear network that records every image it is given."""
    for _ in range(2):
        task = draw_bent(rng)
        spy = task.net.in_kernel(student, spy=True)
        fooled = _fool(student, task, spy)
        seen = _without_repeats(Instance(student, spy, "model").get("seen"), task.image.shape)
        expect(seen, "the model was never called")
        start = torch.allclose(seen[0], task.image.double(), atol=1e-5)
        expect(start, "the first image that the model was given is not X")
        _expect_steps(task, seen)
        _expect_fooled(task, seen[-1])
        last = torch.allclose(seen[-1], fooled, atol=1e-5)
        expect(last, "the returned image is not the one that the model classified as the target")


@check(CELL, probe="FOOL-A4", weight=2)
def trained_network_is_fooled(student: Student, rng: Generator) -> None:
    """A small trained network, which distinguishes stripes by their direction."""
    task = draw_stripes(rng)
    _expect_fooled(task, fooled := _fool(student, task))
    # No path is longer than its number of steps; two more for paths that differ by rounding.
    distance = float((fooled - task.image.double()).norm())
    expect(distance <= len(task.path) + 1, "the image was changed much more than necessary")


# -- asking and judging ---------------------------------------------------------------------------


def _answer(student: Student, task: Task, model: Ref | None = None) -> object:
    model = task.net.in_kernel(student) if model is None else model
    image = task.image.clone()
    return student.call("make_fooling_image", image, task.target, model, seconds=SECONDS)


def _fool(student: Student, task: Task, model: Ref | None = None) -> Tensor:
    """What the student's function makes of the image, in float64.

    Axes of length 1 too many, or too few, cost points elsewhere.
    """
    shape = tuple(task.image.shape)
    return as_images(_answer(student, task, model), shape, "the fooling image", squeeze=True)


def _expect_fooled(task: Task, fooled: Tensor) -> None:
    if margins(task.net, fooled, task.target)[0] > -CLEAR:
        return
    before, after = (scores(task.net, x)[0, task.target] for x in (task.image, fooled))
    if after < before:
        raise Failed("the target's score is lower than before: climb, along the gradient")
    if torch.allclose(fooled, task.image.double()):
        raise Failed("the image came back unchanged, and the model does not predict the target")
    raise Failed("the model does not predict the target for the returned image")


def _expect_steps(task: Task, path: list[Tensor]) -> None:
    """Unit steps along the gradient where each starts, none from an image that is the target's."""
    gradients: list[Array] = []
    for number, (here, there) in enumerate(pairs(path), start=1):
        past = margins(task.net, here, task.target)[0] > CLEAR
        expect(not past, "the image is changed further although the model predicts the target")
        gradients.append(score_gradients(task.net, here, [task.target]))
        _expect_step((there - here).numpy(), gradients, f"step {number}")


def _expect_step(step: Array, gradients: list[Array], what: str) -> None:
    """Along the last of these gradients, with length 1."""
    straight = cosine(step, gradients[-1])
    if straight < -0.99:
        raise Failed("the steps go down: add the gradient of the target's score")
    if straight < STRAIGHT:
        if len(gradients) > 1 and cosine(step, np.sum(gradients, axis=0)) > STRAIGHT:
            raise Failed(f"{what} follows the sum of all gradients so far: clear X_fooling.grad")
        raise Failed(f"{what} does not follow the gradient of the target's score where it starts")
    length, steepness = np.linalg.norm(step), np.linalg.norm(gradients[-1])
    if np.isclose(length, 1, rtol=1e-3):
        return
    wrong = f"{what} has length {length:.3g}, not 1"
    if np.isclose(length, steepness, rtol=1e-3):
        raise Failed(f"{wrong}: divide the gradient by its length")
    if np.isclose(length, 1 / steepness, rtol=1e-3):
        raise Failed(f"{wrong}: the gradient is divided by the square of its length")
    raise Failed(wrong)


def _without_repeats(seen: object, shape: tuple[int, ...]) -> list[Tensor]:
    """The images that the model was called with; the same one twice in a row counts once."""
    images: list[Tensor] = []
    for entry in seen if isinstance(seen, list) else []:
        image = as_images(entry, tuple(shape), "an image that the model was called with")
        if not images or not torch.equal(image, images[-1]):
            images.append(image)
    return images
