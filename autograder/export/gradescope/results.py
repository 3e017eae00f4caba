"""``results.json``: one student's grades as Gradescope shows them.

The format is https://gradescope-autograders.readthedocs.io/en/latest/specs/ (Output format, Test
case status, Output String Formatting). Every text is declared to be plain: by default Gradescope
renders the topmost one as HTML, and there are words of students in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from autograder.export.standing import QuestionGrade, Standing
from autograder.judge.results import CellVerdict, CheckVerdict, GradedNotebook
from autograder.report.grades_csv import number

MAX_LENGTH = 20_000  # characters of one text: Gradescope cuts, too, but does not say where

Json = dict[str, Any]


def results_json(
    standing: Standing, graded: Sequence[GradedNotebook], visibility: str = "visible"
) -> Json:
    """The whole file for one student: a test for each question that has points by now.

    Written answers that nobody has read yet are no tests; Gradescope would show them as failed.
    """
    verdicts = {(one.notebook, cell.grade_id): cell for one in graded for cell in one.cells}
    notebooks = list(dict.fromkeys(grade.notebook for grade in standing.questions))
    tests, counts = [], dict.fromkeys(notebooks, 0)
    for grade in standing.questions:
        verdict = verdicts.get((grade.notebook, grade.question))
        if verdict is None and grade.manual is None:
            continue
        counts[grade.notebook] += 1
        place = f"{notebooks.index(grade.notebook) + 1}.{counts[grade.notebook]}"
        tests.append(test(grade, verdict, place, visibility))
    return document(
        score=standing.score,
        output="\n".join(_summary_lines(standing, graded)),
        tests=tests,
        visibility=visibility,
        seconds=sum(one.timings.get("total", 0.0) for one in graded),
        extra_data={
            "points": standing.points,
            "late_penalty": standing.late_penalty,
            "written_answers_to_read": standing.unread,
            "needs_human": bool(standing.needs_human),
            "graded": True,
            "notebooks": [
                {
                    "notebook": one.notebook,
                    "score": round(one.score, 4),
                    "max_score": round(one.max_score, 4),
                    "outcome": one.outcome,
                    "submission": one.submission,
                }
                for one in graded
            ],
        },
    )


def document(
    *,
    score: float,
    output: str,
    tests: Sequence[Json],
    visibility: str,
    seconds: float,
    extra_data: Json,
) -> Json:
    """The top level. What is printed while grading is for the course staff only."""
    return {
        "score": score,
        "execution_time": round(seconds, 1),
        "output": plain(output),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "extra_data": extra_data,
        "tests": list(tests),
    }


def test(grade: QuestionGrade, verdict: CellVerdict | None, place: str, visibility: str) -> Json:
    """One question: its points, and what each check found."""
    lines = []
    if grade.manual is not None:
        lines.append(f"Graded by a person: {number(grade.total)} of {number(grade.max_score)}.")
    if verdict is not None:
        lines += [verdict.note] if verdict.note else []
        lines += map(_check, verdict.checks)
    return {
        "name": plain(f"{grade.notebook}: {grade.question}"),
        "name_format": "text",
        "number": place,
        "score": round(grade.total, 4),
        "max_score": grade.max_score,
        "status": "passed" if grade.total >= grade.max_score else "failed",
        "output": plain("\n".join(lines)),
        "output_format": "text",
        "visibility": visibility,
    }


def as_json(data: Json) -> bytes:
    """In ASCII: nothing of a student's can be misread in another encoding."""
    return json.dumps(data, indent=1).encode() + b"\n"


def plain(text: str, max_length: int = MAX_LENGTH) -> str:
    """Without what a terminal or a parser takes for a command, and not endless."""
    kept = (
        text if len(text) <= max_length else f"{text[:max_length]}\n(cut: {len(text)} characters)"
    )
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in kept
    )


def _check(check: CheckVerdict) -> str:
    mark = "passed" if check.passed else "advice" if check.advice else "FAILED"
    return f"[{mark}] {check.title}" + ("" if check.passed else f"\n    {check.message}")


def _summary_lines(standing: Standing, graded: Iterable[GradedNotebook]) -> Iterable[str]:
    """What concerns the submission as a whole, for the student."""
    if standing.late_penalty:
        yield f"Handed in late: {number(standing.late_penalty)} points less."
    if standing.unread:
        yield f"Written answers that a person will read: {standing.unread}."
    for one in graded:
        if one.outcome:
            yield f"{one.notebook}: {one.outcome}."
        for text in (*one.repairs, *one.substituted):
            yield f"{one.notebook}: {text}."
