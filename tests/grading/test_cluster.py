"""Grading on a cluster: machines that share nothing but a network, one of which fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from autograder.records import results
from benchmarks.nodes import kill, nodes, scheduler, worker
from tests import little
from tests.little import ASSIGNMENT, CLASS_POINTS, cell_of

GRADE = (sys.executable, "-m", "autograder", "grade", ASSIGNMENT)
STUDENTS = [f"student-{number}" for number in range(8)]
SECONDS = 300


def takes_a_while(document: dict) -> None:
    cell_of(document, "imports")["source"] += "\nimport time; time.sleep(1)"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = little.write_course(tmp_path / "course")
    for student in STUDENTS:
        little.submit(root, student, little.answer(takes_a_while))
    subprocess.run([*GRADE[:3], "release", "--root", str(root)], check=True, capture_output=True)
    return root


def points(root: Path) -> dict[str, float]:
    return {graded.student: graded.score for graded in results(root, ASSIGNMENT)}


@pytest.mark.sandbox
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="network namespaces need root and ip"
)
def test_a_node_that_fails_costs_nobody_a_grade(course: Path, tmp_path: Path) -> None:
    log = tmp_path / "driver.log"
    with (
        nodes(4) as (head, one, other, desk),
        scheduler(head, tmp_path / "scheduler.log") as address,
        ExitStack() as stack,
    ):
        workers = [worker(node, address, tmp_path / f"{node.name}.log") for node in (one, other)]
        for process in workers:
            stack.callback(kill, process)
        driver = desk.start([*GRADE, "--scheduler", address, "--root", str(course)], log)
        stack.callback(kill, driver)
        end = time.monotonic() + SECONDS
        while len(points(course)) < 2:
            assert driver.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.05)  # no event tells
        kill(workers[0])
        assert driver.wait(SECONDS) == 0, log.read_text("utf-8")
    assert points(course) == dict.fromkeys(STUDENTS, CLASS_POINTS)


def test_no_scheduler_is_told_and_nothing_is_graded(course: Path) -> None:
    command = [*GRADE, "--scheduler", "tcp://127.0.0.1:9", "--root", str(course)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1
    assert "no dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "docs/cluster.md" in done.stderr
    assert "Traceback" not in done.stderr
    assert points(course) == {}
