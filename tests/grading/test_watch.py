"""`watch`, a step at a time: attempts of a day, feedback, and being ended at any moment."""

from __future__ import annotations

import datetime
import json
import os
import pwd
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.utils import notebook_hash

from autograder.authoring.release import release
from autograder.batch.executors import Answer, Executor, LocalExecutor
from autograder.batch.run import grade_assignment
from autograder.batch.task_grader import TaskGrader
from autograder.cli.main import main
from autograder.course.daily import read_daily
from autograder.course.submissions import CourseError
from autograder.feedback.pages import make_feedback
from autograder.grading.material import Material
from autograder.judge.zygote import Zygote
from autograder.watch.sources import Downloads, Exchange
from autograder.watch.watcher import Watcher
from tests.e2e.courses import Course
from tests.grading.test_hand_ins import spying, with_metadata, with_outputs
from tests.little import ASSIGNMENT, NOTEBOOK, answer, cell_of, copy_course, submit, write_course

pytestmark = pytest.mark.sandbox

MONDAY = datetime.datetime(2031, 3, 3, 14, 0, tzinfo=datetime.UTC)
TUESDAY = MONDAY.replace(day=4, hour=0)


def wrong(document: dict) -> None:
    cell = cell_of(document, "k-nearest-neighbor")
    cell["source"] = "".join(cell["source"]).replace("np.sqrt(", "(")


class InProcess:
    """Grades here, with the warm process that tests share. ``fails``: what grading ends with."""

    count = 1

    def __init__(self, zygote: Zygote) -> None:
        self.zygote = zygote
        self.fails: BaseException | None = None

    def __call__(self, material: Material) -> Executor:
        executor = LocalExecutor(TaskGrader(material, lambda: self.zygote))
        return Failing(executor, self) if self.fails else executor

    def discard(self) -> None:
        self.fails = None


class Failing:
    """Fails when the first answer is due."""

    def __init__(self, executor: LocalExecutor, owner: InProcess) -> None:
        self.capacity, self.crowded = executor.capacity, executor.crowded
        self.submit, self.submit_alone = executor.submit, executor.submit_alone
        self._owner = owner

    def next(self) -> tuple[str, Answer]:
        assert self._owner.fails
        raise self._owner.fails


