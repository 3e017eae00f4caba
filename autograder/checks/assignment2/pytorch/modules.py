"""What is asked of the class ThreeLayerConvNet, whatever its layers are called.

Shapes: x (N, in_channel, 32, 32); scores (N, num_classes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment2.pytorch import oracle
from autograder.judge import Student, as_array, expect, expect_near, expect_shape, name_slip

Sizes = tuple[int, int, int, int]  # in_channel, channel_1, channel_2, num_classes

MADE = """
_net = ThreeLayerConvNet(*_sizes)
_names = [_name for _name, _ in _net.named_parameters()]
_values = [_value.detach().clone() for _, _value in _net.named_parameters()]
"""
# All parameters get numbers of ours before forward is called: how they start does not matter here.
CALLED = """
import torch as _torch
_net = ThreeLayerConvNet(*_sizes)
_own = list(_net.parameters())
_shapes = [list(_p.shape) for _p in _own]
with _torch.no_grad():
    for _p in _own:
        _p.copy_(_fill.get(repr(list(_p.shape)), _p))
_out = _net(_x)
(_out * _upstream.to(_out.dtype)).sum().backward()
_grads = [_p.grad for _p in _own]
_out = _out.detach()
"""


def wanted_shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """PyTorch's own layout of the six parameters."""
    C, c1, c2, classes = sizes
    shapes = ((c1, C, 5, 5), (c1,), (c2, c1, 3, 3), (c2,), (classes, c2 * 1024), (classes,))
    return dict(zip(oracle.NAMES, shapes, strict=True))


def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Six parameters, for several numbers of channels and classes."""
    for sizes in ((3, 12, 8, 10), (1, 5, 7, 3)):
        values = _made(student, sizes)
        found = sorted(value.shape for value in values)
        C, c1, c2, classes = sizes
        want = c1 * (25 * C + 1) + c2 * (9 * c1 + 1) + (c2 * 1024 + 1) * classes
        count = sum(value.size for value in values)
        expect(count > 0, "no parameters: make the layers in __init__, after super().__init__()")
        shown = ", ".join(str(tuple(shape)) for shape in found[:8])
        expect(
            count == want and found == sorted(wanted_shapes(sizes).values()),
            f"ThreeLayerConvNet{sizes} has {count} parameters, in tensors of shape {shown}; "
            "two convolutions and a linear layer with biases have others",
        )


def weights_have_kaimings_scale(student: Student, rng: Generator) -> None:
    """The standard deviation of the three weights is the one of Kaiming's rule."""
    for name, weight in _weights(student).items():
        want = np.sqrt(2 / weight[0].size)
        spread = float(weight.std())
        # 20,000 numbers and more: chance moves this by 0.5 %.
        expect(
            abs(spread / want - 1) < 0.05,
            f"the weights of {name} have standard deviation {spread:.4f}, which is not "
            "sqrt(2 / fan in)",
        )


def weights_are_normal(student: Student, rng: Generator) -> None:
    """The three weights are normally distributed around 0, no two alike."""
    for name, weight in _weights(student).items():
        expect(float(weight.std()) > 0, f"all weights of {name} are equal")
        standard = (weight - weight.mean()) / weight.std()
        fourth = float(np.mean(standard**4))  # 3 for normal numbers, 1.8 for uniform ones
        centred = abs(float(weight.mean())) < 0.05 * float(weight.std())
        expect(centred and 2.6 < fourth < 3.4, f"the weights of {name} are not normal around 0")


def forward_is_right(student: Student, rng: Generator) -> None:
    """The scores of five images, for parameters that the judge chooses."""
    _expect_forward(student, rng, 5, (3, 6, 4, 7))


def single_images_and_other_channels(student: Student, rng: Generator) -> None:
    """One image; one channel; more filters in the second layer than in the first."""
    _expect_forward(student, rng, 1, (3, 2, 9, 4))
    _expect_forward(student, rng, 2, (1, 5, 3, 6))


