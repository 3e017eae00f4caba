"""Images beside the student's code; the kernel gets this module as source."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def leaf(notebook: dict[str, Any], img: Tensor) -> Tensor:
    """An image as the notebook hands it over: a leaf that requires a gradient."""
    return img.detach().clone().requires_grad_()


def state(notebook: dict[str, Any], img: Tensor) -> dict[str, bool]:
    return {"requires_grad": img.requires_grad, "is_leaf": img.is_leaf}
