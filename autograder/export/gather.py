"""Everybody's standing: the gradebook's points, with what the records say of them.

The gradebook counts: people correct it, and late penalties are computed from it. The records hold
the checks behind the automatic points, and why a human has to look.
"""

from __future__ import annotations

from pathlib import Path

from autograder.course.records import results
from autograder.export import ExportError
from autograder.export.snapshot import Mark, Question, Snapshot, read_gradebook
from autograder.export.standing import Person, QuestionGrade, Standing
from autograder.judge.results import GradedNotebook
from autograder.notebook.order import order_of

NONE = None, None


def standings(root: Path, assignment: str) -> list[Standing]:
    """Everybody in the gradebook or on record, by name. Raises ExportError."""
    book = read_gradebook(root, assignment)
    on_record: dict[str, dict[Question, float]] = {}
    reasons: dict[str, list[str]] = {}
    places: dict[Question, int] = {}
    for graded in results(root, assignment):
        scores = on_record.setdefault(graded.student, {})
        for place, cell in enumerate(graded.cells):
            places[graded.notebook, cell.grade_id] = place
            scores[graded.notebook, cell.grade_id] = cell.score
        reasons.setdefault(graded.student, []).extend(_reasons(graded, book))
    if not book.penalties:
        raise ExportError(
            f"the gradebook of {root} has no grades for {assignment!r}: "
            f"check the name, or run `python -m autograder grade {assignment}` first"
        )
    # As in the course and the notebook; what has no checks, such as written answers, comes last.
    order = order_of(root, assignment)
    questions = sorted(
        book.questions, key=lambda q: (order(q[0]), places.get(q, len(places)), q[1])
    )
    max_score = round(sum(book.questions.values()), 4)
    found = []
    for student in sorted({*book.people, *on_record}):
        marks, scores = book.marks.get(student, {}), on_record.get(student, {})
        left = _not_graded(root, assignment, student, marks)
        handed_in = student in book.penalties or student in on_record
        found.append(
            Standing(
                student=student,
                person=book.people.get(student, Person()),
                questions=tuple(
                    _grade(question, book.questions[question], marks.get(question), scores, left)
                    for question in (questions if handed_in else ())
                ),
                max_score=max_score,
                late_penalty=book.penalties.get(student, 0.0),
                not_graded=tuple(sorted(left, key=order)),
                needs_human="; ".join(dict.fromkeys(reasons.get(student, ()))),
            )
        )
    return found


def _not_graded(root: Path, assignment: str, student: str, marks: dict[Question, Mark]) -> set[str]:
    """Notebooks that nbgrader's rows have and nobody has graded yet, as with `grade --notebooks`.

    nbgrader marks all of their questions as to be looked at, and there is nothing to look at.
    """
    graded = {name for (name, _), mark in marks.items() if (mark.automatic, mark.manual) != NONE}
    folder = root / "autograded" / student / assignment
    others = {name for name, _ in marks} - graded
    return {name for name in others if not (folder / f"{name}.ipynb").exists()}


def _grade(
    question: Question,
    points: float,
    mark: Mark | None,
    scores: dict[Question, float],
    not_graded: set[str],
) -> QuestionGrade:
    if mark is None:
        mark = Mark(scores.get(question), None, 0.0, unread=False)
    unread = mark.unread and question[0] not in not_graded
    return QuestionGrade(*question, mark.automatic, mark.manual, mark.extra_credit, points, unread)


def _reasons(graded: GradedNotebook, book: Snapshot) -> list[str]:
    """Why a human has to look at a notebook: what grading said, and a record that is out of date.

    The gradebook is written before the record, and by nbgrader's own autograde without one.
    """
    marks = book.marks.get(graded.student, {})
    mine = {cell.grade_id: marks.get((graded.notebook, cell.grade_id)) for cell in graded.cells}
    same = all(
        mark is not None and abs((mark.automatic or 0.0) - cell.score) < 1e-6
        for cell, mark in zip(graded.cells, mine.values(), strict=True)
    )
    stale = (
        f"{graded.notebook}: the gradebook has other automatic points than the record of its "
        "checks; grade it again"
    )
    return [reason for reason in (graded.needs_human, "" if same else stale) if reason]
