"""Feedback pages: nbgrader's, with the judge's messages and nothing of what is hidden."""

from __future__ import annotations

import ast
import datetime
import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from autograder.batch.run import grade_assignment
from autograder.checks.assignment1 import knn
from autograder.course.config import open_gradebook
from autograder.course.late import apply_calendar
from autograder.course.submissions import CourseError
from autograder.demo import ASSIGNMENT, NOTEBOOK, SMALL, build_demo
from autograder.feedback.pages import make_feedback
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.watch.feedback_writer import FeedbackWriter

COURSE = Path(__file__).resolve().parents[2]
STUDENTS = ("alternative", "blank", "wrong_squared_distances", "wrong_transposed")
HOSTILE = "<script>alert('ta')</script><img src=x onerror=alert(2)>"

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> tuple[Path, dict[str, GradedNotebook]]:
    """A graded course of four students, one of them with HTML in an answer and in an output."""
    root = tmp_path_factory.mktemp("course") / "demo"
    build_demo(root, COURSE, replace(SMALL, students=STUDENTS, notebooks=(NOTEBOOK,)))
    path = root / "submitted" / "wrong_transposed" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["knn-question-bright-rows"]["source"] = f"Bright. {HOSTILE}"
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
    source = (
        "from IPython.display import HTML, display\nimport matplotlib.pyplot as plt\n"
        f"display(HTML({HOSTILE!r}))\nplt.plot([1, 2])\nplt.show()"
    )
    notebook["cells"].append({**own, "source": source})
    path.write_text(json.dumps(notebook), "utf-8")
    done = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    return root, {notebook.student: notebook for notebook in done}


@pytest.fixture(scope="module")
def pages(graded: tuple[Path, dict[str, GradedNotebook]]) -> dict[str, str]:
    root, _ = graded
    made = make_feedback(root, ASSIGNMENT)
    expected = [root / "feedback" / s / ASSIGNMENT / f"{NOTEBOOK}.html" for s in STUDENTS]
    assert made == expected
    return {path.parts[-3]: path.read_text("utf-8") for path in made}


def test_pages_show_scores_and_the_judges_messages(
    graded: tuple[Path, dict[str, GradedNotebook]], pages: dict[str, str]
) -> None:
    for student, notebook in graded[1].items():
        page = text_of(pages[student])
        assert f"(Score: {notebook.score:.2f}"[:-1] in page
        for cell in notebook.cells:
            assert f"{cell.score:g} of {cell.points:g} points" in page
            for check in cell.checks:
                assert " ".join(check.title.split()) in page
                assert " ".join(check.message.split()) in page
    assert "these are squared distances: take the square root" in pages["wrong_squared_distances"]


