"""What is asked of three_layer_convnet(x, params). Shapes: see the oracle.

Weights: without gradients nothing is learned, however right the scores are. A graph that is cut
costs half.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.pytorch import oracle
from autograder.checks.assignment2.pytorch.in_kernel import functions
from autograder.judge import (
    Student,
    as_array,
    check,
    expect,
    expect_near,
    expect_unchanged,
)

CELL = "pt-functional"
CUT = "Is the graph cut by detach, data, item or no_grad?"


@check(CELL, probe="PT-A1", weight=2)
def scores_are_right(student: Student, rng: Generator) -> None:
    """The scores of images that are not square, for random weights and biases."""
    for N, size in ((3, (6, 9)), (5, (7, 4))):
        x, params = oracle.draw(rng, N, size, (4, 5), 7)
        expect_near(
            _scores(student, x, params),
            oracle.scores(x, params).numpy(),
            what="the scores",
            slips=_slips(x, params),
            precision="float32",
            squeeze=True,
        )


@check(CELL, probe="PT-A1")
def any_number_of_filters(student: Student, rng: Generator) -> None:
    """One image; more filters in the second layer than in the first, and fewer; two classes."""
    for N, filters, classes in ((1, (2, 9), 3), (4, (7, 1), 2)):
        x, params = oracle.draw(rng, N, (5, 8), filters, classes)
        want = oracle.scores(x, params).numpy()
        expect_near(_scores(student, x, params), want, what="the scores", precision="float32")


@check(CELL, probe="PT-A2", weight=4)
def gradients_reach_all_parameters(student: Student, rng: Generator) -> None:
    """The gradients of all six parameters."""
    x, params = oracle.draw(rng, 4, (6, 5), (3, 4), 5)
    upstream = oracle.rounded(rng.normal(size=(4, 5)))
    grads = _called(student, x, params, upstream)["grads"]
    missing = [name for name, got in zip(oracle.NAMES, grads, strict=True) if got is None]
    expect(not missing, f"no gradient reaches {', '.join(missing)}", CUT)
    wanted = oracle.gradients(x, params, upstream)
    for name, got, want in zip(oracle.NAMES, grads, wanted, strict=True):
        expect_near(got, want, what=f"the gradient of {name}", precision="float32")


@check(CELL, probe="PT-A1", condition=True)
def arguments_stay(student: Student, rng: Generator) -> None:
    """The images and the parameters are left unchanged."""
    x, params = oracle.draw(rng, 2, (6, 5), (3, 4), 5)
    after = _called(student, x, params, torch.ones(2, 5))
    expect_unchanged(after["x"], x.float().numpy(), "x")
    for name, now, before in zip(oracle.NAMES, after["params"], params, strict=True):
        expect_unchanged(now, before.float().numpy(), name)


def _scores(student: Student, x: Tensor, params: list[Tensor]) -> np.ndarray:
    what = "the scores"
    answer = student.call("three_layer_convnet", x.float(), [param.float() for param in params])
    expect(not isinstance(answer, tuple), f"{what}: several values were returned, not one tensor")
    return as_array(answer, what)


def _called(student: Student, x: Tensor, params: list[Tensor], upstream: Tensor) -> dict:
    numbers = [param.float() for param in params]
    return student.apply(functions.convnet, x.float(), numbers, upstream)


def _slips(x: Tensor, params: list[Tensor]) -> dict[str, np.ndarray]:
    """What usual mistakes lead to."""
    w1, b1, w2, b2, fc_w, fc_b = params
    first, second = oracle.before_relus(x, params)
    last = second.clamp(min=0)
    right = last.flatten(1) @ fc_w + fc_b
    linear = oracle.convolve(first, w2, b2, 1).clamp(min=0)
    swapped = oracle.convolve(oracle.convolve(x, w1, b1, 1).clamp(min=0), w2, b2, 2).clamp(min=0)
    no_b1 = oracle.convolve(oracle.convolve(x, w1, 0 * b1, 2).clamp(min=0), w2, b2, 1).clamp(min=0)
    no_b2 = (second - b2[:, None, None]).clamp(min=0)
    mistakes = {
        "there is one softmax too many: return the scores": right.softmax(dim=1),
        "there is a ReLU after the last layer: scores may be negative": right.clamp(min=0),
        "the ReLU after the second convolution is missing": second.flatten(1) @ fc_w + fc_b,
        "the ReLU after the first convolution is missing": linear.flatten(1) @ fc_w + fc_b,
        "fc_b is not used": right - fc_b,
        "conv_b1 is not used": no_b1.flatten(1) @ fc_w + fc_b,
        "conv_b2 is not used": no_b2.flatten(1) @ fc_w + fc_b,
        "the paddings of the two convolutions are swapped": swapped.flatten(1) @ fc_w + fc_b,
    }
    return {message: wrong.numpy() for message, wrong in mistakes.items()}
