"""The second table: do time and memory for a submission stay the same when the class grows?"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from measure import ASSIGNMENT, descendants, pss_mb

from autograder.authoring.release import make_release
from autograder.course.records import results
from tests import little

WORKERS = 2
DRIVER_MB = 500  # the goal
EVERY = 1.0  # seconds between two looks at the memory: to look costs time


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
        root = little.write_course(scratch / f"course-{count}")
        make_release(root, ASSIGNMENT)
        for number in range(count):
            little.submit(root, f"student-{number:04}", little.answer(signed(number)))
        command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT]
        command += ["--workers", str(WORKERS), "--root", str(root)]
        seconds, driver, together = watch_memory(command)
        again, _, _ = watch_memory(command)
        graded = list(results(root, ASSIGNMENT))
        if len(graded) != count or {one.score for one in graded} != {little.CLASS_POINTS}:
            sys.exit(f"not all of the {count} right submissions got full marks")
        rows.append(Growth(count, seconds, driver, together, again))
        print(f"  {count} submissions: done", file=sys.stderr)
    print_table(rows)


def signed(number: int):
    def change(document: dict) -> None:
        cell = little.cell_of(document, "k-nearest-neighbor")
        cell["source"] += f"\n# by student {number}"

    return change


def watch_memory(command: list[str]) -> tuple[float, float, float]:
    """Seconds of a command, its own peak memory, and the peak of all its processes together."""
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True
    )
    peaks, over = [0.0, 0.0], threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
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


def print_table(rows: list[Growth]) -> None:
    print(f"\n2. A light notebook, {WORKERS} workers: seconds, and peak memory in MB")
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
