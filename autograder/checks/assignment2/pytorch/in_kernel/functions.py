"""Calls of three_layer_convnet and ThreeLayerConvNet with numbers of the judge's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Notebook = dict[str, Any]


def convnet(
    notebook: Notebook, x: Tensor, params: Sequence[Tensor], upstream: Tensor
) -> dict[str, Any]:
    """Gradients of sum(upstream * scores) for each of ``params``, and the arguments afterwards."""
    leaves = [param.clone().requires_grad_() for param in params]
    out = function(notebook, "three_layer_convnet")(x, leaves)
    grads = gradients(out, leaves, upstream)
    return {"grads": grads, "x": x, "params": [leaf.detach() for leaf in leaves]}


def initial_parameters(notebook: Notebook, sizes: Sequence[int]) -> list[Tensor]:
    """The parameters of a new network of the student's class."""
    net = function(notebook, "ThreeLayerConvNet")(*sizes)
    return [parameter.detach() for parameter in net.parameters()]


def module(
    notebook: Notebook, sizes: Sequence[int], fill: list[Tensor], x: Tensor, upstream: Tensor
) -> dict[str, Any]:
    """Scores of x, and gradients of sum(upstream * scores), by a network of the student's class.

    A parameter gets the numbers of the tensor in ``fill`` that has its shape: how it starts does
    not matter.
    """
    net = function(notebook, "ThreeLayerConvNet")(*sizes)
    own, by_shape = list(net.parameters()), {tensor.shape: tensor for tensor in fill}
    with torch.no_grad():
        for parameter in own:
            parameter.copy_(by_shape.get(parameter.shape, parameter))
    out = net(x)
    grads = gradients(out, own, upstream)
    return {
        "shapes": [list(parameter.shape) for parameter in own],
        "scores": out.detach() if isinstance(out, Tensor) else out,
        "grads": grads,
    }


def gradients(out: Any, leaves: list[Tensor], upstream: Tensor) -> list[Tensor | None]:
    """Of sum(upstream * out) for each leaf: None where none arrives."""
    flows = isinstance(out, Tensor) and out.requires_grad and out.numel() == upstream.numel()
    if flows:
        (out * upstream.to(out).reshape(out.shape)).sum().backward()
    return [leaf.grad for leaf in leaves]


def function(notebook: Notebook, name: str) -> Callable[..., Any]:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]
