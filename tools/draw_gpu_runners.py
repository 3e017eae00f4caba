"""Draw how GPU servers grade: driver, scheduler, workers, sandboxes, and what crosses each arrow.

.venv/bin/python tools/draw_gpu_runners.py     # writes docs/img/gpu-runners.png
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch, Rectangle

from cs231n_lib.plotting import BLACK, BLUE, GREEN, ORANGE, RED

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 118.0, 60.0  # tenths of an inch, so that sizes are those of the picture
BOUNDARY = 89.0
SANDBOXES = (43.0, 31.0, 19.0)  # bottoms of the rows: a worker and its sandbox
ROW = 9.5
DOTS = (12.5, 14.0, 15.5)


@dataclass(frozen=True)
class Box:
    """A process or a machine: where it is, what it is called, what it holds."""

    left: float
    bottom: float
    width: float
    height: float
    title: str
    text: str = ""
    colour: str = BLUE
    size: float = 9.5

    @property
    def right(self) -> float:
        return self.left + self.width

    def draw(self, ax: Axes) -> None:
        shape = FancyBboxPatch(
            (self.left, self.bottom),
            self.width,
            self.height,
            boxstyle="round,pad=0,rounding_size=1",
            facecolor="white",
            edgecolor=self.colour,
            linewidth=1.6,
            zorder=2,
        )
        ax.add_patch(shape)
        middle, top = self.left + self.width / 2, self.bottom + self.height - 1.2
        ax.text(
            *(middle, top, self.title),
            ha="center",
            va="top",
            weight="bold",
            fontsize=self.size,
            zorder=3,
        )
        ax.text(
            *(middle, top - 2.6, self.text),
            ha="center",
            va="top",
            fontsize=self.size - 1,
            color="0.25",
            linespacing=1.35,
            zorder=3,
        )


DRIVER = Box(1.5, 18.5, 22, 36, "driver", "python -m autograder\ngrade … --scheduler …\n--gpus")
SCHEDULER = Box(40, 31, 12, 12, "scheduler", "dask scheduler\n\npasses on,\nkeeps no file")
SERVER = Box(65.5, 3, 51, 53.5, "", colour="0.55")


def draw() -> Figure:
    fig = plt.figure(figsize=(WIDTH / 10, HEIGHT / 10), facecolor="white")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    _draw_network(ax)
    for box in (SERVER, DRIVER, SCHEDULER):
        box.draw(ax)
    _draw_boundary(ax)
    middle = SERVER.left + SERVER.width / 2
    name = "GPU server: one of many, started by systemd or Slurm"
    ax.text(middle, 57.2, name, ha="center", va="bottom", weight="bold", fontsize=10)
    _draw_course(ax)
    _draw_workers(ax)
    _arrow(ax, (DRIVER.right, 39.5), (SCHEDULER.left, 39.5), BLUE)
    _arrow(ax, (SCHEDULER.left, 34), (DRIVER.right, 34), GREEN)
    between = (DRIVER.right + SCHEDULER.left) / 2
    text = "once: notebooks as\nreleased, solutions\nthat others load, seed;\nthen each submission"
    _label(ax, between, 40.2, text, va="bottom")
    _label(ax, between, 33, "verdicts: points,\nmessages, the graded\nnotebook", va="top")
    return fig


def _draw_network(ax: Axes) -> None:
    left, right = DRIVER.right - 1, SERVER.left + 1
    ax.add_patch(Rectangle((left, 18.5), right - left, 36, facecolor="0.945", zorder=0))
    text = "network of your own, or TLS:\nwho reaches a port here is trusted"
    ax.text((left + right) / 2, 20, text, ha="center", fontsize=8.5, color="0.3", style="italic")


def _draw_boundary(ax: Axes) -> None:
    sides = (
        (SERVER.left, BOUNDARY, BLUE, "trusted"),
        (BOUNDARY, SERVER.right, RED, "not trusted: students' code"),
    )
    for left, right, colour, name in sides:
        place = Rectangle((left + 0.3, 3.3), right - left - 0.6, 52.9, facecolor=colour, alpha=0.07)
        place.set_zorder(2.1)
        ax.add_patch(place)
        middle = (left + right) / 2
        ax.text(middle, 54.2, name, ha="center", fontsize=9, color=colour, zorder=3)
    ax.plot([BOUNDARY] * 2, [3, 56.5], color=RED, linewidth=1.8, linestyle=(0, (4, 2)), zorder=3)
    text = "trust boundary: back come numbers, arrays and text, never objects"
    ax.text(BOUNDARY, 1.9, text, ha="center", va="center", fontsize=9.5, color=RED, weight="bold")


def _draw_course(ax: Axes) -> None:
    """What only the driver has."""
    middle = DRIVER.left + DRIVER.width / 2
    cylinder = {"facecolor": "white", "edgecolor": GREEN, "linewidth": 1.4, "zorder": 3}
    ax.add_patch(Rectangle((middle - 6.5, 33), 13, 7.5, **(cylinder | {"linewidth": 0})))
    ax.add_patch(Ellipse((middle, 33), 13, 2.4, **cylinder))
    ax.add_patch(Rectangle((middle - 6.4, 33), 12.8, 2, facecolor="white", zorder=3))
    for side in (-6.5, 6.5):
        ax.plot([middle + side] * 2, [33, 40.5], color=GREEN, linewidth=1.4, zorder=3)
    ax.add_patch(Ellipse((middle, 40.5), 13, 2.4, **cylinder))
    ax.text(middle, 36, "gradebook", ha="center", weight="bold", fontsize=9.5, zorder=4)
    ax.text(middle, 34, "written here alone", ha="center", fontsize=8, color="0.25", zorder=4)
    holds = "course folder:\nsource/, submitted/,\nthe course's secret,\nreport/, feedback/"
    ax.text(middle, 30.3, holds, ha="center", va="top", fontsize=8.5, color="0.25", zorder=3)


def _draw_workers(ax: Axes) -> None:
    """A row for each worker that may use a GPU: its judge here, its sandbox beyond the boundary."""
    gpu = Box(95.5, 5, 18.5, 8, "GPU", "a share of its memory each", GREEN, 9)
    gpu.draw(ax)
    for number, bottom in enumerate(SANDBOXES, start=1):
        held = "hidden checks, seed;\njudges in a fork"
        worker = Box(67, bottom, 14, ROW, f"worker {number}", held, size=9)
        sandbox = Box(
            97,
            bottom,
            17,
            ROW,
            "sandbox",
            "one notebook's kernel:\nno network, no secret",
            ORANGE,
            9,
        )
        worker.draw(ax)
        sandbox.draw(ax)
        upper, lower = bottom + 0.66 * ROW, bottom + 0.3 * ROW
        _arrow(ax, (worker.right, upper), (sandbox.left, upper), BLUE)
        _arrow(ax, (sandbox.left, lower), (worker.right, lower), RED)
        for height, text in ((upper + 1.3, "inputs of hidden calls"), (lower - 1.3, "plain data")):
            over = ax.text(BOUNDARY, height, text, ha="center", va="center", fontsize=8, zorder=5)
            over.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.2})
        end = (worker.left, bottom + ROW / 2)
        ax.annotate("", end, (SCHEDULER.right, 37), arrowprops=_style(BLACK, "<|-|>"), zorder=4)
    for height in DOTS:
        ax.plot(74, height, marker=".", color=BLACK, markersize=4, zorder=3)
    ax.annotate("", (104.75, 13), (104.75, 19), arrowprops=_style(GREEN, "<|-|>"), zorder=4)
    _label(ax, 104, 16, "device file of\nthis GPU alone", ha="right", va="center")
    places = "a notebook waits here\nfor a place on a GPU\n(locks of the host)"
    _label(ax, 74, 11, places, va="top")
    text = "a submission\nfor each idle worker;\nits verdict back"
    _label(ax, 57, 45.6, text, va="bottom")


def _style(colour: str, ends: str = "-|>") -> dict[str, object]:
    return {"arrowstyle": ends, "color": colour, "linewidth": 1.4, "shrinkA": 1, "shrinkB": 1}


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    ax.annotate("", end, start, arrowprops=_style(colour), zorder=4)


def _label(ax: Axes, x: float, y: float, text: str, ha: str = "center", va: str = "center") -> None:
    ax.text(x, y, text, ha=ha, va=va, fontsize=8, color="0.15", linespacing=1.2, zorder=5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img" / "gpu-runners.png")
    options = parser.parse_args()
    draw().savefig(options.out, dpi=110)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
