"""nbgrader's exchange with our grading in its middle, from release to the student's feedback.

Two students: one with nbgrader's commands, the other through what JupyterLab's assignment list asks
its server. As root they are two Unix users; see `tests.e2e.hub`.
"""

from __future__ import annotations

import datetime
import errno
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from autograder.authoring.new_course import new_course
from autograder.authoring.release import release
from autograder.collect.exchange import copy_ordinary
from autograder.watch.sources import Exchange, ExchangeFailed
from tests import little
from tests.e2e.courses import Course, run
from tests.e2e.hub import AS_ROOT, COURSE_ID, Student, exchange_settings, students
from tests.e2e.test_nbgrader import LATE_CONFIG, squared
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK

LATE = datetime.timedelta(days=1)
#: What a student may put into the exchange by hand, instead of nbgrader's `submit`.
SMUGGLES = """
import os
inbound = {inbound!r}
mine = os.path.join(inbound, {name!r} + "+assignment1+2001-01-01 00:00:00 UTC")
os.makedirs(mine)
os.symlink({secret!r}, os.path.join(mine, "helper.py"))
os.symlink({course!r}, os.path.join(mine, "folder"))
open(os.path.join(mine, "own.py"), "w").write("mine = 1")
os.makedirs(os.path.join(inbound, {other!r} + "+assignment1+2099-01-01 00:00:00 UTC"))
os.makedirs(os.path.join(inbound, "nobody+assignment1+yesterday"))
"""


