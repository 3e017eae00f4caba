"""What grading costs beyond the student's own computation: stock nbgrader, ours, and the limit.

    python -m benchmarks.overhead [--submissions 6] [--markdown]

One run on one processor, one table: this program takes one for itself and all that it starts, so
that nobody has a second one to compute on and wall and CPU can be compared. All three execute the
same cells of the same kNN submissions (cells for looking are taken out), with one BLAS thread:

(a) stock `nbgrader autograde`: its own kernel and its own execution, in one process;
(b) `python -m autograder grade --workers 1`, isolation on;
(c) the limit: the cells, without hidden checks, executed in forks of a process that has everything
    imported; half before (b) and half after it, because a machine's speed drifts.

CPU is what that processor did meanwhile, so let nothing else run. Memory is the peak of the sum
of all processes' proportional share (PSS), sampled ten times a second in a run of its own on one
submission: to sample slows down.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.measure import (
    ASSIGNMENT,
    NOTEBOOK,
    ONE_THREAD,
    OUR_CONFIG,
    ROOT,
    STOCK_CONFIG,
    Figures,
    about_the_machine,
    cpu_used,
    idle_mb,
    lines,
    markdown,
    peak_mb,
    same_environment,
    show,
    skipped,
    use_one_processor,
    watched,
    write,
)

LOCK_DOWN = (
    "namespaces", "user", "root file system", "descriptors", "files", "privileges", "limits",
    "landlock", "seccomp",
)  # fmt: skip
STAGES = (
    ("fork (twice)", ("fork", "second fork")),
    ("lock-down", LOCK_DOWN),
    ("kernel start", ("ready",)),
    ("cells", ("cells",)),
    ("checks", ("checks",)),
)
# What is said when one notebook is done (ours), or when the next one begins (nbgrader).
OUR_TURN = re.compile(r"^\[\d+/\d+\] ")
STOCK_TURN = re.compile(r"Converting notebook .*/submitted/")


@dataclass(frozen=True)
class Seconds:
    """On a clock, and of processor time."""

    wall: float
    cpu: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall - other.wall, self.cpu - other.cpu)

    def __truediv__(self, count: float) -> Seconds:
        return Seconds(self.wall / count, self.cpu / count)


@dataclass(frozen=True)
class Cost:
    """One row of the table: ``whole`` with start-up; ``more`` is what one notebook more takes."""

    name: str
    count: int
    whole: Seconds
    more: Seconds | None  # None where there was but one
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=6)
    parser.add_argument("--markdown", action="store_true", help="as a document has it")
    options = parser.parse_args()
    count = max(1, options.submissions)
    use_one_processor()
    same_environment()
    os.environ.update(ONE_THREAD)
    about = about_the_machine()
    with tempfile.TemporaryDirectory() as scratch:
        before = run_limit(Path(scratch), (count + 1) // 2)
        ours, timings = run_ours(Path(scratch, "ours"), count)
        after = run_limit(Path(scratch), (count + 1) // 2)
        stock = run_stock(Path(scratch, "stock"), count)
    limit = replace(before, count=before.count + after.count, whole=before.whole + after.whole)
    print(f"`python -m benchmarks.overhead`, {about}.")
    for table in (costs(stock, ours, limit), stages(timings, ours, limit)):
        if options.markdown:
            print(f"\n{markdown(table)}")
        else:
            show(table)
    print(f"\nAn idle kernel has {idle_mb():.0f} MB of memory to itself.")


def course(root: Path, count: int, config: str) -> None:
    """A course folder whose submissions are the reference solution, told apart by a comment."""
    from autograder.authoring.release import make_release

    source = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())
    source["cells"] = [c for c in source["cells"] if not skipped(c)]
    write(root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", json.dumps(source))
    (root / "nbgrader_config.py").write_text(
        config.format(root=str(root), ours=str(ROOT / "nbgrader_config.py"), seconds=600)
    )
    make_release(root, ASSIGNMENT)
    for number in range(count):
        for cell in source["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
                cell["source"] = [*lines(cell), f"\n# submission {number}"]
                break
        target = root / "submitted" / f"student{number:02}" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        write(target, json.dumps(source))


def run(name: str, command: list[str], cwd: Path, turn: re.Pattern[str]) -> Cost:
    """Run a command that must succeed, and that says when it turns to another notebook."""
    ran = watched(command, cwd)
    turns = [Seconds(line.at, line.cpu) for line in ran.said if turn.search(line.text)]
    if ran.status or not turns:
        sys.exit(f"{' '.join(command)} ended with status {ran.status}:\n{ran.end()}")
    more = (turns[-1] - turns[0]) / (len(turns) - 1) if len(turns) > 1 else None
    peak = peak_mb([*command, "--student", "student00", "--force"], cwd)
    return Cost(name, len(turns), Seconds(ran.wall, ran.cpu), more, peak)


def run_stock(root: Path, count: int) -> Cost:
    course(root, count, STOCK_CONFIG)
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT]
    return run("stock nbgrader autograde", command, root, STOCK_TURN)


def run_ours(root: Path, count: int) -> tuple[Cost, list[dict[str, float]]]:
    course(root, count, OUR_CONFIG)
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(root)]
    # Without this there are as many workers as processors, or as the engine thinks best.
    cost = run("ours, one worker", [*command, "--workers", "1"], ROOT, OUR_TURN)
    records = sorted((root / ".autograder" / "results" / ASSIGNMENT).glob("*/*.json"))
    graded = [json.loads(path.read_text())["graded"] for path in records]
    scores = {sum(cell["score"] for cell in one["cells"]) for one in graded}
    full = {sum(cell["points"] for cell in one["cells"]) for one in graded}
    if len(graded) != count or scores != full:
        sys.exit(f"the reference did not get full marks: {scores} of {full}, {len(graded)} graded")
    return cost, [one["timings"] for one in graded]


def run_limit(scratch: Path, count: int) -> Cost:
    source = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())
    cells = [
        "".join(lines(c)).split("### BEGIN HIDDEN TESTS")[0]
        for c in source["cells"]
        if c["cell_type"] == "code" and not skipped(c)
    ]
    (scratch / "cells.json").write_text(json.dumps(cells))
    command = [sys.executable, "-m", "benchmarks.warm_cells", "cells.json"]
    process = subprocess.Popen(
        [*command, str(count)], cwd=scratch, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()  # warm: the imports are not counted
    began, before = time.monotonic(), cpu_used()
    done = list(process.stdout)
    whole = Seconds(time.monotonic() - began, cpu_used() - before)
    if process.wait() or len(done) != count:
        sys.exit("the limit could not be measured: a cell failed")
    return Cost("limit: cells in warm forks", count, whole, None, peak_mb([*command, "1"], scratch))


def costs(stock: Cost, ours: Cost, limit: Cost) -> Figures:
    """Who takes how much, and how much more than the limit for each notebook."""
    least = limit.whole / limit.count
    rows = []
    for cost in (stock, ours, limit):
        each = cost.whole / cost.count
        row = [f"{cost.name}, {cost.count}", f"{cost.whole.wall:.1f}", f"{cost.whole.cpu:.1f}"]
        row += [f"{each.wall / least.wall:.2f}", f"{each.cpu / least.cpu:.2f}"]
        for mine in (each, cost.more):
            over = mine and mine - least
            known = over is not None and cost is not limit
            row += [f"{1000 * over.wall:.0f}", f"{1000 * over.cpu:.0f}"] if known else ["", ""]
        rows.append([*row, f"{cost.peak_mb:.0f}"])
    heads = ["kNN on one processor", "wall s", "CPU s", "wall, × limit", "CPU, × limit"]
    heads += ["ms over it a notebook, wall", "CPU", "the same without start-up, wall", "CPU"]
    return Figures("What grading costs", [*heads, "peak MB"], rows)


def stages(timings: list[dict[str, float]], ours: Cost, limit: Cost) -> Figures:
    """Where ours spends the time of a notebook."""
    parts = {stage: median(sum(t[n] for n in names) for t in timings) for stage, names in STAGES}
    if ours.more:
        parts["between two notebooks: put on record"] = ours.more.wall - sum(parts.values())
    parts["(the limit: cells)"] = limit.whole.wall / limit.count
    rows = [[stage, f"{1000 * seconds:.1f}"] for stage, seconds in parts.items()]
    return Figures("Where ours spends it", ["ours, a notebook", "ms"], rows)


if __name__ == "__main__":
    main()
