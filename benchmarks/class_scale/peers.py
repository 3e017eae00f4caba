"""nbgrader and Otter as a TA would use them, on the same class.

Neither can run our hidden checks: nbgrader's grade cells hold the visible tests alone, and so do
Otter's test files. That is less work than ours does. Sequential tools tell when they begin with
which student, so one run gives both times: of the whole class, and without those who hang.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from benchmarks.class_scale.submissions import DO_NOT_HANG, tests_of, without_tests
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, ONE_THREAD, ROOT, descendants, watched, write

OTTER = "7.0.0"
# Otter has no limit for a cell or a submission here: its whole process is ended.
OTTER_SECONDS = 60
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
class Took:
    """Seconds for the whole class, and for those who do not hang."""

    everybody: float
    ended: float


@dataclass(frozen=True)
class Graded:
    """How long a tool took, and the points it gave; who has none got no grade."""

    took: Took
    scores: dict[str, float]


def in_halves(grade: Callable[[str], Took], halves: Sequence[str]) -> Took:
    """Grade these parts of the class (patterns of names) side by side."""
    with ThreadPoolExecutor(len(halves)) as pool:
        each = list(pool.map(grade, halves))
    return Took(max(one.everybody for one in each), max(one.ended for one in each))


def run_nbgrader(course: Path, halves: Sequence[str]) -> Graded:
    """Stock ``nbgrader autograde``, a process for each half; several have one BLAS thread each."""

    def grade(half: str) -> Took:
        command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--student", half]
        threads = ONE_THREAD if len(halves) > 1 else {}
        status, said, seconds = watched(command, course, os.environ | threads)
        begun = [(at, found[1]) for at, line in said if (found := BEGINS.search(line))]
        if status not in (0, 1) or not begun:  # 1: who crashes cannot be graded
            sys.exit("\n".join(["nbgrader failed:", *(line for _, line in said[-20:])]))
        ends = [*(at for at, _ in begun[1:]), seconds]
        spent = [end - at for (at, who), end in zip(begun, ends, strict=True) if hangs(who)]
        return Took(seconds, seconds - sum(spent))

    took = in_halves(grade, halves)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        written: list[Any] = book.assignment_submissions(ASSIGNMENT)
        return Graded(took, {one.student_id: one.score for one in written})


def run_otter(otter: Path, course: Path, folder: Path, halves: Sequence[str]) -> Graded:
    """``otter run``, a process for each submission, one after the other in each half."""
    students = otter_course(otter, course, folder)
    scores: dict[str, float] = {}
    environment = os.environ | (ONE_THREAD if len(halves) > 1 else {})
    environment |= {"PYTHONPATH": str(ROOT)}  # cs231n_lib

    def grade(half: str) -> Took:
        began, spent = time.monotonic(), 0.0
        for student in [name for name in students if fnmatch(name, half)]:
            begun = time.monotonic()
            where = folder / "results" / student
            where.mkdir(parents=True)
            options = ["-a", str(folder / "autograder.zip"), "-o", str(where), "--no-logo"]
            with (where / "log").open("w") as log:
                process = subprocess.Popen(
                    [otter, "run", folder / f"{student}.ipynb", *options],
                    cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                )  # fmt: skip
                ended(process, OTTER_SECONDS)
            spent += (time.monotonic() - begun) * hangs(student)
            if (where / "results.json").exists():
                tests = json.loads((where / "results.json").read_text())["tests"]
                scores[student] = sum(test.get("score") or 0 for test in tests)
        seconds = time.monotonic() - began
        return Took(seconds, seconds - spent)

    return Graded(in_halves(grade, halves), scores)


def hangs(student: str) -> bool:
    return not fnmatch(student, DO_NOT_HANG)


def ended(process: subprocess.Popen, seconds: float) -> None:
    """Wait; when the time is up, end it and all below it, its kernel too."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        for pid in descendants(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


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

    It has the versions of numpy and the rest that our own environment has.
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
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, *wanted], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Otter {OTTER} cannot be installed here: {error}", file=sys.stderr)
            return None
        ready.touch()
    return folder / "bin" / "otter"
