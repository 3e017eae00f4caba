"""source/ -> solutions/: the model answers as pages, when everybody's time is up and not before.

They are made as feedback pages are, and kept far from them: nbgrader hands out what lies in
``feedback/STUDENT/`` and in ``release/``, and nothing of these pages is ever in either.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.api import MissingEntry
from traitlets.config import Config

from autograder.course.beside import pictures_beside
from autograder.course.config import course_config, open_gradebook
from autograder.course.submissions import CourseError
from autograder.feedback import safe_html
from autograder.feedback.disclosure import course_zone, read_disclosure, zone_name
from autograder.files import replacing
from autograder.notebook.edits import solve
from autograder.notebook.template import is_answer, is_auto_graded, nbgrader, notebooks_of

FOLDER = "solutions"
PRIVATE = 0o600  # for the instructor, who decides where students find them
ONE_OF_MANY = "One solution of many."
MODEL_ANSWER = "A model answer. Others can be as good."


def write_solutions(root: Path, assignment: str, *, early: bool = False) -> list[Path]:
    """Write ``root/solutions/ASSIGNMENT/NOTEBOOK.html``, and the pictures beside them.

    Before everybody's time is up only where ``early`` says so. Raises CourseError, TemplateError,
    GradebookError, and then nothing has been written.
    """
    root = root.resolve()
    notebooks_of(root, assignment)
    if not early:
        _refuse_before(root, assignment, datetime.datetime.now(datetime.UTC))
    place = root / "source" / assignment
    files = {path.stem: _page(path) for path in sorted(place.glob("*.ipynb"))}
    if not files:
        raise CourseError(f"{place} holds no notebook, so there are no solutions to show")
    pages = {f"{name}.html": html.encode() for name, html in files.items()}
    written = []
    for name, data in {**pages, **pictures_beside(place)[0]}.items():
        path = root / FOLDER / assignment / name
        with replacing(path, mode=PRIVATE) as file:
            file.write(data)
        written.append(path)
    return written


def _refuse_before(root: Path, assignment: str, now: datetime.datetime) -> None:
    """Raise CourseError while somebody may still be at work, or where nobody has said until when."""
    config = course_config(root)
    ends = {"is due": _last_due(root, assignment)}
    ends["has its full feedback"] = read_disclosure(root, assignment).after
    known = {what: when for what, when in ends.items() if when}
    if not known:
        raise CourseError(
            f"nobody has said until when students work on {assignment}, so its solutions were not "
            "written: set its due date in the formgrader, or a date with --after. --early writes "
            "them all the same"
        )
    what, when = max(known.items(), key=lambda end: end[1])
    if now < when:
        told = f"{when.astimezone(course_zone(config)):%Y-%m-%d %H:%M} ({zone_name(config)})"
        raise CourseError(
            f"{assignment} {what} at {told}: until then its solutions are not written. --early "
            "writes them all the same"
        )


def _last_due(root: Path, assignment: str) -> datetime.datetime | None:
    """The due date in the gradebook, or that of the student who was given most time."""
    with open_gradebook(root) as book, suppress(MissingEntry):
        due: Any = book.find_assignment(assignment).duedate  # in UTC, and does not say so
        if due is not None:
            given: list[Any] = [one.extension for one in book.assignment_submissions(assignment)]
            more = max((time for time in given if time), default=datetime.timedelta())
            return (due + max(more, datetime.timedelta())).replace(tzinfo=datetime.UTC)
    return None


def _page(path: Path) -> str:
    """A source notebook as a page. Raises CourseError."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        solved = solve(stored)
        for cell, source in zip(solved["cells"], stored["cells"], strict=True):
            if cell["cell_type"] == "code":
                cell["outputs"] = source.get("outputs", [])
        nb = nbformat.reads(json.dumps(solved), as_version=4)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} is not a notebook ({error}): repair it first") from None
    nb.cells = list(_with_labels(nb.cells, path.stem))
    config = Config()
    safe_html.configure(config)
    exporter = HTMLExporter(config=config, template_name="classic")
    html, _ = exporter.from_notebook_node(
        nb, resources={"metadata": {"name": f"{path.stem}: solutions"}}
    )
    return html


def _with_labels(cells: list[NotebookNode], notebook: str) -> Iterator[NotebookNode]:
    """What was the student's to write is named, with the points it was worth."""
    yield new_markdown_cell(f"**Solutions of `{notebook}`**", id="solutions")
    for cell in cells:
        if is_answer(cell):
            about = ONE_OF_MANY if cell.cell_type == "code" else MODEL_ANSWER
            yield new_markdown_cell(f"**{about}**{_points(cell)}", id=f"{cell.id[:50]}-solution")
        elif is_auto_graded(cell):
            yield new_markdown_cell(f"**Tests.**{_points(cell)}", id=f"{cell.id[:50]}-points")
        yield cell


def _points(cell: NotebookNode) -> str:
    points = nbgrader(cell).get("points")
    return f" {points:g} point{'' if points == 1 else 's'}." if points else ""
