"""What this process has at hand, so that nobody need read, decode or compute it again.

Empty wherever students work. The autograder's warm process fills it (``contents.py``) before it is
copied for each notebook: what they all load is loaded once. What is taken from here is handed out
as a copy, of the same bytes and the same layout as without; so nobody can tell, and nobody's
changes reach anybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# What there is, and the names, of functions or modules, by whose use a notebook shows that it wants
# it. (Other packages have a `load_pretrained`, too.)
NAMED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cifar10": (
            *("load_cifar10", "load_CIFAR10", "get_cifar10_data", "get_CIFAR10_data"),
            *("cifar10_sets",),
        ),
        "features": ("hog_feature", "color_histogram_hsv"),
        "captions": ("load_coco_data",),
        "imagenet-weights": ("cs231n_lib.models", "clip_dino"),
        "simclr-weights": ("pretrained_model",),
        "clip-weights": ("clip_dino",),
    }
)

_at_hand: dict[str, Mapping[str, Any]] = {}


def put(name: str, things: Mapping[str, Any]) -> None:
    """Have ``things`` at hand under ``name``. Whoever takes one copies it."""
    _at_hand[name] = things


def clear() -> None:
    """Have nothing at hand any more."""
    _at_hand.clear()


def get(name: str) -> Mapping[str, Any] | None:
    """What is at hand under ``name``; None: nothing is."""
    return _at_hand.get(name)
