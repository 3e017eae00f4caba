"""What is asked of the class ThreeLayerConvNet, whatever its layers are called.

Shapes: x (N, in_channel, 32, 32); scores (N, num_classes).

Weights: a net in which a layer gets no gradient, or a wrong one, cannot be trained. That costs
half; whatever makes the scores wrong makes the gradients wrong as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.pytorch import oracle
from autograder.checks.assignment2.pytorch.functional import CUT
from autograder.checks.assignment2.pytorch.in_kernel import functions
from autograder.judge import Student, as_array, check, expect, expect_near, expect_shape

CELL = "pt-module"
Sizes = tuple[int, int, int, int]  # in_channel, channel_1, channel_2, num_classes
Shape = tuple[int, ...]


def wanted_shapes(sizes: Sizes) -> dict[str, Shape]:
    """PyTorch's own layout of the six parameters."""
    C, c1, c2, classes = sizes
    shapes = ((c1, C, 5, 5), (c1,), (c2, c1, 3, 3), (c2,), (classes, c2 * 1024), (classes,))
    return dict(zip(oracle.NAMES, shapes, strict=True))


@check(CELL, probe="PT-A3", weight=2)
def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Six parameters, for several numbers of channels and classes."""
    for sizes in ((3, 12, 8, 10), (1, 5, 7, 3)):
        found = sorted(value.shape for value in _initial_parameters(student, sizes))
        layers = "Layers count when they are attributes of the module, made in __init__"
        expect(found, f"ThreeLayerConvNet{sizes} has no parameters", layers)
        count = sum(int(np.prod(shape)) for shape in found)
        shown = ", ".join(str(tuple(shape)) for shape in found[:8])
        expect(
            found == sorted(wanted_shapes(sizes).values()),
            f"ThreeLayerConvNet{sizes} has {count} parameters, in tensors of shape {shown}; "
            "two convolutions and a linear layer, all with a bias, have other shapes",
        )


@check(CELL, probe="PT-A3", weight=2)
def weights_have_kaimings_scale(student: Student, rng: Generator) -> None:
    """The standard deviation of the three weights follows Kaiming's rule."""
    for name, weight in _weights(student).items():
        want = np.sqrt(2 / weight[0].size)
        spread = float(weight.std())
        # 20,000 numbers and more: chance moves this by 0.5 %.
        expect(
            abs(spread / want - 1) < 0.05,
            f"the weights of {name} have standard deviation {spread:.4f}, which is not "
            "sqrt(2 / fan in)",
        )


@check(CELL, probe="PT-A3")
def weights_are_normal(student: Student, rng: Generator) -> None:
    """The three weights are normally distributed around 0."""
    for name, weight in _weights(student).items():
        expect(float(weight.std()) > 0, f"all weights of {name} are equal")
        standard = (weight - weight.mean()) / weight.std()
        fourth = float(np.mean(standard**4))  # 3 for normal numbers, 1.8 for uniform ones
        centred = abs(float(weight.mean())) < 0.05 * float(weight.std())
        expect(
            centred and 2.6 < fourth < 3.4,
            f"the weights of {name} are not normally distributed around 0",
        )


@check(CELL, probe="PT-A3")
def forward_is_right(student: Student, rng: Generator) -> None:
    """The scores of five images, for parameters that the judge chooses."""
    case = _draw(rng, 5, (3, 6, 4, 7))
    got = _called(student, case)["scores"]
    slips = {message: wrong.numpy() for message, wrong in _slips(case).items()}
    want = oracle.scores(case.x, case.params).numpy()
    options = {"slips": slips, "squeeze": True}
    expect_near(got, want, what="model(x)", precision="float32", **options)


@check(CELL, probe="PT-A3")
def single_images_and_other_channels(student: Student, rng: Generator) -> None:
    """One image; one channel; more filters in the second layer than in the first."""
    for N, sizes in ((1, (3, 2, 9, 4)), (2, (1, 5, 3, 6))):
        case = _draw(rng, N, sizes)
        got = expect_shape(_called(student, case)["scores"], (N, sizes[3]), "model(x)")
        want = oracle.scores(case.x, case.params).numpy()
        expect_near(got, want, what="model(x)", precision="float32")


