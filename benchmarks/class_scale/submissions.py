"""The classes that are graded, and what they hand in.

The heavy notebook is kNN, which computes for seconds; the light one its first questions alone,
without data (``tests/little.py``). For comparisons of speed everybody is right, so that all
submissions cost the same. The mixed class has right ones, wrong ones, some that hang in an endless
loop inside a graded function and some that end their process there. A student's name begins with
the half of the class for those who start two processes by hand, ``a`` or ``b``.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from autograder.notebook.edits import Document, Section, apply, solution_of
from autograder.notebook.template import load_template, source_of
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, ROOT, lines, skipped, write
from tests import little

# An honest cell takes under two seconds, cross-validation too; a hidden check under one.
CELL_SECONDS, CALL_SECONDS = 10, 5
PEER_SECONDS = 600  # of the clock, which a busy machine stretches; nothing that nbgrader gets hangs
WRONG = (
    "wrong_squared_distances",
    "wrong_transposed",
    "wrong_hidden_loop",
    "wrong_largest_label",
    "wrong_leaky_validation",
    "blank",
)
METHOD = "def compute_distances_one_loop(self, X):\n    "
LOOPS = [Section("definitions of", "k-nearest-neighbor", f"{METHOD}while True:\n        pass")]
LEAVES = [Section("definitions of", "k-nearest-neighbor", f"{METHOD}import os\n    os._exit(0)")]
SOLVED = [Section("start from", "solutions-and-answers", "")]
# The first cell says when it runs; nobody's grade depends on it.
BEGAN = "began at"
CLOCK = f"import time\nprint('{BEGAN}', time.time())"


@dataclass(frozen=True)
class Class:
    """Who is in it: the students of each kind."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    hang: tuple[str, ...]
    crash: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.right, *self.wrong, *self.hang, *self.crash)

    def __str__(self) -> str:
        return (
            f"{len(self.right)} right in two styles, {len(self.wrong)} wrong, "
            f"{len(self.hang)} hanging, {len(self.crash)} crashing"
        )


def right_class(count: int) -> Class:
    """``count`` students who are right, in two styles; of four both halves have both."""
    names = (f"{'ab'[number % 2]}-{number:04}-right" for number in range(count))
    return Class(tuple(names), (), (), ())


def make_class(count: int) -> Class:
    """``count`` students: 3 of 40 hang, 3 crash, 6 are wrong; at least one of each."""
    few, some = max(1, round(count * 3 / 40)), max(1, round(count * 6 / 40))
    kinds = {"right": count - 2 * few - some, "wrong": some, "hang": few, "crash": few}
    if kinds["right"] < 2:
        raise ValueError(f"a class of {count} is too small: at least 5")
    halves = cycle("ab")
    names = {
        kind: tuple(f"{next(halves)}-{n:03}-{kind}" for n in range(number))
        for kind, number in kinds.items()
    }
    return Class(**names)


def write_course(root: Path, who: Class, *, looking: bool = False, hooks: bool = True) -> Path:
    """A course folder with what the class handed in: released, not graded, not configured.

    ``looking``: keep the cells for looking, which ours does not run and others do; ``hooks``: keep
    the judge's in the grade cells.
    """
    source = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    source["metadata"]["cs231n"] |= {"cell_seconds": CELL_SECONDS, "call_seconds": CALL_SECONDS}
    source["cells"] = [cell for cell in source["cells"] if looking or not skipped(cell)]
    return _with_class(root, source, who, hooks=hooks)


def write_light_course(root: Path, who: Class, *, hooks: bool = True) -> Path:
    """The same of the light notebook, which needs no more packages than kNN does."""
    whole = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    source = little.little_source()
    source["metadata"]["cs231n"] = whole["metadata"]["cs231n"] | source["metadata"]["cs231n"]
    return _with_class(root, source, who, hooks=hooks)


