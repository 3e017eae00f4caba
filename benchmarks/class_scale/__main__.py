"""How fast a class is graded: ours beside stock nbgrader, Otter, and the limit.

    python -m benchmarks.class_scale              # 15 minutes on two quiet cores; 23 with
                                                  # --submissions 40
    python -m benchmarks.class_scale --markdown   # what is pasted into docs/scale.md, no more
    python -m benchmarks.class_scale --quick      # small classes: does it work? no figures
    python -m benchmarks.class_scale --growth --machines --gradebook  # these tables instead

Two notebooks: kNN, which computes for seconds, and a light one, its first questions without data.
Let nothing else run meanwhile. Otter is installed once, into an environment of its own (in
~/.cache), with pip as it is configured: PIP_INDEX_URL, or PIP_NO_INDEX and PIP_FIND_LINKS for a
folder of wheels. Where it cannot be had, its lines are left out, and standard error says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.class_scale.figures import goals, profile, speed
from benchmarks.class_scale.throughput import QUICK, Sizes, measure_speed
from benchmarks.measure import about_the_machine, markdown, same_environment, show


def main() -> None:
    options = parse(sys.argv[1:])
    same_environment()
    with tempfile.TemporaryDirectory(prefix="class-scale-") as folder:
        if options.growth or options.machines or options.gradebook:
            print(about_the_machine())
            measure_others(options, Path(folder))
        else:
            print_speed(options, Path(folder))


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.class_scale", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--submissions", type=int, default=16, help="of kNN [default: 16]")
    parser.add_argument("--quick", action="store_true", help="small classes, to try it out")
    parser.add_argument("--no-otter", action="store_true", help="do not install it, leave it out")
    parser.add_argument("--markdown", action="store_true", help="as docs/scale.md has it")
    parser.add_argument("--growth", action="store_true", help="instead: 10, 100, 1000 submissions")
    parser.add_argument("--machines", action="store_true", help="instead: two machines, imitated")
    parser.add_argument(
        "--gradebook", action="store_true", help="instead: grades written while a formgrader reads"
    )
    options = parser.parse_args(words)
    if options.submissions < 4:
        parser.error("--submissions: a class has at least 4")
    return options


def print_speed(options: argparse.Namespace, scratch: Path) -> None:
    about, began = about_the_machine(), time.monotonic()
    sizes = QUICK if options.quick else replace(Sizes(), heavy=options.submissions)
    measured = measure_speed(sizes, scratch, otter=not options.no_otter)
    minutes = (time.monotonic() - began) / 60
    print(f"`python -m benchmarks.class_scale`, {about}; {minutes:.0f} minutes.")
    for table in (speed(measured), goals(measured), profile(measured)):
        if options.markdown:
            print(f"\n{markdown(table)}")
        else:
            show(table)
    for problem in measured.problems:
        print(f"\n**Problem: {problem}**")
    if measured.problems:
        sys.exit(1)


def measure_others(options: argparse.Namespace, scratch: Path) -> None:
    if options.growth:
        from benchmarks.class_scale.scaling import measure_growth

        measure_growth([4, 12] if options.quick else [10, 100, 1000], scratch)
    if options.machines:
        from benchmarks.class_scale.scaling import measure_cluster

        measure_cluster(6 if options.quick else options.submissions, scratch)
    if options.gradebook:
        from benchmarks.class_scale.gradebook import measure_gradebook

        measure_gradebook(30 if options.quick else 1000, scratch)


if __name__ == "__main__":
    main()
