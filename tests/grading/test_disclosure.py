"""What students see of their feedback, and from when on, whoever makes the page."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from autograder.authoring.release import release
from autograder.batch.run import grade_assignment
from autograder.cli.main import main
from autograder.course.gradebook import course_config
from autograder.course.submissions import CourseError
from autograder.feedback.disclosure import Disclosure, parse_time, read_disclosure, set_disclosure
from autograder.feedback.pages import make_feedback
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.template import TemplateError
from tests.little import ASSIGNMENT, NOTEBOOK, answer, cell_of, submit, write_course

pytestmark = pytest.mark.sandbox

ZONE = "\nc.Exchange.timezone = 'Europe/Zurich'\n"
COMMENT = "Well argued, but which rows?"
FUTURE, PAST = "2191-03-08 18:00", "2001-03-08"
WRITTEN, PRINTED = "knn-question-bright-rows", "printed by the cell itself"


def squared(document: dict) -> None:
    cell = cell_of(document, "k-nearest-neighbor")
    cell["source"] = "".join(cell["source"]).replace("np.sqrt(np.maximum(squared, 0))", "squared")
    cell["source"] += f"\nprint({PRINTED!r})"


def dies(document: dict) -> None:
    cell_of(document, "k-nearest-neighbor")["source"] = "import os\nos._exit(0)"


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> tuple[Path, dict[str, GradedNotebook]]:
    """A graded course of two students, with a comment and points given by hand."""
    root = write_course(tmp_path_factory.mktemp("disclosure") / "course")
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + ZONE, "utf-8")
    release(root)
    submit(root, "ann", answer(squared))
    submit(root, "bo", answer(dies))
    done = grade_assignment(root, ASSIGNMENT, lambda: zygote)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        names = (NOTEBOOK, ASSIGNMENT, "ann")
        book.find_comment(WRITTEN, *names).manual_comment = COMMENT
        book.find_grade(WRITTEN, *names).manual_score = 1.5
        book.db.commit()
    return root, {one.student: one for one in done}


@pytest.fixture
def root(graded: tuple[Path, dict[str, GradedNotebook]]) -> Iterator[Path]:
    """The course, without a rule and without pages."""
    root, _ = graded
    yield root
    (root / ".autograder" / "feedback.json").unlink(missing_ok=True)
    shutil.rmtree(root / "feedback", ignore_errors=True)


def page(root: Path, student: str = "ann") -> str:
    path = root / "feedback" / student / ASSIGNMENT / f"{NOTEBOOK}.html"
    return path.read_text("utf-8")


def text(page: str) -> str:
    """What a reader sees, on one line."""
    body = page[page.index("<body") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def made(root: Path, **rule: Any) -> str:
    set_disclosure(root, ASSIGNMENT, **rule)
    make_feedback(root, ASSIGNMENT, ["ann"])
    return text(page(root))


def reasons(one: GradedNotebook) -> list[str]:
    """Every title, message and note of the judge, and the names of the checks."""
    checks = [check for cell in one.cells for check in cell.checks]
    found = [part for check in checks for part in (check.title, check.message, check.name)]
    found += [cell.note for cell in one.cells]
    return [" ".join(part.split()) for part in found if part]


def shows_points(one: GradedNotebook, shown: str) -> bool:
    return all(f"{cell.score:g} of {cell.points:g} points" in shown for cell in one.cells)


def test_at_first_everything_is_shown(root: Path, graded: tuple) -> None:
    shown = made(root)
    one = graded[1]["ann"]
    titles = [check.title for cell in one.cells for check in cell.checks]
    assert len(titles) > 8
    assert all(" ".join(title.split()) in shown for title in titles)
    assert COMMENT in shown
    assert shows_points(one, shown)
    assert "Held back" not in shown


def test_without_checks_points_and_written_comments_are_left(root: Path, graded: tuple) -> None:
    shown = made(root, checks=False)
    one = graded[1]["ann"]
    assert [reason for reason in reasons(one) if reason in shown] == []
    assert shows_points(one, shown)
    assert COMMENT in shown
    assert PRINTED in shown  # what their own code prints is theirs
    assert "Points and written comments are shown, but not the result of each check" in shown
    assert "✓" not in shown
    assert "✗" not in shown


def test_before_the_date_there_are_points_and_the_date(root: Path, graded: tuple) -> None:
    shown = made(root, after=FUTURE)
    one = graded[1]["ann"]
    assert [reason for reason in reasons(one) if reason in shown] == []
    assert COMMENT not in shown
    assert shows_points(one, shown)
    assert "Score: 1.5 / 2.0" in shown  # given by hand
    assert "only the points of each question" in shown.lower()
    assert "until 2191-03-08 18:00 (Europe/Zurich)" in shown
    assert "Held back until then: what each check found and written comments." in shown


def test_why_nothing_ran_is_held_back_too(root: Path, graded: tuple) -> None:
    set_disclosure(root, ASSIGNMENT, after=FUTURE)
    make_feedback(root, ASSIGNMENT, ["bo"])
    notes = {cell.note for cell in graded[1]["bo"].cells} - {""}
    assert notes
    assert [note for note in notes if note in text(page(root, "bo"))] == []
    set_disclosure(root, ASSIGNMENT, after="now")
    make_feedback(root, ASSIGNMENT, ["bo"])
    assert all(note in text(page(root, "bo")) for note in notes)


def test_from_the_date_on_the_same_command_shows_everything(root: Path) -> None:
    at_first = made(root)
    assert made(root, after=FUTURE) != at_first
    assert made(root, after=PAST) == at_first


def test_without_checks_they_stay_away_when_the_date_has_come(root: Path, graded: tuple) -> None:
    shown = made(root, checks=False, after=FUTURE)
    assert COMMENT not in shown
    assert "Held back until then: written comments." in shown
    shown = made(root, after=PAST)
    assert COMMENT in shown
    assert [reason for reason in reasons(graded[1]["ann"]) if reason in shown] == []


def test_the_rule_is_kept_until_it_is_changed(root: Path) -> None:
    held_back = made(root, after=FUTURE)
    assert made(root) == held_back
    assert read_disclosure(root, "assignment2") == Disclosure()
    made(root, checks=False, after="now")
    assert read_disclosure(root, ASSIGNMENT) == Disclosure(checks=False)


def test_nbgraders_own_command_obeys(root: Path) -> None:
    """Without --force, on pages that were made when nothing was held back."""
    make_feedback(root, ASSIGNMENT)
    set_disclosure(root, ASSIGNMENT, after=FUTURE)
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", ASSIGNMENT]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(root / "none")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = page(root)
    make_feedback(root, ASSIGNMENT)
    assert page(root) == theirs
    assert "Held back until then" in theirs


def test_the_formgraders_button_obeys(root: Path, graded: tuple) -> None:
    """One server for days: the rule is read for each page, and so is the clock."""
    config = course_config(root)
    button = NbGraderAPI(CourseDirectory(config=config), config=config)
    for after, is_held_back in ((None, False), (FUTURE, True), (PAST, False), (FUTURE, True)):
        set_disclosure(root, ASSIGNMENT, after=after)
        result = button.generate_feedback(ASSIGNMENT, "ann")
        assert result["success"], result
        shown = text(page(root))
        assert (COMMENT not in shown) == is_held_back
        found = [reason for reason in reasons(graded[1]["ann"]) if reason in shown]
        assert (found == []) == is_held_back


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"assignment1": 3}', '{"assignment1": {"after": "soon"}}',
                '{"assignment1": {"after": "2001-01-01"}}', '{"assignment1": {"checks": 0}}']
)  # fmt: skip
def test_a_rule_that_cannot_be_read_makes_no_page(root: Path, content: str) -> None:
    (root / ".autograder" / "feedback.json").write_text(content)
    with pytest.raises(CourseError, match="says what students may see, and cannot be read"):
        make_feedback(root, ASSIGNMENT)
    config = course_config(root)
    button = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert not button.generate_feedback(ASSIGNMENT, "ann")["success"]
    assert not list(root.glob("feedback/*/*/*.html"))


@pytest.mark.parametrize(
    ("written", "in_utc"),
    [
        ("2031-03-08", "2031-03-07T23:00"),
        ("2031-07-08", "2031-07-07T22:00"),  # summer time
        (" 2031-03-08 18:30 ", "2031-03-08T17:30"),
        ("2031-03-08T18:30:00", "2031-03-08T17:30"),
        ("2031-03-08T18:30Z", "2031-03-08T18:30"),
        ("2031-03-08T18:30-05:00", "2031-03-08T23:30"),
    ],
)
def test_dates_are_in_the_courses_time_zone(root: Path, written: str, in_utc: str) -> None:
    when = parse_time(written, course_config(root))
    assert when is not None
    expected = datetime.datetime.fromisoformat(f"{in_utc}+00:00")
    assert when == expected
    set_disclosure(root, ASSIGNMENT, after=written)
    rule = read_disclosure(root, ASSIGNMENT)
    assert rule.after == expected
    minute = datetime.timedelta(minutes=1)
    assert rule.waits(expected - minute)
    assert not rule.waits(expected)


@pytest.mark.parametrize(
    "written",
    ["", "tomorrow", "8.3.2031", "2031-02-30", "2031-03-08 25:00", "9999-12-31T23:59-14:00", "1"],
)
def test_what_is_no_date_is_reported_and_changes_nothing(root: Path, written: str) -> None:
    set_disclosure(root, ASSIGNMENT, after=FUTURE)
    before = read_disclosure(root, ASSIGNMENT)
    words = ["feedback", ASSIGNMENT, "--after", written, "--no-checks", "--root", str(root)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert f"{written!r} is not a date: write one such as 2031-03-08" in done.output
    assert read_disclosure(root, ASSIGNMENT) == before
    assert not (root / "feedback").exists()


def test_a_zone_that_does_not_exist_is_reported(root: Path) -> None:
    config = course_config(root)
    config.Exchange.timezone = "Mars/Olympus"
    with pytest.raises(CourseError, match="'Mars/Olympus' is not a time zone; write one such as"):
        parse_time("2031-03-08", config)


def test_an_assignment_that_does_not_exist_gets_no_rule(root: Path) -> None:
    with pytest.raises(TemplateError, match="assignment7"):
        set_disclosure(root, "assignment7", after=FUTURE)
    assert not (root / ".autograder" / "feedback.json").exists()


def test_the_command_says_what_is_held_back(root: Path) -> None:
    words = ["feedback", ASSIGNMENT, "--root", str(root), "--student", "ann"]
    done = CliRunner().invoke(main, [*words, "--after", FUTURE])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"feedback/ann/{ASSIGNMENT}/{NOTEBOOK}.html\n"
    assert "shown until 2191-03-08 18:00 (Europe/Zurich)" in done.stderr
    done = CliRunner().invoke(main, [*words, "--after", "now", "--checks"])
    assert done.stderr == "Everything is shown.\n"
    assert COMMENT in text(page(root))
