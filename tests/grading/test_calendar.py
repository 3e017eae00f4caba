"""Due dates, late days and penalties: the example of docs/calendar.md, through a real gradebook."""

from __future__ import annotations

import datetime
import io
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from autograder.authoring.release import release
from autograder.cli.grade_table import show_table
from autograder.cli.main import main
from autograder.course.calendar import Calendar, CalendarError, HandIn, lateness, read_calendar
from autograder.course.config import open_gradebook
from autograder.course.gradebook import GradebookWriter
from autograder.course.late import apply_calendar, late_hand_ins
from autograder.export.gather import standings
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.report import write_report
from autograder.report.beside import beside
from tests import little

DOCUMENT = (Path(__file__).parents[2] / "docs" / "calendar.md").read_text("utf-8")
EXAMPLE = re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)[0]
CONFIG = """
from autograder.course import late
c = get_config()
late.configure(c)
"""
POINTS, REACHED = 10.0, 8.0
ASSIGNMENTS = ("assignment1", "assignment2")


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


HANDED_IN = {
    ("ada", "assignment1"): at("2031-02-09T20:00:00"),
    ("ben", "assignment1"): at("2031-02-09T12:00:00"),
    ("ben", "assignment2"): at("2031-03-03T10:00:00"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two assignments of one question each, and the hand-ins of the example."""
    root = tmp_path_factory.mktemp("calendar")
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "calendar.toml").write_text(EXAMPLE)
    with open_gradebook(root) as book:
        for assignment in ASSIGNMENTS:
            book.add_assignment(assignment)
            book.add_notebook("lines", assignment)
            given = {"max_score": POINTS, "cell_type": "code"}
            book.add_grade_cell("fit", "lines", assignment, **given)
    apply_calendar(root)
    hand_in(root, HANDED_IN)
    return root


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graded, tmp_path / "course"))


def hand_in(root: Path, when: dict[tuple[str, str], datetime.datetime]) -> None:
    with GradebookWriter(root) as writer:
        for (student, assignment), moment in when.items():
            cells = (CellVerdict("fit", POINTS, REACHED, ()),)
            graded = GradedNotebook(student, assignment, "lines", cells)
            writer.record(student, assignment, [graded], moment)


def penalties(root: Path) -> dict[tuple[str, str], float]:
    return {
        (one.student, assignment): one.late_penalty
        for assignment in ASSIGNMENTS
        for one in standings(root, assignment)
        if one.handed_in
    }


def test_the_example_of_the_document(course: Path) -> None:
    wanted = dict.fromkeys(HANDED_IN, 0.0) | {("ben", "assignment2"): 0.2 * REACHED}
    assert penalties(course) == wanted
    (ben,) = (one for one in standings(course, "assignment2") if one.student == "ben")
    assert (ben.points, ben.score) == (REACHED, 0.8 * REACHED)
    printed = CliRunner().invoke(main, ["calendar", "--root", str(course)])
    rows = [
        [part.strip() for part in line.split("│")[1:-1]] for line in printed.output.splitlines()
    ]
    assert [row for row in rows if row] == [
        ["assignment1", "ben", "2", "2", "0 %", "0"],
        ["assignment2", "ben", "3", "1", "20 %", "-1.6"],
    ]
    assert penalties(course) == wanted


def verdicts(assignment: str, *students: str) -> list[GradedNotebook]:
    cells = (CellVerdict("fit", POINTS, REACHED, ()),)
    return [GradedNotebook(student, assignment, "lines", cells) for student in students]


def table(root: Path, assignment: str, *students: str) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    show_table(
        console, assignment, verdicts(assignment, *students), late_hand_ins(root, assignment)
    )
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_the_table_of_grade_says_how_late_and_what_it_costs(course: Path) -> None:
    lines = table(course, "assignment2", "ada", "ben")
    assert "student notebook score late to read seconds" in lines
    assert "ben lines 8 / 10 3 days, -1.6 0 0.0" in lines
    assert "ada lines 8 / 10 0 0.0" in lines
    assert "ben lines 8 / 10 2 days 0 0.0" in table(course, "assignment1", "ben")
    assert "student notebook score to read seconds" in table(course, "assignment1", "ada")


def test_where_there_is_no_room_lateness_stands_below_the_table(course: Path) -> None:
    long = "b" * 52
    hand_in(course, {(long, "assignment2"): at("2031-03-06T10:00:00")})
    lines = table(course, "assignment2", long)
    assert f"{long} lines 8 / 10" in lines
    below = " ".join(lines).partition("8 / 10 ")[2]
    late = "handed in 6 days late, 3 of them from the budget of late days: 2.4 points off"
    assert below == f"{long} {late}"
    many = [f"s{number}" for number in range(50)]
    hand_in(course, {(student, "assignment2"): at("2031-03-06T10:00:00") for student in many})
    assert table(course, "assignment2", *many)[-1] == (
        "handed in late: 50 of these students, 120 points off in all"
    )


def test_the_report_says_what_the_gradebook_does(course: Path) -> None:
    with open_gradebook(course) as book:  # as a plug-in of one's own may have decided
        book.find_submission_notebook("lines", "assignment2", "ben").late_submission_penalty = 2.5
        book.db.commit()
    around = beside(course, "assignment2")
    folder = course / "report" / "assignment2"
    index = write_report(folder, "assignment2", verdicts("assignment2", "ada", "ben"), {}, around)
    page = " ".join(re.sub("<[^>]*>", " ", index.read_text()).split())
    assert "taken off for 1 late hand-in" in page
    assert "ben 8 8 3 days −2.5 0.0 handed in late" in page
    ben = " ".join((folder / "students" / "ben.html").read_text().split())
    late = "handed in 3 days late, 1 of them from the budget of late days: 2.5 points off"
    assert f"It was {late}." in ben
    assert "late" not in (folder / "students" / "ada.html").read_text().partition("<body>")[2]
    nobody = write_report(folder, "assignment1", verdicts("assignment1", "ada"), {}, around)
    assert "late" not in nobody.read_text().partition("<body>")[2].partition("<script>")[0]


def test_lateness_asks_for_no_gradebook(tmp_path: Path) -> None:
    assert late_hand_ins(tmp_path, "assignment1") == {}
    assert not list(tmp_path.iterdir())


def test_days_come_back_with_an_extension(course: Path) -> None:
    """Whatever was graded first, the budget goes by the due dates."""
    path = course / "calendar.toml"
    path.write_text(path.read_text() + "\n[extension.ben]\nassignment1 = 2\n")
    apply_calendar(course)
    assert penalties(course)["ben", "assignment2"] == 0.0


def test_points_changed_by_hand_change_the_penalty(course: Path) -> None:
    with open_gradebook(course) as book:
        book.find_grade("fit", "lines", "assignment2", "ben").manual_score = 5.0
        book.db.commit()
    apply_calendar(course)
    assert penalties(course)["ben", "assignment2"] == 1.0


def test_grading_again_keeps_what_the_formgrader_granted(course: Path) -> None:
    with open_gradebook(course) as book:
        book.grant_extension("assignment2", "ben", days=3)
    hand_in(course, HANDED_IN)
    assert penalties(course)["ben", "assignment2"] == 0.0


def test_an_assignment_that_is_not_released_is_named(course: Path) -> None:
    path = course / "calendar.toml"
    path.write_text(path.read_text().replace("[due]", "[due]\nassignment3 = 2031-03-20T12:00:00"))
    printed = CliRunner().invoke(main, ["calendar", "--root", str(course)])
    assert printed.exit_code == 0
    assert "assignment3 is not released yet" in printed.output


def test_without_a_calendar_nothing_is_taken_off(course: Path) -> None:
    (course / "calendar.toml").unlink()
    hand_in(course, HANDED_IN)
    assert set(penalties(course).values()) == {0.0}
    printed = CliRunner().invoke(main, ["calendar", "--root", str(course)])
    assert printed.exit_code == 2
    assert "penalty_per_day = 10" in printed.output


def test_times_are_in_the_courses_zone(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text(
        CONFIG + "c.Exchange.timezone = 'America/New_York'\n"
    )
    (tmp_path / "calendar.toml").write_text(
        "[due]\na = 2031-02-07T23:59:00\nb = 2031-02-07T23:59:00+01:00\n"
    )
    calendar = read_calendar(tmp_path)
    assert calendar is not None
    assert calendar.due == {"a": at("2031-02-08T04:59:00"), "b": at("2031-02-07T22:59:00")}


def test_a_day_that_is_begun_counts_and_nobody_loses_more_than_everything() -> None:
    due = at("2031-02-07T12:00:00")
    seconds = {0: 0, 1: 1, 86_400: 1, 86_401: 2, 20 * 86_400: 20}
    for late, days in seconds.items():
        assert HandIn("a", due, due + datetime.timedelta(seconds=late)).days_late == days
    assert HandIn("a", None, due).days_late == HandIn("a", due, None).days_late == 0
    calendar = Calendar({"a": due}, penalty_per_day=10, late_days=2)
    found = lateness(calendar, [HandIn("a", due, due + datetime.timedelta(days=20))])["a"]
    assert (found.days, found.free, found.percent) == (20, 2, 100.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("penalty_per_day = 120", "from 0 to 100"),
        ("penalty_per_day = true", "from 0 to 100"),
        ("late_days = 1.5", "a whole number"),
        ("[due]\na = 2031-02-07", "write date and time"),
        ("[due]\na = '7 February'", "write date and time"),
        ("due = 3", "make it a table"),
        ("[extension]\nada = 3", "make it a table"),
        ("[extension.ada]\na = 3", "has no due date"),
        ("[due]\na = 2031-02-07T23:59:00\n[extension.ada]\na = -1", "a number of days"),
        ("latedays = 3", "no setting"),
        ("[due", "cannot be read"),
    ],
)
def test_a_wrong_calendar_says_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "calendar.toml").write_text(text)
    with pytest.raises(CalendarError, match=says) as caught:
        read_calendar(tmp_path)
    assert "calendar.toml" in str(caught.value)


@pytest.mark.sandbox
def test_a_wrong_calendar_is_said_before_anybody_is_graded(tmp_path: Path) -> None:
    root = little.write_course(tmp_path / "course")
    release(root)
    little.submit(root, "ann", little.answer())
    (root / "calendar.toml").write_text("[due")
    done = CliRunner().invoke(main, ["grade", little.ASSIGNMENT, "--root", str(root)])
    assert done.exit_code == 2
    assert "calendar.toml cannot be read" in done.output
    assert not (root / "autograded").exists()
