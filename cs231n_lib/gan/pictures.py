"""Grey images as GANs make them, drawn as one grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting.axes import new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes

GAP = 2  # white pixels between two images


def show_images(
    images: ArrayLike | torch.Tensor,
    columns: int | None = None,
    *,
    value_range: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw grey images in a grid, row by row, and return the Axes.

    Shapes: images (N, D), rows of square images, or (N, H, W) or (N, 1, H, W); an array, or a
    tensor on any device. columns: default ceil(sqrt(N)). value_range: what is black and what is
    white; default (-1, 1) if there is a negative value, else (0, 1), or (0, 255) for bytes.
    Raises ValueError when the shape is another one, there is no image, or a pixel is not a number.
    """
    grid = image_grid(images, columns, value_range=value_range)
    height, width = grid.shape
    size = 6.0 / max(height, width)
    ax = ax or new_axes((width * size, height * size))
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1)
    ax.axis("off")
    return ax


def image_grid(
    images: ArrayLike | torch.Tensor,
    columns: int | None = None,
    *,
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.float64]:
    """The picture that ``show_images`` draws: (height, width), 0 black to 1 white."""
    given = images.detach().cpu() if isinstance(images, torch.Tensor) else images
    pixels = _as_images(np.asarray(given))
    if not np.isfinite(pixels).all():
        raise ValueError("some pixels are NaN or infinite; the network that made them has diverged")
    low, high = value_range or _range_of(pixels)
    scaled = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    count, height, width = scaled.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    grid = np.ones((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP))
    for number, image in enumerate(scaled):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        grid[top : top + height, left : left + width] = image
    return grid


def _as_images(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """(N, H, W), whichever of the shapes it was."""
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and math.isqrt(values.shape[1]) ** 2 == values.shape[1]:
        side = math.isqrt(values.shape[1])
        values = values.reshape(-1, side, side)
    if values.ndim != 3 or values.size == 0:
        raise ValueError(
            f"images have shape {values.shape}; they need (N, 1, H, W), (N, H, W), or (N, D) with "
            "rows that are squares, such as 784 = 28 * 28"
        )
    return values


def _range_of(pixels: NDArray[np.generic]) -> tuple[float, float]:
    if pixels.dtype == np.uint8:
        return 0.0, 255.0
    return (-1.0, 1.0) if pixels.min() < 0 else (0.0, 1.0)
