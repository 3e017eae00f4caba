"""`regrade`: both verdicts side by side, who wanted it and why, and what people gave is kept."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.authoring.release import release
from autograder.batch.executors import LocalExecutor
from autograder.batch.regrade import regrade
from autograder.batch.run import grade_assignment
from autograder.batch.task_grader import TaskGrader
from autograder.cli.grade import report_on
from autograder.cli.main import main
from autograder.course.changes import append_change, changes_path, person, read_changes
from autograder.course.submissions import CourseError
from autograder.feedback.pages import make_feedback
from autograder.judge.zygote import Zygote
from tests.e2e.courses import Course
from tests.e2e.test_nbgrader import WRITTEN, squared
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, answer, submit, write_course

pytestmark = pytest.mark.sandbox

HOSTILE = "<b>the TA's</b> **note**"


class Graded:
    """A course in which ann and bo have been graded, and ann's written answer has been read."""

    def __init__(self, root: Path, zygote: Zygote) -> None:
        self.course, self.root, self.zygote = Course(root), root, zygote
        for student in ("ann", "bo"):
            submit(root, student, answer(squared))
        grade_assignment(root, ASSIGNMENT, lambda: zygote)
        with self.course.gradebook() as book:
            names = (NOTEBOOK, ASSIGNMENT, "ann")
            written = book.find_grade(WRITTEN, *names)
            written.manual_score, written.needs_manual_grade = 1.5, False
            book.find_comment(WRITTEN, *names).manual_comment = "Well seen."
            book.db.commit()

    def executor(self, material: object) -> LocalExecutor:
        return LocalExecutor(TaskGrader(material, lambda: self.zygote))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Graded:
    root = write_course(tmp_path_factory.mktemp("regrade") / "course")
    release(root, [ASSIGNMENT])
    return Graded(root, zygote)


def words(text: str) -> str:
    return " ".join(html.unescape(text).split())


def test_old_and_new_stand_side_by_side_and_manual_marks_are_kept(graded: Graded) -> None:
    before = round(graded.course.points("ann"), 4)
    submit(graded.root, "ann", answer())

    def interrupt(event: object) -> None:
        raise KeyboardInterrupt

    asked = (graded.root, ASSIGNMENT, "ann", HOSTILE, graded.executor)
    with pytest.raises(KeyboardInterrupt):
        regrade(*asked, interrupt)
    assert not changes_path(graded.root).exists()
    grade_assignment(graded.root, ASSIGNMENT, lambda: graded.zygote, students="ann")
    change = regrade(*asked)
    assert (change.old, change.new) == (before, CLASS_POINTS), "the old one is the one before all"
    assert before < CLASS_POINTS

    (line,) = changes_path(graded.root).read_text("utf-8").splitlines()
    logged = json.loads(line)
    assert (logged["student"], logged["user"], logged["note"]) == ("ann", person(), HOSTILE)
    assert (logged["old"], logged["new"]) == (before, CLASS_POINTS)
    assert logged["command"] == f"regrade ann {ASSIGNMENT}"
    assert graded.course.grades("ann")[WRITTEN] == (None, 1.5, True), "and for another look"
    with graded.course.gradebook() as book:
        comment = book.find_comment(WRITTEN, NOTEBOOK, ASSIGNMENT, "ann")
        assert comment.manual_comment == "Well seen."

    index = report_on(graded.root, ASSIGNMENT, graded.root / "report", {})
    for page in (index, index.parent / "students" / "ann.html"):
        text = page.read_text("utf-8")
        assert HOSTILE not in text
        assert HOSTILE in html.unescape(text)
        assert person() in text
    text = words((index.parent / "students" / "ann.html").read_text("utf-8"))
    assert f"{round(before, 2):g} before, 11 of 11 now" in text
    assert "take the square root" in text
    assert "all checks passed" in text
    assert "Graded again" not in (index.parent / "students" / "bo.html").read_text("utf-8")

    (page,) = make_feedback(graded.root, ASSIGNMENT, ["ann"])
    text = words(page.read_text("utf-8"))
    assert "Automatic points that have changed" in text
    assert f">knn-no-loops</td> <td>{before - 7:g}</td> <td>4</td>" in text
    assert "the TA's" not in text
    assert "take the square root" not in text


def test_the_command_shows_both_and_says_what_to_do(graded: Graded) -> None:
    """The same hand-in keeps its inputs, so a regrade for its own sake changes nothing."""
    asked = ["regrade", "bo", ASSIGNMENT, "--root", str(graded.root)]
    done = CliRunner().invoke(main, [*asked, "--note", "please look again"])
    assert done.exit_code == 0, done.output
    text = words(done.output)
    assert "nothing has changed" in text
    assert f"python -m autograder feedback {ASSIGNMENT} --student bo" in text
    last = read_changes(graded.root, ASSIGNMENT)[-1]
    assert (last.student, last.old, last.note) == ("bo", last.new, "please look again")
    assert words(" ".join(last.told(NOTEBOOK))).endswith("the automatic points stay as they were.")


def test_wrong_use_is_one_line_and_leaves_no_trace(graded: Graded) -> None:
    log = changes_path(graded.root)
    before = log.read_bytes() if log.exists() else b""
    root = ["--root", str(graded.root)]
    for asked, said in (
        (["nobody", ASSIGNMENT, "--note", "why"], "no assignment1 of 'nobody'; there are: ann, bo"),
        (["anne", ASSIGNMENT, "--note", "why"], "do you mean ann?"),
        (["bo", "assignment7", "--note", "why"], "holds no notebooks"),
        (["bo", ASSIGNMENT], "Missing option '--note'"),
        (["bo", ASSIGNMENT, "--note", " "], "must not be empty"),
        (["bo", ASSIGNMENT, "--note", "why", "--notebooks", "svm"], "no notebook matches"),
    ):
        done = CliRunner().invoke(main, ["regrade", *asked, *root])
        assert (done.exit_code, said in words(done.output)) == (2, True), done.output
    assert (log.read_bytes() if log.exists() else b"") == before
    with pytest.raises(CourseError):
        regrade(graded.root, ASSIGNMENT, "nobody", "why", graded.executor)


def test_a_line_that_was_cut_off_costs_no_other(graded: Graded, tmp_path: Path) -> None:
    submit(graded.root, "bo", answer(squared))
    change = regrade(graded.root, ASSIGNMENT, "bo", "again", graded.executor)
    append_change(tmp_path, change)
    with changes_path(tmp_path).open("a") as log:
        log.write('{"time": "2031-')
    append_change(tmp_path, replace(change, note="after"))
    append_change(tmp_path, replace(change, assignment="assignment2"))
    assert [one.note for one in read_changes(tmp_path, ASSIGNMENT)] == ["again", "after"]
