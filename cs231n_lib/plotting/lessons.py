"""The notebooks of a course as boxes, and whose functions each of them uses as arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cs231n_lib.plotting.axes import BLUE, GREEN, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Of a notebook: in which part of the course it is, how long it takes, points, what it uses.
LessonRow = tuple[str, str, float, Sequence[str]]
Places = dict[str, tuple[int, int]]  # column and lane

_WIDTH, _HEIGHT = 0.84, 0.66  # of a box, where the grid has steps of 1
_LONGEST = 18  # letters of a line that fit at full size
_BREAK = 22  # letters from which on a name takes two lines
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)


def plot_lessons(lessons: Mapping[str, LessonRow], ax: Axes | None = None) -> Axes:
    """Draw every notebook, and an arrow from each to those that build on it directly.

    A notebook that is used by way of another, or besides, gets no arrow of its own. What neither
    uses another nor is used stands below.
    """
    import matplotlib.pyplot as plt

    uses = {name: [one for one in row[3] if one in lessons] for name, row in lessons.items()}
    places = place_lessons(uses)
    columns = 1 + max((column for column, _ in places.values()), default=0)
    lanes = 1 + max((lane for _, lane in places.values()), default=0)
    if ax is None:
        _, ax = plt.subplots(figsize=(2.5 * columns, 0.85 * lanes))
    parts = list(dict.fromkeys(row[0] for row in lessons.values()))
    colours = {part: _COLOURS[number % len(_COLOURS)] for number, part in enumerate(parts)}
    for name, row in lessons.items():
        _draw_box(ax, name, row, places[name], colours[row[0]])
        for needed in direct(uses, name):
            _draw_arrow(ax, places[needed], places[name])
    for part, colour in colours.items():
        ax.plot([], [], "s", color="white", mec=colour, mew=2, ms=9, label=part)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(parts))
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(lanes - 0.5, -0.5))
    ax.axis("off")
    return ax


def direct(uses: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """What a notebook uses, without what it gets to by way of something else that it uses."""
    needed = uses[name]
    behind = {other: _all(uses, other) - {other} for other in needed}
    return [one for one in needed if not any(one in behind[other] for other in needed)]


def _all(uses: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Everything that is used by ``name``, in however many steps."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = set(uses[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def place_lessons(uses: Mapping[str, Sequence[str]]) -> Places:
    """A column to the right of all that is used, and a lane: that of the last thing used, if free.

    Notebooks that stand alone fill the lanes below.
    """
    taken = {one for needed in uses.values() for one in needed}
    places: Places = {}
    lanes = 0
    for name, needed in uses.items():
        if not needed and name not in taken:
            continue
        before = [places[one] for one in needed if one in places]
        column = 1 + max((at[0] for at in before), default=-1)
        lane = max(before)[1] if before else lanes
        if (column, lane) in places.values():
            lane = lanes
        lanes = max(lanes, lane + 1)
        places[name] = (column, lane)
    columns = 1 + max((column for column, _ in places.values()), default=3)
    alone = [name for name in uses if name not in places]
    for number, name in enumerate(alone):
        places[name] = (number % columns, lanes + number // columns)
    return places


def _draw_box(ax: Axes, name: str, row: LessonRow, place: tuple[int, int], colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    column, lane = place
    ax.add_patch(
        FancyBboxPatch(
            (column - _WIDTH / 2, lane - _HEIGHT / 2),
            _WIDTH,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="white",
            edgecolor=colour,
            linewidth=1.8,
            zorder=2,
        )
    )
    lines = _in_two(name) if len(name) > _BREAK else [name]
    size = min(8.5 if len(lines) == 1 else 7.5, 8.5 * _LONGEST / max(map(len, lines)))
    words = {"ha": "center", "va": "center", "linespacing": 1.0}
    ax.text(column, lane - 0.08, "\n".join(lines), weight="bold", fontsize=size, **words)
    points = f"{row[2]:g} points"
    told = f"{row[1]}, {points}" if row[1] else points
    ax.text(column, lane + 0.2, told, fontsize=7.5, color="0.25", **words)


def _in_two(name: str) -> list[str]:
    """Broken after the underscore that is nearest to the middle, if there is one."""
    breaks = [number for number, letter in enumerate(name, start=1) if letter == "_"]
    middle = min(breaks, key=lambda at: abs(2 * at - len(name)), default=len(name))
    return [part for part in (name[:middle], name[middle:]) if part]


def _draw_arrow(ax: Axes, start: tuple[int, int], end: tuple[int, int]) -> None:
    side = 0.45 * _HEIGHT * ((start[1] > end[1]) - (start[1] < end[1]))  # past boxes between
    ax.annotate(
        "",
        (end[0] - _WIDTH / 2, end[1] + side),
        (start[0] + _WIDTH / 2, start[1] - side),
        arrowprops={"arrowstyle": "-|>", "color": "0.35", "shrinkA": 0, "shrinkB": 0},
        zorder=1,
    )