def every_parameter_learns(student: Student, rng: Generator) -> None:
    """A gradient reaches all parameters, and it is the right one."""
    sizes = (2, 3, 4, 5)
    x, params, after = _called(student, rng, 2, sizes)
    upstream = after["upstream"]
    wanted = oracle.gradients(x, params, upstream)
    wanted[4] = wanted[4].T
    for name, shape in wanted_shapes(sizes).items():
        got = after["grads"].get(shape)
        cut = f"no gradient reaches the parameter of shape {shape}: is it used in forward?"
        expect(got is not None, cut)
        want = wanted[oracle.NAMES.index(name)]
        expect_near(got, want, what=f"the gradient of the parameter of shape {shape}")


def _expect_forward(student: Student, rng: Generator, N: int, sizes: Sizes) -> None:
    x, params, after = _called(student, rng, N, sizes)
    got = expect_shape(after["out"], (N, sizes[3]), "model(x)")
    want = oracle.scores(x, params)
    first, second = oracle.before_relus(x, params)
    linear = oracle.convolve(first, params[2], params[3], 1).clamp(min=0)
    slips = {
        "forward ends with a softmax: return the scores": want.softmax(dim=1),
        "there is a ReLU after the last layer: scores may be negative": want.clamp(min=0),
        "the ReLU after the second convolution is missing": second.flatten(1) @ params[4]
        + params[5],
        "the ReLU after the first convolution is missing": linear.flatten(1) @ params[4]
        + params[5],
    }
    name_slip(got, want.numpy(), {what: wrong.numpy() for what, wrong in slips.items()})
    expect_near(got, want.numpy(), what="model(x)")


def _called(student: Student, rng: Generator, N: int, sizes: Sizes) -> tuple[Any, list, dict]:
    """Images and parameters (fc_w as in the oracle), and what the student's class made of them."""
    shapes = wanted_shapes(sizes)
    x, params = _draw(rng, N, sizes)
    stored = [*params[:4], params[4].T, params[5]]
    fill = {
        repr(list(shape)): value.float().contiguous()
        for shape, value in zip(shapes.values(), stored, strict=True)
    }
    upstream = torch.from_numpy(rng.normal(size=(N, sizes[3])))
    bindings = {"_sizes": list(sizes), "_fill": fill, "_x": x.float(), "_upstream": upstream}
    after = student.rerun(CALLED, bindings, ("_out", "_grads", "_shapes"))
    found = [tuple(shape) for shape in after.get("_shapes", ())]
    other = f"the parameters have the shapes {sorted(found)[:8]}, not {sorted(shapes.values())}"
    expect(sorted(found) == sorted(shapes.values()), other)
    grads = dict(zip(found, after.get("_grads", ()), strict=False))
    return x, params, {"out": after.get("_out"), "grads": grads, "upstream": upstream}


def _draw(rng: Generator, N: int, sizes: Sizes) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """As the oracle's, of 32 x 32 pixels, all numbers such as float32 has.

    No ReLU is so near to its kink that rounding in float32 could take it to the other side.
    """
    shapes = [*wanted_shapes(sizes).values()]
    while True:
        x = _float32(rng.normal(size=(N, sizes[0], 32, 32)))
        params = [
            _float32(rng.normal(size=shape) / np.sqrt(max(np.prod(shape[1:]), 4)))
            for shape in shapes
        ]
        params[4] = params[4].T.contiguous()
        if min(float(out.abs().min()) for out in oracle.before_relus(x, params)) > 3e-6:
            return x, params


def _float32(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).float().double()


def _made(student: Student, sizes: Sizes) -> list[np.ndarray]:
    """The parameters of a new network."""
    after = student.rerun(MADE, {"_sizes": list(sizes)}, ("_values",))
    return [as_array(value, "a parameter") for value in after.get("_values", ())]


def _weights(student: Student) -> dict[str, np.ndarray]:
    """The three weights of a large network, by layer."""
    sizes = (16, 60, 40, 10)

    def large() -> list[np.ndarray]:
        return _made(student, sizes)

    values = {value.shape: value for value in student.once("a large net", large)}
    shapes = wanted_shapes(sizes)
    layers = {"conv_w1": "the first convolution", "conv_w2": "the second", "fc_w": "the last layer"}
    for name, layer in layers.items():
        expect(shapes[name] in values, f"no weight of shape {shapes[name]} for {layer}")
    return {layer: values[shapes[name]].astype(np.float64) for name, layer in layers.items()}
