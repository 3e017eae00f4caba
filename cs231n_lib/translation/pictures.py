"""Attention as a picture: which English word each French one looked at."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike


def draw_attention(
    ax: Axes, weights: ArrayLike, english: Sequence[str], french: Sequence[str]
) -> AxesImage:
    """Draw weights (T, S): a row for each French word, a column for each English one.

    Raises ValueError where the shape is not (words of the French, words of the English).
    """
    table = np.asarray(weights)
    if table.shape != (len(french), len(english)):
        raise ValueError(
            f"weights have shape {table.shape} for {len(french)} French and {len(english)} "
            "English words"
        )
    shown = ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set(xlabel="English", ylabel="French")
    ax.set_xticks(range(len(english)), english, rotation=60, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(len(french)), french)
    ax.tick_params(length=0, labelsize=9)
    ax.grid(False)
    return shown
