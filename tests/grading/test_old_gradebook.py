"""A gradebook that does not fit: older than the release, or one that takes all but one student."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from autograder.authoring.release import make_release, release
from autograder.batch.run import grade_assignment
from autograder.course.records import results
from autograder.judge.zygote import Zygote
from tests.little import ASSIGNMENT, CLASS_POINTS, answer, submit, write_course

pytestmark = pytest.mark.sandbox


def points(root: Path) -> dict[tuple[str, str], float | None]:
    """Automatic points in the gradebook, by student and question."""
    query = """
        SELECT s.student_id, c.name, g.auto_score FROM grade g
        JOIN base_cell c ON c.id = g.cell_id
        JOIN submitted_notebook n ON n.id = g.notebook_id
        JOIN submitted_assignment s ON s.id = n.assignment_id
    """
    with sqlite3.connect(root / "gradebook.db") as book:
        return {(student, cell): score for student, cell, score in book.execute(query)}


def test_a_gradebook_older_than_the_release_gets_what_it_lacks(
    zygote: Zygote, tmp_path: Path
) -> None:
    root = write_course(tmp_path / "course")
    source = root / "source" / ASSIGNMENT / "knn.ipynb"
    whole = source.read_text("utf-8")
    shorter = json.loads(whole)
    new = {"knn-predict-labels", "knn-question-bright-rows"}
    shorter["cells"] = [cell for cell in shorter["cells"] if cell["id"] not in new]
    source.write_text(json.dumps(shorter), "utf-8")
    release(root)
    submit(root, "ann", answer())
    grade_assignment(root, ASSIGNMENT, lambda: zygote)
    assert not {cell for _, cell in points(root)} & new

    source.write_text(whole, "utf-8")
    make_release(root, ASSIGNMENT, database=tmp_path / "somebody-elses.db")
    submit(root, "bob", answer())
    done = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    assert [(one.score, one.needs_human) for one in done] == [(CLASS_POINTS, "")] * 2
    found = points(root)
    for student in ("ann", "bob"):
        assert found[student, "knn-predict-labels"] == 3
        assert found[student, "knn-question-bright-rows"] is None  # to be read
        assert sum(score or 0 for (who, _), score in found.items() if who == student) == (
            CLASS_POINTS
        )


def test_whom_the_gradebook_refuses_is_named_and_nobody_else_suffers(
    zygote: Zygote, tmp_path: Path
) -> None:
    root = write_course(tmp_path / "course")
    release(root)
    with sqlite3.connect(root / "gradebook.db") as book:
        book.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON student WHEN NEW.id = 'bob' "
            "BEGIN SELECT RAISE(ABORT, 'no room for bob'); END"
        )
    for student in ("ann", "bob", "cy"):
        submit(root, student, b"")
    done = {one.student: one for one in grade_assignment(root, ASSIGNMENT, lambda: zygote)}
    assert "the gradebook does not take the grades of bob" in done["bob"].needs_human
    assert {student for student, _ in points(root)} == {"ann", "cy"}
    on_record = {one.student: one.needs_human for one in results(root, ASSIGNMENT)}
    assert "no room for bob" in on_record["bob"]
    assert "gradebook" not in on_record["ann"] + on_record["cy"]
    with sqlite3.connect(root / "gradebook.db") as book:
        book.execute("DROP TRIGGER refuse")
    done = {one.student: one for one in grade_assignment(root, ASSIGNMENT, lambda: zygote)}
    assert "gradebook" not in done["bob"].needs_human
    assert {student for student, _ in points(root)} == {"ann", "bob", "cy"}
