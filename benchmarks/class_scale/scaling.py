"""Tables of their own: a class that grows, and a cluster against one machine.

The cluster is two machines, one of which fails. They are network namespaces of this machine (see
benchmarks/nodes.py) and share its processors. Each has one worker; the driver has one of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from autograder.course.records import results
from benchmarks.class_scale.submissions import (
    CELL_SECONDS,
    fresh,
    make_class,
    right_class,
    write_course,
    write_light_course,
)
from benchmarks.measure import ASSIGNMENT, OUR_CONFIG, descendants, pss_mb
from benchmarks.nodes import kill, nodes, scheduler, worker
from tests import little

GRADE = (sys.executable, "-m", "autograder", "grade", ASSIGNMENT)
WORKERS = 2
DRIVER_MB = 500  # the goal
SAMPLING_SECONDS = 1.0  # seconds between two looks at the memory: to look costs time
SECRET = {"CS231N_COURSE_SECRET": "of the benchmark"}  # the same hidden inputs in all runs
JOINED = re.compile(r"Registered to")
TIMEOUT_SECONDS = 900
Grades = dict[str, tuple[float, str]]  # points and outcome, by student


@dataclass(frozen=True)
class Growth:
    """Seconds and MB of grading ``count`` submissions, and of finding nothing to do."""

    count: int
    seconds: float
    driver_mb: float
    all_mb: float
    again: float


def measure_growth(sizes: list[int], scratch: Path) -> None:
    """Grade classes of these sizes; print the table and whether the goal is met."""
    rows = []
    for count in sizes:
        handed_in = write_light_course(scratch / f"handed-in-{count}", right_class(count))
        root = fresh(handed_in, scratch / f"course-{count}", OUR_CONFIG)
        command = [*GRADE, "--workers", str(WORKERS), "--root", str(root)]
        seconds, driver, together = watch_memory(command)
        again, _, _ = watch_memory(command)
        graded = list(results(root, ASSIGNMENT))
        if len(graded) != count or {one.score for one in graded} != {little.CLASS_POINTS}:
            sys.exit(f"not all of the {count} right submissions got full marks")
        rows.append(Growth(count, seconds, driver, together, again))
        print(f"  {count} submissions: done", file=sys.stderr)
    print_growth(rows)


def watch_memory(command: list[str]) -> tuple[float, float, float]:
    """Seconds of a command, its own peak memory, and the peak of all its processes together."""
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True
    )
    peaks, over = [0.0, 0.0], threading.Event()

    def look() -> None:
        while not over.wait(SAMPLING_SECONDS):
            peaks[0] = max(peaks[0], high_water_mb(process.pid))
            peaks[1] = max(peaks[1], sum(pss_mb(pid) for pid in descendants(process.pid)))

    looking = threading.Thread(target=look)
    looking.start()
    assert process.stderr is not None
    errors = process.stderr.read()
    status = process.wait()
    seconds = time.monotonic() - began
    over.set()
    looking.join()
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}:\n{errors[-3000:]}")
    return seconds, peaks[0], peaks[1]


def high_water_mb(pid: int) -> float:
    """The most memory that a process has had so far; 0 when it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def print_growth(rows: list[Growth]) -> None:
    print(f"\nA light notebook, {WORKERS} workers: seconds, and peak memory in MB")
    heads = ("submissions", "s", "s each", "driver MB", "all MB", "again, unchanged s")
    print("".join(f"{head:>{max(12, len(head) + 2)}}" for head in heads))
    for row in rows:
        print(
            f"{row.count:13}{row.seconds:12.1f}{row.seconds / row.count:12.3f}"
            f"{row.driver_mb:12.0f}{row.all_mb:12.0f}{row.again:20.1f}"
        )
    first, last = rows[0], rows[-1]
    if last.count > first.count:
        more = last.count - first.count
        seconds = (last.seconds - first.seconds) / more
        kilobytes = 1024 * (last.driver_mb - first.driver_mb) / more
        print(f"each submission more: {seconds:.3f} s, {kilobytes:.0f} kB in the driver")
    met = "met" if last.driver_mb < DRIVER_MB else "NOT MET"
    print(f"driver at {last.count}: {last.driver_mb:.0f} MB, goal under {DRIVER_MB}: {met}")


def measure_cluster(count: int, scratch: Path) -> None:
    """Grade the same class three ways; print seconds, and whether the grades are the same."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("\nThe cluster: not measured, network namespaces need root and the program ip")
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
            on_cluster(course, scratch / f"{course.name}-logs", lost)
            if machines
            else on_one_machine(course)
        )
        rows.append((name, seconds, grades(course)))
        print(f"  {name}: done", file=sys.stderr)
    print(f"\n{ended} kNN submissions, cells limited to {CELL_SECONDS} s")
    print(f"{'':36}{'s':>8}{'graded':>10}   grades")
    expected = rows[0][2]
    for name, seconds, found in rows:
        same = "the same" if found == expected else f"DIFFERENT: {differences(expected, found)}"
        print(f"{name:36}{seconds:8.1f}{len(found):10}   {same}")


def on_one_machine(course: Path) -> float:
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
        head, one, other, driver_node = stack.enter_context(nodes(4))
        address = stack.enter_context(scheduler(head, logs / "scheduler"))
        workers = []
        for node in (one, other):
            workers.append(worker(node, address, logs / node.name))
            stack.callback(kill, workers[-1])
        until(lambda: all(JOINED.search((logs / node.name).read_text()) for node in (one, other)))
        began = time.monotonic()
        command = [*GRADE, "--scheduler", address, "--root", str(course)]
        driver = driver_node.start(command, driver_log, **SECRET)
        stack.callback(kill, driver)
        if lost is not None:
            until(lambda: len(grades(course)) >= lost or driver.poll() is not None)
            kill(workers[0])
        if driver.wait(TIMEOUT_SECONDS) not in (0, 1):
            sys.exit(driver_log.read_text()[-3000:])
        return time.monotonic() - began


def until(condition) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit("the cluster did nothing for a long time")
        time.sleep(0.1)  # a cluster has no event to wait for


def grades(course: Path) -> Grades:
    return {one.student: (one.score, one.outcome) for one in results(course, ASSIGNMENT)}


def differences(expected: Grades, found: Grades) -> str:
    students = [who for who in expected | found if expected.get(who) != found.get(who)]
    return ", ".join(f"{who} {expected.get(who)} -> {found.get(who)}" for who in students)
