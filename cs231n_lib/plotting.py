"""Pictures for the notebooks. Every function draws on its own new figure, or on the ``ax`` given.

None calls ``show`` or changes a global setting; each returns the Axes (or Figure) to go on with.
Colours are Okabe and Ito's, which colour-blind readers can tell apart.
Dimension letters: N images, H x W pixels, C = 1 or 3 channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"


def visualize_grid(Xs: ArrayLike, ubound: float = 255.0, padding: int = 1) -> NDArray[np.float64]:
    """Tile images into one square grid, each stretched to the range 0 to ``ubound``.

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
    grid = np.zeros((side * step_y - padding, side * step_x - padding, channels))
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
    """Show random examples of each class, a column a class. X (N, H, W, 3), y (N,)."""
    images, labels = np.asarray(X), np.asarray(y)
    if len(images) != len(labels):
        raise ValueError(f"X has {len(images)} images, but y has {len(labels)} labels")
    height, width, channels = images.shape[1:]
    montage = np.full((per_class * height, len(classes) * width, channels), 255, np.uint8)
    rng = np.random.default_rng(seed)
    for column in range(len(classes)):
        rows = rng.permutation(np.flatnonzero(labels == column))[:per_class]
        for place, image in enumerate(_displayable(images[rows]) if len(rows) else ()):
            top, left = place * height, column * width
            montage[top : top + height, left : left + width] = image
    ax = ax or _new_axes((1.0 * len(classes), 1.05 * per_class))
    ax.imshow(montage)
    ax.set_xticks([(column + 0.5) * width for column in range(len(classes))], list(classes))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def plot_loss(
    losses: ArrayLike | Mapping[str, ArrayLike], smooth: int = 1, ax: Axes | None = None
) -> Axes:
    """Plot the loss at each iteration: one history, or several by name.

    ``smooth`` > 1 also draws the mean over that many iterations, for noisy minibatches.
    """
    ax = ax or _new_axes()
    histories = losses if isinstance(losses, Mapping) else {"loss": losses}
    for (name, history), colour in zip(histories.items(), _colours(len(histories)), strict=True):
        values = np.asarray(history, np.float64)
        averaged = smooth > 1 and len(values) >= smooth
        ax.plot(values, color=colour, alpha=0.3 if averaged else 1.0, label=name)
        if averaged:
            mean = np.convolve(values, np.full(smooth, 1 / smooth), mode="valid")
            ax.plot(np.arange(smooth - 1, len(values)), mean, color=colour)
    ax.set(xlabel="iteration", ylabel="loss")
    if len(histories) > 1:
        ax.legend()
    return ax


def plot_accuracy(train: ArrayLike, validation: ArrayLike, ax: Axes | None = None) -> Axes:
    """Plot training and validation accuracy (0 to 1), one value an epoch."""
    ax = ax or _new_axes()
    ax.plot(np.asarray(train), "o-", color=BLUE, label="training")
    ax.plot(np.asarray(validation), "s--", color=ORANGE, label="validation")
    ax.set(xlabel="epoch", ylabel="accuracy")
    ax.legend()
    return ax


def plot_cross_validation(
    accuracies: Mapping[int, Sequence[float]], name: str = "k", ax: Axes | None = None
) -> Axes:
    """Plot every fold's accuracy against a hyper-parameter, and mean with standard deviation."""
    if not accuracies or any(len(folds) == 0 for folds in accuracies.values()):
        raise ValueError("every value of the hyper-parameter needs at least one accuracy")
    ax = ax or _new_axes()
    values = sorted(accuracies)
    for value in values:
        folds = accuracies[value]
        ax.scatter([value] * len(folds), folds, color=BLUE, alpha=0.5, s=18)
    means = [float(np.mean(accuracies[value])) for value in values]
    spreads = [float(np.std(accuracies[value])) for value in values]
    ax.errorbar(values, means, yerr=spreads, color=RED, capsize=3, label="mean ± std. deviation")
    ax.set(xlabel=name, ylabel="cross-validation accuracy")
    ax.legend()
    return ax


def show_distances(dists: ArrayLike, ax: Axes | None = None) -> Axes:
    """Show a distance matrix (tests, training rows): black is near, white is far."""
    matrix = np.asarray(dists)
    if matrix.ndim != 2:
        raise ValueError(f"dists must have two dimensions, not shape {matrix.shape}")
    ax = ax or _new_axes((9, 2.2))
    image = ax.imshow(matrix, cmap="gray", aspect="auto", interpolation="none")
    ax.set(xlabel="training row", ylabel="test row")
    ax.figure.colorbar(image, ax=ax, label="distance")
    return ax


def _new_axes(size: tuple[float, float] = (6.4, 4.0)) -> Axes:
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def _colours(count: int) -> list[str]:
    cycle = [BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#000000"]
    return [cycle[number % len(cycle)] for number in range(count)]


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
