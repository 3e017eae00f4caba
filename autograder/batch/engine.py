"""Grade an assignment: give out tasks, take in verdicts, put everything on record.

What is on record survives whatever happens to this process: a notebook as soon as it is graded
(``autograded/`` and ``.autograder/results/``), a submission's grades in one transaction of the
gradebook as soon as all its notebooks are. Run again, the engine grades what is missing.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.graders import Answer, Grader, Lost
from autograder.batch.scribe import Scribe
from autograder.batch.submission import Work, begin, stamp_of, task_for, unchanged
from autograder.batch.task import Task
from autograder.course.records import write_result
from autograder.course.submissions import Submission
from autograder.files import write_text
from autograder.grading.grade import no_points
from autograder.grading.material import Material
from autograder.judge.results import NOT_RUN, TIMED_OUT, GradedNotebook


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


@dataclass
class Engine:
    """Grades ``submissions`` of one assignment by means of ``grader``.

    ``scribe`` writes the gradebook; ``force``: grade also what is unchanged; ``no_gpu``: why
    no notebook shall get a GPU, if so.
    """

    root: Path
    material: Material
    notebooks: list[str]  # in the order in which they build on each other
    submissions: list[Submission]
    grader: Grader
    scribe: Scribe
    force: bool = False
    no_gpu: str = ""
    _running: dict[str, _Running] = field(default_factory=dict)
    _ready: deque[tuple[Work, str]] = field(default_factory=deque)
    _again: deque[_Running] = field(default_factory=deque)  # timed out: once more, alone
    _done: int = 0

    def run(self) -> Iterator[Event]:
        """Grade; events tell what happens. Raises GradebookError, OSError and SandboxError."""
        works = (begin(one, self.notebooks) for one in self.submissions)
        keys = (str(number) for number in itertools.count())
        while True:
            while len(self._running) < self.grader.capacity():
                if not self._ready:
                    work = next(works, None)
                    if work is None:
                        break
                    self._enqueue(work)
                else:
                    yield from self._start(next(keys), *self._ready.popleft())
            if not self._running and self._again:
                yield from self._once_more(keys)
            elif not self._running:
                return
            else:
                key, answer = self.grader.next()
                yield from self._take(self._running.pop(key), answer)

    def _enqueue(self, work: Work) -> None:
        """What comes of work begun goes first: a submission done is one less in memory."""
        turn = work.next(self.material)
        work.under_way.update(turn)
        self._ready.extendleft((work, notebook) for notebook in reversed(turn))

    def _start(self, key: str, work: Work, notebook: str) -> Iterator[Event]:
        task = task_for(self.root, work, notebook, self.material, self.no_gpu)
        job = _Running(work, notebook, stamp_of(task, work, self.material), task)
        known = None if self.force else unchanged(self.root, task, self.material, job.stamp)
        if known:
            yield from self._finish(job, known, reused=True)
        else:
            yield self._event(job)
            self.grader.submit(key, task)
            self._running[key] = job

    def _take(self, job: _Running, answer: Answer) -> Iterator[Event]:
        """A time-out with others on the same machine proves nothing."""
        late = isinstance(answer, GradedNotebook) and answer.outcome == TIMED_OUT
        if late and self.grader.crowded():
            self._again.append(replace(job, late=answer))
        else:
            yield from self._finish(job, self._verdict(job, answer))

    def _once_more(self, keys: Iterator[str]) -> Iterator[Event]:
        """Grade what ran out of time, each notebook with a machine to itself.

        Who runs out of time in the same place again is not graded to the end: that has been done.
        """
        while self._again or self._running:
            while self._again and len(self._running) < self.grader.hosts():
                job = self._again.popleft()
                assert job.late is not None
                key = next(keys)
                self._running[key] = job
                self.grader.submit_alone(key, replace(job.task, late_in=job.late.late_in))
            key, answer = self.grader.next()
            job = self._running.pop(key)
            second = self._verdict(job, answer)
            if job.late and (second.outcome, second.late_in) == (TIMED_OUT, job.late.late_in):
                second = job.late
            yield from self._finish(job, replace(second, attempts=2))

    def _verdict(self, job: _Running, answer: Answer) -> GradedNotebook:
        if isinstance(answer, Lost):
            template = self.material.template(job.notebook)
            reason = f"{job.notebook} could not be run: {answer.reason}"
            return no_points(job.work.student, template, "it could not be run", reason, NOT_RUN)
        return answer

    def _finish(
        self, job: _Running, graded: GradedNotebook, *, reused: bool = False
    ) -> Iterator[Event]:
        work = job.work
        if not reused:
            reasons = filter(None, (graded.needs_human, work.doubt))
            graded = replace(graded, needs_human="; ".join(reasons))
            folder = self.root / "autograded" / work.student / graded.assignment
            write_text(folder / f"{graded.notebook}.ipynb", graded.document)
            write_result(self.root, graded, job.stamp)
        work.done[job.notebook] = graded
        self._done += 1
        self._enqueue(work)
        yield self._event(job, graded, reused=reused)
        work.news = work.news or not reused
        if work.finished:
            self.scribe.record(work.student, work.verdicts(), work.when, news=work.news)

    def _event(
        self, job: _Running, graded: GradedNotebook | None = None, *, reused: bool = False
    ) -> Event:
        each = len(self.submissions)
        total = each * len(self.notebooks)
        return Event(job.work.student, job.notebook, self._done, total, each, graded, reused)


@dataclass(frozen=True)
class _Running:
    """A notebook under way."""

    work: Work
    notebook: str
    stamp: str
    task: Task
    late: GradedNotebook | None = None  # the verdict on it when it ran out of time
