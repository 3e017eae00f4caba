"""How long it takes from the command to the first kernel, and to the first verdict.

    python -m benchmarks.first_kernel [--runs 5] [--workers 1 2] [--other PYTHON]

A class of four hands in the notebook as it was released, with one more cell at the beginning, which
prints the time. So what is measured is when the first of them began to run, by the clock that all
processes of a machine share. The first verdict is there when it is printed. ``--other``: the Python
of another checkout's environment, measured in turns with this one. Let nothing else run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from autograder.authoring.release import make_release
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, OUR_CONFIG, ROOT, cpu_used, same_environment

STUDENTS = ("ann", "bob", "eve", "zoe")
GOAL = 2.5  # seconds to the first kernel
SAYS_WHEN = "import time\nprint('began at', time.monotonic())"
BEGAN = re.compile(r"began at ([\d.]+)")
VERDICT = "[1/"


def write_course(root: Path) -> Path:
    """Released, handed in, and not graded."""
    source = root / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    shutil.copy(ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", source)
    config = OUR_CONFIG.format(ours=str(ROOT / "nbgrader_config.py"), root=str(root))
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    (released,) = make_release(root, ASSIGNMENT)
    document = json.loads(released.read_text("utf-8"))
    cell = {"cell_type": "code", "id": "says-when", "metadata": {}, "source": SAYS_WHEN}
    document["cells"].insert(0, {**cell, "outputs": [], "execution_count": None})
    for student in STUDENTS:
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(document), "utf-8")
    return root


def measure(course: Path, python: str, workers: int) -> tuple[float, float, float]:
    """Seconds to the first kernel and to the first verdict, and of all processors, of one run."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "course")
        shutil.copytree(course, root)
        config = root / "nbgrader_config.py"
        config.write_text(config.read_text("utf-8").replace(str(course), str(root)), "utf-8")
        command = [python, "-m", "autograder", "grade", ASSIGNMENT, "--workers", str(workers)]
        checkout = Path(python).parents[2]  # of .venv/bin/python
        verdict, before, said = 0.0, cpu_used(), ""
        began = time.monotonic()
        with subprocess.Popen(
            [*command, "--root", str(root)],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                verdict = verdict or (time.monotonic() if line.startswith(VERDICT) else 0.0)
        spent = cpu_used() - before
        if not verdict:
            sys.exit(f"{' '.join(command)} graded nothing:\n{said}")
        graded = (root / "autograded").rglob(f"{NOTEBOOK}.ipynb")
        started = [float(BEGAN.findall(path.read_text("utf-8"))[0]) for path in graded]
        return min(started) - began, verdict - began, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--other", metavar="PYTHON")
    options = parser.parse_args()
    same_environment()
    pythons = [sys.executable, *([options.other] if options.other else [])]
    table = Table(title=f"From the command, medians of {options.runs} runs")
    for heading in ("", "workers", "first kernel, s", "fastest", "first verdict, s", "CPU, s"):
        table.add_column(heading, justify="right" if heading else "left")
    with tempfile.TemporaryDirectory() as scratch:
        course = write_course(Path(scratch, "course"))
        for workers in options.workers:
            found: dict[str, list[tuple[float, float, float]]] = {one: [] for one in pythons}
            for _ in range(options.runs):
                for python in pythons:
                    found[python].append(measure(course, python, workers))
            for python, runs in found.items():
                kernel, verdict, spent = ([run[which] for run in runs] for which in range(3))
                name = "here" if python == sys.executable else "other"
                figures = (median(kernel), min(kernel), median(verdict), median(spent))
                table.add_row(name, str(workers), *(f"{one:.2f}" for one in figures))
    table.caption = f"goal: the first kernel within {GOAL} s"
    Console().print(table)


if __name__ == "__main__":
    main()