@check(CELL, probe="PT-A3", weight=7)
def every_parameter_learns(student: Student, rng: Generator) -> None:
    """A gradient reaches all parameters, and it is the right one."""
    case = _draw(rng, 2, (2, 3, 4, 5))
    upstream = oracle.rounded(rng.normal(size=(2, 5)))
    after = _called(student, case, upstream)
    wanted = oracle.gradients(case.x, case.params, upstream)
    wanted[4] = wanted[4].T
    shapes = wanted_shapes(case.sizes)
    found = dict(zip(after["shapes"], after["grads"], strict=True))
    for shape, got in found.items():
        expect(got is not None, f"no gradient reaches the parameter of shape {shape}", CUT)
    for (name, shape), want in zip(shapes.items(), wanted, strict=True):
        if shape in found:  # a bias that is missing costs points elsewhere
            what = f"the gradient of the parameter of shape {shape}"
            expect_near(found[shape], want, what=f"{what} ({name})", precision="float32")


# -- asking ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Images and parameters (fc_w as in the oracle) for a network of these sizes."""

    sizes: Sizes
    x: Tensor
    params: list[Tensor]


def _draw(rng: Generator, N: int, sizes: Sizes) -> Case:
    """32 x 32 pixels, all numbers such as float32 has.

    No ReLU is so near to its kink that rounding in float32 could take it to the other side.
    """
    shapes = [*wanted_shapes(sizes).values()]
    while True:
        x = oracle.rounded(rng.normal(size=(N, sizes[0], 32, 32)))
        params = [
            oracle.rounded(rng.normal(size=shape) / np.sqrt(max(np.prod(shape[1:]), 4)))
            for shape in shapes
        ]
        params[4] = params[4].T.contiguous()
        if min(float(out.abs().min()) for out in oracle.before_relus(x, params)) > 3e-6:
            return Case(sizes, x, params)


def _called(student: Student, case: Case, upstream: Tensor | None = None) -> dict[str, Any]:
    """What a network of the student's class makes of the case.

    A bias that it does not have counts as zero, in ``case.params`` too: that it is missing costs
    points elsewhere. Failed where another parameter is missing, or one too many.
    """
    shapes = wanted_shapes(case.sizes)
    stored = [*case.params[:4], case.params[4].T, case.params[5]]
    fill = [tensor.float().contiguous() for tensor in stored]
    upstream = torch.zeros(len(case.x), case.sizes[3]) if upstream is None else upstream
    after = student.apply(functions.module, list(case.sizes), fill, case.x.float(), upstream)
    after["shapes"] = [tuple(shape) for shape in after["shapes"]]
    for number, shape in enumerate(shapes.values()):
        if shape not in after["shapes"] and len(shape) == 1:
            case.params[number].zero_()
    wanted = {shape for shape in shapes.values() if len(shape) > 1 or shape in after["shapes"]}
    other = f"the parameters have the shapes {sorted(after['shapes'])[:8]}"
    expect(sorted(after["shapes"]) == sorted(wanted), other)
    return after


def _slips(case: Case) -> dict[str, Tensor]:
    """What usual mistakes lead to."""
    first, second = oracle.before_relus(case.x, case.params)
    _, _, w2, b2, fc_w, fc_b = case.params
    want, linear = oracle.scores(case.x, case.params), oracle.convolve(first, w2, b2, 1)
    return {
        "forward ends with a softmax: return the scores": want.softmax(dim=1),
        "there is a ReLU after the last layer: scores may be negative": want.clamp(min=0),
        "the ReLU after the second convolution is missing": second.flatten(1) @ fc_w + fc_b,
        "the ReLU after the first convolution is missing": (
            linear.clamp(min=0).flatten(1) @ fc_w + fc_b
        ),
    }


def _initial_parameters(student: Student, sizes: Sizes) -> list[np.ndarray]:
    values = student.apply(functions.initial_parameters, list(sizes))
    return [as_array(value, "a parameter") for value in values]


def _weights(student: Student) -> dict[str, np.ndarray]:
    """The three weights of a large network, by layer."""
    sizes = (16, 60, 40, 10)
    made = student.once("a large net", lambda: _initial_parameters(student, sizes))
    values = {value.shape: value for value in made}
    shapes = wanted_shapes(sizes)
    layers = {"conv_w1": "the first convolution", "conv_w2": "the second", "fc_w": "the last layer"}
    for name, layer in layers.items():
        expect(shapes[name] in values, f"no weight of shape {shapes[name]} for {layer}")
    return {layer: values[shapes[name]].astype(np.float64) for name, layer in layers.items()}
