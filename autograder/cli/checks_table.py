"""The table of the hidden checks of a notebook, in the order in which it asks its questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.course.submissions import CourseError
from autograder.judge.registry import Check, checks_for
from autograder.notebook.template import grade_id, is_auto_graded, load_template, nbgrader
from autograder.settings import settings_of

WIDTH = 160  # columns, where no terminal says how many there are


def print_checks(root: Path, assignment: str, notebook: str | None) -> bool:
    """Print the checks of one notebook, or of all; whether every question has one.

    Raises CourseError where there is no such notebook.
    """
    folder = root / "release" / assignment
    released = sorted(path.stem for path in folder.glob("*.ipynb"))
    if not released:
        raise CourseError(f"{folder} has no notebooks; name an assignment that is released")
    if notebook is not None and notebook not in released:
        raise CourseError(f"{folder} has no notebook {notebook!r}; it has {', '.join(released)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    complete = True
    for name in [notebook] if notebook else released:
        console.print(_table(root, assignment, name))
        declared = checks_for(assignment, name, settings_of(root))
        for question, _ in _questions(root, assignment, name):
            if not any(check.weight for check in declared.get(question, ())):
                complete = False
                console.print(f"[red]{name}: {question} has no hidden check that carries points[/]")
    return complete


def _table(root: Path, assignment: str, notebook: str) -> Table:
    table = Table(title=f"{assignment}/{notebook}", title_justify="left")
    for heading in ("question", "points", "check", "weight", "probe", "title"):
        right = heading in ("points", "weight")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    declared = checks_for(assignment, notebook, settings_of(root))
    for question, points in _questions(root, assignment, notebook):
        for number, check in enumerate(declared.get(question, ())):
            first = (question, f"{points:g}") if number == 0 else ("", "")
            table.add_row(*first, check.name, _weight(check), check.probe, check.title)
        table.add_section()
    return table


def _questions(root: Path, assignment: str, notebook: str) -> Iterator[tuple[str, float]]:
    """(grade_id, points) of every automatically graded cell, in the notebook's order."""
    for cell in load_template(root, assignment, notebook).cells:
        if is_auto_graded(cell):
            yield grade_id(cell), float(nbgrader(cell).get("points", 0))


def _weight(check: Check) -> str:
    if check.advice:
        return "advice"
    return f"{check.weight:g}, condition" if check.condition else f"{check.weight:g}"
