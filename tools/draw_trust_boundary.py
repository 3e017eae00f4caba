"""Draw what a judge keeps to itself, what a student's code gets, and what crosses between them.

.venv/bin/python tools/draw_trust_boundary.py     # writes docs/img/trust-boundary.png
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from cs231n_lib.plotting import BLUE, GREEN, ORANGE, RED

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 100.0, 56.0  # tenths of an inch, so that sizes are those of the picture
BOUNDARY = 52.0
DPI = 110


# Where a box lies (left, bottom, width, height), its colour, its name, what it holds.
BOXES = (
    (
        (3, 33.5, 27, 15),
        BLUE,
        "judge",
        "hidden checks, expected values,\nseeds; compares and scores;\na process for each notebook",
    ),
    (
        (3, 8, 27, 15.5),
        GREEN,
        "driver",
        "the only one that writes\ngradebook.db, report/, feedback/",
    ),
    (
        (70, 33.5, 27, 15),
        ORANGE,
        "kernel, locked down",
        "one student's notebook:\nno network, no secret,\nno other file than the data",
    ),
    (
        (70, 8, 27, 15.5),
        ORANGE,
        "zygote",
        "warm imports and data sets;\nstarted before anything secret\nis read; no course file",
    ),
)
LAYERS = "namespaces · own file system · Landlock · seccomp · limits of memory and time"


def draw() -> Figure:
    """Left what is trusted, right what is not; the arrows in the middle are all that crosses."""
    fig = plt.figure(figsize=(WIDTH / 10, HEIGHT / 10), facecolor="white")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    _sides(ax)
    for place, colour, title, text in BOXES:
        _box(ax, place, colour, title, text)
    _arrow(ax, (30, 45.5), (70, 45.5), BLUE, "the inputs of a hidden call")
    _arrow(ax, (70, 37), (30, 37), RED, "plain data: numbers, arrays, text")
    _arrow(ax, (16.5, 33.5), (16.5, 23.5), GREEN, "verdicts: points and messages", aside=True)
    _arrow(ax, (83.5, 23.5), (83.5, 33.5), ORANGE, "fork, for each notebook", aside=True)
    never = "never crosses:\nexpected values,\ncomparisons,\nthe tests' source,\nobjects, pickles"
    ax.text(
        *(BOUNDARY, 29.3, never),
        ha="center",
        va="top",
        fontsize=10,
        color=RED,
        linespacing=1.4,
        bbox={"facecolor": "white", "edgecolor": RED, "boxstyle": "round,pad=0.5"},
        zorder=6,
    )
    layers = f"Around the kernel: {LAYERS}"
    ax.text(WIDTH / 2, 1.8, layers, ha="center", va="bottom", fontsize=9.5, color="0.2", zorder=6)
    return fig


def _sides(ax: Axes) -> None:
    for left, right, colour, name in (
        (1, BOUNDARY, BLUE, "TRUSTED"),
        (BOUNDARY, WIDTH - 1, RED, "NOT TRUSTED: the sandbox"),
    ):
        ax.add_patch(Rectangle((left, 5), right - left, 50, facecolor=colour, alpha=0.07))
        middle = (left + right) / 2
        ax.text(middle, 51.5, name, ha="center", weight="bold", fontsize=11, color=colour)
    ax.plot([BOUNDARY] * 2, [5, 55], color=RED, linewidth=2, linestyle=(0, (4, 2)), zorder=3)


def _box(
    ax: Axes, place: tuple[float, float, float, float], colour: str, title: str, text: str
) -> None:
    left, bottom, width, height = place
    shape = FancyBboxPatch(
        (left, bottom),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=1",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.8,
        zorder=4,
    )
    ax.add_patch(shape)
    middle, top = left + width / 2, bottom + height - 1.6
    ax.text(middle, top, title, ha="center", va="top", weight="bold", fontsize=12, zorder=5)
    ax.text(
        *(middle, top - 4, text), ha="center", va="top", fontsize=10, color="0.2", linespacing=1.4
    ).set_zorder(5)


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str,
    text: str,
    aside: bool = False,
) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "mutation_scale": 16}
    ax.annotate("", end, start, arrowprops={**style, "shrinkA": 2, "shrinkB": 2}, zorder=4)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    place = (x + 1.2, y) if aside else (BOUNDARY - 2, y + 1)
    at = {"ha": "left", "va": "center"} if aside else {"ha": "center", "va": "bottom"}
    if aside and x > BOUNDARY:
        place, at = (x - 1.2, y), {"ha": "right", "va": "center"}
    shown = ax.text(*place, text, fontsize=10, color="0.1", zorder=6, **at)
    if not aside:  # it stands across the boundary
        shown.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img" / "trust-boundary.png")
    options = parser.parse_args()
    draw().savefig(options.out, dpi=DPI)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
