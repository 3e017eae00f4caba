"""Cells that train, executed again on a handful of random images.

What earlier cells define is replaced by stand-ins, so that an earlier mistake costs nothing, and
the training loop by a note of what it was given, or by one that is quick.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F  # noqa: N812
import torch.optim as optim
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from cs231n_lib.seeding import seed_everything
from cs231n_lib.torch_data import BatchLoader, ImageSet

SIX = ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")
SETTINGS = ("lr", "momentum", "nesterov")


# -- what is asked --------------------------------------------------------------------------------


def six_tensors(notebook: Any, cell: str, x: Tensor, y: Tensor) -> dict[str, Any]:
    """What the cell makes, and which of these train_part2 was given (by position; else -1)."""
    given: list[list[Any]] = []
    notebook.update(stand_ins(x, y))
    notebook["train_part2"] = lambda model_fn, params, *more, **options: given.append(list(params))
    notebook.run(cell)
    six = [notebook.get(name) for name in SIX]
    return {
        "types": [type(value).__name__ for value in six],
        "values": [value.detach() if torch.is_tensor(value) else None for value in six],
        "learns": [bool(getattr(value, "requires_grad", False)) for value in six],
        "leaves": [bool(getattr(value, "is_leaf", False)) for value in six],
        "trained": [[position(param, six) for param in params] for params in given],
    }


def model_and_optimizer(
    notebook: Any, cell: str, x: Tensor, y: Tensor, *, own_class: bool
) -> dict[str, Any]:
    """What the cell makes, what train_part34 was given, and the model's scores of x.

    ``own_class``: with the student's ThreeLayerConvNet, whose layers have names of their own.
    """
    given: list[tuple[Any, Any]] = []
    net_class = knowing_its_sizes(notebook["ThreeLayerConvNet"]) if own_class else ThreeLayerConvNet
    notebook.update(stand_ins(x, y) | {"ThreeLayerConvNet": net_class})
    notebook["train_part34"] = lambda model, optimizer, *more, **options: given.append(
        (model, optimizer)
    )
    notebook.run(cell)
    model, optimizer = notebook.get("model"), notebook.get("optimizer")
    own = list(model.parameters()) if isinstance(model, nn.Module) else []
    groups = getattr(optimizer, "param_groups", [])
    optimized = [param for group in groups for param in group["params"]]
    scores = None
    if own:
        with torch.no_grad():
            scores = model.eval()(x.to(own[0]))
    return {
        "model": type(model).__name__,
        "is_sequential": isinstance(model, nn.Sequential),
        "sizes": getattr(model, "sizes", None),
        "values": [param.detach() for param in own],
        "scores": scores,
        "optimizer": type(optimizer).__name__,
        "settings": [{name: float(group.get(name) or 0) for name in SETTINGS} for group in groups],
        "left_out": [list(param.shape) for param in own if position(param, optimized) < 0],
        "foreign": sum(position(param, own) < 0 for param in optimized),
        "frozen": [list(param.shape) for param in own if not param.requires_grad],
        "trained": bool(given),
        "together": any(one is model and other is optimizer for one, other in given),
    }


def open_challenge(notebook: Any, cell: str, x: Tensor, y: Tensor) -> dict[str, Any]:
    """Which parameters of the model that comes out some optimiser has changed, by shape.

    ``looks``: how often the cell looked at the test images.
    """
    looks: list[str] = []
    changed: list[Tensor] = []
    notebook.update(stand_ins(x, y))
    quick_training(notebook)
    test_set = watched(notebook["test_set"], looks)
    notebook.update(test_set=test_set, loader_test=BatchLoader(test_set, 8))

    def note(optimizer: optim.Optimizer, *more: Any) -> None:
        for param in (param for group in optimizer.param_groups for param in group["params"]):
            if param.grad is not None and position(param, changed) < 0:
                changed.append(param)

    hook = register_optimizer_step_post_hook(note)
    try:
        notebook.run(cell)
    finally:
        hook.remove()
    best = notebook.get("best_model")
    own = used_parameters(notebook.get("model") if best is None else best, x[:8], y[:8])
    return {
        "shapes": [list(param.shape) for param in own],
        "trained": [list(param.shape) for param in changed],
        "looks": len(looks),
    }


def as_it_was_left(notebook: Any) -> dict[str, Any]:
    """The same of the notebook as it was run, where a handful of images is not enough."""
    best = notebook.get("best_model")
    best = notebook.get("model") if best is None else best
    own = list(best.parameters()) if isinstance(best, nn.Module) else []
    groups = getattr(notebook.get("optimizer"), "param_groups", [])
    return {
        "shapes": [list(param.shape) for param in own if param.requires_grad],
        "trained": [list(param.shape) for group in groups for param in group["params"]],
        "looks": 0,
    }


def used_parameters(model: Any, x: Tensor, y: Tensor) -> list[Tensor]:
    """Those that training can change. A layer that forward never uses need not be trained."""
    own = list(model.parameters()) if isinstance(model, nn.Module) else []
    own = [param for param in own if param.requires_grad]
    if not own:
        return []
    loss = F.cross_entropy(model.train()(x.to(own[0])), y.to(own[0].device))
    slopes = torch.autograd.grad(loss, own, allow_unused=True)
    return [param for param, slope in zip(own, slopes, strict=True) if slope is not None]


def position(value: Any, values: Sequence[Any]) -> int:
    """Where this very object is among the values; -1 where it is not."""
    return next((i for i, other in enumerate(values) if other is value), -1)


# -- stand-ins ------------------------------------------------------------------------------------


class Flatten(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class ThreeLayerConvNet(nn.Module):
    """Three layers, as in the one that the student writes, and quicker."""

    def __init__(self, in_channel: int, channel_1: int, channel_2: int, num_classes: int) -> None:
        super().__init__()
        self.sizes = [int(n) for n in (in_channel, channel_1, channel_2, num_classes)]
        self.conv1 = nn.Conv2d(in_channel, channel_1, 1)
        self.conv2 = nn.Conv2d(channel_1, channel_2, 1)
        self.fc = nn.Linear(channel_2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv2(self.conv1(x[:, :, :1, :1])).flatten(1))


def knowing_its_sizes(own: type[nn.Module]) -> type[nn.Module]:
    """The student's class, with the ``sizes`` that a network was made for."""

    class Net(own):
        def __init__(
            self, in_channel: int, channel_1: int, channel_2: int, num_classes: int
        ) -> None:
            super().__init__(in_channel, channel_1, channel_2, num_classes)
            self.sizes = [int(n) for n in (in_channel, channel_1, channel_2, num_classes)]

    return Net