@dataclass(frozen=True)
class Hub:
    """A course with an exchange, its students, and what was printed on the way."""

    course: Course
    by_hand: Student  # uses nbgrader's commands
    in_lab: Student  # uses the assignment list
    hostile: Student
    said: dict[str, object]

    @property
    def inbound(self) -> Path:
        return self.by_hand.exchange / COURSE_ID / "inbound"

    def submissions(self, student: Student) -> list[Path]:
        return sorted(self.inbound.glob(f"{student.name}+*+*+*"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Released, fetched, handed in, collected, graded, and given back."""
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        Path(folder).chmod(0o755)
        people = students(Path(folder), 3)
        course = Course(little.write_course(tmp_path_factory.mktemp("hub") / "course"))
        config = course.root / "nbgrader_config.py"
        settings = LATE_CONFIG + exchange_settings(people[0].exchange)
        config.write_text(config.read_text("utf-8") + settings, "utf-8")
        release(course.root, [ASSIGNMENT])
        due = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - LATE
        with course.gradebook() as book:
            book.update_or_create_assignment(ASSIGNMENT, duedate=due, course_id=COURSE_ID)
        made = Hub(course, *people, {})
        go_round(made)
        yield made


def go_round(hub: Hub) -> None:
    course, said = hub.course, hub.said
    run(course.nbgrader("release_assignment", ASSIGNMENT))
    hand_in(hub.by_hand, little.answer(squared))
    said["lab"] = hand_in(hub.in_lab, little.answer())
    smuggle(hub)
    said["collect"] = run(course.nbgrader("collect", ASSIGNMENT, "--update"))
    run(course.autograder("grade", ASSIGNMENT), 1)  # `hostile` has no notebook
    run(course.autograder("feedback", ASSIGNMENT, "--anyway"))


def hand_in(student: Student, answer: bytes) -> list:
    """Fetch the assignment, unless that is done, write the answer, hand it in."""
    place = student.home / ASSIGNMENT
    written = f"open({str(place / NOTEBOOK) + '.ipynb'!r}, 'wb').write({answer!r})"
    if student.name == "games":
        words = [["nbgrader", "fetch_assignment", ASSIGNMENT]] * (not place.exists())
        return student.does(*words, ["python", written], ["nbgrader", "submit", ASSIGNMENT])
    fetch = [["api", "fetch_assignment", COURSE_ID, ASSIGNMENT]] * (not place.exists())
    return student.does(
        ["api", "list_released_assignments"],
        *fetch,
        ["python", written],
        ["api", "submit_assignment", COURSE_ID, ASSIGNMENT],
        ["api", "list_submitted_assignments"],
    )


def smuggle(hub: Hub) -> None:
    secret = hub.course.root / "gradebook.db"
    values = {"inbound": str(hub.inbound), "name": hub.hostile.name, "other": hub.by_hand.name}
    values |= {"secret": str(secret), "course": str(hub.course.root)}
    hub.hostile.does(["python", SMUGGLES.format(**values)])


def feedback_of(student: Student) -> dict[str, str]:
    """The pages that the student has fetched, by the time of the hand-in."""
    pages = (student.home / ASSIGNMENT / "feedback").glob("*/*.html")
    return {page.parent.name: page.read_text("utf-8") for page in pages}


def test_the_assignment_list_fetches_and_hands_in(hub: Hub) -> None:
    released, fetched, handed_in, listed = hub.said["lab"]
    assert [one["assignment_id"] for one in released["value"]] == [ASSIGNMENT]
    assert fetched["success"]
    assert handed_in["success"]
    (one,) = listed["value"]
    assert [s["assignment_id"] for s in one["submissions"]] == [ASSIGNMENT]


def test_what_the_exchange_brings_is_graded_by_its_time(hub: Hub) -> None:
    """A day late, by the time that the exchange has put there."""
    for student, full in ((hub.by_hand, False), (hub.in_lab, True)):
        assert (hub.course.points(student.name) == CLASS_POINTS) is full
        (handed_in,) = hub.submissions(student)
        stamp = (handed_in / "timestamp.txt").read_text()
        with hub.course.gradebook() as book:
            submission = book.find_submission(ASSIGNMENT, student.name)
            assert str(submission.timestamp) in stamp
            assert 0 < submission.total_seconds_late - LATE.total_seconds() < 3600
            assert [n.late_submission_penalty for n in submission.notebooks] != [None]


def test_feedback_comes_back_to_whose_hand_in_it_is_about(hub: Hub) -> None:
    """`release_feedback` looks for two files beside our pages, which not every hand-in brought."""
    assert list((hub.course.root / "feedback" / hub.hostile.name / ASSIGNMENT).glob("*.html"))
    printed = run(hub.course.nbgrader("release_feedback", ASSIGNMENT))
    assert "Traceback" not in printed
    assert f"cannot go back through it: {hub.hostile.name}. Give them the pages in " in printed
    hub.by_hand.does(["nbgrader", "fetch_feedback", ASSIGNMENT])
    (answer, _) = hub.in_lab.does(
        ["api", "fetch_feedback", COURSE_ID, ASSIGNMENT], ["api", "list_submitted_assignments"]
    )
    assert answer["success"]
    (page,) = feedback_of(hub.by_hand).values()
    assert "take the square root" in page
    (page,) = feedback_of(hub.in_lab).values()
    assert "take the square root" not in page
    assert f"{CLASS_POINTS:.1f}" in page


def test_another_hand_in_has_feedback_of_its_own(hub: Hub, tmp_path: Path) -> None:
    """What belongs to a hand-in goes along with its grade: the same work anew, and another one."""
    place = hub.course.root / "autograded" / hub.in_lab.name / ASSIGNMENT
    first = {name.name: name.read_bytes() for name in place.glob("*.txt")}
    assert sorted(first) == ["submission_secret.txt", "timestamp.txt"]
    submitted = hub.course.root / "submitted" / hub.in_lab.name / ASSIGNMENT
    kept = shutil.copytree(submitted, tmp_path / "kept")
    try:
        (submitted / "submission_secret.txt").write_text("another")
        (submitted / "timestamp.txt").unlink()
        run(hub.course.autograder("grade", ASSIGNMENT, "--student", hub.in_lab.name))
        assert (place / "submission_secret.txt").read_text() == "another"
        assert not (place / "timestamp.txt").exists()
    finally:
        shutil.copytree(kept, submitted, dirs_exist_ok=True)


def test_collecting_follows_no_link_and_takes_nothing_forged(hub: Hub) -> None:
    printed = str(hub.said["collect"])
    place = hub.course.root / "submitted" / hub.hostile.name / ASSIGNMENT
    assert sorted(path.name for path in place.iterdir()) == ["own.py"]
    assert "helper.py is a link, a special file or somebody else's: left out" in printed
    assert "nobody+assignment1+yesterday is not collected" in printed
    if AS_ROOT:  # whoever puts it there has to be the student whose name it has
        assert f"it belongs to {hub.hostile.name}" in printed
    assert "Traceback" not in printed


@pytest.fixture
def mixed(tmp_path: Path) -> tuple[Path, Path]:
    """A course and an exchange in which two students have handed in, without `nbgrader submit`."""
    root, exchange = tmp_path / "course", tmp_path / "exchange"
    root.mkdir()
    inbound = exchange / COURSE_ID / "inbound"
    for name in ("ann", "bo"):
        place = inbound / f"{name}+{ASSIGNMENT}+2031-02-07 12:00:00 UTC+x"
        place.mkdir(parents=True)
        for file in ("knn.ipynb", "svm.ipynb"):
            (place / file).write_text(f"{name}'s {file}")
        (place / "timestamp.txt").write_text("2031-02-07 12:00:00 UTC")
    exchange.chmod(0o777)
    (root / "nbgrader_config.py").write_text(
        "from autograder.collect import exchange\nc = get_config()\nexchange.configure(c)\n"
        f"c.ExchangeCollect.check_owner = False\n{exchange_settings(exchange)}"
    )
    return root, inbound


def collected(root: Path) -> dict[str, list[str]]:
    """What is in submitted/, by student."""
    return {
        student.name: sorted(str(p.relative_to(student)) for p in student.rglob("*.*"))
        for student in sorted((root / "submitted").iterdir())
        if any(student.rglob("*"))
    }


WHOLE = [f"{ASSIGNMENT}/{name}" for name in ("knn.ipynb", "svm.ipynb", "timestamp.txt")]


def test_a_copy_that_breaks_off_leaves_nothing_and_is_made_again(
    mixed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = mixed
    source = Exchange(root, ASSIGNMENT)
    assert source.bring() == ()
    copy, copies = shutil.copyfileobj, []

    def full(file: BinaryIO, target: BinaryIO) -> None:
        copies.append(file)
        if len(copies) == 5:  # in the middle of the second student's
            target.write(file.read(3))
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(file, target)

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(ExchangeFailed, match="No space left on device"):
        source.bring()
    (done,) = collected(root)
    assert collected(root)[done] == WHOLE
    assert not source.bring(), "tried again, although nothing new has come"
    assert collected(root) == {"ann": WHOLE, "bo": WHOLE}
    assert (root / "submitted" / "bo" / ASSIGNMENT / "svm.ipynb").read_text() == "bo's svm.ipynb"


def test_a_newer_hand_in_that_cannot_be_copied_leaves_the_older_one(
    mixed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, inbound = mixed
    source = Exchange(root, ASSIGNMENT)
    for _ in range(2):  # it takes what was there at the look before
        source.bring()
    (first,) = inbound.glob("ann+*")
    newer = shutil.copytree(first, inbound / f"ann+{ASSIGNMENT}+2032-01-01 00:00:00 UTC")
    (newer / "timestamp.txt").write_text("2032-01-01 00:00:00 UTC")
    (newer / "svm.ipynb").write_text("newer")
    copy = shutil.copyfileobj

    def full(file: BinaryIO, target: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source.bring()
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(ExchangeFailed, match="No space left on device"):
        source.bring()
    there = root / "submitted" / "ann" / ASSIGNMENT
    assert (there / "svm.ipynb").read_text() == "ann's svm.ipynb"
    # As if stopped between the two renamings: nothing is lost, and the newer one comes.
    there.rename(there.with_name(f".{ASSIGNMENT}.old"))
    monkeypatch.setattr(shutil, "copyfileobj", copy)
    assert not source.bring()
    assert (there / "svm.ipynb").read_text() == "newer"
    assert [path.name for path in there.parent.iterdir()] == [ASSIGNMENT]


def test_what_is_too_large_keeps_nobody_elses_from_being_collected(
    mixed: tuple[Path, Path],
) -> None:
    root, inbound = mixed
    with (root / "nbgrader_config.py").open("a") as config:
        config.write("c.CourseDirectory.max_dir_size = 1\n")  # kilobyte
    (place,) = inbound.glob("ann+*")
    (place / "data.txt").write_text("x" * 2000)
    source = Exchange(root, ASSIGNMENT)
    source.bring()
    (said,) = source.bring()
    assert "ann+" in said
    assert "max_dir_size" in said
    assert collected(root) == {"bo": WHOLE}


def test_copying_leaves_out_what_is_no_ordinary_file(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "inside").mkdir(parents=True)
    (source / "inside" / "knn.ipynb").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (source / "link.py").symlink_to(tmp_path / "secret")
    (source / "inside" / "up").symlink_to(tmp_path)
    left_out = copy_ordinary(source, target)
    assert sorted(left_out) == ["inside/up", "link.py"]
    assert [str(p.relative_to(target)) for p in sorted(target.rglob("*"))] == [
        "inside",
        "inside/knn.ipynb",
    ]


SAFE = ("from autograder.collect import exchange\n", "exchange.configure(c)")


@pytest.mark.parametrize("made", ["now", "before it was configured there", "without our steps"])
def test_a_course_of_ones_own_follows_no_link_either(made: str, tmp_path: Path) -> None:
    root, exchange = tmp_path / "course", tmp_path / "exchange"
    new_course(root)
    config = root / "nbgrader_config.py"
    lines = config.read_text("utf-8").splitlines(keepends=True)
    if made != "now":
        lines = [line for line in lines if not line.startswith(SAFE)]
        assert len(lines) == len(config.read_text("utf-8").splitlines()) - len(SAFE)
    if made == "without our steps":
        lines = ["c = get_config()\n"]
    settings = f"c.ExchangeCollect.check_owner = False\n{exchange_settings(exchange)}"
    config.write_text("".join(lines) + settings, "utf-8")
    secret = root / ".autograder" / "secret"
    secret.parent.mkdir()
    secret.write_text("the secret")
    place = exchange / COURSE_ID / "inbound" / f"eve+{ASSIGNMENT}+2031-02-07 12:00:00 UTC"
    place.mkdir(parents=True)
    exchange.chmod(0o777)
    (place / "timestamp.txt").write_text("2031-02-07 12:00:00 UTC")
    (place / "own.py").write_text("mine = 1")
    (place / "leak.png").symlink_to(secret)
    there = root / "submitted" / "eve" / ASSIGNMENT
    if made != "without our steps":  # nbgrader's own command is then nbgrader's own
        printed = run(Course(root).nbgrader("collect", ASSIGNMENT))
        assert "leak.png is a link, a special file or somebody else's: left out" in printed
        assert sorted(path.name for path in there.iterdir()) == ["own.py", "timestamp.txt"]
        shutil.rmtree(there)
    watched = Exchange(root, ASSIGNMENT)
    said = [line for _ in range(2) for line in watched.bring()]
    assert ["leak.png is a link" in line for line in said] == [True]
    assert sorted(path.name for path in there.iterdir()) == ["own.py", "timestamp.txt"]


def test_a_course_that_collects_in_its_own_way_goes_on_doing_so(mixed: tuple[Path, Path]) -> None:
    root, _ = mixed
    (root / "own_way.py").write_text(
        "from nbgrader.exchange.default import ExchangeCollect\n\n\n"
        "class Own(ExchangeCollect):\n"
        "    def start(self):\n"
        "        self.log.warning('the course collects')\n"
    )
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(
            f"import sys\nsys.path.insert(0, {str(root)!r})\n"
            "c.ExchangeFactory.collect = 'own_way.Own'\n"
            "from autograder.batch import nbgrader_autograde\nnbgrader_autograde.configure(c)\n"
        )
    source = Exchange(root, ASSIGNMENT)
    assert [line for _ in range(2) for line in source.bring()] == ["the course collects"]
