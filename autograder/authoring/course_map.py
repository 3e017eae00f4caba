"""The map of the course: source/00_course_map.ipynb, with what `lessons` knows written into it.

The author's part is the text, the order of the notebooks and a line on each. Three cells of it are
written anew by `release`: `TABLE`, `FUNCTIONS` and `PICTURE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring.beside import check_other
from autograder.authoring.handing_in import WORDS
from autograder.authoring.lessons import HALF, Lesson, read_lessons
from autograder.authoring.source import ReleaseError, canonical, read_source

MAP = "00_course_map.ipynb"
TABLE, FUNCTIONS, PICTURE = "course-table", "course-functions", "course-picture"

_LISTED = re.compile(r"^\|\s*`(\w+)`\s*\|\s*(.*?)\s*\|\s*$", re.MULTILINE)


def course_pages(source: Path) -> dict[str, str]:
    """What lies in release/ itself, by file name: the map, and pages of text as they are.

    Empty for a course without a map. Raises ReleaseError.
    """
    path = source / MAP
    if not path.is_file():
        return {}
    pages = {MAP: nbformat.writes(course_map(read_source(path), read_lessons(source), path)) + "\n"}
    for text in sorted(source.glob("*.md")):
        if text.name == WORDS:  # stands in each notebook
            continue
        check_other(text, source)
        pages[text.name] = text.read_text("utf-8")
    return pages


def course_map(nb: NotebookNode, lessons: Sequence[Lesson], path: Path) -> NotebookNode:
    """The released map. Raises ReleaseError when ``nb`` lists what is not there."""
    nb = canonical(nb)
    cells = {cell.id: cell for cell in nb.cells}
    if missing := [name for name in (TABLE, FUNCTIONS, PICTURE) if name not in cells]:
        raise ReleaseError(f"{path}: there is no cell with the id {missing[0]!r}; add it")
    about = dict(_LISTED.findall(cells[TABLE].source))
    if unknown := sorted(set(about) - {lesson.name for lesson in lessons}):
        raise ReleaseError(
            f"{path}: cell {TABLE!r} lists {unknown[0]}, which is not a notebook in "
            f"{path.parent}/*/; remove the row"
        )
    ordered = in_order(lessons, about)
    cells[TABLE].source = table(
        ordered, {one.name: about.get(one.name, one.title) for one in ordered}
    )
    cells[FUNCTIONS].source = functions(ordered)
    cells[PICTURE].source = picture(ordered)
    return nb


def in_order(lessons: Iterable[Lesson], listed: Iterable[str]) -> list[Lesson]:
    """By assignment, in the author's order; what is not listed comes last, by name.

    So are the notebooks that each of them uses.
    """
    place = {name: number for number, name in enumerate(listed)}
    ordered = sorted(lessons, key=lambda one: (one.assignment, place.get(one.name, len(place))))
    names = [one.name for one in ordered]

    def place_of(name: str) -> int:
        return names.index(name) if name in names else len(names)

    return [
        replace(one, uses={name: one.uses[name] for name in sorted(one.uses, key=place_of)})
        for one in ordered
    ]


def course_table(source: Path, folder: str) -> str:
    """The table of the map, for a page from which ``folder`` holds the release."""
    cells = {cell.id: cell for cell in read_source(source / MAP).cells}
    about = dict(_LISTED.findall(cells[TABLE].source))
    return table(in_order(read_lessons(source), about), about, folder)


def table(lessons: Sequence[Lesson], about: dict[str, str], folder: str = "") -> str:
    """A row for each notebook, and one for each assignment with its hours and points.

    ``folder``: where the released notebooks are, seen from the page.
    """
    lines = [
        "| notebook | what it is about | uses your | hours | points |",
        "| --- | --- | --- | ---: | ---: |",
    ]
    for assignment in dict.fromkeys(lesson.assignment for lesson in lessons):
        rows = [lesson for lesson in lessons if lesson.assignment == assignment]
        for row in rows:
            link = f"[`{row.name}`]({folder}{assignment}/{row.name}.ipynb)"
            told = about.get(row.name, row.title)
            lines.append(_line(link, told, ", ".join(row.uses), [row]))
        lines.append(_line(f"**{_title(assignment)}**", "", "", rows))
    lines.append(_line("**The course**", "", "", lessons))
    return "\n".join(lines)


def _line(name: str, about: str, uses: str, rows: Sequence[Lesson]) -> str:
    hours = [row.hours for row in rows if row.hours is not None]
    told = f"{sum(hours):g}" if len(hours) == len(rows) else ""
    return f"| {name} | {about} | {uses} | {told} | {sum(row.points for row in rows):g} |"


def _title(assignment: str) -> str:
    return re.sub(r"(?<=[a-z])(?=\d)", " ", assignment).capitalize()


def functions(lessons: Iterable[Lesson]) -> str:
    """A row for each notebook that others use, with what they take out of it."""
    lessons = list(lessons)
    lines = ["| written in | is used again in | what is used |", "| --- | --- | --- |"]
    for lesson in lessons:
        users = [other for other in lessons if lesson.name in other.uses]
        names = dict.fromkeys(name for user in users for name in user.uses[lesson.name])
        if users:
            used = ", ".join(f"`{name}`" for name in names)
            who = ", ".join(f"`{user.name}`" for user in users)
            lines.append(f"| `{lesson.name}` | {who} | {used} |")
    return "\n".join(lines)


def picture(lessons: Sequence[Lesson]) -> str:
    """Code that draws who uses whose functions."""
    rows = [
        f'    "{one.name}": ("{_title(one.assignment)}", "{_hours(one)}", {one.points:g}, '
        f"{_quoted(one.uses)}),"
        for one in lessons
    ]
    alt = describe(lessons)
    return "\n".join(
        [
            "from cs231n_lib.plotting import plot_lessons, use_course_style, with_alt_text",
            "",
            "use_course_style()",
            "lessons = {",
            "    # notebook: (where, how long, points, notebooks whose functions it uses)",
            *rows,
            "}",
            "with_alt_text(",
            "    plot_lessons(lessons),",
            *(f'    "{line}"' for line in _wrapped(alt)),
            ")",
        ]
    )


def describe(lessons: Sequence[Lesson]) -> str:
    """The picture in words: for those who cannot see it."""
    needing = [one for one in lessons if one.uses]
    pairs = "; ".join(f"{', '.join(one.uses)} to {one.name}" for one in needing)
    taken = {name for one in needing for name in one.uses}
    alone = [one.name for one in lessons if not one.uses and one.name not in taken]
    text = f"A box for each notebook, {len(lessons)} in all."
    if pairs:
        text += f" Arrows lead, in one step or in several, from {pairs}."
    return text + (f" No arrow touches {', '.join(alone)}." if alone else "")


def _wrapped(text: str, width: int = 88) -> list[str]:
    """Pieces that are the text when they are put together."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line += f"{word} "
    return [*lines, line.rstrip()]


def _quoted(names: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _hours(lesson: Lesson) -> str:
    if lesson.hours is None:
        return ""
    if lesson.hours == 0.5:
        return HALF
    return f"{lesson.hours:g} hour{'s' if lesson.hours != 1 else ''}"
