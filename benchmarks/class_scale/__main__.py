"""Grading a class: beside stock nbgrader, Otter and the limit; growing; on a cluster; written down.

    python -m benchmarks.class_scale                     # everything: most of an hour
    python -m benchmarks.class_scale --only 2,4          # some of the tables
    python -m benchmarks.class_scale --quick             # small classes: does it work? no figures

1. kNN submissions (right, wrong, hanging, crashing): how many a minute, by whom.
2. A light notebook, 10, 100, 1000 submissions: time and memory for each.
3. Two machines, imitated, and one of them fails: the same grades?
4. Grades written to SQLite and PostgreSQL while the formgrader reads.

Let nothing else run meanwhile. The first table installs Otter, once, into an environment of its own
(in ~/.cache), and needs an index of packages for that; without one its lines stay empty.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.class_scale.gradebook import measure_gradebook
from benchmarks.class_scale.scaling import measure_cluster, measure_growth
from benchmarks.class_scale.throughput import measure_speed
from benchmarks.measure import machine_cpu, same_environment

TABLES = (1, 2, 3, 4)
WATCHED_SECONDS = 3  # seconds for which the machine is watched before anything is measured
BUSY = 0.2  # cores that others use meanwhile, above which figures are not to be believed


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.class_scale", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--only", default="1,2,3,4", metavar="TABLES", help="for instance 1,3")
    parser.add_argument("--submissions", type=int, default=40, help="of kNN [default: 40]")
    parser.add_argument("--quick", action="store_true", help="small classes, to try it out")
    parser.add_argument("--looking", action="store_true", help="nbgrader also as handed in")
    options = parser.parse_args()
    try:
        tables = [int(number) for number in options.only.split(",")]
    except ValueError:
        tables = []
    if not tables or set(tables) - set(TABLES):
        parser.error(f"--only {options.only}: name some of the tables 1, 2, 3, 4, as in --only 1,3")
    if options.submissions < 5:
        parser.error("--submissions: a class of every kind has at least 5")
    same_environment()
    print_machine()
    count = min(options.submissions, 6) if options.quick else options.submissions
    with tempfile.TemporaryDirectory(prefix="class-scale-") as folder:
        for table in tables:
            scratch = Path(folder, str(table))
            scratch.mkdir()
            if table == 1:
                measure_speed(count, scratch, looking=options.looking)
            elif table == 2:
                measure_growth([4, 12] if options.quick else [10, 100, 1000], scratch)
            elif table == 3:
                measure_cluster(count, scratch)
            else:
                measure_gradebook(30 if options.quick else 1000, scratch)


def print_machine() -> None:
    """Where and with what it was measured, and whether the machine had time."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    cores = len(os.sched_getaffinity(0))
    names = ("nbgrader", "distributed", "numpy", "sqlalchemy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"{datetime.date.today().isoformat()}, {cpu.strip(' :	')}, {cores} cores")
    print(f"Python {platform.python_version()}, {versions}")
    before = machine_cpu()
    time.sleep(WATCHED_SECONDS)
    busy = (machine_cpu() - before) / WATCHED_SECONDS
    if busy > BUSY:
        print(f"THE MACHINE IS BUSY ({busy:.1f} of {cores} cores): do not believe these figures")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
