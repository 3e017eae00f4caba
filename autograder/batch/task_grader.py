"""Grades the tasks of one worker: a warm process to fork kernels from, one notebook at a time.

Nothing here reads what was handed in. For each task this process forks a child that does, with
limits, and whatever becomes of that child is the outcome of that task and of no other.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

from autograder.batch.judging import Earlier, Judged, Question, SandboxFailed, judge, understood
from autograder.batch.task import Task
from autograder.errors import NeedsHuman
from autograder.grading.grade import no_points
from autograder.grading.job import NOTEBOOK_SECONDS
from autograder.grading.material import Material
from autograder.host import gpus
from autograder.host.expendable import CLOCK, MEMORY, Ended, Limits, run_limited
from autograder.host.memory import max_kernel_bytes
from autograder.host.memory_group import MemoryGroup, memory_group, usable
from autograder.host.threads import find_libraries
from autograder.judge.clock import PATIENCE
from autograder.judge.registry import checks_for
from autograder.judge.results import (
    DIED,
    ENDED_JUDGE,
    GPU_LOST,
    NOT_RUN,
    OUT_OF_GPU_MEMORY,
    OUT_OF_MEMORY,
    TIMED_OUT,
    GradedNotebook,
)
from autograder.judge.zygote import Zygote
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import GpuRequest, Template
from autograder.sandbox.policy import SandboxError

T = TypeVar("T")

MAX_CACHED = 8  # students whose earlier notebooks are kept ready for the next one
FILES_IN_MEMORY = 1 << 30  # a sandbox's sized file systems, and what the system keeps for it
LOST = "its first run, on the GPU, reported a CUDA error after which nothing runs there"
OUTCOMES = {MEMORY: OUT_OF_MEMORY, CLOCK: TIMED_OUT}


class TaskGrader:
    """Grades tasks of one assignment. ``zygote`` gives a live zygote whenever it is called.

    ``limits``: of each task's process. Without them it has those of :func:`limits_of`.
    ``caller``: a socket whose other end waits for the verdict.
    """

    def __init__(
        self,
        material: Material,
        zygote: Callable[[], Zygote],
        limits: Limits | None = None,
        caller: int = -1,
    ) -> None:
        self._material = material
        self._zygote = zygote
        self._limits = limits
        self._caller = caller
        parse_cell("%pwd")  # what reads magics is imported here, once, and not in every child
        self._devices, self._no_device = gpus.usable_devices()
        self._earlier: OrderedDict[str, Earlier] = OrderedDict()

    def grade(self, task: Task, document: str = "") -> GradedNotebook:
        """Raises SandboxError where no zygote can be started; nothing else.

        ``document``: what was handed in, where it has been repaired already.
        """
        self._import_checks(task)
        question = Question(self._material, task, self._known(task), document=document)
        request = self._material.template(task.notebook).gpu()
        if request is None:
            return self._answer(question)
        if fallback := task.no_gpu or self._no_device:
            return self._answer(replace(question, fallback=fallback))
        graded = self._on_gpu(question, request)
        if graded.outcome == GPU_LOST:
            again = self._answer(replace(question, fallback=LOST, gpu_lost=True))
            return replace(again, attempts=graded.attempts + 1)
        return graded

    def _on_gpu(self, question: Question, request: GpuRequest) -> GradedNotebook:
        """On a part of a GPU; where its memory was not enough, once more on the whole of one.

        A neighbour may have taken more than its part. Alone, a notebook gets no more than it asks
        for, and what becomes of it then is its own doing.
        """
        wanted = request.memory_mb << 20
        with gpus.reserve_gpu(self._devices, request.share, wanted) as gpu:
            graded = self._answer(replace(question, gpu=gpu))
        if request.share == 1 or graded.outcome != OUT_OF_GPU_MEMORY:
            return graded
        with gpus.reserve_gpu(self._devices, 1, wanted) as gpu:
            graded = self._answer(replace(question, gpu=gpu))
        return replace(graded, attempts=2)

    def _answer(self, question: Question) -> GradedNotebook:
        """Grade; where the sandbox itself fails twice, leave it to a human.

        One submission that wears down its host must not cost the others their grades.
        """
        try:
            return self._with_one_retry(question)
        except FailedTwice as error:
            if not error.preparing:
                return self._failed(question.task, str(error))
            question = replace(question, as_handed_in=str(error))
        try:
            return self._with_one_retry(question)
        except FailedTwice as error:
            return self._failed(question.task, str(error))

    def _with_one_retry(self, question: Question) -> GradedNotebook:
        try:
            judged = with_one_retry(partial(self._judged, question), self._zygote)
        except Ended as end:
            return ended(self._material, question.task, end)
        question.earlier.verdicts.update(judged.earlier.verdicts)
        question.earlier.loadable.update(judged.earlier.loadable)
        return judged.graded

    def _judged(self, question: Question, zygote: Zygote) -> Judged:
        limits = self._limits or limits_of(self._material, question.task)
        for template in self._templates(question.task):
            zygote.have_ready(template.packages(), template.prepared())
        with self._group(limits) as group:
            if group:
                question = replace(question, group=group.procs)
            before = zygote.sandboxes()
            try:
                asked = partial(judge, question, zygote)
                judged = understood(run_limited(asked, limits, self._caller))
            except Ended:
                zygote.clear(before)
                raise
            return replace(judged, graded=self._told(judged.graded, group))

    @contextmanager
    def _group(self, limits: Limits) -> Iterator[MemoryGroup | None]:
        """Room for the judge, a kernel, and the kernel's files in memory; None where we may not."""
        parent, _ = usable()
        if parent is None:
            yield None
        else:
            room = limits.memory_bytes + max_kernel_bytes() + FILES_IN_MEMORY
            with memory_group(parent, room) as group:
                yield group

    def _told(self, graded: GradedNotebook, group: MemoryGroup | None) -> GradedNotebook:
        """The verdict, with the reason where the system ended something for want of memory."""
        if group is None or not group.killed() or graded.outcome not in ("", DIED):
            return graded
        reason = "the system ended a process of it, which used up the memory of its group"
        reasons = "; ".join(filter(None, (graded.needs_human, reason)))
        return replace(graded, outcome=OUT_OF_MEMORY, needs_human=reasons)

    def _failed(self, task: Task, reason: str) -> GradedNotebook:
        failure = f"{task.notebook} could not be run twice: {reason}"
        template = self._material.template(task.notebook)
        return no_points(task.student, template, "it could not be run", failure, NOT_RUN)

    def _import_checks(self, task: Task) -> None:
        """Once, here: what a child imports it imports anew each time."""
        for template in self._templates(task):
            checks_for(template.assignment, template.notebook, self._material.course)
        _ = self._material.signatures  # worked out once, too
        find_libraries()

    def _templates(self, task: Task) -> list[Template]:
        """Of the notebook, and of those that it loads."""
        template = self._material.template(task.notebook)
        return [template, *(self._material.templates[n] for n in self._material.needs(template))]

    def _known(self, task: Task) -> Earlier:
        """Of this student's earlier notebooks; what the last task made ready is not made again."""
        digest = hashlib.sha256(task.student.encode("utf-8", "surrogatepass"))
        for name, data in sorted(task.handed_in.items()):
            digest.update(name.encode("utf-8", "surrogatepass") + b"\0" + data)
        key = digest.hexdigest()
        earlier = self._earlier.pop(key, None) or Earlier()
        earlier.verdicts.update(task.earlier_verdicts)
        self._earlier[key] = earlier
        while len(self._earlier) > MAX_CACHED:
            self._earlier.popitem(last=False)
        return earlier


