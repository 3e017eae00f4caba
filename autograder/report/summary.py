"""The numbers of a report: from graded notebooks to students, questions, checks and times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.judge.results import CellVerdict, CheckVerdict, GradedNotebook

MOST_BARS = 21


@dataclass(frozen=True)
class StudentSummary:
    """One student's notebooks of the assignment, added up. Points are the automatic ones."""

    name: str
    score: float
    max_score: float
    manual_pending: int
    needs_human: str
    repairs: tuple[str, ...]
    seconds: float
    notebooks: tuple[GradedNotebook, ...]

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        return tuple(cell for notebook in self.notebooks for cell in notebook.cells)


@dataclass(frozen=True)
class QuestionSummary:
    """How the class did on one graded cell: numbers of students."""

    notebook: str
    grade_id: str
    points: float
    mean_score: float
    full: int
    partial: int
    none: int

    @property
    def students(self) -> int:
        return self.full + self.partial + self.none


@dataclass(frozen=True)
class CheckSummary:
    """How many students passed one hidden check. ``students``: those for whom it could run."""

    grade_id: str
    title: str
    probe: str
    advice: bool
    passed: int
    students: int


@dataclass(frozen=True)
class TimeSummary:
    """Seconds one notebook took, over the class."""

    notebook: str
    median: float
    longest: float
    total: float
    stages: tuple[tuple[str, float], ...]  # name, median seconds
    peak_mb: float


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram: students with ``low <= score < high``."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class ClassSummary:
    """Everything the class page shows."""

    assignment: str
    max_score: float
    students: tuple[StudentSummary, ...]
    questions: tuple[QuestionSummary, ...]
    checks: tuple[CheckSummary, ...]
    times: tuple[TimeSummary, ...]
    bars: tuple[Bar, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(s.score for s in self.students) if self.students else 0.0

    @property
    def median(self) -> float:
        return statistics.median(s.score for s in self.students) if self.students else 0.0

    @property
    def manual_pending(self) -> int:
        return sum(s.manual_pending for s in self.students)

    @property
    def needing_human(self) -> int:
        return sum(bool(s.needs_human) for s in self.students)


def summarize(assignment: str, graded: Sequence[GradedNotebook]) -> ClassSummary:
    """Add up the graded notebooks of one assignment, students and questions in order."""
    by_student: dict[str, list[GradedNotebook]] = {}
    for notebook in graded:
        by_student.setdefault(notebook.student, []).append(notebook)
    students = tuple(_student(name, by_student[name]) for name in sorted(by_student))
    max_score = max((student.max_score for student in students), default=0.0)
    return ClassSummary(
        assignment=assignment,
        max_score=max_score,
        students=students,
        questions=_questions(graded),
        checks=_checks(graded),
        times=_times(graded),
        bars=histogram([student.score for student in students], max_score),
    )


def histogram(scores: Sequence[float], max_score: float) -> tuple[Bar, ...]:
    """Bars of 1, 2, 5, 10, ... points; full marks have one of their own where the width divides."""
    width = 1.0
    for factor in _round_widths():
        width = factor
        if math.floor(max_score / width) < MOST_BARS:
            break
    counts = [0] * (math.floor(max_score / width) + 1)
    for score in scores:
        counts[min(max(math.floor(score / width), 0), len(counts) - 1)] += 1
    return tuple(Bar(i * width, (i + 1) * width, n) for i, n in enumerate(counts))


def _round_widths() -> Iterator[float]:
    """1, 2, 5, 10, 20, 50, ..."""
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _student(name: str, notebooks: Sequence[GradedNotebook]) -> StudentSummary:
    return StudentSummary(
        name=name,
        score=round(sum(n.score for n in notebooks), 4),
        max_score=round(sum(n.max_score for n in notebooks), 4),
        manual_pending=sum(len(n.manual_pending) for n in notebooks),
        needs_human="; ".join(dict.fromkeys(n.needs_human for n in notebooks if n.needs_human)),
        repairs=tuple(repair for n in notebooks for repair in n.repairs),
        seconds=sum(n.timings.get("total", 0.0) for n in notebooks),
        notebooks=tuple(sorted(notebooks, key=lambda n: n.notebook)),
    )


def _questions(graded: Sequence[GradedNotebook]) -> tuple[QuestionSummary, ...]:
    cells: dict[tuple[str, str], list[CellVerdict]] = {}
    for notebook in sorted(graded, key=lambda n: n.notebook):
        for cell in notebook.cells:
            cells.setdefault((notebook.notebook, cell.grade_id), []).append(cell)
    return tuple(
        QuestionSummary(
            notebook=notebook,
            grade_id=grade_id,
            points=verdicts[0].points,
            mean_score=statistics.fmean(v.score for v in verdicts),
            full=sum(v.score >= v.points for v in verdicts),
            partial=sum(0 < v.score < v.points for v in verdicts),
            none=sum(v.score <= 0 < v.points for v in verdicts),
        )
        for (notebook, grade_id), verdicts in cells.items()
    )


def _checks(graded: Sequence[GradedNotebook]) -> tuple[CheckSummary, ...]:
    checks: dict[tuple[str, str, str], list[CheckVerdict]] = {}
    for notebook in sorted(graded, key=lambda n: n.notebook):
        for cell in notebook.cells:
            for check in cell.checks:
                checks.setdefault((notebook.notebook, cell.grade_id, check.name), []).append(check)
    return tuple(
        CheckSummary(
            grade_id=grade_id,
            title=verdicts[0].title,
            probe=verdicts[0].probe,
            advice=verdicts[0].advice,
            passed=sum(v.passed for v in verdicts),
            students=len(verdicts),
        )
        for (_, grade_id, _), verdicts in checks.items()
    )


def _times(graded: Sequence[GradedNotebook]) -> tuple[TimeSummary, ...]:
    timings: dict[str, list[dict[str, float]]] = {}
    for notebook in sorted(graded, key=lambda n: n.notebook):
        if "total" in notebook.timings:
            timings.setdefault(notebook.notebook, []).append(notebook.timings)
    return tuple(
        TimeSummary(
            notebook=notebook,
            median=statistics.median(t["total"] for t in rows),
            longest=max(t["total"] for t in rows),
            total=sum(t["total"] for t in rows),
            stages=tuple(
                (stage, statistics.median(t.get(stage, 0.0) for t in rows))
                for stage in ("start", "cells", "checks")
            ),
            peak_mb=max(t.get("peak_mb", 0.0) for t in rows),
        )
        for notebook, rows in timings.items()
    )
