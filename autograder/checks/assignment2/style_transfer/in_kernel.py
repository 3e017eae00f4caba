"""What these checks run beside the student's code; the kernel gets this module as source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def laid_out(notebook: Any, x: Tensor, layout: str) -> Tensor:
    """The same numbers, in another order in memory."""
    match layout:
        case "a part of the channels":
            return torch.stack([x, x + 1], dim=2).flatten(1, 2)[:, ::2]
        case "the channels last in memory":
            return x.contiguous(memory_format=torch.channels_last)
        case "rows and columns exchanged in memory":
            return x.transpose(2, 3).contiguous().transpose(2, 3)
    raise ValueError(f"no layout {layout!r}")


def style_loss(
    notebook: Any,
    cells: Sequence[str],
    grams: tuple[Callable[..., Tensor], Callable[..., Tensor]],
    arguments: Sequence[Any],
    *,
    slopes: bool = False,
) -> dict[str, Any]:
    """style_loss(*arguments) over Gram matrices that the judge answers for.

    ``grams``: two functions, (features, normalize) -> matrices, and the way back of its gradient.
    ``slopes``: also the gradients with respect to the features, None for those without one.
    """
    notebook["gram_matrix"] = gram_matrix(*grams)
    for cell in cells:
        notebook.run(cell)
    if "style_loss" not in notebook:
        raise NameError("name 'style_loss' is not defined in the notebook")
    feats, layers, targets, weights = arguments
    leaves = [features.clone().requires_grad_() for features in feats] if slopes else feats
    value = notebook["style_loss"](leaves, layers, targets, weights)
    found = None
    if slopes and isinstance(value, Tensor) and value.requires_grad:
        found = torch.autograd.grad(value.sum(), leaves, allow_unused=True)
    return {"value": value, "slopes": found, "feats": feats, "style_targets": targets}


def gram_matrix(forward: Callable[..., Tensor], backward: Callable[..., Tensor]) -> Callable:
    """The function, which autograd asks the judge for on its way back as well."""

    class Gram(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, features: Tensor, normalize: bool) -> Tensor:
            ctx.save_for_backward(features)
            ctx.normalize = normalize
            return forward(features, normalize).to(features)

        @staticmethod
        def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
            (features,) = ctx.saved_tensors
            return backward(features, ctx.normalize, *upstream).to(features), None

    return lambda features, normalize=True: Gram.apply(features, bool(normalize))
