"""What is asked of class_visualization_update_step(img, model, target_y, l2_reg, learning_rate).

One step up ``score[target_y] - l2_reg * ||img||^2``, in place. Whether the gradient is divided by
its length is free, so directions are compared. img (1, 3, H, W).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.network_visualization import in_kernel
from autograder.checks.assignment2.network_visualization.oracle import (
    Array,
    as_images,
    conv_net,
    cosine,
    draw_images,
    score_gradients,
    scores,
)
from autograder.checks.shared.small_nets import SmallNet
from autograder.judge import Failed, Ref, Student, check, expect

CELL = "nv-class-step"
SHAPE = (1, 3, 8, 7)
CLASSES = 6
PARALLEL = 0.999  # a cosine
SAME = 1 - 1e-8  # float32 turns a step by less: near slips (a mean, nothing) are told apart


@check(CELL, probe="CLSV-A1", weight=3)
def step_climbs_the_score(student: Student, rng: Generator) -> None:
    """Two targets, without a penalty and with a small one: the step goes along the gradient."""
    targets = rng.choice(CLASSES, size=2, replace=False)
    for l2_reg, target in zip((0.0, 1e-3), targets, strict=True):
        net, img = conv_net(rng, CLASSES, 2.0), draw_images(rng, *SHAPE)
        _expect_direction(student, net, img, int(target), l2_reg)


@check(CELL, probe="CLSV-A1", weight=2)
def penalty_pulls_to_grey(student: Student, rng: Generator) -> None:
    """With a large penalty: it is subtracted, and it is the square of the length."""
    net, img = conv_net(rng, CLASSES, 2.0), draw_images(rng, *SHAPE)
    _expect_direction(student, net, img, int(rng.integers(CLASSES)), 0.1)


@check(CELL, probe="CLSV-A1")
def learning_rate_sets_the_length(student: Student, rng: Generator) -> None:
    """Twice the learning rate, twice the step."""
    net, start, target = conv_net(rng, CLASSES, 2.0), draw_images(rng, *SHAPE), 2
    lengths = []
    for learning_rate in (3.0, 6.0):
        step = _step(student, net, _leaf(student, start), target, 1e-3, learning_rate)
        lengths.append(np.linalg.norm(step))
    twice = np.isclose(lengths[1], 2 * lengths[0], rtol=1e-3)
    expect(twice, "with twice the learning rate, the step does not become twice as long")


@check(CELL, probe="CLSV-A1")
def length_suits_steep_networks(student: Student, rng: Generator) -> None:
    """Scores that are four times as steep: as long a step, or four times as long."""
    net, start = conv_net(rng, CLASSES, 2.0), draw_images(rng, *SHAPE)
    *front, last, bias = net.weights
    steep = SmallNet(net.layers, (*front, 4 * last, 4 * bias))
    steps = [_step(student, one, _leaf(student, start), 2, 0.0, 3.0) for one in (net, steep)]
    ratio = np.linalg.norm(steps[1]) / np.linalg.norm(steps[0])
    # Divided by the length of the gradient: 1. As it is: 4. In between: some other rule, also free.
    found = f"where all scores are 4 times as steep, the step is {ratio:.3g} times as long"
    rule = "Divide the gradient by its length once, or not at all"
    expect(0.99 < ratio < 4.04, found, rule)


@check(CELL, probe="CLSV-A2", weight=2)
def image_is_changed_in_place(student: Student, rng: Generator) -> None:
    """The image itself changes; nothing is returned; it still requires a gradient."""
    net, img = conv_net(rng, CLASSES, 2.0), _leaf(student, draw_images(rng, *SHAPE))
    before = _fetch(student, img)
    answer = _update(student, net, img, 1, 1e-3, 5.0)
    moved = not torch.equal(_fetch(student, img), before)
    expect(moved, "img is unchanged: change it in place instead of making a new tensor")
    expect(answer is None, "something was returned; the step changes img itself, and returns None")
    state = student.apply(in_kernel.state, img)
    expect(state["requires_grad"], "after the step, img no longer requires a gradient")
    graph = "after the step, img is no longer a leaf: change its numbers, not its graph"
    expect(state["is_leaf"], graph)


@check(CELL, probe="CLSV-A3", weight=2)
def gradients_do_not_pile_up(student: Student, rng: Generator) -> None:
    """Two steps on the same image, for two classes: the second does not remember the first."""
    net, img = conv_net(rng, CLASSES, 2.0), _leaf(student, draw_images(rng, *SHAPE))
    first, second = (int(target) for target in rng.choice(CLASSES, size=2, replace=False))
    start = _fetch(student, img)
    _step(student, net, img, first, 0.0, 2.0)  # no penalty: what it does is asked elsewhere
    here = _fetch(student, img)
    step = _step(student, net, img, second, 0.0, 2.0)
    fresh, stale = score_gradients(net, here, [second]), score_gradients(net, start, [first])
    if cosine(step, fresh) > PARALLEL:
        return
    if cosine(step, fresh + stale) > SAME:
        raise Failed("the gradient of the step before is still in img.grad: clear it")
    raise Failed("the second step on the same image does not follow the gradient there")


@check(CELL, probe="CLSV-A4", weight=2)
def twenty_steps_climb(student: Student, rng: Generator) -> None:
    """Twenty small steps raise the score of the target."""
    net, img = conv_net(rng, CLASSES, 2.0), _leaf(student, draw_images(rng, *SHAPE))
    target, l2_reg = int(rng.integers(CLASSES)), 1e-3
    before = _objective(net, _fetch(student, img), target, l2_reg)
    model = net.in_kernel(student)
    for _ in range(20):
        student.call("class_visualization_update_step", img, model, target, l2_reg, 0.1)
    after = _objective(net, _fetch(student, img), target, l2_reg)
    expect(after > before, "after 20 small steps the score minus the penalty is not higher")


# -- asking and judging ---------------------------------------------------------------------------


def _expect_direction(
    student: Student, net: SmallNet, img: Tensor, target: int, l2_reg: float
) -> None:
    step = _step(student, net, _leaf(student, img), target, l2_reg, 4.0)
    gradient = score_gradients(net, img, [target])
    pull = l2_reg * img.double().numpy()
    if cosine(step, gradient - 2 * pull) > PARALLEL:
        return
    by_length = gradient - l2_reg * (img / img.norm()).double().numpy()
    slips = {
        "the step goes down: add the gradient instead of subtracting it": 2 * pull - gradient,
        "the penalty has the wrong sign: subtract it from the score": gradient + 2 * pull,
        "the penalty is not the square of the length, times l2_reg": by_length,
        "the penalty is the sum of the squares, not their mean": gradient - 2 * pull / pull.size,
        "the penalty is missing": gradient,
        "half of the penalty is missing: there is no 1/2 in front of the square": gradient - pull,
    }
    for message, wrong in slips.items():
        if cosine(step, wrong) > SAME:
            raise Failed(f"with l2_reg = {l2_reg}: {message}")
    other = "the step does not follow the gradient of the score minus the penalty"
    raise Failed(f"with l2_reg = {l2_reg}, {other}")


def _objective(net: SmallNet, img: Tensor, target: int, l2_reg: float) -> float:
    return float(scores(net, img)[0, target] - l2_reg * (img.double() ** 2).sum())


def _leaf(student: Student, img: Tensor) -> Ref:
    """The image in the kernel, as the notebook hands it over: a leaf that requires a gradient."""
    return student.apply(in_kernel.leaf, img, keep=True)


def _fetch(student: Student, img: Ref) -> Tensor:
    return as_images(student.fetch(img), SHAPE, "img after the step")


def _update(student: Student, net: SmallNet, img: Ref, target: int, l2_reg: float, rate: float):
    model = net.in_kernel(student)
    return student.call("class_visualization_update_step", img, model, target, l2_reg, rate)


def _step(
    student: Student, net: SmallNet, img: Ref, target: int, l2_reg: float, rate: float
) -> Array:
    """By how much one call changes the image."""
    before = _fetch(student, img)
    _update(student, net, img, target, l2_reg, rate)
    step = (_fetch(student, img) - before).numpy()
    expect(np.any(step != 0), "img is unchanged: change it in place")
    return step
