"""Grades the tasks of one worker: a warm process to fork kernels from, one notebook at a time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from autograder.batch.task import Task
from autograder.errors import NeedsHuman
from autograder.grading.earlier import EarlierWork
from autograder.grading.grade import Job, grade, nothing_to_grade
from autograder.grading.material import Material
from autograder.host import gpus
from autograder.judge.registry import checks_for
from autograder.judge.results import NOT_RUN, GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template
from autograder.sandbox.policy import SandboxError

T = TypeVar("T")

MAX_CACHED = 8  # students whose earlier notebooks are kept ready for the next one


class TaskGrader:
    """Grades tasks of one assignment. ``zygote`` gives a live zygote whenever it is called."""

    def __init__(self, material: Material, zygote: Callable[[], Zygote]) -> None:
        self._material = material
        self._zygote = zygote
        self._devices, self._no_device = gpus.usable_devices()
        self._works: OrderedDict[str, EarlierWork] = OrderedDict()

    def grade(self, task: Task) -> GradedNotebook:
        """Raises SandboxError where no zygote can be started; nothing else."""
        template = self._material.template(task.notebook)
        files, notes = files_with_retry(self._work(task), template)
        job = Job(
            student=task.student,
            template=template,
            submission=task.submission,
            checks=checks_for(self._material.assignment, task.notebook),
            secret=self._material.secret,
            files=files,
            substituted=notes,
            missing_hint=task.missing_hint,
            found=tuple(task.found),
            signatures=self._material.signatures,
            late_in=task.late_in,
        )
        request = template.gpu()
        if request is None:
            return grade_with_retry(job, self._zygote)
        if fallback := task.no_gpu or self._no_device:
            return grade_with_retry(replace(job, fallback=fallback), self._zygote)
        with gpus.reserve_gpu(self._devices, request.share, request.memory_mb << 20) as gpu:
            return grade_with_retry(replace(job, gpu=gpu), self._zygote)

    def _work(self, task: Task) -> EarlierWork:
        """This student's earlier notebooks; what the last task made ready is not made again."""
        digest = hashlib.sha256(task.student.encode("utf-8", "surrogatepass"))
        for name, data in sorted(task.handed_in.items()):
            digest.update(name.encode("utf-8", "surrogatepass") + b"\0" + data)
        key = digest.hexdigest()
        work = self._works.pop(key, None)
        if work is None:
            work = EarlierWork(self._material, task.student, task.handed_in, self._zygote)
        work.verdicts.update(task.earlier_verdicts)
        self._works[key] = work
        while len(self._works) > MAX_CACHED:
            self._works.popitem(last=False)
        return work


def grade_with_retry(job: Job, zygote: Callable[[], Zygote]) -> GradedNotebook:
    """Grade; where the sandbox itself fails twice, leave it to a human.

    One submission that wears down its host must not cost the others their grades.
    """
    try:
        return with_one_retry(lambda warm: grade(job, warm), zygote)
    except FailedTwice as error:
        failure = f"{job.template.notebook} could not be run twice: {error}"
        return nothing_to_grade(job, "it could not be run", failure, NOT_RUN)


def files_with_retry(
    work: EarlierWork, template: Template
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What a notebook may load; where the sandbox fails twice, as the student handed it in."""
    try:
        return with_one_retry(lambda _: work.files_for(template), work.zygote)
    except FailedTwice as error:
        failure = f"earlier notebooks are as handed in, since the sandbox failed: {error}"
        return work.handed_in, (failure,)


class FailedTwice(NeedsHuman):
    """The sandbox failed, and so did a fresh one; the message says how."""


def with_one_retry(ask: Callable[[Zygote], T], zygote: Callable[[], Zygote]) -> T:
    """Ask with a live zygote, and with a fresh one where the sandbox failed.

    A zygote can die at any moment, after it was found alive too. Raises FailedTwice when the
    sandbox fails again, and SandboxError where no zygote can be started at all.
    """
    failure = None
    for _ in range(2):
        warm = zygote()
        try:
            return ask(warm)
        except SandboxError as error:
            failure = error
            warm.close()  # the next call of zygote() gives another one
    raise FailedTwice(str(failure)) from failure