def random_weight(shape: Sequence[int]) -> Tensor:
    fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return (torch.randn(shape) * float(np.sqrt(2 / fan_in))).requires_grad_()


def zero_weight(shape: Sequence[int]) -> Tensor:
    return torch.zeros(shape, requires_grad=True)


def stand_ins(x: Tensor, y: Tensor) -> dict[str, Any]:
    """For what earlier cells define. Half of the images x (N, 3, 32, 32) are for training."""
    N = len(x)
    parts = {"train": slice(N // 2), "val": slice(N // 2, N - 8), "test": slice(N - 8, N)}
    sets = {
        name: ImageSet(x[rows].clone(), y[rows].clone(), name == "train")
        for name, rows in parts.items()
    }
    loaders = {
        name: BatchLoader(images, 8, shuffle=name == "train") for name, images in sets.items()
    }
    return {
        "np": np, "torch": torch, "nn": nn, "F": F, "optim": optim, "copy": copy,
        "seed_everything": seed_everything, "BatchLoader": BatchLoader, "ImageSet": ImageSet,
        "device": torch.get_default_device(), "dtype": torch.float32, "print_every": 100,
        "num_training": N // 2, "model": None, "optimizer": None, "best_model": None,
        "flatten": lambda x: x.flatten(1), "Flatten": Flatten,
        "random_weight": random_weight, "zero_weight": zero_weight,
        "three_layer_convnet": lambda x, params: torch.zeros(len(x), 10),
        "ThreeLayerConvNet": ThreeLayerConvNet,
        "check_accuracy_part2": lambda loader, model_fn, params: 0.1,
        "check_accuracy_part34": lambda loader, model: 0.1,
        "train_part2": lambda model_fn, params, *more, **options: None,
        "train_part34": lambda model, optimizer, *more, **options: [],
    } | {f"{name}_set": images for name, images in sets.items()} | {
        f"loader_{name}": loader for name, loader in loaders.items()
    }  # fmt: skip


def quick_training(notebook: Any) -> None:
    """A loop that trains and one that measures, as those of the notebook but for the reports."""

    def train_part34(model, optimizer, epochs=1, loader=None, scheduler=None, val_loader=None):
        losses = []
        for _ in range(epochs):
            for x, y in notebook["loader_train"] if loader is None else loader:
                model.train()
                like = next(model.parameters())
                loss = F.cross_entropy(model(x.to(like)), y.to(like.device))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
                losses.append(loss.item())
        return losses

    def check_accuracy_part34(loader, model):
        model.eval()
        like = next(model.parameters())
        right = rows = 0
        with torch.no_grad():
            for x, y in loader:
                right += int((model(x.to(like)).argmax(1) == y.to(like.device)).sum())
                rows += len(y)
        return right / rows

    notebook.update(train_part34=train_part34, check_accuracy_part34=check_accuracy_part34)


def watched(images: ImageSet, looks: list[str]) -> ImageSet:
    """The same images, which note in ``looks`` that somebody looks at them."""

    class Watched(ImageSet):
        def __len__(self) -> int:
            return len(images)

        def __getattribute__(self, name: str) -> Any:
            if name in ("X", "y", "__getitem__"):
                looks.append(name)
            return super().__getattribute__(name)

        def __getitem__(self, rows: Any) -> tuple[Tensor, Tensor]:
            looks.append("rows")
            return super().__getitem__(rows)

    made = Watched(images.X, images.y)
    looks.clear()
    return made
