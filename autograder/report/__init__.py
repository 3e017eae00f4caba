"""What a TA looks at after grading: a page for the class, one for each student, and a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.files import write_text
from autograder.judge.results import GradedNotebook
from autograder.report.beside import Beside
from autograder.report.grades_csv import grades_csv
from autograder.report.html import class_page, student_file, student_page
from autograder.report.summary import ClassTally, by_student

__all__ = ["write_report"]


def write_report(
    folder: Path,
    assignment: str,
    graded: Iterable[GradedNotebook],
    environment: Mapping[str, str],
    beside: Beside | None = None,
) -> Path:
    """Write ``index.html``, ``grades.csv`` and ``students/NAME.html``; return the index.

    ``graded``: every notebook of every student, by student and notebook. It is gone through once,
    and only one student's verdicts are kept in memory, so it may be a generator over a large class.
    ``environment``: what to say of host and versions. ``beside``: what else the course folder has
    to show, where ``folder`` is its report/ASSIGNMENT. Each file is complete whenever it is there:
    the class page, which links to the others, is written last. Pages of students that would be the
    same again are left alone; those of students who are no longer in the class are removed.
    Raises ValueError when a student's notebooks do not come one after the other.
    """
    beside = beside or Beside()
    tally = ClassTally(assignment, beside)
    pages = folder / "students"
    written = set()
    for notebooks in by_student(graded, beside.order):
        tally.add(notebooks)
        name = student_file(notebooks[0].student)
        write_if_changed(pages / name, student_page(assignment, notebooks, beside))
        written.add(name)
    for old in pages.glob("*.html"):
        if old.name not in written:
            old.unlink()
    summary = tally.summary()
    write_text(folder / "grades.csv", grades_csv(summary))
    index = folder / "index.html"
    write_text(index, class_page(summary, environment, beside.changes))
    return index


def write_if_changed(path: Path, text: str) -> None:
    """Write a file, unless it says the same already."""
    if not (path.is_file() and path.read_bytes() == text.encode()):
        write_text(path, text)
