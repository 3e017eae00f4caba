"""The third table: a cluster of two machines, one of which fails, against one machine.

The machines are network namespaces (see nodes.py) on this one, and share its processors. Each has
one worker; the driver has a namespace of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from class_knn import CELL_SECONDS, fresh, make_class, write_course
from measure import ASSIGNMENT, OUR_CONFIG
from nodes import kill, nodes, scheduler, worker

from autograder.course.records import results

GRADE = (sys.executable, "-m", "autograder", "grade", ASSIGNMENT)
SECRET = {"CS231N_COURSE_SECRET": "of the benchmark"}  # the same hidden inputs in all runs
JOINED = re.compile(r"Registered to")
PATIENCE = 900
Grades = dict[str, tuple[float, str]]  # points and outcome, by student


def measure_cluster(count: int, scratch: Path) -> None:
    """Grade the same class three ways; print seconds, and whether the grades are the same."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("\n3. The cluster: not measured, network namespaces need root and the program ip")
        return
    who = make_class(count)
    handed_in = write_course(scratch / "handed-in", who)
    for student in who.hang:  # their time limits would hide the rest
        shutil.rmtree(handed_in / "submitted" / student)
    ended = count - len(who.hang)
    rows = []
    for name, lost, machines in (
        ("one machine, 2 workers", None, 0),
        ("two machines, 1 worker each", None, 2),
        ("two machines, one lost half-way", ended // 2, 2),
    ):
        course = fresh(handed_in, scratch / name.replace(" ", "-"), OUR_CONFIG)
        seconds = (
            on_cluster(course, scratch / f"{course.name}-logs", lost) if machines else here(course)
        )
        rows.append((name, seconds, grades(course)))
        print(f"  {name}: done", file=sys.stderr)
    print(f"\n3. {ended} kNN submissions, cells limited to {CELL_SECONDS} s")
    print(f"{'':36}{'s':>8}{'graded':>10}   grades")
    expected = rows[0][2]
    for name, seconds, found in rows:
        same = "the same" if found == expected else f"DIFFERENT: {differences(expected, found)}"
        print(f"{name:36}{seconds:8.1f}{len(found):10}   {same}")


def here(course: Path) -> float:
    began = time.monotonic()
    command = [*GRADE, "--workers", "2", "--root", str(course)]
    done = subprocess.run(command, env=os.environ | SECRET, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return time.monotonic() - began


def on_cluster(course: Path, logs: Path, lost: int | None) -> float:
    """Seconds on two machines; one loses its power when ``lost`` submissions are graded."""
    logs.mkdir()
    driver_log = logs / "driver"
    with ExitStack() as stack:
        head, one, other, desk = stack.enter_context(nodes(4))
        address = stack.enter_context(scheduler(head, logs / "scheduler"))
        workers = []
        for node in (one, other):
            workers.append(worker(node, address, logs / node.name))
            stack.callback(kill, workers[-1])
        until(lambda: all(JOINED.search((logs / node.name).read_text()) for node in (one, other)))
        began = time.monotonic()
        command = [*GRADE, "--scheduler", address, "--root", str(course)]
        driver = desk.start(command, driver_log, **SECRET)
        stack.callback(kill, driver)
        if lost is not None:
            until(lambda: len(grades(course)) >= lost or driver.poll() is not None)
            kill(workers[0])
        if driver.wait(PATIENCE) not in (0, 1):
            sys.exit(driver_log.read_text()[-3000:])
        return time.monotonic() - began


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit("the cluster did nothing for a long time")
        time.sleep(0.1)  # no event tells


def grades(course: Path) -> Grades:
    return {one.student: (one.score, one.outcome) for one in results(course, ASSIGNMENT)}


def differences(expected: Grades, found: Grades) -> str:
    students = [who for who in expected | found if expected.get(who) != found.get(who)]
    return ", ".join(f"{who} {expected.get(who)} -> {found.get(who)}" for who in students)
