"""The student's functions over the judge's answers; the kernel gets this file as source.

What a question builds on is computed by the judge, value and gradient, so nothing of it is here.
Letters: N pairs of vectors of D numbers, B images in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

# (name, arguments, None) -> value; with upstream -> gradients of sum(upstream * value)
Ask = Callable[[str, list[Any], Tensor | None], Any]


# -- what the judge answers -----------------------------------------------------------------------


class Answered(torch.autograd.Function):
    """A function of tensors that the judge computes, and its gradient."""

    @staticmethod
    def forward(ctx: Any, ask: Ask, name: str, options: list[Any], *tensors: Tensor) -> Tensor:
        ctx.ask, ctx.name, ctx.options = ask, name, options
        ctx.save_for_backward(*tensors)
        return ask(name, [*(t.detach() for t in tensors), *options], None)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        tensors = [t.detach() for t in ctx.saved_tensors]
        return None, None, None, *ctx.ask(ctx.name, [*tensors, *ctx.options], upstream[0])


def similarities(ask: Ask) -> dict[str, Any]:
    """The three questions about similarity, by the names that the notebook gives them."""

    def sim(z_i: Tensor, z_j: Tensor) -> Any:
        return Answered.apply(ask, "sim", [], z_i, z_j)

    def sim_positive_pairs(out_left: Tensor, out_right: Tensor) -> Any:
        return Answered.apply(ask, "sim_positive_pairs", [], out_left, out_right)

    def compute_sim_matrix(out: Tensor) -> Any:
        return Answered.apply(ask, "compute_sim_matrix", [], out)

    return {f.__name__: f for f in (sim, sim_positive_pairs, compute_sim_matrix)}


def losses(ask: Ask, devices: list[str]) -> dict[str, Any]:
    """Both versions of the loss; ``devices`` collects what the vectorised one is told."""

    def loss(out_left: Tensor, out_right: Tensor, tau: float) -> Any:
        return Answered.apply(ask, "loss", [float(tau)], out_left, out_right)

    def vectorized(out_left: Tensor, out_right: Tensor, tau: float, device: Any = "none") -> Any:
        devices.append(str(device))
        return loss(out_left, out_right, tau)

    return {"simclr_loss_naive": loss, "simclr_loss_vectorized": vectorized}


# -- functions of tensors -------------------------------------------------------------------------


def answers(
    notebook: Any, name: str, calls: Sequence[Sequence[Any]], cell: str = "", ask: Any = None,
    **options: Any,
) -> list[Any]:  # fmt: skip
    """What the student's function answers to each of the calls.

    ``cell``: that defines it, executed again over the judge's similarities.
    """
    function = defined(notebook, name, cell, ask)
    return [function(*arguments, **options) for arguments in calls]


def gradients(
    notebook: Any, name: str, tensors: Sequence[Tensor], more: Sequence[Any], upstream: Any,
    cell: str = "", ask: Any = None, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Of sum(upstream * answer), for each of the tensors: None where none arrives."""
    function = defined(notebook, name, cell, ask)
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    value = function(*leaves, *more, **options)
    has_graph = isinstance(value, Tensor) and value.requires_grad
    if has_graph and value.numel() == upstream.numel():
        (value.reshape(upstream.shape) * upstream.to(value.device)).sum().backward()
    return {"value": value, "has_graph": has_graph, "grads": [leaf.grad for leaf in leaves]}


def defined(notebook: Any, name: str, cell: str, ask: Any) -> Any:
    if cell:
        notebook.update(similarities(ask))
        notebook.run(cell)
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]


# -- transforms and pairs -------------------------------------------------------------------------

SETTINGS = ["size", "scale", "ratio", "p", "brightness", "contrast", "saturation", "hue"]


def steps(notebook: Any) -> dict[str, Any]:
    """The transform as plain data."""
    return described(notebook["compute_train_transform"]())


def described(step: Any) -> dict[str, Any]:
    """Its class, its settings and the steps in it, as torchvision's classes name them."""
    settings = {name: getattr(step, name, None) for name in SETTINGS}
    inner = step if isinstance(step, nn.Sequential) else getattr(step, "transforms", None)
    parts = None if inner is None else [described(part) for part in inner]
    return {"class": type(step).__name__, "settings": settings, "steps": parts}


def views(notebook: Any, pixels: Any, times: int, seed: int) -> list[Any]:
    """Several draws of the student's transform of one image (H, W, 3)."""
    transform = notebook["compute_train_transform"](seed)
    image = notebook["Image"].fromarray(pixels)
    return [transform(image) for _ in range(times)]


class Draws:
    """A transform that numbers its views, and remembers what they were made of."""

    def __init__(self) -> None:
        self.views: list[Tensor] = []
        self.seen: list[Any] = []

    def __call__(self, image: Any) -> Tensor:
        self.seen.append(np.array(image))
        number = torch.tensor([float(len(self.views))])
        self.views.append(torch.cat([number, torch.rand(2)]))
        return self.views[-1].clone()


def pair(
    notebook: Any, images: Any, labels: list[int], index: int, transformed: bool = True,
    offset: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Item ``index`` of a CIFAR10Pair; ``offset``, if any, is what target_transform adds."""
    draws = Draws() if transformed else None
    adds = (lambda target: target + offset) if offset else None
    dataset = notebook["CIFAR10Pair"](images, labels, transform=draws, target_transform=adds)
    item = dataset[index]
    found = {"seen": draws.seen, "views": draws.views} if draws else {}
    return {"item": item, **found}


# -- training -------------------------------------------------------------------------------------


class TwoHeads(nn.Module):
    """x (B, ...) -> features and projections of length 1, as the notebook's Model returns them."""

    def __init__(self, inputs: int, features: int, projections: int) -> None:
        super().__init__()
        self.f = nn.Linear(inputs, features)
        self.g = nn.Linear(features, projections)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.f(x.flatten(1)))
        return F.normalize(h, dim=1), F.normalize(self.g(h), dim=1)


class Descent:
    """Plain gradient descent, with the two methods of torch's optimisers that `train` needs."""

    def __init__(self, params: Sequence[Tensor], lr: float) -> None:
        self.params, self.lr = list(params), lr
        self.param_groups = [{"params": self.params, "lr": lr}]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param.sub_(param.grad, alpha=self.lr)


class Batches(list):
    """Batches as a loader gives them, with the two attributes that a training loop may ask for."""

    dataset: Any = ()
    batch_size = 0


def trained(
    notebook: Any, cell: str, sizes: Sequence[int], state: dict[str, Tensor],
    batches: Sequence[Any], lr: float, temperature: float, ask: Any,
) -> dict[str, Any]:  # fmt: skip
    """One epoch of the student's train over the judge's loss, and the weights after it."""
    devices: list[str] = []
    notebook.update(losses(ask, devices))
    notebook.run(cell)
    if "train" not in notebook:
        raise NameError("name 'train' is not defined in the notebook")
    model = TwoHeads(*sizes).double()
    model.load_state_dict(state)
    loader = Batches(tuple(batch) for batch in batches)
    loader.batch_size = len(batches[0][0])
    loader.dataset = range(sum(len(batch[0]) for batch in batches))
    optimizer = Descent(list(model.parameters()), lr)
    returned = notebook["train"](
        model, loader, optimizer, 1, 3, batch_size=loader.batch_size, temperature=temperature,
        device="cpu",
    )  # fmt: skip
    weights = torch.cat([param.detach().flatten() for param in model.parameters()])
    return {"returned": returned, "weights": weights, "devices": devices}
