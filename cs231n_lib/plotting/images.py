"""Images: grids, montages, and the weights of a linear classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting.axes import new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def visualize_grid(Xs: ArrayLike, ubound: float = 255.0, padding: int = 1) -> NDArray[np.float64]:
    """Tile images into one square grid, each stretched to the range 0 to ``ubound``, gaps white.

    Shapes: Xs (N, H, W, C); returns (G*H + (G-1)*padding, G*W + (G-1)*padding, C) with
    G = ceil(sqrt(N)).
    Raises ValueError when Xs is not 4-dimensional or is empty.
    """
    images = np.asarray(Xs, np.float64)
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(f"Xs must have shape (N, H, W, C) with N > 0, not {images.shape}")
    count, height, width, channels = images.shape
    side = int(np.ceil(np.sqrt(count)))
    step_y, step_x = height + padding, width + padding
    grid = np.full((side * step_y - padding, side * step_x - padding, channels), ubound)
    for number, image in enumerate(images):
        y, x = number // side * step_y, number % side * step_x
        low, high = image.min(), image.max()
        scale = ubound / (high - low) if high > low else 0.0
        grid[y : y + height, x : x + width] = (image - low) * scale
    return grid


def show_images(
    images: ArrayLike, titles: Sequence[str] | None = None, columns: int | None = None
) -> Figure:
    """Show images side by side, with a title each if given.

    Shapes: images (N, H, W, C), (N, H, W) or one (H, W, 3); bytes, or floats from 0 to 255, or
    floats from 0 to 1. Raises ValueError on other shapes or when titles do not match images.
    """
    from matplotlib import pyplot as plt

    pixels = _displayable(images)
    if titles is not None and len(titles) != len(pixels):
        raise ValueError(f"{len(titles)} titles for {len(pixels)} images")
    columns = columns or min(len(pixels), 10)
    rows = -(-len(pixels) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(1.2 * columns, 1.35 * rows), squeeze=False, layout="constrained"
    )
    for number, ax in enumerate(axes.flat):
        ax.axis("off")
        if number < len(pixels):
            ax.imshow(pixels[number], cmap="gray", vmin=0, vmax=255)
            if titles is not None:
                ax.set_title(titles[number], fontsize=9)
    return figure


def class_montage(
    X: ArrayLike,
    y: ArrayLike,
    classes: Sequence[str],
    per_class: int = 7,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Show random examples of each class, a column a class.

    Shapes: X (N, H, W, C) or (N, H, W), in the ranges of ``show_images``; y (N,).
    Raises ValueError on other shapes, or when no image is of these classes.
    """
    images, labels = np.asarray(X), np.asarray(y)
    if len(images) != len(labels):
        raise ValueError(f"X has {len(images)} images, but y has {len(labels)} labels")
    rng = np.random.default_rng(seed)
    chosen = [
        rng.permutation(np.flatnonzero(labels == column))[:per_class]
        for column in range(len(classes))
    ]
    # All in one call: whether floats go up to 1 or to 255 must be the same for every class.
    pixels = _displayable(images[np.concatenate(chosen)])
    height, width = pixels.shape[1:3]
    shape = (per_class * height, len(classes) * width, *pixels.shape[3:])
    montage = np.full(shape, 255, np.uint8)
    ends = np.cumsum([len(rows) for rows in chosen])
    for column, examples in enumerate(np.split(pixels, ends[:-1])):
        for place, image in enumerate(examples):
            top, left = place * height, column * width
            montage[top : top + height, left : left + width] = image
    ax = ax or new_axes((1.0 * len(classes), 1.05 * per_class))
    ax.imshow(montage, cmap="gray", vmin=0, vmax=255)
    ax.set_xticks([(column + 0.5) * width for column in range(len(classes))], list(classes))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def show_templates(
    W: ArrayLike,
    classes: Sequence[str],
    image_shape: tuple[int, int, int] = (32, 32, 3),
    joint: bool = False,
) -> Figure:
    """Show each column of a linear classifier's weights as an image, its class above it.

    Grey is near 0, a bright colour raises the class's score, its absence lowers it. Each class is
    stretched by itself, so that all patterns are visible; ``joint`` stretches all alike, so that
    their strengths can be compared. In both, 0 is the middle of the range.
    Shapes: W (D, C), or (D + 1, C) with the biases in the last row, which is not shown; D is the
    product of ``image_shape`` (height, width, channels), in that order.
    Raises ValueError when W or classes have another size.
    """
    weights = np.asarray(W, np.float64)
    size = int(np.prod(image_shape))
    if weights.ndim != 2 or len(weights) not in (size, size + 1):
        raise ValueError(
            f"W has shape {weights.shape}; for images {image_shape} it needs {size} rows, or "
            f"{size + 1} with the bias"
        )
    if weights.shape[1] != len(classes):
        raise ValueError(f"W has {weights.shape[1]} columns, but there are {len(classes)} classes")
    templates = weights[:size].T.reshape(-1, *image_shape)  # (C, H, W, channels)
    extent = np.abs(templates).max(axis=None if joint else (1, 2, 3), keepdims=True)
    scaled = templates / np.where(extent > 0, extent, 1)
    return show_images(127.5 * (1 + scaled), titles=classes, columns=-(-len(classes) // 2))


def _displayable(images: ArrayLike) -> NDArray[np.uint8]:
    """Bring images to (N, H, W) or (N, H, W, 3) bytes. Floats up to 1 are taken as 0 to 1."""
    pixels = np.asarray(images)
    if pixels.ndim == 3 and pixels.shape[-1] == 3:
        pixels = pixels[None]
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.size == 0 or not (pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[-1] == 3)):
        raise ValueError(
            f"images must have shape (N, H, W, 3), (N, H, W) or (H, W, 3), not {pixels.shape}"
        )
    if np.issubdtype(pixels.dtype, np.floating) and pixels.max() <= 1:
        pixels = pixels * 255
    return np.clip(pixels, 0, 255).astype(np.uint8)