def limits_of(material: Material, task: Task) -> Limits:
    """Of the process that judges a task: for each notebook that may be graded in it.

    Its clock is there for what neither computes nor ends; what students may take is the kernel's
    clock to say, and at most :data:`~autograder.judge.clock.PATIENCE` times that.
    """
    template = material.template(task.notebook)
    needed = [name for name in material.needs(template) if name not in task.earlier_verdicts]
    templates = [template, *(material.templates[name] for name in needed)]
    seconds = sum(one.limit("notebook_seconds", NOTEBOOK_SECONDS) for one in templates)
    one = Limits()
    return replace(
        one,
        cpu_seconds=one.cpu_seconds * len(templates),
        wall_seconds=PATIENCE * seconds + one.wall_seconds,
    )


def ended(material: Material, task: Task, end: Ended) -> GradedNotebook:
    """The verdict on what ended the process that was to judge it."""
    template = material.template(task.notebook)
    note = "the process that was to judge it had to be ended"
    reason = f"{task.notebook} could not be judged: {end.reason}"
    outcome = OUTCOMES.get(end.cause, ENDED_JUDGE)
    graded = no_points(task.student, template, note, reason, outcome)
    return replace(graded, held_up=end.cause == CLOCK)


class FailedTwice(NeedsHuman):
    """The sandbox failed, and so did a fresh one; the message says how.

    ``preparing``: while earlier notebooks were made ready.
    """

    def __init__(self, failure: str, *, preparing: bool = False) -> None:
        super().__init__(failure)
        self.preparing = preparing


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
    preparing = isinstance(failure, SandboxFailed) and failure.preparing
    raise FailedTwice(str(failure), preparing=preparing) from failure
