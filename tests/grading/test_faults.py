"""Killed at any moment, grading loses nothing: run again, it ends with the same gradebook.

``make test-full`` plays twenty rounds, ``make test`` a few of them.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autograder.course.records import results
from autograder.judge.sandbox import children
from tests import little
from tests.little import ASSIGNMENT, cell_of
from tests.nightly import rounds
from tests.processes import below, named
from tests.waiting import wait_until

ROUNDS = rounds(20, by_day=3)  # one of each kind but the last
GRADE = (sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--workers", "2")
SECONDS = 240
SCORES = """
select student_id, notebook.name, base_cell.name, auto_score, manual_score, needs_manual_grade
from grade
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join notebook on notebook.id = submitted_notebook.notebook_id
join base_cell on base_cell.id = grade.cell_id
order by 1, 2, 3
"""
JUDGE = b"autograder.batch.judge_process"
TABLES = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")


def leaves(document: dict) -> None:
    cell_of(document, "k-nearest-neighbor")["source"] = "import os\nos._exit(0)"


def writes_nothing(document: dict) -> None:
    cell_of(document, "k-nearest-neighbor")["source"] = "raise NotImplementedError"


def takes_a_while(document: dict) -> None:
    cell_of(document, "imports")["source"] += "\nimport time; time.sleep(0.7)"


CLASS = {
    **{f"right-{number}": takes_a_while for number in range(5)},
    "leaves": leaves,
    "blank": writes_nothing,
}


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = little.write_course(tmp_path_factory.mktemp("faults") / "course")
    for student, change in CLASS.items():
        little.submit(root, student, little.answer(change))
    subprocess.run([*GRADE[:3], "release", "--root", str(root)], check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def expected(ungraded: Path) -> list[tuple]:
    root = copy(ungraded, "undisturbed")
    assert grade(root).wait(SECONDS) == 1  # somebody leaves, and needs a human
    return scores(root)


def copy(course: Path, name: str) -> Path:
    return little.copy_course(course, course.with_name(name))


def grade(root: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"CS231N_COURSE_SECRET": "of the faults"}
    with (root / "log.txt").open("ab") as log:
        return subprocess.Popen(GRADE, cwd=root, env=environment, stdout=log, stderr=log)


def scores(root: Path) -> list[tuple]:
    """Everything about grades in the gradebook; nothing is there twice."""
    with closing(sqlite3.connect(root / "gradebook.db")) as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)
        counted = [book.execute(f"select count(*) from {table}").fetchone() for table in TABLES]
        return [*book.execute(SCORES).fetchall(), *counted]


def warm(driver: int) -> list[int]:
    """The warm process that all share, then those of the workers; kernels are below these."""
    found = named(driver, b"autograder.sandbox.zygote")
    forked = {child for pid in found for child in below(pid)}
    first = [pid for pid in found if pid not in forked]
    return first + [child for pid in first for child in children(pid)]


VICTIMS: dict[str, Callable[[int], list[int]]] = {
    "driver": lambda driver: [driver],
    # Not what it has forked, which looks the same: that is the judge of one notebook.
    "worker": lambda driver: [p for p in named(driver, JUDGE) if p in children(driver)],
    "warm process": warm,
    "warm process of all": lambda driver: warm(driver)[:1],
}


@pytest.mark.sandbox
@pytest.mark.parametrize("number", ROUNDS)
def test_killed_at_a_random_moment(ungraded: Path, expected: list[tuple], number: int) -> None:
    chance = random.Random(number)
    root = copy(ungraded, f"round-{number}")
    who = list(VICTIMS)[number % len(VICTIMS)]
    driver = grade(root)
    began(root, driver)
    time.sleep(chance.uniform(0, 4))  # not a wait: a random moment is what is tried here
    for victim in VICTIMS[who](driver.pid)[-1:]:
        os.kill(victim, signal.SIGKILL)
    status = driver.wait(SECONDS)
    log = (root / "log.txt").read_text("utf-8")
    if who == "driver":
        assert status == -signal.SIGKILL or status == 1
        for graded in results(root, ASSIGNMENT):
            assert graded.max_score == little.CLASS_POINTS  # nothing half-written
        assert grade(root).wait(SECONDS) == 1, log
    else:
        assert status == 1, log  # one student leaves; nobody else is missing
    assert scores(root) == expected, log
    hidden = [p for p in root.rglob(".*-*") if p.is_file() and ".autograder/secret" not in str(p)]
    assert not hidden, "temporary files of the killed run"


def began(root: Path, driver: subprocess.Popen[bytes]) -> None:
    """Wait for the first verdict on record."""
    records, log = root / ".autograder" / "results", root / "log.txt"
    wait_until(lambda: any(records.rglob("*.json")), driver, lambda: log.read_text("utf-8"))


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Skips where one may not mount it; in containers root often may not."""
    folder = tmp_path_factory.mktemp("small-disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    except subprocess.CalledProcessError as refused:
        pytest.skip(f"no small disk can be mounted here: {refused.stderr.splitlines()[0]}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.sandbox
def test_a_full_disk_is_reported_and_nothing_is_half_written(
    small_disk: Path, ungraded: Path, expected: list[tuple]
) -> None:
    root = copy(ungraded, "full")
    (root / "autograded").symlink_to(small_disk)
    driver = grade(root)
    assert driver.wait(SECONDS) == 1
    log = (root / "log.txt").read_text("utf-8")
    assert "the disk is full" in log
    assert "Traceback" not in log
    (root / "autograded").unlink()
    assert grade(root).wait(SECONDS) == 1
    assert scores(root) == expected
