"""Rows of nbgrader's gradebook that a release made later asks for.

nbgrader makes them when it generates an assignment, and a submission's when that first comes in. A
gradebook from a backup, or one that a colleague's release has overtaken, lacks some of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment

from autograder.course.config import open_gradebook
from autograder.notebook import template as released
from autograder.notebook.template import Template


def ensure_cells(root: Path, templates: Iterable[Template]) -> None:
    """Make the gradebook know the notebooks and cells of a release. Nothing is taken out of it.

    Raises GradebookError.
    """
    with open_gradebook(root) as book:
        for template in templates:
            _ensure_notebook(book, template)


def _ensure_notebook(book: Gradebook, template: Template) -> None:
    name, assignment = template.notebook, template.assignment
    try:
        known: Any = book.find_notebook(name, assignment)
        points: dict[str, float] = {
            cell.name: cell.max_score for cell in (*known.grade_cells, *known.task_cells)
        }
        written = {cell.name for cell in (*known.solution_cells, *known.task_cells)}
    except MissingEntry:
        book.update_or_create_notebook(name, assignment)
        points, written = {}, set()
    for cell in template.cells:
        about, grade_id = released.nbgrader(cell), released.grade_id(cell)
        worth = {"max_score": float(about.get("points", 0)), "cell_type": cell["cell_type"]}
        if about.get("task"):
            if points.get(grade_id) != worth["max_score"]:
                book.update_or_create_task_cell(grade_id, name, assignment, **worth)
            continue
        if about.get("grade") and points.get(grade_id) != worth["max_score"]:
            book.update_or_create_grade_cell(grade_id, name, assignment, **worth)
        if about.get("solution") and grade_id not in written:
            book.update_or_create_solution_cell(grade_id, name, assignment)


def complete_submission(book: Gradebook, submission: SubmittedAssignment) -> None:
    """Give a submission the rows that it lacks, as nbgrader would have done at its beginning."""
    models: Any = api  # they have no types
    mine = {notebook.notebook_id: notebook for notebook in submission.notebooks}
    new: list[Any] = []
    for notebook in submission.assignment.notebooks:
        own = mine.get(notebook.id)
        if own is None:
            own = models.SubmittedNotebook(notebook=notebook, assignment=submission)
            new.append(own)
        graded = {grade.cell_id for grade in own.grades}
        commented = {comment.cell_id for comment in own.comments}
        for cell in (*notebook.grade_cells, *notebook.task_cells):
            if cell.id not in graded:
                new.append(models.Grade(cell_id=cell.id, notebook=own))
        for cell in (*notebook.solution_cells, *notebook.task_cells):
            if cell.id not in commented:
                new.append(models.Comment(cell_id=cell.id, notebook=own))
    book.db.add_all(new)
