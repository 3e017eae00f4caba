"""Rows of small pictures with names, and the file of a whole page of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.figure import Figure


def show_rows(
    rows: Sequence[Tensor | Sequence[Tensor]],
    names: Sequence[str] = (),
    titles: Sequence[str] = (),
    *,
    width: float = 0.9,
    value_range: tuple[float, float] = (0, 1),
) -> Figure:
    """Draw rows of images (3, H, W), each named at its left; ``titles`` above the first row.

    width: of one image, in inches. value_range: the numbers that are black and white.
    """
    import matplotlib.pyplot as plt

    columns = max(len(row) for row in rows)
    named = 1.2 if names else 0.0
    size = (width * columns + named, width * 1.08 * len(rows) + 0.3 * bool(titles))
    fig, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    low, high = value_range
    for line, row in zip(axes, rows, strict=True):
        for ax in line:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for ax, image in zip(line, row, strict=False):
            ax.imshow(_pixels((image - low) / (high - low)))
    for line, name in zip(axes, names, strict=False):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title, fontsize=8)
    fig.tight_layout(pad=0.3)
    return fig


def save_page(images: Tensor, path: Path, columns: int = 12, zoom: int = 3) -> None:
    """Write images (N, 3, H, W) in [0, 1] as one picture; N is a multiple of ``columns``."""
    from PIL import Image

    pixels = (_pixels(images) * 255).round().astype(np.uint8)
    N, H, W, _ = pixels.shape
    grid = pixels.reshape(N // columns, columns, H, W, 3).transpose(0, 2, 1, 3, 4)
    page = Image.fromarray(grid.reshape(-1, columns * W, 3))
    page.resize((page.width * zoom, page.height * zoom), Image.Resampling.NEAREST).save(path)


def _pixels(images: Tensor) -> NDArray[np.float32]:
    """(..., 3, H, W) in [0, 1] -> (..., H, W, 3), cut to that range."""
    return torch.as_tensor(images).detach().cpu().float().clamp(0, 1).movedim(-3, -1).numpy()
