"""Transforms of pictures with the names, arguments and attributes of torchvision's.

For where torchvision cannot be imported; ``from cs231n_lib.simclr import transforms`` gives
torchvision's own module where it can. Each takes a Pillow image, or a uint8 array (H, W, 3), or a
tensor (3, H, W) with values from 0 to 1, and draws from torch's global generator at every call.
``batched`` (views.py) applies the same compositions to a whole batch.

Dimension letters: H x W pixels.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from cs231n_lib.simclr import draws
from cs231n_lib.simclr.views import batched

Picture = Image.Image | NDArray[np.uint8] | Tensor
Transform = Callable[[Any], Any]

__all__ = [
    "ColorJitter", "Compose", "Normalize", "RandomApply", "RandomGrayscale",
    "RandomHorizontalFlip", "RandomResizedCrop", "ToTensor",
]  # fmt: skip


class _Shown:
    """Shows itself with its attributes."""

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


class Compose(_Shown):
    """Apply ``transforms`` one after the other."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class RandomApply(_Shown):
    """Apply all of ``transforms``, with probability p; else none."""

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        if not isinstance(transforms, Sequence | torch.nn.ModuleList):
            raise TypeError(
                f"RandomApply takes a list of transforms, even for a single one; found "
                f"{type(transforms).__name__}. Write RandomApply([...], p={p})"
            )
        self.transforms = transforms
        self.p = _probability(p)

    def __call__(self, image: Any) -> Any:
        if draws.coins(1, self.p):
            for transform in self.transforms:
                image = transform(image)
        return image


class RandomResizedCrop(_Shown):
    """Cut out a random part and resize it, bilinearly, to ``size``: (S, S), or (height, width).

    Its share of the area is uniform in ``scale``, and its width / height log-uniform in ``ratio``
    (Szegedy et al., Going Deeper with Convolutions, 2014, section 6).
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
    ) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.scale, self.ratio = _bounds("scale", scale), _bounds("ratio", ratio)

    def __call__(self, image: Picture) -> Any:
        if isinstance(image, Tensor):
            return batched(self, image[None])[0]
        picture = _picture(image)
        boxes = draws.crop_boxes(1, (picture.height, picture.width), self.scale, self.ratio)
        top, left, height, width = (int(value) for value in boxes)
        cut = picture.crop((left, top, left + width, top + height))
        return cut.resize((self.size[1], self.size[0]), Image.Resampling.BILINEAR)


class RandomHorizontalFlip(_Shown):
    """Mirror left and right, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = _probability(p)

    def __call__(self, image: Picture) -> Any:
        if isinstance(image, Tensor):
            return batched(self, image[None])[0]
        picture = _picture(image)
        return ImageOps.mirror(picture) if draws.coins(1, self.p) else picture


class ColorJitter(_Shown):
    """Change brightness, contrast, saturation and hue at random, in random order.

    A number b stands for factors from max(0, 1 - b) to 1 + b, for hue (at most 0.5) for shifts
    from -hue to hue of a whole turn; a pair gives both bounds. The attributes hold the pairs, or
    None where nothing changes.
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        self.brightness = _jitter("brightness", brightness)
        self.contrast = _jitter("contrast", contrast)
        self.saturation = _jitter("saturation", saturation)
        self.hue = _jitter("hue", hue, centre=0, lowest=-0.5, highest=0.5)

    def __call__(self, image: Picture) -> Any:
        if isinstance(image, Tensor):
            return batched(self, image[None])[0]
        factors, order = draws.jitter_factors(1, vars(self))
        picture = _picture(image)
        names = list(vars(self))
        for number in order[0].tolist():
            if (name := names[number]) in factors:
                picture = _PILLOW[name](picture, factors[name].item())
        return picture


class RandomGrayscale(_Shown):
    """Take the colours out, with probability p; there still are three channels, all the same."""

    def __init__(self, p: float = 0.1) -> None:
        self.p = _probability(p)

    def __call__(self, image: Picture) -> Any:
        if isinstance(image, Tensor):
            return batched(self, image[None])[0]
        picture = _picture(image)
        return picture.convert("L").convert(picture.mode) if draws.coins(1, self.p) else picture


class ToTensor(_Shown):
    """A picture (H, W, 3) of 256 levels becomes a tensor (3, H, W) of floats from 0 to 1."""

    def __call__(self, image: Image.Image | NDArray[np.generic]) -> Tensor:
        if isinstance(image, Tensor):
            raise TypeError("ToTensor takes a Pillow image or an array; this is already a tensor")
        levels = np.array(image)  # a copy
        levels = levels[:, :, None] if levels.ndim == 2 else levels
        values = torch.from_numpy(levels).permute(2, 0, 1).contiguous()
        return values.float().div(255) if values.dtype == torch.uint8 else values


class Normalize(_Shown):
    """Subtract ``mean`` and divide by ``std``, a number for each channel of a tensor (3, H, W)."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        if 0 in std:
            raise ValueError(f"std is {std}, and division by 0 is not possible")
        self.mean, self.std = mean, std

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor):
            raise TypeError(
                f"Normalize takes a tensor; found {type(image).__name__}. Put ToTensor() before it"
            )
        mean, std = (
            torch.as_tensor(v, dtype=image.dtype, device=image.device).view(-1, 1, 1)
            for v in (self.mean, self.std)
        )
        return (image - mean) / std


def _turn_hue(picture: Image.Image, shift: float) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([(level + round(shift * 255)) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert(picture.mode)


_PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "brightness": lambda picture, factor: ImageEnhance.Brightness(picture).enhance(factor),
    "contrast": lambda picture, factor: ImageEnhance.Contrast(picture).enhance(factor),
    "saturation": lambda picture, factor: ImageEnhance.Color(picture).enhance(factor),
    "hue": _turn_hue,
}


def _picture(image: Any) -> Image.Image:
    if isinstance(image, Image.Image):
        return image
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        return Image.fromarray(image)
    raise TypeError(
        f"found {type(image).__name__}; a transform takes a Pillow image, a uint8 array (H, W, 3) "
        "or a tensor (3, H, W)"
    )


def _probability(p: float) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}; a probability is between 0 and 1")
    return p


def _bounds(name: str, pair: Sequence[float]) -> tuple[float, float]:
    low, high = pair
    if not 0 < low <= high:
        raise ValueError(f"{name} is {tuple(pair)}; it must be (low, high) with 0 < low <= high")
    return low, high


def _jitter(
    name: str,
    value: float | Sequence[float],
    centre: float = 1,
    lowest: float = 0,
    highest: float = float("inf"),
) -> tuple[float, float] | None:
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"{name} is {value}; a single number must not be negative")
        low, high = centre - value, centre + value
        low = max(low, 0) if name != "hue" else low
    else:
        low, high = value
    if not lowest <= low <= high <= highest:
        raise ValueError(f"{name} is {value}; its bounds must lie in {lowest} .. {highest}")
    return None if low == high == centre else (float(low), float(high))
