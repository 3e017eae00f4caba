"""The pages: templates filled with the numbers of :mod:`autograder.report.summary`.

Jinja escapes every value; nothing that came from a student is ever marked safe. The class page has
one script, ours, and its content security policy names that script by its hash: no other would run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.course.changes import Change
from autograder.course.pages import student_file
from autograder.judge.results import GradedNotebook
from autograder.report import histograms, item_analysis
from autograder.report.beside import Beside
from autograder.report.cases import OUTCOMES
from autograder.report.grades_csv import number
from autograder.report.summary import REMARKS, ClassSummary
from autograder.report.to_read import place_of


def class_page(
    summary: ClassSummary, environment: Mapping[str, str], changes: Sequence[Change] = ()
) -> str:
    """The page of the whole class."""
    script = files("autograder.report").joinpath("templates", "students.js").read_text("utf-8")
    digest = hashlib.sha256(script.encode()).digest()
    bars = histograms.histogram([student.score for student in summary.students], summary.max_score)
    seconds = [s for time in summary.times for s in (time.seconds[0], time.longest)]
    occurring = {remark for student in summary.students for remark in student.remarks}
    return _render(
        "index.html.j2",
        summary=summary,
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(digest).decode()}",
        bars=bars,
        axis=histograms.time_axis(min(seconds), max(seconds)) if seconds else None,
        outcomes=[o for o in OUTCOMES if any(o in c for c in summary.cases.outcomes.values())],
        remarks=[remark for remark in REMARKS if remark in occurring],
        environment=environment,
        changes=changes,
    )


def student_page(
    assignment: str, notebooks: Sequence[GradedNotebook], beside: Beside | None = None
) -> str:
    """The page of one student, with the judge's messages.

    Without rubrics: a page of one student may be shown to that student.
    """
    beside = beside or Beside()
    links = {n.notebook: list(beside.links(n.student, assignment, n.notebook)) for n in notebooks}
    return _render(
        "student.html.j2",
        assignment=assignment,
        notebooks=notebooks,
        links=links,
        changes=beside.changes_of(notebooks[0].student),
        late=beside.late.get(notebooks[0].student),
    )


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


def width(part: float, whole: float) -> str:
    """A share for a drawing, in percent."""
    return number(round(100 * part / whole, 1)) if whole else "0"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def counted(count: int, noun: str) -> str:
    """``1 notebook``, ``2 notebooks``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def breakable(name: str) -> Markup:
    """A name that may go on in a new line where a new word begins: Network_|Visualization."""
    words = re.split(r"(?<=_)|(?<=[a-z])(?=[A-Z])", name)
    return Markup("<wbr>").join(words)  # escapes them


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
    for function in (points, percent, width, duration, counted, breakable, student_file):
        environment.filters[function.__name__] = function
    for function in (histograms.place, histograms.grid, histograms.ticks, histograms.tenths):
        environment.globals[function.__name__] = function
    environment.filters["read_place"] = lambda question: place_of(*question)
    environment.filters |= {"describe": histograms.describe, "signed": item_analysis.signed}
    environment.globals["item_analysis"] = item_analysis  # its thresholds are explained on the page
    return environment
