"""The random numbers behind the augmentations, for a single picture and for a whole batch alike.

Drawn from torch's global generator, or from one that is passed. A generator draws on its own
device and the numbers are moved, so that one of the CPU gives the same views on a GPU.

Dimension letters: N images, H x W pixels, K attempts.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor

ATTEMPTS = 10

Range = tuple[float, float]
Device = torch.device | str


class Boxes(NamedTuple):
    """The parts of N images to be cut out, in whole pixels: four tensors (N,) int64."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def uniform(
    shape: tuple[int, ...],
    bounds: Range = (0.0, 1.0),
    generator: Generator | None = None,
    device: Device = "cpu",
) -> Tensor:
    """Numbers between the bounds, float32, on ``device``."""
    source = device if generator is None else generator.device
    low, high = bounds
    return torch.rand(shape, generator=generator, device=source).to(device) * (high - low) + low


def coins(n: int, p: float, generator: Generator | None = None, device: Device = "cpu") -> Tensor:
    """True with probability p: (N,) bool."""
    return uniform((n,), generator=generator, device=device) < p


def crop_boxes(
    n: int,
    image_size: tuple[int, int],
    scale: Range,
    ratio: Range,
    generator: Generator | None = None,
    device: Device = "cpu",
) -> Boxes:
    """Boxes whose share of the area is uniform in ``scale``, and width / height log-uniform.

    Ten attempts are made for each image; the first that fits into it is taken. Where none does,
    it is the largest box in the middle that keeps the ratio within its bounds.
    """
    H, W = image_size
    area = uniform((ATTEMPTS, n), scale, generator, device) * (H * W)
    logs = (math.log(ratio[0]), math.log(ratio[1]))
    aspect = uniform((ATTEMPTS, n), logs, generator, device).exp()
    width = (area * aspect).sqrt().round().long()  # (K, N)
    height = (area / aspect).sqrt().round().long()
    fits = (width >= 1) & (width <= W) & (height >= 1) & (height <= H)
    first = fits.int().argmax(0, keepdim=True)  # of equal values, the first
    width, height = width.gather(0, first)[0], height.gather(0, first)[0]
    place = uniform((2, n), generator=generator, device=device)
    top = _places(place[0], H - height)
    left = _places(place[1], W - width)
    found = fits.any(0)
    h, w = _largest(H, W, ratio)
    return Boxes(
        top.where(found, (H - h) // 2),
        left.where(found, (W - w) // 2),
        height.where(found, h),
        width.where(found, w),
    )


def jitter_factors(
    n: int,
    ranges: Mapping[str, Range | None],
    generator: Generator | None = None,
    device: Device = "cpu",
) -> tuple[dict[str, Tensor], Tensor]:
    """A factor (N,) for each adjustment that has a range, and the order of all: (N, len(ranges)).

    The order holds places in ``ranges``: every image has its own permutation.
    """
    order = uniform((n, len(ranges)), generator=generator, device=device).argsort(1)
    factors = {
        name: uniform((n,), bounds, generator, device)
        for name, bounds in ranges.items()
        if bounds is not None
    }
    return factors, order


def _places(share: Tensor, room: Tensor) -> Tensor:
    """Whole numbers from 0 to ``room``, each as likely; a float32 just under 1 may round up."""
    return torch.minimum((share * (room + 1)).long(), room).clamp(min=0)


def _largest(H: int, W: int, ratio: Range) -> tuple[int, int]:
    """(height, width)"""
    low, high = ratio
    return min(H, round(W / low)), min(W, round(H * high))
