"""The pages: a list of the pairs, and both sides of each pair, in the look of the report.

Jinja escapes every value; nothing that came from a student is ever marked safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

from autograder.report.html import counted, percent, points, student_file
from autograder.similar.fragments import CODE_LENGTH, PROSE_LENGTH, SMALL_CLASS
from autograder.similar.parts import SideBySide
from autograder.similar.writings import NotCompared, Writing


@dataclass(frozen=True)
class Row:
    """One pair in the list."""

    notebook: str
    left: str
    right: str
    lines: float
    left_share: float
    right_share: float
    file: str


@dataclass(frozen=True)
class Notebook:
    """What was compared of one notebook, and what was not."""

    name: str
    texts: int  # of this class
    others: int
    pairs: int  # at or above the threshold; the list may hold fewer
    identical: tuple[tuple[str, ...], ...]
    not_compared: tuple[NotCompared, ...]


@dataclass(frozen=True)
class Findings:
    """Everything the list says."""

    assignment: str
    threshold: float
    notebooks: tuple[Notebook, ...]
    rows: tuple[Row, ...]

    @property
    def pairs(self) -> int:
        return sum(notebook.pairs for notebook in self.notebooks)

    @property
    def identical(self) -> int:
        """Files of which somebody handed in the same one."""
        return sum(len(group) for notebook in self.notebooks for group in notebook.identical)

    @property
    def unread(self) -> int:
        """Files of this class that are there and could not be compared."""
        quiet = ("not handed in", "nothing was written")
        return sum(
            not text.other and text.reason not in quiet
            for notebook in self.notebooks
            for text in notebook.not_compared
        )


def pair_file(left: Writing, right: Writing) -> str:
    """A file name of the pair's own, whatever the names in it."""
    return student_file("\0".join((left.notebook, left.who, right.who)))


def index_page(findings: Findings, *, linked: bool) -> str:
    """The list of pairs, with what the numbers mean and what was not compared.

    ``linked``: with a link to the report, in the folder above.
    """
    return _render(
        "pairs.html.j2",
        findings=findings,
        linked=linked,
        code_length=CODE_LENGTH,
        prose_length=PROSE_LENGTH,
        small_class=SMALL_CLASS,
    )


def pair_page(assignment: str, row: Row, sides: SideBySide, texts: int) -> str:
    """Both sides of one pair. ``texts``: how many different ones were compared."""
    return _render("pair.html.j2", assignment=assignment, row=row, sides=sides, texts=texts)


def _render(template: str, **values: Any) -> str:
    text = _environment().get_template(template).render(**values)
    return text.encode("utf-8", "replace").decode("utf-8")  # names of files may hold any bytes


@cache
def _environment() -> Environment:
    """The report's page with our style sheet in place of its own, which ours includes."""
    report = PackageLoader("autograder.report")
    ours = PackageLoader("autograder.similar")
    environment = Environment(
        loader=ChoiceLoader([ours, PrefixLoader({"report": report}), report]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (counted, percent, points):
        environment.filters[function.__name__] = function
    return environment
