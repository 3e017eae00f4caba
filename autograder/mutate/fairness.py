"""No false alarms: right solutions, ours and others, get full marks whatever numbers are drawn.

``mutants/ASSIGNMENT/NOTEBOOK/right_*.py``, ours or the course's, hold right solutions in other
styles, as edits of the notebook (the format of :mod:`autograder.notebook.edits`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from autograder.course.submissions import CourseError
from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from autograder.mutate import mutants, run
from autograder.mutate.trial import SECRET, Document, Key, Subject, failures, load_subject
from autograder.notebook.edits import apply, read_sample
from autograder.notebook.template import grade_id, is_auto_graded, is_skipped, nbgrader
from autograder.settings import CS231N, CourseSettings

REFERENCE = "reference"


@dataclass(frozen=True)
class FlakeRate:
    """One right solution, graded with many seeds."""

    assignment: str
    notebook: str
    solution: str
    times: int
    flakes: int  # gradings with less than full marks
    messages: tuple[str, ...]  # of the checks that failed, each once


def alternatives(assignment: str, notebook: str, course: CourseSettings = CS231N) -> list[Path]:
    """The files with right solutions in another style."""
    return sorted((mutants.folder_of(course) / assignment / notebook).glob("right_*.py"))


def solution(subject: Subject, path: Path | None) -> Document:
    """The notebook with an alternative's cells, or with our own (None). Raises CourseError."""
    if path is None:
        return subject.document
    try:
        return apply(read_sample(path), subject.document, subject.source)
    except (ValueError, SyntaxError) as error:
        raise CourseError(f"{path}: {error}") from None


def repeat(
    root: Path,
    assignment: str,
    notebook: str,
    times: int,
    pool: ProcessPoolExecutor,
    *,
    others: int = 1,
    progress: run.Progress = lambda done, total, what: None,
    jobs: int = 2,
) -> list[FlakeRate]:
    """Grade the reference with ``times`` seeds, and every alternative with ``others``.

    Each worker runs the notebook once and then asks its questions again and again, with other
    numbers. Raises CourseError.
    """
    subject = load_subject(root, assignment, notebook)
    paths = [None, *(alternatives(assignment, notebook, subject.course) if others else ())]
    names = [path.stem if path else REFERENCE for path in paths]
    documents = {name: solution(subject, path) for name, path in zip(names, paths, strict=True)}
    wanted = {name: times if name == REFERENCE else others for name in documents}
    tasks = {
        pool.submit(_work, subject, document, tuple(range(start, wanted[name], jobs))): name
        for name, document in documents.items()
        for start in range(min(jobs, wanted[name]))
    }
    failed: dict[str, list[dict[Key, str]]] = {name: [] for name in documents}
    for done, task in enumerate(as_completed(tasks), 1):
        failed[tasks[task]] += task.result()
        progress(done, len(tasks), f"{notebook}: {tasks[task]}")
    return [
        FlakeRate(
            assignment,
            notebook,
            name,
            wanted[name],
            sum(bool(once) for once in outcomes),
            tuple(dict.fromkeys(_messages(once) for once in outcomes if once)),
        )
        for name, outcomes in failed.items()
    ]


def _messages(failed: dict[Key, str]) -> str:
    return "; ".join(f"{question}/{check}: {text}" for (question, check), text in failed.items())


def _work(subject: Subject, document: Document, seeds: Sequence[int]) -> list[dict[Key, str]]:
    zygote = run.live_zygote(subject.template.packages(), subject.course.library)
    return grade_repeatedly(subject, document, zygote, seeds)


def grade_repeatedly(
    subject: Subject, document: Document, zygote: Zygote, seeds: Sequence[int]
) -> list[dict[Key, str]]:
    """Messages of the failed checks for each seed; the notebook itself runs once."""
    failed: list[dict[Key, str]] = [{} for _ in seeds]
    kernel = Kernel(subject.fork(zygote), KernelLimits())
    sources: dict[str, str] = {}
    try:
        for cell in json.loads(json.dumps(document))["cells"]:
            if cell["cell_type"] != "code" or is_skipped(cell):
                continue
            sources[cell["id"]] = cell["source"]
            kernel.run_cell(cell["source"])
            if not is_auto_graded(cell):
                continue
            name, points = grade_id(cell), float(nbgrader(cell).get("points", 0))
            checks = [check for check in subject.checks.get(name, ()) if not check.advice]
            for seed, found in zip(seeds, failed, strict=True):
                drawn = Seed(SECRET, subject.assignment, subject.notebook, "right", str(seed))
                student = Student(kernel, sources)
                found |= failures(grade_cell(student, name, points, checks, drawn).verdict)
    finally:
        kernel.close()
    return failed
