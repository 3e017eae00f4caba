"""Where the bars of the report's figures go, and the same figures in words.

Places along the horizontal axis are percent of the drawing's width, heights are pixels: a drawing
fills a wide screen and a phone, and its letters stay as large as the others of the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.report.grades_csv import number

MAX_BARS = 21
TENTHS = 10  # bars of a notebook's small histogram, beside the one of full marks
TIME_BARS = 48
MAX_LINES = 4  # of the grid behind the bars


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: how many have ``low <= value < high``."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class Tick:
    """A label under the axis, at so many percent of its width."""

    at: float
    label: str


def histogram(scores: Sequence[float], max_score: float) -> tuple[Bar, ...]:
    """Bars of 1, 2, 5, 10, ... points; full marks have one of their own where the width divides."""
    width = 1.0
    for factor in _round_widths():
        width = factor
        if math.floor(max_score / width) < MAX_BARS:
            break
    counts = [0] * (math.floor(max_score / width) + 1)
    for score in scores:
        counts[min(max(math.floor(score / width), 0), len(counts) - 1)] += 1
    return tuple(Bar(i * width, (i + 1) * width, n) for i, n in enumerate(counts))


def tenths(shares: Sequence[float]) -> tuple[Bar, ...]:
    """Ten bars of a tenth of the points each, and one of full marks."""
    counts = [0] * (TENTHS + 1)
    for share in shares:
        counts[min(math.floor(share * TENTHS), TENTHS)] += 1
    return tuple(Bar(i / TENTHS, (i + 1) / TENTHS, n) for i, n in enumerate(counts))


def ticks(bars: Sequence[Bar]) -> tuple[Tick, ...]:
    """Bars one point wide are named in their middle, wider ones where they begin."""
    step = 100 / max(len(bars), 1)
    wide = any(bar.high - bar.low > 1 for bar in bars)
    return tuple(Tick((i + (not wide) / 2) * step, number(b.low)) for i, b in enumerate(bars))


def place(score: float, bars: Sequence[Bar]) -> float:
    """Where on the axis a score lies."""
    width = bars[0].high - bars[0].low
    at = math.floor(score) + 0.5 if width == 1 else score / width
    return min(max(100 * at / len(bars), 0.0), 100.0)


def grid(maximum: int) -> tuple[int, ...]:
    """Round numbers of students up to the fullest bar."""
    step = next(int(w) for w in _round_widths() if w * MAX_LINES >= maximum)
    return tuple(range(step, maximum + 1, step))


@dataclass(frozen=True)
class TimeAxis:
    """Seconds on a logarithmic scale; ``marks`` are round numbers, from one end to the other."""

    marks: tuple[float, ...]

    def at(self, seconds: float) -> float:
        """Percent of the width."""
        low, high = self.marks[0], self.marks[-1]
        share = math.log(max(seconds, low) / low) / math.log(high / low)
        return 100 * min(share, 1.0)

    def ticks(self) -> tuple[Tick, ...]:
        """The marks with their names."""
        return tuple(Tick(self.at(mark), number(mark)) for mark in self.marks)

    def bars(self, seconds: Sequence[float]) -> tuple[int, ...]:
        """How many fall into each of equally wide bars."""
        counts = [0] * TIME_BARS
        for value in seconds:
            counts[min(int(self.at(value) / 100 * TIME_BARS), TIME_BARS - 1)] += 1
        return tuple(counts)


def time_axis(shortest: float, longest: float) -> TimeAxis:
    """1, 3, 10, 30, ... seconds: from the last before the shortest to the first after the longest.

    What took less than a hundredth of a second is drawn at a hundredth.
    """
    exponent = math.floor(math.log10(max(shortest, 0.01)))
    marks: list[float] = []
    while not marks or marks[-1] <= longest:
        marks += (10.0**exponent, 3 * 10.0**exponent)
        exponent += 1
    first = 1 if marks[1] <= shortest else 0
    last = -1 if marks[-2] > longest and len(marks) - first > 2 else None
    return TimeAxis(tuple(marks[first:last]))


def describe(bars: Sequence[Bar]) -> str:
    """The histogram in words, for those who do not see it."""
    filled = [
        f"{bar.students} with {bar_label(bar)}{' or more' if bar is bars[-1] else ''}"
        for bar in bars
        if bar.students
    ]
    return f"Students by automatic points, rounded down: {', '.join(filled) or 'none'}."


def bar_label(bar: Bar) -> str:
    one_wide = bar.high - bar.low == 1
    return number(bar.low) if one_wide else f"{number(bar.low)}-{number(bar.high - 1)}"


def _round_widths() -> Iterator[float]:
    """1, 2, 5, 10, 20, 50, ..."""
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
