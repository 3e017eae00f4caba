"""What grading one student costs, notebook by notebook: for whoever plans a class.

    python -m benchmarks.each_notebook [ASSIGNMENT ...] [--markdown]

One student hands in our own solutions, and one worker grades them, an assignment after the other.
Other solutions take other times: where students search and train, it is they who decide. Let
nothing else run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder.authoring.release import make_release
from autograder.course.records import results
from autograder.judge.results import GradedNotebook
from autograder.mutate.trial import load_subject
from benchmarks.measure import (
    OUR_CONFIG,
    ROOT,
    Figures,
    about_the_machine,
    cpu_used,
    markdown,
    same_environment,
    show,
    write,
)

STUDENT = "solved"
PARTS = ("cells", "checks", "total")
HEADS = ("", "cells, s", "checks, s", "the notebook, s", "the command, s of processor time")


def write_course(root: Path, assignments: Sequence[str]) -> None:
    """Released, and handed in by one student who has solved all of it."""
    write(
        root / "nbgrader_config.py",
        OUR_CONFIG.format(ours=str(ROOT / "nbgrader_config.py"), root=str(root)),
    )
    shutil.copytree(ROOT / "source", root / "source")
    for assignment in assignments:
        make_release(root, assignment)
        for path in (root / "release" / assignment).glob("*.ipynb"):
            subject = load_subject(ROOT, assignment, path.stem)
            target = root / "submitted" / STUDENT / assignment / path.name
            write(target, json.dumps(subject.document))


def grade(root: Path, assignment: str) -> tuple[list[GradedNotebook], float]:
    """The verdicts, and the seconds of all processors. Ends where something is not right."""
    before = cpu_used()
    command = [sys.executable, "-m", "autograder", "grade", assignment, "--workers", "1"]
    command += ["--root", str(root)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    spent = cpu_used() - before
    graded = list(results(root, assignment))
    lost = [one.notebook for one in graded if any(c.score != c.points for c in one.cells)]
    if not graded or lost or any(one.outcome for one in graded):
        sys.exit(f"{assignment}: not all is right {lost}\n{ended.stdout}\n{ended.stderr}")
    return graded, spent


def rows(graded: Iterable[GradedNotebook], name: str, spent: float) -> list[tuple[str, ...]]:
    """A line for each notebook, and one for the assignment."""
    seconds = {one.notebook: [one.timings[part] for part in PARTS] for one in graded}
    sums = [sum(column) for column in zip(*seconds.values(), strict=True)]
    lines = [(f"`{one}`", *(f"{value:.1f}" for value in of), "") for one, of in seconds.items()]
    return [*lines, (f"**{name}**", *(f"{value:.1f}" for value in (*sums, spent)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="default: all")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    there = sorted(path.name for path in (ROOT / "source").glob("*/"))
    assignments = options.assignments or there
    if unknown := sorted({*assignments} - {*there}):
        parser.error(f"no assignment {unknown[0]}; there are {', '.join(there)}")
    same_environment()
    title = f"`python -m benchmarks.each_notebook`, {about_the_machine()}."
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "course")
        # Earlier ones, too: later notebooks load them.
        write_course(root, there[: there.index(max(assignments)) + 1])
        lines = []
        for assignment in sorted(assignments):
            print(f"  {assignment} ...", file=sys.stderr)
            graded, spent = grade(root, assignment)
            lines += rows(graded, assignment, spent)
    table = Figures(title, HEADS, lines)
    if options.markdown:
        print(title, markdown(table), sep="\n\n")
    else:
        show(table)


if __name__ == "__main__":
    main()
