"""What the notebook's trained nets make of images. A copy is asked: they stay as they were left."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

AT_ONCE = 200  # images


def scores_by_tensors(notebook: dict[str, Any], x: Tensor) -> Tensor | str:
    """The scores of x by the six tensors; or the name of one that is not there."""
    names = ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")
    params = [notebook.get(name) for name in names]
    for name, param in zip(names, params, strict=True):
        if not torch.is_tensor(param):
            return f"{name} is not a tensor"
    with torch.no_grad():
        parts = [notebook["three_layer_convnet"](part.to(params[0]), params).cpu()
                 for part in x.split(AT_ONCE)]  # fmt: skip
    return torch.cat(parts)


def scores_by_model(notebook: dict[str, Any], name: str, x: Tensor) -> Tensor | str:
    """The scores of x by a model in evaluation mode; or what it is, where it is none."""
    model = notebook.get(name)
    if not isinstance(model, nn.Module):
        kind = "None" if model is None else f"of type {type(model).__name__}, not a network"
        return f"{name} is {kind}"
    net = in_use(model)
    with torch.no_grad():
        return torch.cat([net(part.to(like(net))).cpu() for part in x.split(AT_ONCE)])


def scores_repeated_and_alone(notebook: dict[str, Any], name: str, x: Tensor) -> dict[str, Tensor]:
    """The scores of x twice, and of each image alone."""
    net = in_use(notebook[name])
    images = x.to(like(net))
    with torch.no_grad():
        first, again = net(images).cpu(), net(images).cpu()
        alone = torch.cat([net(images[i : i + 1]).cpu() for i in range(len(images))])
    return {"first": first, "again": again, "alone": alone}


def in_use(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).eval()


def like(net: nn.Module) -> Tensor:
    """Of the type and on the device that the network computes with."""
    return next(iter(net.parameters()), torch.zeros(()))
