"""Grade an assignment: submit tasks, collect verdicts, put everything on record.

What is on record survives whatever happens to this process: a notebook as soon as it is graded
(``autograded/`` and ``.autograder/results/``), a submission's grades in one transaction of the
gradebook as soon as all its notebooks are. Run again, the engine grades what is missing; what was
under way when this process died comes last, alone, and is given up when it dies there once more.
"""

from __future__ import annotations

import errno
import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.executors import Answer, Executor, TaskFailure
from autograder.batch.fingerprints import fingerprint
from autograder.batch.recorder import GradebookRecorder
from autograder.batch.submission import SubmissionState, start_submission, task_for, unchanged
from autograder.batch.task import Task
from autograder.batch.under_way import GIVE_UP, UnderWay
from autograder.course.records import write_result
from autograder.course.submissions import Submission
from autograder.errors import AutograderError
from autograder.files import write_text
from autograder.grading.grade import no_points
from autograder.grading.material import Material
from autograder.judge.results import (
    ENDED_JUDGE,
    NOT_RUN,
    TIMED_OUT,
    GradedNotebook,
    from_dict,
    to_dict,
)
from autograder.notebook.characters import all_whole, whole


@dataclass(frozen=True)
class Event:
    """Progress: one notebook is about to be graded, or is done."""

    student: str
    notebook: str
    done: int  # notebooks finished so far
    total: int
    of_notebook: int  # how many submissions there are of this notebook
    graded: GradedNotebook | None = None
    reused: bool = False
    amended: bool = False  # it was reported before, and has become a human's since


