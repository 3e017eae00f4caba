"""Grade one notebook: repair it, run it in the sandbox, ask the judge cell by cell.

``grade(job, zygote)`` is a function from plain data to plain data. It knows no gradebook and no
course folder, and whatever the student's code does, it returns a GradedNotebook.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from threadpoolctl import threadpool_limits

from autograder.grading.beside import bare_document, digest_of
from autograder.grading.failures import Failures, failure
from autograder.grading.given_cells import GivenCells, imported_modules
from autograder.grading.verdict_output import verdict_outputs
from autograder.grading.written import sort_written
from autograder.host import memory
from autograder.judge.kernel import CellRun, Kernel, KernelDied, KernelLimits
from autograder.judge.outputs import left_out
from autograder.judge.registry import Check
from autograder.judge.results import (
    ANOTHER,
    DIED,
    MISSING,
    OUT_OF_GPU_MEMORY,
    TIMED_OUT,
    UNREADABLE,
    CellVerdict,
    GradedNotebook,
)
from autograder.judge.score import Seed, grade_cell, timed_out
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from autograder.notebook import template as released
from autograder.notebook.characters import whole
from autograder.notebook.likeness import Signatures
from autograder.notebook.repair import UnreadableError, repair
from autograder.notebook.syntax import unreadable
from autograder.notebook.template import Cell, Template
from autograder.sandbox.policy import Gpu

CELL_SECONDS = 60.0
CALL_SECONDS = 20.0
NOTEBOOK_SECONDS = 600.0
MEMORY_MB = 4096


@dataclass(frozen=True)
class Job:
    """All it takes to grade one notebook of one submission."""

    student: str
    template: Template
    submission: bytes | None  # None: nothing was handed in
    checks: Mapping[str, tuple[Check, ...]]
    secret: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)  # put beside it, into the work folder
    handed_in: str = ""  # a digest of all that is the student's, `beside.digest_of`; empty: of this
    attempt: int = 1  # which hand-in of the student it is, on the course's record
    substituted: tuple[str, ...] = ()  # what of those is the instructor's, a sentence for each
    missing_hint: str = ""  # e.g. two files with nearly the right name
    found: tuple[str, ...] = ()  # how its file was found, where it had another name
    signatures: Signatures | None = None  # to tell it from other notebooks; None: it is believed
    gpu: Gpu | None = None  # set apart for it
    fallback: str = ""  # why it has none, although it wants one
    late_in: str = ""  # if it runs out of time there again, that is the end


def grade(job: Job, zygote: Zygote) -> GradedNotebook:
    """Grade a job in a fresh kernel of ``zygote``. Raises SandboxError only."""
    if job.submission is None:
        name = f"{job.template.notebook}.ipynb"
        reason = job.missing_hint or f"{name} is missing"
        return nothing_to_grade(job, "not handed in", reason, MISSING)
    try:
        repaired = repair(job.submission, job.template)
    except UnreadableError as error:
        graded = nothing_to_grade(job, str(error), f"{job.template.notebook}: {error}", UNREADABLE)
        return replace(graded, repairs=job.found)
    name = (job.template.assignment, job.template.notebook)
    if job.signatures and (fault := job.signatures.fault(name, repaired.keys)):
        graded = nothing_to_grade(job, fault, f"{job.template.notebook}: {fault}", ANOTHER)
        return replace(graded, repairs=job.found)
    # A check's inputs are small, and threads on busy cores wait for each other.
    with threadpool_limits(1):
        graded = grade_document(job, repaired.document, zygote)
    handed_in = hashlib.sha256(job.submission).hexdigest()
    concerns = (f"{job.template.notebook}: {concern}" for concern in repaired.concerns)
    return replace(
        graded,
        repairs=(*job.found, *repaired.repairs, *graded.repairs),
        submission=handed_in,
        needs_human="; ".join(filter(None, (*concerns, graded.needs_human))),
    )


def nothing_to_grade(job: Job, note: str, needs_human: str, outcome: str) -> GradedNotebook:
    """No points, with the reason."""
    return no_points(job.student, job.template, note, needs_human, outcome)


def no_points(
    student: str, template: Template, note: str, needs_human: str, outcome: str
) -> GradedNotebook:
    """The verdict on a notebook of which nothing could be graded."""
    cells = tuple(
        CellVerdict(name, points, 0.0, (), note) for name, points in template.auto_graded()
    )
    return GradedNotebook(
        student=student,
        assignment=template.assignment,
        notebook=template.notebook,
        cells=cells,
        needs_human=needs_human,
        outcome=outcome,
        document=to_json(_annotated(template.document, note)),
    )


def grade_document(job: Job, document: dict[str, Any], zygote: Zygote) -> GradedNotebook:
    """Run a well-formed notebook and grade it; ``document`` is filled with outputs."""
    started = time.monotonic()
    limit = partial(job.template.limit, on_gpu=job.gpu is not None)
    host_mb = int(job.template.limit("memory_mb", MEMORY_MB))
    limits = KernelLimits(
        cell_seconds=limit("cell_seconds", CELL_SECONDS),
        call_seconds=limit("call_seconds", CALL_SECONDS),
        notebook_seconds=limit("notebook_seconds", NOTEBOOK_SECONDS),
        memory_bytes=min(host_mb << 20, memory.max_kernel_bytes()),
        gpu=job.gpu,
    )
    packages = job.template.packages()
    files = {**job.files, f"{job.template.notebook}.ipynb": bare_document(document)}
    kernel = Kernel(zygote.fork(files=files, gpu=job.gpu, packages=packages), limits)
    ready = time.monotonic()
    try:
        run = _Run(job, kernel, _hand_in(job, document), document["cells"])
        for cell in document["cells"]:
            run.execute(cell)
    finally:
        kernel.close()
    written = sort_written(document["cells"], job.template)
    if job.substituted:
        document["cells"].insert(0, _substituted(job.substituted))
    timings = {
        **kernel.sandbox.timings,  # where the start of the sandbox went
        "start": ready - started,
        "cells": run.cell_seconds,
        "checks": run.check_seconds,
        "total": time.monotonic() - started,
        "peak_mb": kernel.peak_bytes / 2**20,
    }
    return GradedNotebook(
        student=job.student,
        assignment=job.template.assignment,
        notebook=job.template.notebook,
        cells=tuple(run.verdicts),
        manual_pending=written.pending,
        unanswered=written.unanswered,
        repairs=(*run.notes, *written.notes, *left_out(kernel.outputs.cut)),
        substituted=job.substituted,
        needs_human="; ".join(dict.fromkeys([*run.reasons, *run.failures.reasons])),
        outcome=run.outcome,
        late_in=run.late_in,
        device=f"cuda ({job.gpu.name})" if job.gpu else "cpu",
        fallback=job.fallback,
        timings={name: round(seconds, 4) for name, seconds in timings.items()},
        document=to_json(document),
    )


class _Run:
    """The state of grading one notebook."""

    def __init__(self, job: Job, kernel: Kernel, submission: str, cells: list[Cell]) -> None:
        self.verdicts: list[CellVerdict] = []
        self.reasons: list[str] = []
        self.notes: list[str] = []  # what was run otherwise than it was handed in
        self.failures = Failures(job.submission)
        self.outcome = ""
        self.late_in = ""
        self._at = ""  # the cell, or the checks, at hand
        self.cell_seconds = self.check_seconds = 0.0
        self._job = job
        self._kernel = kernel
        self._stopped = ""  # why nothing runs any more
        self._given = GivenCells(job.template, cells)
        self._sources: dict[str, str] = imported_modules(job.files, cells)
        self._count = 0
        self._released = {cell["id"]: cell["source"].strip() for cell in job.template.cells}
        self._student = Student(kernel, self._sources)
        self._seed = Seed(
            job.secret, job.template.assignment, job.template.notebook, job.student, submission
        )

    def released_source(self, name: str) -> str:
        return self._released.get(name, "")

    def execute(self, cell: Cell) -> None:
        """Run one cell, and its checks if it is graded."""
        if cell["cell_type"] != "code":
            return
        self._at = f"cell {cell['id']!r}"
        if not self._skips(cell):
            self._run_code(cell)
        if released.is_auto_graded(cell):
            self._at = f"the checks of {released.grade_id(cell)!r}"
            self._grade(cell)

    def _skips(self, cell: Cell) -> bool:
        """Cells for looking are not run, unless the student wrote something into them."""
        unchanged = cell["source"].strip() == self.released_source(cell["id"])
        return released.is_skipped(cell) and unchanged

    def _run_code(self, cell: Cell) -> None:
        """Run a cell; one that the course gives also as it was released, where that is missing."""
        started = time.monotonic()
        if not self._stopped and self._kernel.budget.left() <= 0:
            self._stop(f"the notebook's time was up before cell {cell['id']!r}", TIMED_OUT)
        if missing := self._given.missing(cell):
            self._run_as_released(cell, f"{missing} would be missing without it")
        self._given.reach(cell)
        if self._stopped or not cell["source"].strip():
            return
        self._count += 1
        cell["execution_count"] = self._count
        self._sources[cell["id"]] = cell["source"]
        seconds = min(self._kernel.limits.cell_seconds, self._kernel.budget.left())
        run = self._run_source(cell, cell["source"])
        cell["outputs"] += run.outputs
        if any(output.get("ename") == GPU_MEMORY_ERROR for output in run.outputs):
            self.outcome = self.outcome or OUT_OF_GPU_MEMORY
            cell["outputs"] += [_message(GPU_MEMORY_FULL)]
        if run.timed_out:
            self._late()
            cell["outputs"] += [_message(f"Interrupted after {seconds:.0f} s: {TIME_OUT}")]
        if self._stopped:
            cell["outputs"] += [_message(self._stopped)]
        elif run.error or run.timed_out:
            self._failed(cell, run)
        elif released.is_answer(cell) and (why := unreadable(cell["source"])):
            self.reasons.append(f"cell {cell['id']!r} ran but could not be read ({why})")
        self.cell_seconds += time.monotonic() - started

    def _failed(self, cell: Cell, run: CellRun) -> None:
        """A cell stopped with an error: of a cell that the course gives, its own version is run."""
        failed = failure(cell["id"], cell["source"], run.error, late=run.timed_out)
        changed = self._given.changed(cell)
        self.failures.add(failed, ask=changed or released.is_answer(cell))
        if changed and not run.timed_out:
            self._run_as_released(cell, f"as handed in it raised {failed.error}")
        for above, missing in self._given.lost_with(cell):
            self._run_as_released(above, f"{missing} would be missing without it")

    def _run_as_released(self, cell: Cell, why: str) -> None:
        """Run the released version of a changed cell; if that works, say so."""
        source = self.released_source(cell["id"])
        run = CellRun() if self._stopped else self._run_source(cell, source)
        if run.ok:
            note = f"cell {cell['id']!r} was run as released: {why}"
            self._sources[cell["id"]] = source
            self.notes.append(note)
            cell["outputs"] += [*run.outputs, _message(f"[{note}]")]

    def _run_source(self, cell: Cell, source: str) -> CellRun:
        seconds = min(self._kernel.limits.cell_seconds, self._kernel.budget.left())
        try:
            return self._kernel.run_cell(source, seconds, cell["id"])
        except KernelDied as death:
            self._stop(f"the notebook's process {death} in cell {cell['id']!r}", death.kind)
            return CellRun()

    def _grade(self, cell: Cell) -> None:
        """Put the verdict before what the kernel printed: nbgrader reads the first result."""
        started = time.monotonic()
        name, points = released.grade_id(cell), float(released.nbgrader(cell).get("points", 0))
        checks = self._job.checks.get(name, ())
        if self._stopped:
            verdict = CellVerdict(name, points, 0.0, (), f"not reached: {self._stopped}")
        elif not checks:
            verdict = CellVerdict(name, points, 0.0, (), "this cell has no hidden checks")
            self.reasons.append(f"no hidden checks exist for {name}")
        else:
            outcome = grade_cell(self._student, name, points, checks, self._seed)
            verdict = self.failures.explain(outcome.verdict)
            self.reasons += outcome.broken
            if any(timed_out(check) for check in verdict.checks):
                self._late()
            if any(GPU_MEMORY_ERROR in check.message for check in verdict.checks):
                self.outcome = self.outcome or OUT_OF_GPU_MEMORY
            if self._kernel.died:
                reason = f"the notebook's process {self._kernel.died} in the checks of {name!r}"
                self._stop(reason, self._kernel.death)
        self.verdicts.append(verdict)
        cell["outputs"] = verdict_outputs(verdict, cell["outputs"], self._count)
        self.check_seconds += time.monotonic() - started

    def _late(self) -> None:
        """What is at hand was interrupted."""
        self.outcome = self.outcome or TIMED_OUT
        self.late_in = self.late_in or self._at
        if self._at == self._job.late_in:
            self._stop(f"out of time in {self._at} once more", TIMED_OUT)

    def _stop(self, reason: str, outcome: str) -> None:
        self._stopped = reason
        self.outcome = outcome or DIED
        if outcome == TIMED_OUT:
            self.late_in = self.late_in or self._at
        self.reasons.append(f"{self._job.template.notebook}: {reason}")


GPU_MEMORY_ERROR = "OutOfMemoryError"  # torch's, of whatever accelerator
GPU_MEMORY_FULL = (
    "The GPU's memory that one notebook may take was used up: does a list keep tensors with the "
    "graph that made them (append loss.item(), not loss), or is the batch larger than it has to be?"
)
TIME_OUT = "is there a loop that never ends, or one that numpy could do at once?"


def _hand_in(job: Job, document: dict[str, Any]) -> str:
    """What hidden inputs are drawn from, besides who it is: all that was handed in, and its number.

    Where no file was (mutants are made here), the sources stand for it, cell by cell.
    """
    sources = "\0".join(cell["source"] for cell in document["cells"])
    own = job.submission or sources.encode("utf-8", "surrogatepass")
    return f"{job.handed_in or digest_of(own, job.files)} {job.attempt}"


def to_json(document: dict[str, Any]) -> str:
    """A notebook as it is written to disk."""
    return whole(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)) + "\n"


def _message(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": f"{text}\n"}


def _substituted(notes: tuple[str, ...]) -> Cell:
    """A cell that lists what was not the student's own."""
    text = "**From earlier notebooks:**\n\n" + "\n".join(f"- {note}." for note in notes)
    return {"cell_type": "markdown", "id": "earlier-notebooks", "metadata": {}, "source": text}


def _annotated(document: dict[str, Any], note: str) -> dict[str, Any]:
    """The released notebook with the reason on top."""
    annotated = json.loads(json.dumps(document))
    cell = {"cell_type": "markdown", "id": "not-graded", "metadata": {}}
    annotated["cells"].insert(
        0, cell | {"source": f"**This notebook could not be graded:** {note}."}
    )
    return annotated
