"""Between pictures and the tensors a network takes, for making images by gradient ascent.

Every function works on any device and with any floating-point type. The network's own
normalisation is an argument; without it, SqueezeNet's is used.
Dimension letters: N images of H x W pixels, h x w after resizing.
"""

from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from cs231n_lib.image_utils import (
    SQUEEZENET,
    Preprocessing,
    as_image,
    deprocess_image,
    preprocess_image,
    resize,
)

__all__ = ["blur_image", "deprocess", "jitter", "preprocess", "rescale"]


def preprocess(
    img: Any, size: int | None = 224, preprocessing: Preprocessing = SQUEEZENET
) -> Tensor:
    """Make a picture a normalised tensor (1, 3, h, w), float32, whose shorter side is ``size``.

    img: a PIL image, a uint8 array (H, W, 3), or a path. ``size=None`` keeps its size.
    """
    pixels = preprocess_image(np.asarray(resize(as_image(img), size)), preprocessing)
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())


def deprocess(
    img: Tensor, should_rescale: bool = True, preprocessing: Preprocessing = SQUEEZENET
) -> Image.Image:
    """Make a normalised tensor (1, 3, h, w) or (3, h, w) a picture again.

    With ``should_rescale`` its smallest value becomes black and its largest white; else values out
    of range are clipped. Raises ValueError when it holds more than one image.
    """
    pixels = img.detach().cpu().float()
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if pixels.ndim != 3 or len(pixels) != 3:
        raise ValueError(f"img must have shape (1, 3, h, w), not {tuple(img.shape)}")
    array = pixels.permute(1, 2, 0).numpy()
    return Image.fromarray(deprocess_image(array, should_rescale, preprocessing))


def rescale(x: Tensor) -> Tensor:
    """Shift and stretch the values to 0 .. 1; those of a uniform image all become 0."""
    low, high = x.min(), x.max()
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


def blur_image(X: Tensor, sigma: float = 1) -> Tensor:
    """Blur (N, C, H, W) with a Gaussian of ``sigma`` pixels, in place; return X itself."""
    with torch.no_grad():
        blurred = X.detach().cpu()
        array = (blurred if blurred.dtype == torch.float64 else blurred.float()).numpy()
        for axis in (2, 3):
            array = gaussian_filter1d(array, sigma, axis=axis)
        X.copy_(torch.from_numpy(array))
    return X


def jitter(X: Tensor, ox: int, oy: int) -> Tensor:
    """Shift (N, C, H, W) by ``ox`` pixels to the right and ``oy`` down; what falls out comes back
    in at the other side. Negative numbers undo it.
    """
    return torch.roll(X, shifts=(oy, ox), dims=(2, 3))
