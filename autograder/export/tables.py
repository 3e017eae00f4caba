"""CSV tables of an assignment: a line for each check, each question, or each student."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from autograder.export.standing import Standing
from autograder.judge.results import GradedNotebook
from autograder.report.grades_csv import harmless, number

Cell = str | float | None

CHECKS = (
    "student", "notebook", "question", "check", "title", "tier", "weight", "passed", "message"
)  # fmt: skip
QUESTIONS = (
    "student", "notebook", "question", "automatic_score", "manual_score", "extra_credit", "total",
    "max_score", "to_read",
)  # fmt: skip
ASSIGNMENT = (
    "student", "points", "late_penalty", "score", "max_score", "to_read", "needs_human"
)  # fmt: skip

# Text that is a number is one in a spreadsheet too, whatever its sign: nothing to disarm.
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


def check_rows(graded: Iterable[GradedNotebook]) -> Iterator[Sequence[Cell]]:
    """A row for each hidden check; where a question had none to show, a row that says why."""
    for notebook in graded:
        for cell in notebook.cells:
            head = (notebook.student, notebook.notebook, cell.grade_id)
            for check in cell.checks:
                tier = "advice" if check.advice else "points"
                passed = "yes" if check.passed else "no"
                about = (check.name, check.title, tier, check.weight, passed)
                yield (*head, *about, "" if check.passed else check.message)
            if not cell.checks:
                yield (*head, "", "", "", None, "no", cell.note)


def question_rows(found: Iterable[Standing]) -> Iterator[Sequence[Cell]]:
    for standing in found:
        for grade in standing.questions:
            yield (
                standing.student,
                grade.notebook,
                grade.question,
                grade.automatic,
                grade.manual,
                grade.extra_credit,
                grade.total,
                grade.max_score,
                "yes" if grade.unread else "no",
            )


def assignment_rows(found: Iterable[Standing]) -> Iterator[Sequence[Cell]]:
    """A row for each student; without points where nothing was handed in."""
    for standing in found:
        points = (standing.points, standing.late_penalty, standing.score)
        yield (
            standing.student,
            *(points if standing.handed_in else (None, None, None)),
            standing.max_score,
            standing.unread,
            standing.needs_human,
        )


def write_table(file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a CSV table in UTF-8, row by row."""
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_text(value) for value in row])
    text.detach()  # flushes; the file is the caller's


def cell_text(value: Cell) -> str:
    """A number as it is, text so that no spreadsheet takes it for a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return number(value + 0.0)
    return value if NUMBER.fullmatch(value) else harmless(value)
