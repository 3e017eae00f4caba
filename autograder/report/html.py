"""The pages: templates filled with the numbers of :mod:`autograder.report.summary`.

Jinja escapes every value; nothing that came from a student is ever marked safe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.report.grades_csv import number
from autograder.report.summary import Bar, ClassSummary, StudentSummary

# The histogram's drawing area, in the units of its viewBox.
WIDTH, HEIGHT, BASE = 640.0, 200.0, 170.0
LONGEST_NAME = 80


@dataclass(frozen=True)
class DrawnBar:
    """A histogram bar with its place in the drawing."""

    x: float
    y: float
    width: float
    height: float
    label: str
    students: int

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def class_page(summary: ClassSummary, environment: Mapping[str, str]) -> str:
    """The page of the whole class."""
    return _render(
        "index.html.j2",
        summary=summary,
        bars=draw(summary.bars),
        distribution=describe(summary.bars),
        environment=environment,
    )


def student_page(summary: ClassSummary, student: StudentSummary) -> str:
    """The page of one student, with the judge's messages."""
    return _render("student.html.j2", summary=summary, student=student)


def student_file(name: str) -> str:
    """A file name for a student's page: readable, and safe whatever the name is."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:LONGEST_NAME]
    if safe != name or not safe:  # changed, so two names might meet here
        raw = name.encode("utf-8", "surrogateescape")
        safe = f"{safe}-{hashlib.blake2b(raw, digest_size=6).hexdigest()}".lstrip("-")
    return f"{safe}.html"


def draw(bars: tuple[Bar, ...]) -> tuple[DrawnBar, ...]:
    """Heights in proportion to the fullest bar."""
    most = max((bar.students for bar in bars), default=0) or 1
    step = WIDTH / max(len(bars), 1)
    drawn = []
    for i, bar in enumerate(bars):
        height = (BASE - 20) * bar.students / most
        place = {"x": i * step + step * 0.1, "y": BASE - height, "width": step * 0.8}
        drawn.append(DrawnBar(**place, height=height, label=bar_label(bar), students=bar.students))
    return tuple(drawn)


def bar_label(bar: Bar) -> str:
    one_wide = bar.high - bar.low == 1
    return number(bar.low) if one_wide else f"{number(bar.low)}-{number(bar.high - 1)}"


def describe(bars: tuple[Bar, ...]) -> str:
    """The histogram in words, for those who do not see it."""
    filled = [
        f"{bar.students} with {bar_label(bar)}{' or more' if bar is bars[-1] else ''}"
        for bar in bars
        if bar.students
    ]
    return f"Students by automatic points, rounded down: {', '.join(filled) or 'none'}."


def _render(template: str, **values: Any) -> str:
    text = _environment().get_template(template).render(**values)
    return text.encode("utf-8", "replace").decode("utf-8")  # names of files may hold any bytes


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "percent": percent, "student_file": student_file}
    return environment


def points(value: float) -> str:
    """A number of points for reading: two decimals at most."""
    return number(round(value, 2))


def percent(part: float, whole: float) -> str:
    """Rounded towards the middle: 100 % and 0 % are said only where they are exact."""
    if not whole:
        return "n/a"
    share = 100 * part / whole
    shown = min(max(round(share), 1), 99) if 0 < share < 100 else round(share)
    return f"{shown} %"
