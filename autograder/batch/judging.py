"""Everything that reads what a student handed in: the part of grading that may die.

:func:`judge` is called in a child (:mod:`autograder.host.expendable`), so its answer is plain data;
:func:`understood` is how its parent reads that.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import Any

from autograder.batch.task import Task
from autograder.grading.beside import digest_of
from autograder.grading.earlier import EarlierWork
from autograder.grading.grade import grade, grade_document
from autograder.grading.job import Job
from autograder.grading.material import Material, Name
from autograder.grading.prerequisites import Loadable
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook, from_dict, to_dict
from autograder.judge.zygote import Zygote
from autograder.sandbox.policy import Gpu, SandboxError


@dataclass
class Earlier:
    """What is known of a student's earlier notebooks: verdicts, and what later ones load."""

    verdicts: dict[Name, GradedNotebook] = field(default_factory=dict)
    loadable: dict[Name, Loadable] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A task, and what its process knows besides."""

    material: Material
    task: Task
    earlier: Earlier
    gpu: Gpu | None = None
    fallback: str = ""  # why there is none, although the notebook wants one
    gpu_lost: bool = False  # there was one, and the first run lost it
    document: str = ""  # the notebook as JSON, where nbgrader has read and repaired it already
    group: int = -1  # of memory, to be joined: see host/memory_group.py
    as_handed_in: str = ""  # why the student's earlier notebooks are to be used as they are


@dataclass(frozen=True)
class Judged:
    """The verdict, and what has become known of earlier notebooks on the way."""

    graded: GradedNotebook
    earlier: Earlier


class SandboxFailed(SandboxError):
    """The sandbox failed; ``preparing``: while earlier notebooks were made ready."""

    def __init__(self, stage: str, reason: str, *, preparing: bool) -> None:
        super().__init__(stage, reason)
        self.preparing = preparing


def judge(question: Question, zygote: Zygote) -> dict[str, Any]:
    """Grade the task in kernels of ``zygote``. Never raises SandboxError: it is in the answer."""
    if question.group >= 0:
        os.write(question.group, b"0")
        zygote.use_group(question.group)
    preparing = True
    try:
        job = _job(question, zygote)
        preparing = False
        if question.document:
            graded = grade_document(job, json.loads(question.document), zygote)
        else:
            graded = grade(job, zygote)
    except SandboxError as error:
        return {"failed": [error.stage, error.reason, preparing]}
    return {
        "graded": to_dict(graded),
        "verdicts": [[*name, to_dict(one)] for name, one in question.earlier.verdicts.items()],
        "loadable": [
            [*name, dataclasses.asdict(one)] for name, one in question.earlier.loadable.items()
        ],
    }


def understood(plain: dict[str, Any]) -> Judged:
    """What :func:`judge` said. Raises SandboxFailed."""
    if "failed" in plain:
        stage, reason, preparing = plain["failed"]
        raise SandboxFailed(stage, reason, preparing=preparing)
    earlier = Earlier(
        {(where, name): from_dict(one) for where, name, one in plain["verdicts"]},
        {(where, name): _loadable(one) for where, name, one in plain["loadable"]},
    )
    return Judged(from_dict(plain["graded"]), earlier)


def _loadable(plain: dict[str, Any]) -> Loadable:
    lists = {key: tuple(value) for key, value in plain.items() if isinstance(value, list)}
    return Loadable(**{**plain, **lists})


def _job(question: Question, zygote: Zygote) -> Job:
    task, material = question.task, question.material
    template = material.template(task.notebook)
    earlier = question.earlier
    work = EarlierWork(
        material,
        task.student,
        task.handed_in,
        lambda: zygote,
        earlier.verdicts,
        earlier.loadable,
        task.attempts,
    )
    if question.as_handed_in:
        failure = question.as_handed_in
        notes = (f"earlier notebooks are as handed in, since the sandbox failed: {failure}",)
        files = work.as_handed_in(template)
    else:
        files, notes = work.files_for(template)
    own = task.submission or task.handed_in.get(f"{task.notebook}.ipynb", b"")
    return Job(
        student=task.student,
        template=template,
        submission=task.submission,
        checks=checks_for(material.assignment, task.notebook, material.course),
        course=material.course,
        secret=material.secret,
        files=files,
        handed_in=digest_of(own, work.seen_by(template)),
        attempt=task.attempts.get((material.assignment, task.notebook), 1),
        substituted=notes,
        missing_hint=task.missing_hint,
        found=tuple(task.found),
        signatures=material.signatures,
        late_in=task.late_in,
        gpu=question.gpu,
        fallback=question.fallback,
        gpu_lost=question.gpu_lost,
    )
