"""What grading costs beyond the student's own computation: stock nbgrader, ours, and the limit.

    python benchmarks/overhead.py [--submissions 20]

One run on one machine, one table. All three execute the same cells of the same kNN submissions
(cells for looking are taken out for all three), with one BLAS thread:

(a) stock `nbgrader autograde`: its own kernel and its own execution, in one process;
(b) `python -m autograder grade` with one worker, isolation on;
(c) the limit: the cells executed in forks of a process that has everything imported; measured
    before and after (b), and averaged, because a machine's speed drifts.

CPU is what the whole machine used meanwhile, so let nothing else run. Memory is the peak of the sum
of all processes' proportional share (PSS), sampled ten times a second in a run of its own on one
submission: to sample slows down.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measure import (
    ASSIGNMENT,
    NOTEBOOK,
    ONE_THREAD,
    OUR_CONFIG,
    ROOT,
    STOCK_CONFIG,
    descendants,
    lines,
    machine_cpu,
    peak_mb,
    same_environment,
    skipped,
    timed,
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
# The limit: what remains when kernels, files, checks and gradebook cost nothing.
WARM = """
import gc, json, os, sys, time
import numpy, scipy.spatial.distance, torch, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot, cs231n_lib.data, cs231n_lib.plotting, cs231n_lib.timing
cells, count = json.load(open(sys.argv[1])), int(sys.argv[2])
gc.collect(); gc.freeze()
sys.stdout.write("warm\\n"); sys.stdout.flush()
for _ in range(count):
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        sys.stdout = open(os.devnull, "w")
        space = {"__name__": "__main__"}
        for source in cells:
            exec(compile(source, "cell", "exec"), space)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("a cell failed")
    print(time.monotonic() - started, flush=True)
"""


@dataclass(frozen=True)
class Cost:
    """One row of the table. Seconds, and MB."""

    name: str
    wall: float
    cpu: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=20)
    count = parser.parse_args().submissions
    same_environment()
    os.environ.update(ONE_THREAD)
    with tempfile.TemporaryDirectory() as scratch:
        before, each = run_limit(Path(scratch), count)
        ours, timings = run_ours(Path(scratch, "ours"), count)
        after, more = run_limit(Path(scratch), count)
        saving = median_saving(Path(scratch, "ours"))
        stock = run_stock(Path(scratch, "stock"), count)
    wall, cpu = (before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2
    limit = Cost(before.name, wall, cpu, max(before.peak_mb, after.peak_mb))
    print_table([stock, ours, limit], timings, each + more, count, saving)


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


def run_stock(root: Path, count: int) -> Cost:
    course(root, count, STOCK_CONFIG)
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT]
    wall, cpu = timed(command, root)
    peak = peak_mb([*command, "--student", "student00", "--force"], root)
    return Cost("stock nbgrader autograde", wall, cpu, peak)


def run_ours(root: Path, count: int) -> tuple[Cost, list[dict[str, float]]]:
    course(root, count, OUR_CONFIG)
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(root)]
    wall, cpu = timed(command, ROOT)
    records = sorted((root / ".autograder" / "results" / ASSIGNMENT).glob("*/*.json"))
    graded = [json.loads(path.read_text())["graded"] for path in records]
    scores = {sum(cell["score"] for cell in one["cells"]) for one in graded}
    full = {sum(cell["points"] for cell in one["cells"]) for one in graded}
    if len(graded) != count or scores != full:
        sys.exit(f"the reference did not get full marks: {scores} of {full}, {len(graded)} graded")
    peak = peak_mb([*command, "--student", "student00", "--force"], ROOT)
    return Cost("ours, one worker", wall, cpu, peak), [one["timings"] for one in graded]


def run_limit(scratch: Path, count: int) -> tuple[Cost, list[float]]:
    source = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())
    cells = [
        "".join(lines(c)).split("### BEGIN HIDDEN TESTS")[0]
        for c in source["cells"]
        if c["cell_type"] == "code" and not skipped(c)
    ]
    (scratch / "cells.json").write_text(json.dumps(cells))
    (scratch / "warm.py").write_text(WARM)
    command = [sys.executable, "warm.py", "cells.json"]
    process = subprocess.Popen(
        [*command, str(count)], cwd=scratch, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()  # warm: the imports are not counted
    began, before = time.monotonic(), machine_cpu()
    each = [float(line) for line in process.stdout]
    wall = time.monotonic() - began
    used = machine_cpu() - before
    if process.wait() or len(each) != count:
        sys.exit("the limit could not be measured: a cell failed")
    peak = peak_mb([*command, "1"], scratch)
    return Cost("limit: cells in warm forks", wall, used, peak), each


def print_table(
    costs: list[Cost], timings: list[dict[str, float]], each: list[float], count: int, saving: float
) -> None:
    stock, ours, limit = costs
    head = f"kNN, {count} submissions"
    print(f"{head:28} {'wall s':>8} {'s each':>8} {'x limit':>8} {'CPU s':>8} {'peak MB':>8}")
    for cost in costs:
        each_one, ratio = cost.wall / count, cost.wall / limit.wall
        numbers = (
            f"{cost.wall:8.1f} {each_one:8.2f} {ratio:8.2f} {cost.cpu:8.1f} {cost.peak_mb:8.0f}"
        )
        print(f"{cost.name:28} {numbers}")
    theirs, whole = ((cost.wall - limit.wall) / count for cost in (stock, ours))
    parts = {stage: median(sum(t[n] for n in names) for t in timings) for stage, names in STAGES}
    own = sum(parts.values()) - parts["cells"] + saving
    print("\nseconds over the limit, a notebook:")
    print(f"  {'stock nbgrader':44} {theirs:7.2f}")
    print(f"  {'ours, with start-up':44} {whole:7.2f}   1/{theirs / whole:.1f} of stock")
    print(f"  {'ours, without cells and start-up':44} {own:7.2f}   1/{theirs / own:.1f} of stock")
    print("\nours, median milliseconds a notebook:")
    for stage, seconds in [*parts.items(), ("saving", saving)]:
        print(f"  {stage:44} {1000 * seconds:7.1f}")
    print(f"  {'(the limit, for the cells)':44} {1000 * median(each):7.1f}")
    print(f"\n{'an idle kernel, memory of its own, MB':46} {idle_mb():7.1f}")


def idle_mb() -> float:
    """Memory that one idle kernel, with its supervisor, shares with no other process."""
    from autograder.judge.kernel import Kernel
    from autograder.judge.warm import start_zygote

    with start_zygote() as zygote:
        kernel = Kernel(zygote.fork())
        kernel.run_cell("pass")
        kilobytes = 0
        for pid in descendants(kernel.sandbox.supervisor):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    kilobytes += int(line.split()[1])
        kernel.close()
    return kilobytes / 1024


def median_saving(root: Path) -> float:
    """Seconds to write one graded notebook: file, gradebook, record."""
    from autograder.course.gradebook import GradebookWriter
    from autograder.course.records import results, write_result, write_text

    seconds = []
    with GradebookWriter(root) as writer:
        for graded in results(root, ASSIGNMENT):
            began = time.monotonic()
            write_text(root / "again" / f"{graded.student}.ipynb", graded.document)
            writer.record(graded.student, ASSIGNMENT, [graded])
            write_result(root, graded, "")
            seconds.append(time.monotonic() - began)
    return median(seconds)


if __name__ == "__main__":
    main()