class Pages:
    """Writes feedback here, when the watch asks for what is done."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._due: list[str] = []
        self.broken = False
        self.release: Callable[[str], str] = lambda student: ""

    def begin(self, student: str) -> None:
        self._due.append(student)

    def finished(self, *, wait: bool) -> list[tuple[str, str]]:
        if not wait:
            return []
        due, self._due = self._due, []
        if due and not self.broken:
            make_feedback(self._root, ASSIGNMENT, due)
        return [(one, "no paper" if self.broken else self.release(one)) for one in due]


class Watched:
    """A course under a watch that is driven by hand."""

    def __init__(self, root: Path, zygote: Zygote, limit: int = 2) -> None:
        self.root, self.limit = root, limit
        self.workers, self.pages = InProcess(zygote), Pages(root)
        self.lines: list[str] = []
        self.start()

    def start(self, **more: list) -> None:
        """A new watch, which knows what is on record and nothing else."""
        about = (self.root, ASSIGNMENT, self.limit, datetime.UTC)
        self.watcher = Watcher(*about, self.workers, self.pages, self.lines.append, **more)

    def look(self, when: datetime.datetime = MONDAY) -> list[str]:
        """Twice, since what is still being written is not taken; the lines said."""
        before = len(self.lines)
        self.watcher.step(when)
        self.watcher.step(when)
        return self.lines[before:]

    def page(self, student: str = "ann") -> str:
        path = self.root / "feedback" / student / ASSIGNMENT / f"{NOTEBOOK}.html"
        return " ".join(path.read_text("utf-8").split())

    def inputs(self, student: str = "ann") -> list[float]:
        """What the hidden checks sent to a hand-in that keeps and prints it."""
        path = self.root / "autograded" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        last = json.loads(path.read_text("utf-8"))["cells"][-1]
        return json.loads(last["outputs"][0]["text"])[0]

    def numbers(self, student: str = "ann") -> list[int]:
        return [one.number for one in read_daily(self.root, ASSIGNMENT, student).attempts]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_course(tmp_path_factory.mktemp("course"))
    with (root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CourseDirectory.course_id = "cs231n"\n')
    release(root, [ASSIGNMENT])
    return root


@pytest.fixture
def watched(released: Path, zygote: Zygote, tmp_path: Path) -> Watched:
    return Watched(copy_course(released, tmp_path / "course"), zygote)


def test_so_many_attempts_a_day_each_with_inputs_of_its_own(watched: Watched) -> None:
    seen = []
    for number, change in enumerate((lambda document: None, with_metadata), start=1):
        submit(watched.root, "ann", spying(change))
        lines = watched.look()
        assert f"ann: attempt {number} of 2 today, 11/11" in lines
        assert lines[-1] == "ann: feedback written"
        assert f"attempt {number} of 2 on 2031-03-03" in watched.page()
        seen.append(watched.inputs())
    assert seen[0] != seen[1]
    assert watched.look() == [], "nothing new"

    submit(watched.root, "ann", spying(with_outputs))
    lines = watched.look()
    assert lines[0].startswith(
        "ann: another hand-in, after 2 of 2 attempts today: kept, and graded"
    )
    assert "from 2031-03-04 on" in lines[0]
    assert "Another hand-in came at 2031-03-03 14:00" in watched.page()
    assert watched.inputs() == seen[1]
    watched.start()
    assert watched.look() == [], "it is said once, whatever is started again"

    assert "ann: attempt 1 of 2 today, 11/11" in watched.look(TUESDAY)
    assert "attempt 1 of 2 on 2031-03-04" in watched.page()
    third = watched.inputs()
    assert third not in seen
    grade_assignment(watched.root, ASSIGNMENT, lambda: watched.workers.zygote, force=True)
    assert watched.inputs() == third, "graded again, it has the inputs that it had"
    assert watched.numbers() == [1, 2, 1]


def test_a_watch_that_is_ended_while_it_grades_goes_on_there(watched: Watched) -> None:
    submit(watched.root, "ann", answer(wrong))
    watched.workers.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        watched.look()
    assert watched.numbers() == [1]
    watched.pages.broken = True
    watched.start()
    lines = watched.look()
    (graded,) = (line for line in lines if "attempt 1 of 2 today" in line)
    assert "11/11" not in graded
    assert "ann: no feedback yet: no paper" in lines
    watched.pages.broken = False
    watched.start()
    assert watched.look() == ["ann: feedback written"]
    assert watched.numbers() == [1]
    assert "take the square root" in watched.page()


def test_an_error_is_said_once_and_tried_again_later(watched: Watched) -> None:
    """Somebody else grades the course, or has locked its gradebook."""
    submit(watched.root, "ann", answer())
    watched.workers.fails = CourseError("process 7 is grading this course already")
    error = "process 7 is grading this course already. It will be tried again"
    assert watched.look() == ["grading ann", error]
    soon, later = (MONDAY + datetime.timedelta(seconds=s) for s in (30, 61))
    assert watched.look(soon) == []
    assert "ann: attempt 1 of 2 today, 11/11" in watched.look(later)


def test_what_was_graded_before_uses_no_attempt(watched: Watched) -> None:
    submit(watched.root, "ann", answer())
    grade_assignment(watched.root, ASSIGNMENT, lambda: watched.workers.zygote)
    assert "ann: nothing new to grade, 11/11; no attempt is counted" in watched.look()
    submit(watched.root, "ann", b"the exchange's", "submission_secret.txt")
    assert "ann: nothing new to grade, 11/11; no attempt is counted" in watched.look()
    carried = watched.root / "feedback" / "ann" / ASSIGNMENT / "submission_secret.txt"
    assert carried.read_bytes() == b"the exchange's"
    submit(watched.root, "ann", answer(wrong))
    assert any("attempt 1 of 2 today" in line for line in watched.look())
    assert watched.numbers() == [0, 0, 1]


def test_one_students_record_or_files_stop_nobody_else(watched: Watched) -> None:
    for student in ("ann", "bo"):
        submit(watched.root, student, answer())
    broken = watched.root / ".autograder" / "watch" / ASSIGNMENT / "bo" / "attempts.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    (watched.root / "submitted" / "eve" / ASSIGNMENT).mkdir(parents=True)
    (watched.root / "submitted" / "eve" / ASSIGNMENT / "knn.ipynb").symlink_to("/etc/passwd")
    lines = watched.look()
    assert "ann: attempt 1 of 2 today, 11/11" in lines
    assert sum("attempts.json says how many attempts bo has had" in line for line in lines) == 1
    assert not any("eve" in line for line in lines), "a link hands nothing in"


def test_what_is_still_being_written_is_left_alone(watched: Watched) -> None:
    whole = answer()
    submit(watched.root, "ann", whole[:1000])
    watched.watcher.step(MONDAY)
    submit(watched.root, "ann", whole)
    watched.watcher.step(MONDAY)
    assert watched.lines == []
    watched.watcher.step(MONDAY)
    assert "ann: attempt 1 of 2 today, 11/11" in watched.lines


def test_zips_that_come_in_are_sorted_once(watched: Watched, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    roster = watched.root / "roster.csv"
    roster.write_text("id,first_name,last_name,email,lms_user_id\nann,Ann,Lee,ann@x.org,7\n")
    with (watched.root / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.LmsCollector.roster = {str(roster)!r}\n")
    with zipfile.ZipFile(incoming / "one.zip", "w") as archive:
        archive.writestr("leeann_7_99_knn.ipynb", answer())
    watched.start(sources=[Downloads(watched.root, ASSIGNMENT, incoming)])
    lines = [line for _ in range(3) for line in watched.look()]
    assert sum(line.startswith("one.zip: 1 collected") for line in lines) == 1
    assert "ann: attempt 1 of 2 today, 11/11" in lines
    watched.start(sources=[Downloads(watched.root, ASSIGNMENT, incoming)])
    assert watched.look() == [], "not sorted again"


def test_what_comes_through_the_exchange_goes_back_through_it(
    watched: Watched, tmp_path: Path
) -> None:
    """One hand-in as `nbgrader submit` writes it; its page is found by its secret."""
    me = pwd.getpwuid(os.getuid()).pw_name
    exchange = tmp_path / "exchange"
    with (watched.root / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    stamp = "2031-03-03 13:59:00.000000 UTC"
    place = exchange / "cs231n" / "inbound" / f"{me}+{ASSIGNMENT}+{stamp}+random"
    place.mkdir(parents=True)
    (place / f"{NOTEBOOK}.ipynb").write_bytes(answer(wrong))
    (place / "submission_secret.txt").write_text("a secret of this hand-in")
    (place / "timestamp.txt").write_text(stamp)
    (place / "gradebook.py").symlink_to(watched.root / "gradebook.db")
    source = Exchange(watched.root, ASSIGNMENT)
    watched.pages.release = source.release
    watched.start(sources=[source])
    lines = watched.look() + watched.look()
    (left_out,) = (line for line in lines if "left out" in line)
    assert "gradebook.py" in left_out
    assert lines[-1] == f"{me}: feedback written"
    name = notebook_hash(secret="a secret of this hand-in", notebook_id=NOTEBOOK)
    page = exchange / "cs231n" / "feedback" / f"{name}.html"
    assert "attempt 1 of 2 on 2031-03-03" in " ".join(page.read_text("utf-8").split())
    with Course(watched.root).gradebook() as book:
        when = book.find_submission(ASSIGNMENT, me).timestamp
    assert when == datetime.datetime(2031, 3, 3, 13, 59)


def test_an_exchange_that_is_not_there_is_said_once(watched: Watched, tmp_path: Path) -> None:
    with (watched.root / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(tmp_path / 'none')!r}\n")
    watched.start(sources=[Exchange(watched.root, ASSIGNMENT)])
    (line,) = watched.look()
    assert f"nbgrader release_assignment {ASSIGNMENT}" in line
    submit(watched.root, "ann", answer())
    assert "ann: attempt 1 of 2 today, 11/11" in watched.look(), (
        "what is there is graded all the same"
    )


def test_wrong_use_and_a_watch_whose_time_is_over(released: Path) -> None:
    for words, status, said in (
        (["assignment7"], 2, "holds no notebooks; there are: assignment1"),
        ([ASSIGNMENT, "--until", "soon"], 2, "'soon' is not a date"),
        ([ASSIGNMENT, "--until", "2001-01-01"], 0, "ended: everything is on record"),
    ):
        done = CliRunner().invoke(main, ["watch", *words, "--root", str(released)])
        assert done.exit_code == status, done.output
        assert said in " ".join(done.output.split())