def test_nothing_hidden_is_in_a_page(pages: dict[str, str]) -> None:
    modules = [path.read_text("utf-8") for path in Path(str(knn.__file__)).parent.glob("*.py")]
    shown = {
        *(text for module in modules for text in string_constants(module)),  # titles and messages
        *("import numpy as np", "from scipy.spatial.distance import cdist"),
    }
    hidden = {
        line.strip()
        for module in modules
        for line in module.splitlines()
        if len(line.strip()) > 30 and not any(line.strip(' "#') in text for text in shown)
    }
    hidden -= {line for line in hidden if line.startswith(("#", '"""'))}
    assert len(hidden) > 100
    source = json.loads((COURSE / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    for student, page in pages.items():
        text = text_of(page)
        assert [line for line in hidden if " ".join(line.split()) in text] == []
        for marker in ("BEGIN HIDDEN", "hidden.check", "BEGIN SOLUTION", "MARK SCHEME"):
            assert marker not in text
        if student == "blank":
            solutions = solution_lines(source)
            assert solutions
            assert [line for line in solutions if line in text] == []


def test_messages_hold_no_numbers_of_a_hidden_call(
    graded: tuple[Path, dict[str, GradedNotebook]],
) -> None:
    """No array, and no number of more digits than an error that is rounded to two."""
    for notebook in graded[1].values():
        for cell in notebook.cells:
            for check in cell.checks:
                assert "array(" not in check.message
                assert not re.search(r"\d\.\d{3}", check.message), check.message


def test_student_html_does_not_run_and_figures_are_shown(pages: dict[str, str]) -> None:
    body = pages["wrong_transposed"]
    body = body[body.index("<body") :]
    assert "Bright." in body
    assert "onerror=alert" not in html.unescape(re.sub(r"<pre>.*?</pre>", "", body, flags=re.S))
    assert "<script>alert" not in body
    assert 'src="data:image/png;base64,' in body


def test_nbgraders_own_command_gives_the_same_pages(
    graded: tuple[Path, dict[str, GradedNotebook]], pages: dict[str, str]
) -> None:
    root, _ = graded
    shutil.rmtree(root / "feedback")
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", ASSIGNMENT]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(root / "none")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for student, page in pages.items():
        path = root / "feedback" / student / ASSIGNMENT / f"{NOTEBOOK}.html"
        assert path.read_text("utf-8") == page


def test_one_student_alone(graded: tuple[Path, dict[str, GradedNotebook]]) -> None:
    root, _ = graded
    made = make_feedback(root, ASSIGNMENT, ["blank"])
    assert [path.parts[-3] for path in made] == ["blank"]


def test_somebody_not_graded_is_named(graded: tuple[Path, dict[str, GradedNotebook]]) -> None:
    root, _ = graded
    with pytest.raises(CourseError, match="no feedback on assignment1 for nobody"):
        make_feedback(root, ASSIGNMENT, ["blank", "nobody"])
    assert not list(root.glob(".feedback-*"))


def test_a_page_says_how_late_the_hand_in_was(
    graded: tuple[Path, dict[str, GradedNotebook]], tmp_path: Path
) -> None:
    """By its own notebook's penalty; late days that cost nothing are said, too."""
    root = Path(shutil.copytree(graded[0], tmp_path / "course"))
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8").replace(str(graded[0]), str(root)), "utf-8")
    (root / "calendar.toml").write_text(
        f"penalty_per_day = 50\nlate_days = 1\n[due]\n{ASSIGNMENT} = 2031-02-07T12:00:00\n"
    )
    late, blank, later, _ = STUDENTS
    with open_gradebook(root) as book:
        for student, day in ((late, 8), (later, 9)):
            book.find_submission(ASSIGNMENT, student).timestamp = datetime.datetime(2031, 2, day)
        book.db.commit()
    apply_calendar(root)
    made = {
        path.parts[-3]: text_of(path.read_text("utf-8")) for path in make_feedback(root, ASSIGNMENT)
    }
    assert "handed in 1 day late, taken from the budget of late days " in made[late]
    off = graded[1][later].score / 2
    assert (
        f"handed in 2 days late, 1 of them from the budget of late days -{round(off, 2):g}"
        in made[later]
    )
    assert "handed in" not in made[blank]


def test_one_process_writes_page_after_page_and_another_where_it_died(
    graded: tuple[Path, dict[str, GradedNotebook]],
) -> None:
    root, _ = graded
    page = root / "feedback" / "blank" / ASSIGNMENT / f"{NOTEBOOK}.html"

    def writers() -> list[psutil.Process]:
        mine = psutil.Process().children()
        return [one for one in mine if "autograder.feedback.standing" in one.cmdline()]

    with FeedbackWriter(root, ASSIGNMENT) as writer:
        (first,) = writers()
        for _ in range(2):
            page.unlink(missing_ok=True)
            writer.begin("blank")
            assert writer.finished(wait=True) == [("blank", "")]
            assert page.is_file()
        writer.begin("nobody")
        ((student, problem),) = writer.finished(wait=True)
        assert student == "nobody"
        assert "is it graded?" in problem
        assert writers() == [first]
        first.kill()
        first.wait()
        writer.begin("blank")
        assert writer.finished(wait=True) == [("blank", "")]
        assert writers() != [first]
    assert writers() == []


def text_of(page: str) -> str:
    """What a reader sees, on one line."""
    body = page[page.index("<body") :]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def string_constants(source: str) -> set[str]:
    constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def solution_lines(source: dict) -> list[str]:
    """Long lines of the solutions."""
    lines, inside = [], False
    for cell in source["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if "### BEGIN SOLUTION" in line or "### END SOLUTION" in line:
                inside = "BEGIN" in line
            elif inside and len(line.strip()) > 30:
                lines.append(" ".join(line.split()))
    return lines
