"""What is asked of three_layer_convnet(x, params). Shapes: see the oracle."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.pytorch import oracle
from autograder.judge import (
    Student,
    as_array,
    expect,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

FUNCTION = "three_layer_convnet"
BACKWARD = """
_leaves = [_p.clone().requires_grad_() for _p in _params]
_out = three_layer_convnet(_x, _leaves)
(_out * _upstream.to(_out.dtype)).sum().backward()
_grads = [_leaf.grad for _leaf in _leaves]
_out = _out.detach()
"""


def scores_are_right(student: Student, rng: Generator) -> None:
    """The scores of images that are not square, for random weights and biases."""
    for N, size in ((3, (6, 9)), (5, (7, 4))):
        x, params = oracle.draw(rng, N, size, (4, 5), 7)
        got = _scores(student, x, params)
        want = oracle.scores(x, params).numpy()
        name_slip(got, want, _slips(x, params))
        expect_near(got, want, what="the scores")


def any_number_of_filters(student: Student, rng: Generator) -> None:
    """One image; more filters in the second layer than in the first, and fewer; two classes."""
    for N, filters, classes in ((1, (2, 9), 3), (4, (7, 1), 2)):
        x, params = oracle.draw(rng, N, (5, 8), filters, classes)
        expect_near(
            _scores(student, x, params), oracle.scores(x, params).numpy(), what="the scores"
        )


def gradients_reach_all_parameters(student: Student, rng: Generator) -> None:
    """The gradients of all six parameters."""
    x, params = oracle.draw(rng, 4, (6, 5), (3, 4), 5)
    upstream = torch.from_numpy(rng.normal(size=(4, 5)))
    bindings = {"_x": x.clone(), "_params": [p.clone() for p in params], "_upstream": upstream}
    after = student.rerun(BACKWARD, bindings, ("_grads", "_out"))
    grads, precision = list(after.get("_grads") or ()), as_array(after.get("_out")).dtype
    expect(len(grads) == 6, "no gradients came back")
    wanted = oracle.gradients(x, params, upstream)
    for name, got, want in zip(oracle.NAMES, grads, wanted, strict=True):
        cut = f"no gradient reaches {name}: is the graph cut by detach, data, item or no_grad?"
        expect(got is not None, cut)
        # What was computed in float32 has its precision, in whatever type it arrives.
        expect_near(as_array(got).astype(precision), want, what=f"the gradient of {name}")


def arguments_stay(student: Student, rng: Generator) -> None:
    """The images and the parameters are as before."""
    x, params = oracle.draw(rng, 2, (6, 5), (3, 4), 5)
    source = f"_answer = {FUNCTION}(_x, _params)"
    bindings = {"_x": x.clone(), "_params": [p.clone() for p in params]}
    after = student.rerun(source, bindings, ("_x", "_params", "_answer"))
    expect_shape(after.get("_answer"), (2, 5), "the scores")
    expect_unchanged(after.get("_x"), x.numpy(), "x")
    for name, now, before in zip(oracle.NAMES, after.get("_params", ()), params, strict=True):
        expect_unchanged(now, before.numpy(), name)


def _scores(student: Student, x: Tensor, params: list[Tensor]) -> np.ndarray:
    answer = student.call(FUNCTION, x.clone(), [param.clone() for param in params])
    what = "the scores"
    expect(not isinstance(answer, tuple), f"{what}: several things came back, not one tensor")
    return expect_shape(as_array(answer, what), (len(x), len(params[5])), what)


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
        "there is a softmax too much: return the scores": right.softmax(dim=1),
        "there is a ReLU after the last layer: scores may be negative": right.clamp(min=0),
        "the ReLU after the second convolution is missing": second.flatten(1) @ fc_w + fc_b,
        "the ReLU after the first convolution is missing": linear.flatten(1) @ fc_w + fc_b,
        "fc_b is not used": right - fc_b,
        "conv_b1 is not used": no_b1.flatten(1) @ fc_w + fc_b,
        "conv_b2 is not used": no_b2.flatten(1) @ fc_w + fc_b,
        "the paddings of the two convolutions are swapped": swapped.flatten(1) @ fc_w + fc_b,
    }
    return {message: wrong.numpy() for message, wrong in mistakes.items()}
