"""What the pictures share: colours, and a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"


def new_axes(size: tuple[float, float] = (6.4, 4.0)) -> Axes:
    """The only axes of a new figure, ``size`` inches wide and high."""
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]
