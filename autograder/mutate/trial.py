"""Grade one notebook with one cell exchanged: quickly, or as a submission is graded.

Quickly means in a kernel that has only the definitions: no data are loaded and nothing is trained.
Checks that need more than that fail there for the reference too, and are left to the slow way.
"""

from __future__ import annotations

import ast
import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.submissions import CourseError, siblings
from autograder.grading.grade import grade_document
from autograder.grading.job import Job
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.registry import Check, checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.sandbox import Sandbox
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from autograder.notebook.edits import solve
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import (
    Cell,
    Template,
    grade_id,
    is_auto_graded,
    is_skipped,
    nbgrader,
)
from autograder.settings import CS231N, CourseSettings, settings_of
from cs231n_lib.notebooks import definitions

Document = dict[str, Any]
Key = tuple[str, str]  # (grade_id, name of the check)

# An honest call takes a fraction of this; a mutant that loops for ever takes all of it.
CALL_SECONDS = 10.0
SECRET = b"the seeds of mutation testing need not be secret"


@dataclass(frozen=True)
class Subject:
    """A notebook with its solutions, and the checks to be measured."""

    assignment: str
    notebook: str
    source: Document  # as authored
    document: Document  # as the best student hands it in: no markers, no hooks, no outputs
    files: Mapping[str, bytes]  # this and all earlier notebooks, solved: later ones load earlier
    course: CourseSettings = CS231N

    @property
    def checks(self) -> Mapping[str, tuple[Check, ...]]:
        return checks_for(self.assignment, self.notebook, self.course)

    @property
    def template(self) -> Template:
        return Template(self.assignment, self.notebook, self.document)

    def fork(self, zygote: Zygote) -> Sandbox:
        """A sandbox as one that grades this notebook, with the solved ones beside it."""
        packages, prepared = self.template.packages(), self.template.prepared()
        return zygote.fork(files=self.files, packages=packages, prepared=prepared)

    def with_cell(self, cell: str, source: str) -> Document:
        """A copy of the document with the source of one cell exchanged."""
        document = json.loads(json.dumps(self.document))
        for candidate in document["cells"]:
            if candidate["id"] == cell:
                candidate["source"] = source
        return document


def load_subject(root: Path, assignment: str, notebook: str) -> Subject:
    """Read ``source/``. Raises CourseError, CheckError, SettingsError."""
    folder = root / "source" / assignment
    sources = {path.stem: _read(path) for path in siblings(folder)}
    if not (folder / f"{notebook}.ipynb").is_file():
        known = ", ".join(path.stem for path in sorted(folder.glob("*.ipynb"))) or "none"
        raise CourseError(f"{folder} has no notebook {notebook!r}; there are: {known}")
    solved = {name: solve(document) for name, document in sources.items()}
    files = {f"{name}.ipynb": json.dumps(document).encode() for name, document in solved.items()}
    course = settings_of(root)
    return Subject(assignment, notebook, sources[notebook], solved[notebook], files, course)


def _read(path: Path) -> Document:
    try:
        document = json.loads(path.read_text("utf-8"))
        return document | {"cells": list(document["cells"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path}: not a readable notebook ({error})") from None


def quickly(
    subject: Subject,
    document: Document,
    zygote: Zygote,
    grade_ids: Collection[str] | None = None,
    seed: str = "",
) -> dict[Key, str]:
    """Messages of the failed checks, by check, in a kernel with the definitions only."""
    failed: dict[Key, str] = {}
    kernel = Kernel(subject.fork(zygote), KernelLimits(call_seconds=CALL_SECONDS))
    try:
        sources = {c["id"]: c["source"] for c in document["cells"] if _is_run(c)}
        loaded: set[str] = set()
        for source in sources.values():
            if kept := _definitions(source, loaded):
                _run(kernel, kept)
        seeds = Seed(SECRET, subject.assignment, subject.notebook, "mutant", seed)
        student = Student(kernel, sources)
        for cell in filter(is_auto_graded, document["cells"]):
            name, points = grade_id(cell), float(nbgrader(cell).get("points", 0))
            if grade_ids is None or name in grade_ids:
                checks = [check for check in subject.checks.get(name, ()) if not check.advice]
                failed |= failures(grade_cell(student, name, points, checks, seeds).verdict)
    finally:
        kernel.close()
    return failed


def thoroughly(
    subject: Subject, document: Document, zygote: Zygote, seed: str = ""
) -> dict[Key, str]:
    """Messages of the failed checks when the whole notebook is graded like a submission."""
    secret, files, course = SECRET + seed.encode(), subject.files, subject.course
    job = Job("mutant", subject.template, b"", subject.checks, secret, files, course=course)
    graded = grade_document(job, json.loads(json.dumps(document)), zygote)
    failed: dict[Key, str] = {}
    for cell in graded.cells:
        failed |= failures(cell)
        if cell.note:
            failed[cell.grade_id, ""] = cell.note
    return failed


def failures(verdict: CellVerdict) -> dict[Key, str]:
    """The failed checks of a cell that carry points."""
    counted = (check for check in verdict.checks if not check.advice)
    return {(verdict.grade_id, c.name): c.message for c in counted if not c.passed}


def _is_run(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and not is_skipped(cell)


def _run(kernel: Kernel, source: str) -> None:
    with contextlib.suppress(KernelDied):  # every check will say so
        kernel.run_cell(source)


def _definitions(source: str, loaded: set[str]) -> str:
    """What of a cell can be run without data; ``loaded``: names of notebooks loaded so far."""
    body = parse_cell(source).body
    kept = definitions(body, loaded)
    if len(kept) == len(body):
        return source
    return ast.unparse(ast.Module(kept, []))
