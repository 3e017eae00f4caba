"""Grade one notebook: repair it, run it in the sandbox, ask the judge cell by cell.

``grade(job, zygote)`` is a function from plain data to plain data. It knows no gradebook and no
course folder, and whatever the student's code does, it returns a GradedNotebook.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import partial
from typing import Any

from autograder.grading.beside import bare_document, digest_of
from autograder.grading.documents import annotated, second_run, substituted, to_json
from autograder.grading.job import (
    CALL_SECONDS,
    CELL_SECONDS,
    MEMORY_MB,
    NOTEBOOK_SECONDS,
    Job,
)
from autograder.grading.notebook_run import NotebookRun
from autograder.grading.written import sort_written
from autograder.host import memory
from autograder.host.threads import one_thread
from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.outputs import left_out
from autograder.judge.results import ANOTHER, MISSING, UNREADABLE, CellVerdict, GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.repair import UnreadableError, repair
from autograder.notebook.template import Template


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
    with one_thread():
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
        document=to_json(annotated(template.document, note)),
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
    packages, prepared = job.template.packages(), job.template.prepared()
    files = {**job.files, f"{job.template.notebook}.ipynb": bare_document(document)}
    sandbox = zygote.fork(files=files, gpu=job.gpu, packages=packages, prepared=prepared)
    kernel = Kernel(sandbox, limits)
    ready = time.monotonic()
    try:
        run = NotebookRun(job, kernel, _hand_in(job, document), document["cells"])
        for cell in document["cells"]:
            run.execute(cell)
    finally:
        kernel.close()
    written = sort_written(document["cells"], job.template)
    if job.substituted:
        document["cells"].insert(0, substituted(job.substituted))
    if job.gpu_lost:
        document["cells"].insert(0, second_run())
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
        held_up=run.held_up,
        device=f"cuda ({job.gpu.name})" if job.gpu else "cpu",
        fallback=job.fallback,
        timings={name: round(seconds, 4) for name, seconds in timings.items()},
        document=to_json(document),
    )


def _hand_in(job: Job, document: dict[str, Any]) -> str:
    """What hidden inputs are drawn from, besides who it is: all that was handed in, and its number.

    Where no file was (mutants are made here), the sources stand for it, cell by cell.
    """
    sources = "\0".join(cell["source"] for cell in document["cells"])
    own = job.submission or sources.encode("utf-8", "surrogatepass")
    return f"{job.handed_in or digest_of(own, job.files)} {job.attempt}"