@dataclass
class Engine:
    """Grades ``submissions`` of one assignment by means of ``executor``.

    ``recorder`` writes the gradebook; ``force``: grade also what is unchanged; ``no_gpu``: why
    no notebook shall get a GPU, if so.
    """

    root: Path
    material: Material
    notebooks: list[str]  # in the order in which they build on each other
    submissions: list[Submission]
    executor: Executor
    recorder: GradebookRecorder
    force: bool = False
    no_gpu: str = ""
    _running: dict[str, _Running] = field(default_factory=dict)
    _ready: deque[tuple[SubmissionState, str]] = field(default_factory=deque)
    _timed_out: deque[_Running] = field(default_factory=deque)  # timed out: once more, alone
    _finished: dict[str, SubmissionState] = field(default_factory=dict)
    _suspects: deque[_Running] = field(default_factory=deque)  # under way when a run died
    _at_hand: _Running | None = None  # whose answer is being dealt with
    _done: int = 0

    def __post_init__(self) -> None:
        self._under_way = UnderWay(self.root, self.material.assignment)

    def run(self) -> Iterator[Event]:
        """Grade; events report what happens. Raises GradebookError, OSError and SandboxError."""
        try:
            yield from self._run()
        except (KeyboardInterrupt, GeneratorExit, AutograderError, OSError):
            self._forget(self._at_hand)  # nothing that was handed in has done this
            raise
        finally:
            for job in self._running.values():
                self._forget(job)

    def _run(self) -> Iterator[Event]:
        states = (self._open(one) for one in self.submissions)
        keys = (str(number) for number in itertools.count())
        while True:
            while len(self._running) < self.executor.capacity():
                if not self._ready:
                    state = next(states, None)
                    if state is None:
                        break
                    self._enqueue(state)
                else:
                    yield from self._start(next(keys), *self._ready.popleft())
            if not self._running and self._timed_out:
                yield from self._retry_timeouts(keys)
            elif not self._running and self._suspects:
                yield from self._try_suspect(next(keys))
            elif not self._running:
                return
            else:
                job, answer = self._next()
                yield from self._handle(job, answer)

    def _next(self) -> tuple[_Running, Answer]:
        key, answer = self.executor.next()
        self._at_hand = self._running.pop(key)
        return self._at_hand, answer

    def _open(self, submission: Submission) -> SubmissionState:
        """Whatever is wrong with what one student handed in stops nobody else."""
        try:
            return start_submission(self.root, submission, self.notebooks, self.material)
        except Exception as error:
            return SubmissionState(submission, self.notebooks, {}, None, students_own(error))

    def _enqueue(self, state: SubmissionState) -> None:
        """Submissions already started go first: one that is done is one less in memory."""
        turn = state.ready_notebooks(self.material)
        state.under_way.update(turn)
        self._ready.extendleft((state, notebook) for notebook in reversed(turn))

    def _start(self, key: str, state: SubmissionState, notebook: str) -> Iterator[Event]:
        try:
            task = task_for(self.root, state, notebook, self.material, self.no_gpu)
            job = _Running(state, notebook, fingerprint(task, self.material, state.problem), task)
            known = unchanged(self.root, task, self.material, job.fingerprint)
        except Exception as error:
            failure = TaskFailure(students_own(error))
            job = _Running(state, notebook, "", Task(state.student, notebook, {}, None))
            yield from self._finish(job, self._verdict(job, failure))
            return
        if known and not self.force:
            yield from self._finish(job, known, reused=True)
        elif self._deaths(job) and (self.force or self._deaths(job) < GIVE_UP):
            self._suspects.append(job)
        elif self._deaths(job):
            yield from self._finish(job, self._given_up(job))
        else:
            yield self._event(job)
            self._begin(key, job)
            self.executor.submit(key, task)

    def _begin(self, key: str, job: _Running) -> None:
        self._under_way.begins(job.state.student, job.notebook, job.fingerprint)
        self._running[key] = job

    def _deaths(self, job: _Running) -> int:
        return self._under_way.deaths(job.state.student, job.notebook, job.fingerprint)

    def _forget(self, job: _Running | None) -> None:
        if job:
            self._under_way.is_over(job.state.student, job.notebook)

    def _try_suspect(self, key: str) -> Iterator[Event]:
        """Grade what was under way when the last run died, with nothing else under way."""
        job = self._suspects.popleft()
        yield self._event(job)
        self._begin(key, job)
        self.executor.submit_alone(key, job.task)
        job, answer = self._next()
        yield from self._finish(job, self._verdict(job, answer))

    def _given_up(self, job: _Running) -> GradedNotebook:
        reason = (
            f"{job.notebook} is not graded: {self._deaths(job)} runs ended without a word while it "
            "was under way, the last time with nothing beside it (--force tries once more)"
        )
        template = self.material.template(job.notebook)
        note = "the process that was to judge it had to be ended"
        return no_points(job.state.student, template, note, reason, ENDED_JUDGE)

    def _handle(self, job: _Running, answer: Answer) -> Iterator[Event]:
        """A time-out with others on the same machine proves nothing."""
        late = isinstance(answer, GradedNotebook) and answer.outcome == TIMED_OUT
        if late and self.executor.crowded():
            self._forget(job)
            self._timed_out.append(replace(job, late=answer))
        else:
            yield from self._finish(job, self._verdict(job, answer))

    def _retry_timeouts(self, keys: Iterator[str]) -> Iterator[Event]:
        """Grade what ran out of time, each notebook with a machine to itself.

        Who runs out of time in the same place again is not graded to the end: that has been done.
        """
        while self._timed_out or self._running:
            while self._timed_out and len(self._running) < self.executor.hosts():
                job = self._timed_out.popleft()
                assert job.late is not None
                key = next(keys)
                self._begin(key, job)
                self.executor.submit_alone(key, replace(job.task, late_in=job.late.late_in))
            job, answer = self._next()
            second = self._verdict(job, answer)
            if job.late and (second.outcome, second.late_in) == (TIMED_OUT, job.late.late_in):
                second = job.late
            yield from self._finish(job, replace(second, attempts=2))

    def _verdict(self, job: _Running, answer: Answer) -> GradedNotebook:
        if isinstance(answer, TaskFailure):
            template = self.material.template(job.notebook)
            reason = f"{job.notebook} could not be run: {answer.reason}"
            return no_points(job.state.student, template, "it could not be run", reason, NOT_RUN)
        return answer

    def _finish(
        self, job: _Running, graded: GradedNotebook, *, reused: bool = False
    ) -> Iterator[Event]:
        state = job.state
        if not reused:
            reasons = filter(None, (graded.needs_human, state.problem))
            graded = readable(replace(graded, needs_human="; ".join(reasons)))
            graded = self._write(graded, job.fingerprint)
        self._forget(job)
        state.done[job.notebook] = graded
        self._done += 1
        self._enqueue(state)
        yield self._event(job, graded, reused=reused)
        state.regraded = state.regraded or not reused
        if state.finished:
            self._finished[state.student] = state
            self.recorder.record(
                state.student, state.verdicts(), state.when, regraded=state.regraded
            )

    def _write(self, graded: GradedNotebook, fingerprint: str) -> GradedNotebook:
        """Put a notebook on record; one that cannot be written is a human's."""
        folder = self.root / "autograded" / graded.student / graded.assignment
        try:
            write_text(folder / f"{graded.notebook}.ipynb", graded.document)
            write_result(self.root, graded, fingerprint)
        except Exception as error:
            reason = f"{graded.notebook} could not be put on record: {students_own(error)}"
            reasons = filter(None, (graded.needs_human, reason))
            graded = replace(graded, needs_human="; ".join(reasons))
        return graded

    def refusals(self, refused: Mapping[str, str]) -> Iterator[Event]:
        """What the gradebook did not take, as events of those students; it goes on record, too."""
        for student, reason in sorted(refused.items()):
            state = self._finished[student]
            name = state.notebooks[0]
            reasons = filter(None, (state.done[name].needs_human, reason))
            graded = replace(state.done[name], needs_human="; ".join(reasons))
            # Under no fingerprint, so that it is tried again.
            with suppress(OSError):
                write_result(self.root, graded, "")
            total = len(self.submissions) * len(self.notebooks)
            each = len(self.submissions)
            yield Event(student, name, self._done, total, each, graded, amended=True)

    def _event(
        self, job: _Running, graded: GradedNotebook | None = None, *, reused: bool = False
    ) -> Event:
        each = len(self.submissions)
        total = each * len(self.notebooks)
        return Event(job.state.student, job.notebook, self._done, total, each, graded, reused)


#: Errors of the machine, which would meet the next student, too.
MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


def students_own(error: Exception) -> str:
    """What went wrong with one student's files, as a sentence; raises what is the machine's."""
    if isinstance(error, OSError) and error.errno in MACHINE:
        raise error
    where = error.filename if isinstance(error, OSError) else None
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)[:300]
    named = f" ({where})" if isinstance(where, str) else ""
    return whole(f"{type(error).__name__}: {what}{named}")


def readable(graded: GradedNotebook) -> GradedNotebook:
    """A verdict whose texts can be written, whatever the student's program said."""
    return from_dict(all_whole(to_dict(graded)))


@dataclass(frozen=True)
class _Running:
    """A notebook under way."""

    state: SubmissionState
    notebook: str
    fingerprint: str
    task: Task
    late: GradedNotebook | None = None  # the verdict on it when it ran out of time
