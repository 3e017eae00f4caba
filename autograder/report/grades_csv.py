"""``grades.csv``: one line a student, for a spreadsheet or the university's system."""

from __future__ import annotations

import csv
import io

from autograder.report.summary import ClassSummary

COLUMNS = ("student", "assignment", "score", "max_score", "manual_pending", "needs_human")

# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def grades_csv(summary: ClassSummary) -> str:
    """The table as text. Score and max_score are automatic points."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for student in summary.students:
        writer.writerow(
            (
                harmless(student.name),
                harmless(summary.assignment),
                number(student.score),
                number(student.max_score),
                student.manual_pending,
                harmless(student.needs_human),
            )
        )
    return text.getvalue().encode("utf-8", "replace").decode("utf-8")


def number(value: float) -> str:
    """16 or 11.5: no more digits than there are."""
    return f"{round(value, 4):.12g}"


def harmless(text: str) -> str:
    """On one line; an apostrophe before what a spreadsheet would take for a formula."""
    line = " ".join(text.splitlines()).strip(" ")
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line