def _with_class(root: Path, source: Document, who: Class, *, hooks: bool) -> Path:
    from autograder.authoring.release import make_release  # imports nbgrader

    for cell in source["cells"]:
        if not hooks:
            cell["source"] = "".join(lines(cell)).partition("### BEGIN HIDDEN TESTS")[0]
    write(root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", json.dumps(source))
    make_release(root, ASSIGNMENT)
    release = load_template(root, ASSIGNMENT, NOTEBOOK).document
    for student, document in handed_in(who, release, source).items():
        document["cells"].insert(0, clock())
        write(root / "submitted" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb", json.dumps(document))
    return root


def clock() -> Document:
    """A cell of the student's own that says when it runs."""
    about: Document = {"cell_type": "code", "id": "clock", "metadata": {}, "source": CLOCK}
    return about | {"outputs": [], "execution_count": None}


def first_cell_at(course: Path) -> float:
    """When the first of all kernels ran its first cell, as time.time() counts."""
    times = []
    for path in (course / "autograded").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            said = ["".join(output.get("text", "")) for output in cell.get("outputs", [])]
            times += [float(text.split()[-1]) for text in said if text.startswith(BEGAN)]
    return min(times)


def handed_in(who: Class, release: Document, source: Document) -> dict[str, Document]:
    """What each student wrote. No two are the same: a comment tells them apart."""
    from autograder.demo import build  # imports nbgrader

    other = build.read("alternative")[NOTEBOOK]
    styles = cycle([SOLVED, SOLVED, other, other])  # both in both halves of the class
    mistakes = cycle([build.read(name)[NOTEBOOK] for name in WRONG])
    sections = {
        **{student: next(styles) for student in who.right},
        **{student: next(mistakes) for student in who.wrong},
        **dict.fromkeys(who.hang, SOLVED + LOOPS),
        **dict.fromkeys(who.crash, SOLVED + LEAVES),
    }
    kept = {cell["id"] for cell in source["cells"]}
    documents = {}
    for student, parts in sections.items():
        parts = [part for part in parts if part.action == "start from" or part.target in kept]
        document = apply(parts, release, source)
        mine = next(cell for cell in document["cells"] if cell["id"] == "k-nearest-neighbor")
        mine["source"] = f"{source_of(mine)}\n# by {student}"
        documents[student] = document
    return documents


def fresh(course: Path, folder: Path, config: str) -> Path:
    """An ungraded copy of a course, configured."""
    shutil.copytree(course, folder)
    ours = str(ROOT / "nbgrader_config.py")
    text = config.format(root=str(folder), ours=ours, seconds=PEER_SECONDS)
    (folder / "nbgrader_config.py").write_text(text)
    return folder


def full_points(course: Path) -> float:
    """What a right submission earns by its checks alone; written answers are for people."""
    return sum(points for _, points in load_template(course, ASSIGNMENT, NOTEBOOK).auto_graded())


def tests_of(course: Path) -> dict[str, tuple[str, float]]:
    """The visible tests of the grade cells, with their points, by grade_id."""
    release = load_template(course, ASSIGNMENT, NOTEBOOK)
    points = dict(release.auto_graded())
    sources = {cell["id"]: solution_of(source_of(cell)) for cell in release.cells}
    return {name: (sources[name], points[name]) for name in points}


def without_tests(document: Document, grade_cell: str) -> Document:
    """The notebook with ``grade_cell`` in place of each grade cell's source; ``{}`` is its name."""
    document = copy.deepcopy(document)
    for cell in document["cells"]:
        about = cell["metadata"].pop("nbgrader", {})
        if about.get("grade") and not about.get("solution"):
            cell["source"] = grade_cell.format(about["grade_id"])
    return document


def wrong_grades(tool: str, who: Class, scores: dict[str, float], full: float) -> str:
    """What is wrong with these grades, if anything: every right submission earns full points."""
    wrong = [s for s in who.right if abs(scores.get(s, -1) - full) > 1e-6]
    if not wrong:
        return ""
    found = Counter(str(scores.get(student, "no grade")) for student in wrong)
    return f"{tool}: {len(wrong)} right submissions did not earn {full:g} points but {dict(found)}"
