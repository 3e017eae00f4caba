"""Helpers of the style transfer notebook: pictures, and what a network's stages make of them."""

from typing import Any

import torch
from torch import Tensor, nn

from cs231n_lib import net_visualization
from cs231n_lib.gradient_check import rel_error
from cs231n_lib.image_utils import SQUEEZENET, Preprocessing
from cs231n_lib.models.stages import extract_features, like_parameters
from cs231n_lib.net_visualization import deprocess, rescale

__all__ = [
    "deprocess", "extract_features", "features_from_img", "preprocess", "rel_error", "rescale",
]  # fmt: skip


def preprocess(
    img: Any, size: int | None = 512, preprocessing: Preprocessing = SQUEEZENET
) -> Tensor:
    """``net_visualization.preprocess`` with the larger size that is usual here."""
    return net_visualization.preprocess(img, size, preprocessing)


def features_from_img(
    imgpath: Any,
    imgsize: int | None,
    cnn: nn.Module,
    preprocessing: Preprocessing = SQUEEZENET,
    *,
    last: int | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Read a picture; return the features of every stage of ``cnn``, and the tensor they are of.

    imgpath: a path, a PIL image, or a uint8 array (H, W, 3); its shorter side becomes ``imgsize``.
    The tensor (1, 3, h, w) is on the device of ``cnn``, with its floating-point type. ``last``: as
    in ``extract_features``. Nothing here is part of a graph: features are targets.
    """
    image = like_parameters(preprocess(imgpath, imgsize, preprocessing), cnn)
    with torch.no_grad():
        return extract_features(image, cnn, last), image
