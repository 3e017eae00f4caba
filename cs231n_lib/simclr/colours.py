"""Changes of colour for a batch of images: each image has a factor of its own.

What ``ColorJitter`` is made of, and what Pillow does to a picture, for tensors and without rounding
to 256 levels in between.

Dimension letters: N images, H x W pixels. Images x are (N, 3, H, W) with values from 0 to 1, and
factors (N,). Every function returns a new tensor of the shape of x.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

#: What red, green and blue add to the brightness that we see (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def grey(x: Tensor) -> Tensor:
    """The brightness of every pixel: (N, 1, H, W)."""
    weights = torch.tensor(LUMA, dtype=x.dtype, device=x.device)
    return (x * weights[:, None, None]).sum(1, keepdim=True)


def adjust_brightness(x: Tensor, factor: Tensor) -> Tensor:
    """Multiply all values: 0 is black, 1 changes nothing."""
    return (x * _each(factor)).clamp(0, 1)


def adjust_contrast(x: Tensor, factor: Tensor) -> Tensor:
    """Move all values away from the image's mean brightness: 0 is flat grey."""
    return _blend(x, grey(x).mean((2, 3), keepdim=True), factor)


def adjust_saturation(x: Tensor, factor: Tensor) -> Tensor:
    """Move every pixel away from its own grey: 0 is a black and white picture."""
    return _blend(x, grey(x), factor)


def adjust_hue(x: Tensor, shift: Tensor) -> Tensor:
    """Turn the colour wheel by ``shift`` of a whole turn; brightest value and saturation stay."""
    high, low = x.amax(1), x.amin(1)
    span = high - low
    hue = _sixths(x, high, span) + 6 * shift[:, None, None]
    # Walking around the wheel, each of red, green and blue is at its highest for two sixths, falls
    # for one, is lowest for two and rises for one; they do so two sixths after each other.
    starts = torch.tensor((5.0, 3.0, 1.0), dtype=x.dtype, device=x.device)[:, None, None]
    place = (hue[:, None] + starts) % 6
    fallen = torch.minimum(place, 4 - place).clamp(0, 1)
    return high[:, None] - span[:, None] * fallen


#: In the order in which ``ColorJitter`` takes them.
ADJUSTMENTS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "brightness": adjust_brightness,
    "contrast": adjust_contrast,
    "saturation": adjust_saturation,
    "hue": adjust_hue,
}


def _sixths(x: Tensor, high: Tensor, span: Tensor) -> Tensor:
    """The hue of every pixel in sixths of a turn, red being 0; for grey pixels 0: (N, H, W)."""
    red, green, blue = x.unbind(1)
    safe = span.where(span > 0, 1.0)
    hue = torch.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    return torch.where(high == red, (green - blue) / safe, hue) * (span > 0)


def _blend(x: Tensor, base: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(base.expand_as(x), x, _each(factor)).clamp(0, 1)


def _each(factor: Tensor) -> Tensor:
    return factor[:, None, None, None]
