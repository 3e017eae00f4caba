"""`python -m autograder watch` from a terminal: interrupted while it grades, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

from autograder.authoring.release import release
from autograder.course.daily import read_daily
from tests import little
from tests.e2e.courses import Course, finish, run
from tests.e2e.test_autograder_cli import takes_a_while
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK
from tests.waiting import wait_until


def test_interrupted_and_started_again_it_loses_nothing(tmp_path: Path) -> None:
    course = Course(little.write_course(tmp_path / "course"))
    release(course.root, [ASSIGNMENT])
    little.submit(course.root, "ann", little.answer(takes_a_while))

    def reached(stage: str) -> bool:
        daily = read_daily(course.root, ASSIGNMENT, "ann")
        return any(getattr(attempt, stage) for attempt in daily.attempts)

    words = ("watch", ASSIGNMENT, "--every", "0.3", "--workers", "1", "--attempts", "3")
    first = course.autograder(*words, in_a_terminal=True)
    wait_until(partial(reached, "begun"), first)
    other = run(course.autograder(*words), 2)
    assert f"process {first.pid} is watching {ASSIGNMENT} already" in " ".join(other.split())
    os.killpg(first.pid, signal.SIGINT)
    ended_well(first)

    second = course.autograder(*words, in_a_terminal=True)
    for stage in ("graded", "told"):
        wait_until(partial(reached, stage), second)
    wait_until((course.root / "report" / ASSIGNMENT / "index.html").is_file, second)
    os.kill(second.pid, signal.SIGTERM)
    ended_well(second)
    (attempt,) = read_daily(course.root, ASSIGNMENT, "ann").attempts
    assert (attempt.number, attempt.score) == (1, CLASS_POINTS)
    assert course.points("ann") == CLASS_POINTS
    page = course.root / "feedback" / "ann" / ASSIGNMENT / f"{NOTEBOOK}.html"
    assert "attempt 1 of 3 on" in " ".join(page.read_text("utf-8").split())


def ended_well(watch: subprocess.Popen[str]) -> None:
    """It says so, with exit status 0 and no traceback."""
    ((status, printed),) = finish(watch)
    assert status == 0, printed
    assert "ended: everything is on record; the same command goes on from here" in printed
    assert "Traceback" not in printed
