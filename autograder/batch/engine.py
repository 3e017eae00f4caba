"""Grade an assignment: submit tasks, collect verdicts, put everything on record.

What is on record survives whatever happens to this process: a notebook as soon as it is graded
(``autograded/`` and ``.autograder/results/``), a submission's grades in one transaction of the
gradebook as soon as all its notebooks are. Run again, the engine grades what is missing; what was
under way when this process died comes last, alone, and is given up when it dies there once more.
Nothing is on record before the gradebook is open; until then verdicts are kept here.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.executors import Again, Answer, Executor, TaskFailure
from autograder.batch.fingerprints import fingerprint
from autograder.batch.recorder import GradebookRecorder
from autograder.batch.retries import second_try, settled
from autograder.batch.submission import SubmissionState, start_submission, task_for, unchanged
from autograder.batch.task import Task
from autograder.batch.under_way import GIVE_UP, UnderWay
from autograder.batch.ungraded import given_up, not_run, readable, students_own
from autograder.course.changes import append_change, changed_points
from autograder.course.helpers import carry_exchange_files
from autograder.course.records import read_verdict_on, write_result
from autograder.course.submissions import Submission
from autograder.errors import AutograderError
from autograder.files import write_text
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook

SUSPECT = (
    "was being graded when the last run ended: it will be tried again at the end, with nothing "
    "else running"
)
#: Notes in the log of changes.
FORCED = "graded again, changed or not (--force)"
AMENDED = "the hidden checks, the release or the grader have changed"
AT_ONCE = "is graded again, because"
HELD_UP = "ran out of time while others used this machine: it will be tried again"
MAX_WAITING = 64  # verdicts kept in memory while the gradebook is opened


@dataclass(frozen=True)
class Event:
    """Progress: one notebook is about to be graded, is done, or will be graded later than others.

    ``later``: why, or why it is begun anew, in words that follow its name.
    """

    student: str
    notebook: str
    done: int  # notebooks finished so far
    total: int
    of_notebook: int  # how many submissions there are of this notebook
    graded: GradedNotebook | None = None
    reused: bool = False
    amended: bool = False  # it was reported before, and has become a human's since
    later: str = ""


@dataclass
class Engine:
    """Grades ``submissions`` of one assignment by means of ``executor``.

    ``recorder`` writes the gradebook; ``force``: grade also what is unchanged; ``no_gpu``: why
    no notebook shall get a GPU, if so; ``command``: whose doing it is in the log of changes, which
    is not written without it.
    """

    root: Path
    material: Material
    notebooks: list[str]  # in the order in which they build on each other
    submissions: list[Submission]
    executor: Executor
    recorder: GradebookRecorder
    force: bool = False
    no_gpu: str = ""
    command: str = ""
    _running: dict[str, _Running] = field(default_factory=dict)
    _ready: deque[tuple[SubmissionState, str]] = field(default_factory=deque)
    _again: deque[_Running] = field(default_factory=deque)  # to be graded once more
    _answered: deque[tuple[_Running, Answer]] = field(default_factory=deque)  # and not dealt with
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
            for job in (*self._running.values(), *(job for job, _ in self._answered)):
                self._forget(job)

    def _run(self) -> Iterator[Event]:
        states = (self._open(one) for one in self.submissions)
        keys = (str(number) for number in itertools.count())
        while True:
            if self._can_handle():
                yield from self._handle(*self._answered.popleft())
            while len(self._running) < self.executor.capacity() and self._has_room():
                if self._ready:
                    yield from self._start(next(keys), *self._ready.popleft())
                elif self._again:
                    self._submit(next(keys), self._again.popleft())
                elif state := next(states, None):
                    self._enqueue(state)
                else:
                    break
            self.recorder.open()  # the workers go on meanwhile
            if self._can_handle():
                continue
            if self._running:
                self._answered.append((yield from self._next()))
            elif self._suspects:
                yield from self._try_suspect(next(keys))
            else:
                return

    def _can_handle(self) -> bool:
        """Whether an answer can be dealt with, or there is nothing else to be done."""
        return bool(self._answered) and (self.recorder.open() or not self._running)

    def _has_room(self) -> bool:
        return len(self._answered) < MAX_WAITING

    def _next(self) -> Generator[Event, None, tuple[_Running, Answer]]:
        while True:
            key, answer = self.executor.next()
            if not isinstance(answer, Again):
                return self._running.pop(key), answer
            event = self._event(self._running[key])
            yield replace(event, later=f"{AT_ONCE} {answer.reason}")
            yield event  # it is under way

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
            self._answered.append((replace(job, reused=True), known))
        elif self._deaths(job) and (self.force or self._deaths(job) < GIVE_UP):
            self._suspects.append(job)
            yield replace(self._event(job), later=SUSPECT)
        elif self._deaths(job):
            yield from self._finish(job, given_up(self.material, job.task, self._deaths(job)))
        else:
            yield self._event(job)
            self._submit(key, job)

    def _submit(self, key: str, job: _Running, *, alone: bool = False) -> None:
        self._under_way.begins(job.state.student, job.notebook, job.fingerprint)
        self._running[key] = job
        submit = self.executor.submit_alone if alone else self.executor.submit
        submit(key, job.task)

    def _deaths(self, job: _Running) -> int:
        return self._under_way.deaths(job.state.student, job.notebook, job.fingerprint)

    def _forget(self, job: _Running | None) -> None:
        if job:
            self._under_way.is_over(job.state.student, job.notebook)

    def _try_suspect(self, key: str) -> Iterator[Event]:
        """Grade what was under way when the last run died, with nothing else under way."""
        job = self._suspects.popleft()
        yield self._event(job)
        self._submit(key, job, alone=True)
        job, answer = yield from self._next()
        self._at_hand = job
        yield from self._finish(job, self._verdict(job, answer))

    def _handle(self, job: _Running, answer: Answer) -> Iterator[Event]:
        self._at_hand = job
        graded = self._verdict(job, answer)
        if job.reused:
            yield from self._finish(job, graded)
        elif job.first:
            yield from self._finish(job, settled(job.first, graded))
        elif again := second_try(job.task, graded, crowded=self.executor.crowded()):
            self._forget(job)
            self._again.append(replace(job, task=again, first=graded))
            yield replace(self._event(job), later=HELD_UP)
        else:
            yield from self._finish(job, graded)

    def _verdict(self, job: _Running, answer: Answer) -> GradedNotebook:
        if isinstance(answer, TaskFailure):
            return not_run(self.material, job.state.student, job.notebook, answer.reason)
        return answer

    def _finish(self, job: _Running, graded: GradedNotebook) -> Iterator[Event]:
        """Put a verdict on record, not before it is known that there is a gradebook for it."""
        self.recorder.wait()
        state = job.state
        if not job.reused:
            reasons = filter(None, (graded.needs_human, state.problem))
            graded = readable(replace(graded, needs_human="; ".join(reasons)))
            self._log(graded, job)
            graded = self._write(graded, job)
        self._forget(job)
        state.done[job.notebook] = graded
        self._done += 1
        self._enqueue(state)
        yield self._event(job, graded)
        state.regraded = state.regraded or not job.reused
        if state.finished:
            self._finished[state.student] = state
            self._carry(state)
            self.recorder.record(
                state.student, state.verdicts(), state.when, regraded=state.regraded
            )

    def _carry(self, state: SubmissionState) -> None:
        """Only now: feedback that is released under the secret of a hand-in is about that one."""
        target = self.root / "autograded" / state.student / self.material.assignment
        try:
            carry_exchange_files(state.submission.folder, target)
        except Exception as error:
            reason = f"its feedback cannot be released to the exchange: {students_own(error)}"
            self.recorder.refused[state.student] = reason

    def _log(self, graded: GradedNotebook, job: _Running) -> None:
        """Who changed points of a hand-in that is the same, before they are changed."""
        name = (graded.student, graded.assignment, graded.notebook)
        old = read_verdict_on(self.root, *name, hand_in=self._number(job)) if self.command else None
        change = old and changed_points(
            old, graded, self.command, FORCED if self.force else AMENDED
        )
        if change:
            append_change(self.root, change)

    def _number(self, job: _Running) -> int:
        return job.task.attempts.get((self.material.assignment, job.notebook), 0)

    def _write(self, graded: GradedNotebook, job: _Running) -> GradedNotebook:
        """Put a notebook on record; one that cannot be written is a human's."""
        folder = self.root / "autograded" / graded.student / graded.assignment
        try:
            write_text(folder / f"{graded.notebook}.ipynb", graded.document)
            write_result(self.root, graded, job.fingerprint, self._number(job))
        except Exception as error:
            reason = f"{graded.notebook} could not be recorded: {students_own(error)}"
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

    def _event(self, job: _Running, graded: GradedNotebook | None = None) -> Event:
        each = len(self.submissions)
        total = each * len(self.notebooks)
        return Event(job.state.student, job.notebook, self._done, total, each, graded, job.reused)


@dataclass(frozen=True)
class _Running:
    """A notebook under way."""

    state: SubmissionState
    notebook: str
    fingerprint: str
    task: Task
    reused: bool = False  # its verdict was on record
    first: GradedNotebook | None = None  # the verdict on it, where it is graded once more
