"""nbgrader and Otter as a TA would use them.

Neither can run our hidden checks: nbgrader's grade cells hold the visible tests alone, and so do
Otter's test files. That is less work than ours does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.class_scale.figures import Took
from benchmarks.class_scale.submissions import tests_of, without_tests
from benchmarks.measure import (
    ASSIGNMENT,
    NOTEBOOK,
    ONE_THREAD,
    ROOT,
    Ran,
    cpu_used,
    watched,
    write,
)

OTTER = "7.0.0"
NEEDED = ("matplotlib", "numpy", "pillow", "pooch", "scipy", "tqdm")  # by cs231n_lib
BEGINS = re.compile(r"Converting notebook .*/submitted/([^/]+)/")
OTTER_TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case()
def visible(env):
    exec({source!r}, env)
"""
INIT = "import otter\n\ngrader = otter.Notebook()"


@dataclass(frozen=True)
class Graded:
    """How long a tool took, and the points it gave; who has none got no grade."""

    took: Took
    scores: dict[str, float]


def run_nbgrader(course: Path, halves: Sequence[str] = ("*",)) -> Graded:
    """Stock ``nbgrader autograde``, a process for each part of the class (patterns of names).

    Several at once have one BLAS thread each.
    """
    from nbgrader.api import Gradebook  # imports for two seconds

    threads = ONE_THREAD if len(halves) > 1 else {}

    def grade(half: str) -> Ran:
        command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--student", half]
        ran = watched(command, course, os.environ | threads)
        if ran.status or not beginnings(ran):
            sys.exit(f"nbgrader failed:\n{ran.end()}")
        return ran

    before = cpu_used()
    with ThreadPoolExecutor(len(halves)) as pool:
        each = list(pool.map(grade, halves))
    count = sum(len(beginnings(ran)) for ran in each)
    start = min(beginnings(ran)[0] for ran in each)
    took = Took.evenly(count, max(ran.wall for ran in each), cpu_used() - before, start)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        written: list[Any] = book.assignment_submissions(ASSIGNMENT)
        return Graded(took, {one.student_id: one.score for one in written})


def beginnings(ran: Ran) -> list[float]:
    """When nbgrader began with which submission."""
    return [line.at for line in ran.said if BEGINS.search(line.text)]


def run_otter(otter: Path, course: Path, folder: Path) -> Graded:
    """``otter run``, a process for each submission, one after the other."""
    students = otter_course(otter, course, folder)
    scores: dict[str, float] = {}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # cs231n_lib
    wall = cpu = 0.0
    for student in students:
        where = folder / "results" / student
        where.mkdir(parents=True)
        command = [str(otter), "run", f"{student}.ipynb", "-a", "autograder.zip"]
        ran = watched([*command, "-o", str(where), "--no-logo"], folder, environment)
        wall, cpu = wall + ran.wall, cpu + ran.cpu
        if not (where / "results.json").exists():
            sys.exit(f"Otter failed:\n{ran.end()}")
        tests = json.loads((where / "results.json").read_text())["tests"]
        scores[student] = sum(test.get("score") or 0 for test in tests)
    return Graded(Took.evenly(len(students), wall, cpu), scores)


def otter_course(otter: Path, course: Path, folder: Path) -> list[str]:
    """Otter's test files and the submissions with its calls in place of our grade cells."""
    for name, (source, points) in tests_of(course).items():
        text = OTTER_TEST.format(name=name, points=points, source=source)
        write(folder / "tests" / f"{name}.py", text)
    command = [otter, "generate", "-t", "tests", "-o", "autograder.zip"]
    command += ["--no-config", "--no-requirements", "--no-environment"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    cell = {"cell_type": "code", "id": "otter", "metadata": {}, "source": INIT}
    students = []
    for path in sorted((course / "submitted").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}.ipynb")):
        document = without_tests(json.loads(path.read_text("utf-8")), "grader.check({!r})")
        document["cells"].insert(0, cell | {"outputs": [], "execution_count": None})
        students.append(path.parents[1].name)
        (folder / f"{students[-1]}.ipynb").write_text(json.dumps(document))
    return students


def install_otter() -> Path | None:
    """The program, in a virtual environment of its own that is kept; None where it cannot be had.

    It has the versions of numpy and the rest that our own environment has. pip gets them as it is
    configured to: from an index, or without one from a folder of wheels (PIP_NO_INDEX and
    PIP_FIND_LINKS).
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cs231n-benchmarks" / f"otter-{OTTER}"
    ready = folder / "ready"
    if not ready.exists():
        print(f"installing Otter {OTTER} into {folder} ...", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        wanted = [f"otter-grader[grading]=={OTTER}", *(f"{n}=={version(n)}" for n in NEEDED)]
        try:
            venv.create(folder, with_pip=True)
            pip = [folder / "bin" / "python", "-m", "pip", "install", "-qq"]
            subprocess.run([*pip, *wanted], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Otter {OTTER} cannot be installed here: {error}", file=sys.stderr)
            return None
        ready.touch()
    return folder / "bin" / "otter"
