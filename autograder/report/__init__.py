"""What a TA looks at after grading: a page for the class, one for each student, and a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.judge.results import GradedNotebook
from autograder.records import write_text
from autograder.report.grades_csv import grades_csv
from autograder.report.html import class_page, student_file, student_page
from autograder.report.summary import summarize

__all__ = ["write_report"]


def write_report(
    folder: Path,
    assignment: str,
    graded: Sequence[GradedNotebook],
    environment: Mapping[str, str],
) -> Path:
    """Write ``index.html``, ``grades.csv`` and ``students/NAME.html``; return the index.

    ``graded``: every notebook of every student; ``environment``: what to say of host and versions.
    Each file is complete whenever it is there: the class page, which links to the others, is
    written last. Pages of students who are no longer in the class are removed.
    """
    summary = summarize(assignment, graded)
    pages = folder / "students"
    written = set()
    for student in summary.students:
        name = student_file(student.name)
        write_text(pages / name, student_page(summary, student))
        written.add(name)
    for old in pages.glob("*.html"):
        if old.name not in written:
            old.unlink()
    write_text(folder / "grades.csv", grades_csv(summary))
    index = folder / "index.html"
    write_text(index, class_page(summary, environment))
    return index
