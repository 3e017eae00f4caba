"""Pictures of worlds, of what an agent has learned of them, and of how it learned.

Everything draws on the Axes given, or on a figure of its own, and returns what it drew on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting.axes import BLACK, BLUE, ORANGE, RED
from cs231n_lib.reinforcement.episodes import OBSERVATION_UNITS

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

#: Right and down of the four actions of gymnasium's grids: up, right, down, left.
ARROWS = ((0, -1), (1, 0), (0, 1), (-1, 0))
POLE = 1.0  # metres, with which the pole is drawn and simulated
BORDER = 2.4  # metres: a cart beyond is lost


def draw_map(
    ax: Axes,
    values: ArrayLike,
    actions: ArrayLike | None = None,
    *,
    names: Mapping[tuple[int, int], str] | None = None,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """A world of (H, W) cells: its values in colour, an arrow for the action in each.

    ``actions`` (H, W) are 0 up, 1 right, 2 down, 3 left, or -1 for no arrow. Cells in ``names``
    show their name in place of an arrow; NaN is a cell without a value, and grey.
    """
    table = np.asarray(values, np.float64)
    shades = ax.imshow(table, cmap="viridis", aspect="equal")
    shades.set_clim(*(limits or (np.nanmin(table), np.nanmax(table))))
    ax.set_facecolor("0.8")
    ax.set(xticks=np.arange(-0.5, table.shape[1]), yticks=np.arange(-0.5, table.shape[0]))
    ax.grid(color="white", linewidth=1)
    ax.tick_params(length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_visible(False)
    names = names or {}
    for (row, column), name in names.items():
        colour = _ink(shades, table[row, column])
        ax.text(column, row, name, ha="center", va="center", fontsize=8, color=colour)
    if actions is not None:
        for (row, column), action in np.ndenumerate(np.asarray(actions)):
            if action < 0 or (row, column) in names:
                continue
            right, down = ARROWS[int(action)]
            ax.annotate(
                "",
                (column + 0.32 * right, row + 0.32 * down),
                (column - 0.32 * right, row - 0.32 * down),
                arrowprops={"arrowstyle": "-|>", "color": _ink(shades, table[row, column])},
            )
    return ax


def show_table(
    ax: Axes, table: ArrayLike, rows: Sequence[str], columns: Sequence[str],
    limits: tuple[float, float] | None = None,
) -> Axes:  # fmt: skip
    """A table of numbers (R, C) with one digit after the point, coloured by size."""
    numbers = np.asarray(table, np.float64)
    shades = ax.imshow(numbers, cmap="viridis", aspect="auto")
    shades.set_clim(*(limits or (float(numbers.min()), float(numbers.max()))))
    for (row, column), number in np.ndenumerate(numbers):
        colour = _ink(shades, number)
        ax.text(column, row, f"{number:.1f}", ha="center", va="center", color=colour, fontsize=9)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def draw_band(
    ax: Axes, curves: ArrayLike, *, label: str, colour: str = BLUE, x: ArrayLike | None = None,
    style: str = "-",
) -> Axes:  # fmt: skip
    """Curves of several seeds (S, U): their mean as a line, the lowest and highest as a band."""
    table = np.asarray(curves, np.float64)
    places = np.arange(1, table.shape[1] + 1) if x is None else np.asarray(x)
    ax.fill_between(places, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.2, lw=0)
    ax.plot(places, table.mean(axis=0), style, color=colour, label=label)
    return ax


def film_strip(
    ax: Axes, observations: NDArray[np.float32], steps: Sequence[int], title: str = ""
) -> Axes:
    """CartPole at these steps of an episode, side by side: (T, 4) in OBSERVATION_UNITS.

    A step beyond the end shows an empty frame. The track ends where the episode would.
    """
    from matplotlib.patches import Rectangle

    metres = np.asarray(observations) * OBSERVATION_UNITS
    width = 2 * BORDER + 0.6
    for number, step in enumerate(steps):
        middle = number * width
        ax.add_patch(Rectangle((middle - width / 2, -0.75), width, 2.4, fc="none", ec="0.7"))
        ax.text(middle, 1.3, f"step {step}", ha="center", fontsize=8, color="0.3")
        ax.plot([middle - BORDER, middle + BORDER], [-0.3, -0.3], color=BLACK, lw=0.8)
        if step >= len(metres):
            ax.text(middle, 0.3, "over", ha="center", color=RED, fontsize=9)
            continue
        cart, angle = middle + metres[step, 0], metres[step, 2]
        ax.add_patch(Rectangle((cart - 0.45, -0.3), 0.9, 0.3, color=BLUE, lw=0))
        top = cart + POLE * np.sin(angle), POLE * np.cos(angle)
        ax.plot([cart, top[0]], [0, top[1]], color=ORANGE, lw=3, solid_capstyle="round")
    ax.set(xlim=(-width / 2 - 0.1, (len(steps) - 0.5) * width + 0.1), ylim=(-0.8, 1.7))
    ax.set_aspect("equal")
    ax.axis("off")
    ax.set_title(title, fontsize=10, loc="left")
    return ax


def _ink(shades: AxesImage, value: Any) -> str:
    """White on dark colours, black on light ones and on cells without a value."""
    low, high = shades.get_clim()
    share = (value - (low or 0.0)) / (((high or 0.0) - (low or 0.0)) or 1.0)
    return "white" if share < 0.6 else "black"
