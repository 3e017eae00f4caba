"""Model answers as pages: when time is up and not before, and never among what students get."""

from __future__ import annotations

import datetime
import json
import re
import stat
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from nbgrader.api import Gradebook

from autograder.authoring.release import release
from autograder.cli.main import main
from autograder.feedback.disclosure import read_disclosure
from tests.little import ASSIGNMENT, NOTEBOOK, cell_of, write_course

FUTURE, PAST = "2191-03-08 18:00", "2001-03-08 18:00"
ZONE = "\nc.Exchange.timezone = 'Europe/Zurich'\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(20)
WRITTEN = "knn-question-bright-rows"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with a little notebook, one of whose cells has a stored output."""
    root = write_course(tmp_path_factory.mktemp("solutions") / "course")
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + ZONE, "utf-8")
    path = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(path.read_text("utf-8"))
    imports = cell_of(document, "imports")
    imports["metadata"] = {"tags": ["nbval-check-output"]}
    imports["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ready\n", "<b>"]}]
    path.write_text(json.dumps(document), "utf-8")
    (path.parent / "sketch.png").write_bytes(PICTURE)
    release(root)
    return root


@pytest.fixture
def root(course: Path) -> Iterator[Path]:
    yield course
    set_due(course, None)
    (course / ".autograder" / "feedback.json").unlink(missing_ok=True)
    for path in sorted((course / "solutions").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def set_due(root: Path, when: str | None, extension: datetime.timedelta | None = None) -> None:
    opened: Any = Gradebook(f"sqlite:///{root}/gradebook.db")  # nbgrader's types are wrong
    with opened as book:
        due = datetime.datetime.fromisoformat(when) if when else None
        book.update_or_create_assignment(ASSIGNMENT, duedate=due)
        if extension:
            book.add_student("ann")
            book.update_or_create_submission(ASSIGNMENT, "ann", extension=extension)
        book.db.commit()


def feedback(root: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["feedback", ASSIGNMENT, "--root", str(root), *words])


def page(root: Path) -> str:
    return (root / "solutions" / ASSIGNMENT / f"{NOTEBOOK}.html").read_text("utf-8")


def words_of(page: str) -> str:
    """What a reader sees, on one line."""
    body = page[page.index("<body") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", body)).split())


def refused(root: Path, *words: str) -> str:
    """What is said where nothing is written."""
    done = feedback(root, "--solutions", *words)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert not list(root.glob("solutions/*/*"))
    return " ".join(done.stderr.split())


def test_pages_show_solutions_and_model_answers(root: Path) -> None:
    set_due(root, PAST)
    done = feedback(root, "--solutions")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"solutions/{ASSIGNMENT}/knn.html\nsolutions/{ASSIGNMENT}/sketch.png\n"
    source = json.loads((root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    code = "".join(cell_of(source, "k-nearest-neighbor")["source"])
    region = re.findall(r"### BEGIN SOLUTION\n(.*?)\n *### END SOLUTION", code, re.DOTALL)
    shown = words_of(page(root))
    assert region
    assert all(" ".join(lines.split()) in shown for lines in region)
    answer, _, rubric = "".join(cell_of(source, WRITTEN)["source"]).partition("### BEGIN MARK")
    assert " ".join(answer.split())[:200] in shown
    assert "A model answer. Others can be as good. 2 points." in shown
    assert "One solution of many." in shown
    assert "Tests. 4 points." in shown
    assert "ready" in shown
    told = [line for line in rubric.splitlines()[1:] if len(line) > 20]
    assert told
    assert [line for line in told if line[:40] in shown] == [], "the rubric is for those who grade"


def test_nothing_hidden_and_no_script_of_a_notebook_is_in_a_page(root: Path) -> None:
    feedback(root, "--solutions", "--early")
    html = page(root)
    for trace in ("hidden.check", "from autograder", "### BEGIN", "### END", "MARK SCHEME"):
        assert trace not in words_of(html)
    assert "<script" not in html, "nor any other: a page needs no network"


def test_not_before_the_due_date(root: Path) -> None:
    set_due(root, FUTURE)
    said = refused(root)
    assert f"{ASSIGNMENT} is due at 2191-03-08 19:00 (Europe/Zurich)" in said
    assert "until then its solutions are not written" in said
    assert feedback(root, "--solutions", "--early").exit_code == 0
    assert "A model answer" in words_of(page(root))


def test_not_before_the_last_extension_is_over(root: Path) -> None:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    set_due(root, yesterday.replace(tzinfo=None).isoformat(), datetime.timedelta(days=2))
    assert f"{ASSIGNMENT} is due at" in refused(root)
    set_due(root, PAST)
    assert feedback(root, "--solutions").exit_code == 0


def test_not_before_the_full_feedback(root: Path) -> None:
    set_due(root, PAST)
    said = refused(root, "--after", FUTURE)
    assert "has its full feedback at 2191-03-08 18:00 (Europe/Zurich)" in said
    assert read_disclosure(root, ASSIGNMENT).after is not None, "the date is kept"
    assert "2191-03-08 18:00" in refused(root)
    assert feedback(root, "--solutions", "--after", "now").exit_code == 0


def test_a_date_of_feedback_alone_will_do(root: Path) -> None:
    assert feedback(root, "--solutions", "--after", PAST).exit_code == 0


def test_without_any_date_it_refuses(root: Path) -> None:
    said = refused(root)
    assert "nobody has said until when students work on assignment1" in said
    assert "set its due date in the formgrader, or a date with --after" in said
    refused(root, "--after", "now")


def test_they_lie_where_nobody_hands_anything_out(root: Path) -> None:
    before = {path for path in root.rglob("*") if "solutions" not in path.parts}
    feedback(root, "--solutions", "--early")
    after = {path for path in root.rglob("*") if "solutions" not in path.parts}
    assert after == before
    for path in root.glob("solutions/*/*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--early"], "--early is about --solutions"),
        (["--solutions", "--student", "ann"], "the same for all: no --student"),
        (["--solutions", "--anyway"], "no --anyway"),
    ],
)
def test_options_that_do_not_go_together(root: Path, words: list[str], says: str) -> None:
    done = feedback(root, *words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert not (root / "feedback").exists()


def test_a_source_that_is_gone_or_broken_is_named(root: Path) -> None:
    path = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    text = path.read_text("utf-8")
    try:
        path.write_text("{", "utf-8")
        assert "knn.ipynb is not a notebook" in refused(root, "--early")
        path.unlink()
        assert "holds no notebook, so there are no solutions" in refused(root, "--early")
    finally:
        path.write_text(text, "utf-8")
