"""Augment thousands of images a second: a composition of transforms applied to a whole batch.

Every image has random numbers of its own, as if the composition had been called for each. A
picture that is cut out is resized as Pillow does it, by two small matrices for each image, one for
its rows and one for its columns. Compositions of torchvision's transforms work as well as ours:
the classes are told apart by name, and have the same attributes.

Dimension letters: N images, H x W pixels, S x S pixels of a resized crop.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from cs231n_lib.simclr import colours, draws

Images = Tensor | NDArray[np.uint8]


def batched(transform: Any, images: Images, generator: Generator | None = None) -> Tensor:
    """Apply a transform, or a ``Compose`` of several, to every image: (N, 3, S, S) float.

    images: uint8 (N, H, W, 3), an array or a tensor, or floating point (N, 3, H, W) from 0 to 1.
    They are left as they are. The result is on their device. Random numbers come from
    ``generator``, or else from torch's global one.
    Raises TypeError for a transform that it does not know, ValueError for images of another shape.
    """
    x = as_batch(images)
    for step in steps_of(transform):
        x = _known(step)(step, x, generator)
    return x


def as_batch(images: Images) -> Tensor:
    """(N, 3, H, W), floating point, from 0 to 1, as ``batched`` takes them."""
    x = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
    if x.dtype == torch.uint8 and x.ndim == 4 and x.shape[3] == 3:
        return x.permute(0, 3, 1, 2).float().div_(255)
    if x.is_floating_point() and x.ndim == 4 and x.shape[1] == 3:
        return x
    raise ValueError(
        f"images must be uint8 (N, H, W, 3), or floats (N, 3, H, W) from 0 to 1; found "
        f"{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)}"
    )


def steps_of(transform: Any) -> Iterable[Any]:
    """The parts of a composition or a list; a transform alone is the only one."""
    if type(transform).__name__ == "Compose":
        return transform.transforms
    if isinstance(transform, list | tuple | torch.nn.Sequential | torch.nn.ModuleList):
        return transform
    return [transform]


def _crop(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    n, _, H, W = x.shape
    size = (step.size, step.size) if isinstance(step.size, int) else tuple(step.size)
    boxes = draws.crop_boxes(n, (H, W), step.scale, step.ratio, generator, x.device)
    rows = _resampling(boxes.top, boxes.height, H, size[0]).to(x.dtype)
    columns = _resampling(boxes.left, boxes.width, W, size[1]).to(x.dtype)
    return rows[:, None] @ x @ columns[:, None].mT


def _resampling(start: Tensor, length: Tensor, full: int, size: int) -> Tensor:
    """What each of ``size`` new pixels takes of the ``full`` old ones: (N, S, full), rows sum to 1.

    A triangle around the new pixel's centre, as wide as an old pixel or, where the picture
    shrinks, a new one; nothing of what lies outside the part that was cut out.
    """
    step = length.float()[:, None, None] / size
    new = torch.arange(size, device=start.device)[:, None]
    old = torch.arange(full, device=start.device)
    centres = (new + 0.5) * step + start[:, None, None]
    weights = (1 - ((old + 0.5) - centres).abs() / step.clamp(min=1)).clamp(min=0)
    inside = (old >= start[:, None, None]) & (old < (start + length)[:, None, None])
    weights = weights * inside
    return weights / weights.sum(2, keepdim=True)


def _flip(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    turned = draws.coins(len(x), step.p, generator, x.device)
    return torch.where(turned[:, None, None, None], x.flip(3), x)


def _greyscale(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    chosen = draws.coins(len(x), step.p, generator, x.device)
    return torch.where(chosen[:, None, None, None], colours.grey(x), x)


def _some(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    """``RandomApply``: the images that are chosen go through its transforms on their own."""
    rows = draws.coins(len(x), step.p, generator, x.device).nonzero()[:, 0]
    if not len(rows):
        return x
    return x.index_copy(0, rows, batched(step.transforms, x[rows], generator))


def _jitter(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    ranges = {name: getattr(step, name) for name in colours.ADJUSTMENTS}
    factors, order = draws.jitter_factors(len(x), ranges, generator, x.device)
    x = x.clone()
    for place in range(len(ranges)):
        for number, name in enumerate(ranges):
            rows = (order[:, place] == number).nonzero()[:, 0]
            if name in factors and len(rows):
                factor = factors[name][rows].to(x.dtype)
                x[rows] = colours.ADJUSTMENTS[name](x[rows], factor)
    return x


def _normalize(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    mean, std = (torch.as_tensor(v, dtype=x.dtype, device=x.device) for v in (step.mean, step.std))
    return (x - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)


def _as_it_is(step: Any, x: Tensor, generator: Generator | None) -> Tensor:
    """``ToTensor``: the batch is one already."""
    return x


_BATCHED: Mapping[str, Callable[[Any, Tensor, Generator | None], Tensor]] = {
    "RandomResizedCrop": _crop,
    "RandomHorizontalFlip": _flip,
    "RandomApply": _some,
    "ColorJitter": _jitter,
    "RandomGrayscale": _greyscale,
    "ToTensor": _as_it_is,
    "Normalize": _normalize,
}


def _known(step: Any) -> Callable[[Any, Tensor, Generator | None], Tensor]:
    name = type(step).__name__
    if name not in _BATCHED:
        raise TypeError(
            f"batched() cannot apply {name}; it knows {', '.join(_BATCHED)}. For others, go "
            "through the images one by one: torch.utils.data.DataLoader over CIFAR10Images"
        )
    return _BATCHED[name]
