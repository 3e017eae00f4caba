"""Accuracies and latencies, filters, histograms of weights, and sizes as stacked bars.

Dimension letters: F filters, C = 3 colours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cs231n_lib.plotting.axes import BLUE, GREEN, ORANGE, PURPLE, RED, new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PART_COLOURS = {"values": BLUE, "positions": ORANGE, "codebooks": GREEN, "biases": PURPLE}


def draw_accuracies(
    x: Sequence[float], lines: Mapping[str, Sequence[float]], original: float, xlabel: str
) -> Axes:
    """Accuracies in % over ``x``, a line each, and that of the original network as a dotted line.

    Later lines have smaller markers, so that the earlier ones show where lines coincide.
    """
    ax = new_axes((7.5, 4))
    for number, (name, values) in enumerate(lines.items()):
        ax.plot(x, values, marker="o", markersize=max(3, 8 - 2 * number), label=name)
    ax.axhline(original, color="grey", linestyle=":", label="original")
    ax.set(xlabel=xlabel, ylabel="validation accuracy, %", ylim=(0, 80))
    ax.legend(loc="lower left")
    return ax


def draw_latencies(panels: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Figure:
    """Milliseconds of each call as a dot, with the median as a line; a panel for each group.

    ``panels``: for each title the seconds of each candidate, as `latencies` measures them.
    """
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, len(panels), figsize=(5.5 * len(panels), 3), layout="constrained", squeeze=False
    )
    rng = np.random.default_rng(0)
    for ax, (title, group) in zip(axes[0], panels.items(), strict=True):
        for place, seconds in enumerate(group.values()):
            milliseconds, height = 1e3 * seconds, place + rng.uniform(-0.25, 0.25, len(seconds))
            colour = (ORANGE, BLUE, GREEN, PURPLE)[place % 4]
            ax.scatter(milliseconds, height, s=12, color=colour, alpha=0.6)
            ax.plot([np.median(milliseconds)] * 2, [place - 0.4, place + 0.4], color=RED, lw=2)
        ax.set_yticks(range(len(group)), list(group))
        ax.invert_yaxis()
        farthest = 1.5e3 * max(np.quantile(seconds, 0.75) for seconds in group.values())
        ax.set(xlabel="ms (interrupted calls lie farther right)", xlim=(0, farthest), title=title)
    return figure


def listed(values: Sequence[float], places: Sequence[object]) -> str:
    """For alt text: "64.3 % at 0.5, 61.9 % at 0.7"."""
    pairs = zip(values, places, strict=True)
    return ", ".join(f"{value:.1f} % at {place}" for value, place in pairs)


def draw_filters(rows: Mapping[str, Tensor], count: int = 16) -> Figure:
    """The first ``count`` filters (F, 3, h, w) of each row, in colours; grey is zero.

    All are on the scale of the largest weight of the first row, so that rows can be compared.
    """
    from matplotlib import pyplot as plt

    first = next(iter(rows.values()))
    scale = float(first.abs().max())
    figure, grid = plt.subplots(
        len(rows), count, figsize=(0.66 * count, 0.68 * len(rows)), squeeze=False
    )
    figure.subplots_adjust(left=0.13, right=0.99, top=0.98, bottom=0.02, wspace=0.08, hspace=0.08)
    for line, (name, filters) in zip(grid, rows.items(), strict=True):
        pixels = (filters.detach().cpu() / (2 * scale) + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
        for ax, image in zip(line, pixels[:count], strict=True):
            ax.imshow(image.numpy())
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def draw_histograms(
    panels: Mapping[str, Tensor], limit: float, shared: Collection[str] = ()
) -> NDArray[np.object_]:
    """A histogram of weights for each panel, on a logarithmic scale; zeros have their own bar.

    ``shared``: the panels whose weights take few values, each of which is drawn as a single bar.
    """
    from matplotlib import pyplot as plt

    _, axes = plt.subplots(
        1, len(panels), figsize=(3.6 * len(panels), 3.2), layout="constrained", sharey=True
    )
    axes = np.atleast_1d(axes)
    width = 2 * limit / 80
    for ax, (name, weights) in zip(axes, panels.items(), strict=True):
        values = weights.detach().cpu().flatten().numpy()
        zeros = int(np.sum(values == 0))
        rest = values[values != 0]
        if name in shared:
            levels, counts = np.unique(rest, return_counts=True)
            ax.bar(levels, counts, width=width, color=BLUE)
        else:
            ax.hist(rest, bins=np.linspace(-limit, limit, 81), color=BLUE)
        if zeros:
            ax.bar(0, zeros, width=width, color=ORANGE, label=f"{zeros:,} zeros")
            ax.legend(loc="upper left", fontsize=9)
        ax.set(yscale="log", xlim=(-limit, limit), xlabel="weight", title=name)
    axes[0].set_ylabel("how many")
    return axes


def draw_sizes(sizes: Mapping[str, Mapping[str, float]], ax: Axes) -> Axes:
    """A horizontal bar for each network, stacked by what the bytes are spent on, with its total.

    ``sizes``: for each network the bytes of some of ``PART_COLOURS``.
    """
    names = list(sizes)
    start = np.zeros(len(names))
    for part, colour in PART_COLOURS.items():
        length = np.array([sizes[name].get(part, 0.0) for name in names]) / 1000
        if length.any():
            ax.barh(names, length, left=start, color=colour, label=part)
        start += length
    for place, total in enumerate(start):
        ax.text(total, place, f" {total:.1f} kB", va="center", fontsize=9, color="black")
    ax.invert_yaxis()
    ax.set(xlabel="kB (1000 bytes)", xlim=(0, 1.15 * start.max()))
    ax.legend(loc="lower right", fontsize=9)
    return ax


__all__ = [
    "PART_COLOURS", "draw_accuracies", "draw_filters", "draw_histograms", "draw_latencies",
    "draw_sizes", "listed",
]  # fmt: skip
