"""The loop of `watch`, a step at a time: look, admit, grade, give feedback.

Whatever a step decides is on record before it is done, so a watch that ends at any moment goes on
there when it is started again: what had been begun is graded to its end under the number it had,
and feedback that was not written yet is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.batch.run import Selection, grade_class
from autograder.course.daily import Attempt, Daily, next_day, read_daily, write_daily
from autograder.course.submissions import CourseError, Submission, student_name
from autograder.errors import AutograderError
from autograder.watch.arrivals import contents, signature
from autograder.watch.parts import Mark, Source, Teller, Workers

BRINGING, GRADING = "bringing", "grading"
MAX_NAMES = 8  # in one line
PAUSE = datetime.timedelta(minutes=1)  # after an error that another try may not meet


@dataclass
class Watcher:
    """Watches one assignment. ``limit``: attempts a day; ``say``: takes a line for the terminal."""

    root: Path
    assignment: str
    limit: int
    zone: datetime.tzinfo
    workers: Workers
    teller: Teller
    say: Callable[[str], object]
    sources: Sequence[Source] = ()
    _seen: dict[str, str] = field(default_factory=dict)  # signatures at the last look
    _records: dict[str, Daily] = field(default_factory=dict)
    _later: dict[str, datetime.datetime] = field(default_factory=dict)  # when to try again
    _errors: dict[str, str] = field(default_factory=dict)  # what keeps us from what

    def step(self, now: datetime.datetime) -> bool:
        """Look once, and grade some of what is there to be graded. Whether anything was tried.

        Raises what the disk raises.
        """
        now = now.astimezone(self.zone)
        try:
            for source in self.sources:
                for line in source.bring():
                    self.say(line)
            self._errors.pop(BRINGING, None)
        except AutograderError as error:
            self._fail(BRINGING, error)
        waiting = self._look(now)
        for student in self._untold(now):
            self.teller.begin(student)
        turn = [] if self._paused(now) else waiting[: 2 * self.workers.count]
        if turn:
            self._grade(turn, now)
        self._tell(now, wait=True)
        return bool(turn)

    # -- what is there ---------------------------------------------------------------------------

    def _look(self, now: datetime.datetime) -> list[str]:
        """Students to be graded, those first who came first."""
        day = str(now.date())
        found = []
        for folder in sorted((self.root / "submitted").glob(f"*/{self.assignment}")):
            one = Submission(student_name(folder.parent), folder)
            try:
                if folder.is_dir():
                    self._look_at(one, now, day)
                last = self._record(one.student).last
            except CourseError as error:  # this student's record cannot be read
                if now >= self._later.get(one.student, now):
                    self._later[one.student] = now + PAUSE
                    self.say(str(error))
                continue
            if last and not last.graded:
                found.append((last.arrived, one.student))
        return [student for _, student in sorted(found)]

    def _look_at(self, one: Submission, now: datetime.datetime, day: str) -> None:
        """Take what has come. What changes from one look to the next is still being written."""
        seen, record = signature(one.folder), self._record(one.student)
        settled = self._seen.get(one.student) == seen
        self._seen[one.student] = seen
        if seen and settled and seen != record.signature:
            work, stamp = contents(one.folder)
            if signature(one.folder) != seen:
                return  # it changed while it was read
            attempt = Attempt(now.isoformat(timespec="seconds"), work, stamp)
            new = replace(record.arrives(attempt, day, self.limit), signature=seen)
            self._put(one.student, new)
            if new.waiting and new.waiting is attempt:
                self._say_waiting(one.student, day)
                self._later.pop(one.student, None)
                if new.last and new.last.graded:
                    self._put(one.student, new.changed(told=False))
        elif record.waiting:
            new = record.admitted(day, self.limit)
            if new is not record:
                self._put(one.student, new)

    def _say_waiting(self, student: str, day: str) -> None:
        self.say(
            f"{student}: another hand-in, after {self.limit} of {self.limit} attempts today: kept, "
            f"and graded from {next_day(day)} on"
        )

    def _record(self, student: str) -> Daily:
        if student not in self._records:
            self._records[student] = read_daily(self.root, self.assignment, student)
        return self._records[student]

    def _put(self, student: str, record: Daily) -> None:
        write_daily(self.root, self.assignment, student, record)
        self._records[student] = record

    # -- grading ---------------------------------------------------------------------------------

    def _grade(self, turn: Sequence[str], now: datetime.datetime) -> None:
        resumed = {student for student in turn if self._last(student).begun}
        for student in turn:
            self._put(student, self._record(student).changed(begun=True))
        marks = {student: Mark() for student in turn}
        if GRADING not in self._errors:  # while it lasts, each try would say so
            more = f" and {len(turn) - MAX_NAMES} more" if len(turn) > MAX_NAMES else ""
            self.say(f"grading {', '.join(turn[:MAX_NAMES])}{more}")

        def recorded(student: str) -> None:  # in the thread that writes the gradebook
            self._graded(student, marks[student], resumed=student in resumed)
            self.teller.begin(student)

        selection = Selection(only=frozenset(turn), command=f"watch {self.assignment}")
        try:
            with closing(
                grade_class(self.root, self.assignment, selection, self.workers, recorded)
            ) as events:
                for event in events:
                    marks[event.student].add(event)
                    self._tell(now, wait=False)
        except BaseException as error:
            self.workers.discard()  # it may still have answers to what nobody asks any more
            if not isinstance(error, AutograderError):
                raise
            self._fail(GRADING, error)
            self._later[""] = now + PAUSE
            return
        self._errors.pop(GRADING, None)
        for student in turn:  # whom the gradebook did not take: said, and not tried for ever
            if not self._last(student).graded:
                self._put(student, self._record(student).changed(graded=True, told=True))
                self.say(f"{student}: {marks[student].human or 'not graded'}")

    def _graded(self, student: str, mark: Mark, *, resumed: bool) -> None:
        """Put on record that the grades are in the gradebook, before feedback speaks of them."""
        record = self._record(student)
        counts = resumed or not mark.reused  # what had been graded before is no attempt
        number = self._last(student).number if counts else 0
        scores = {"score": mark.score, "max_score": mark.max_score}
        self._put(student, record.changed(graded=True, number=number, **scores))
        self.say(f"{student}: {self._told_of(student)}{mark.remark}")

    def _told_of(self, student: str) -> str:
        last = self._last(student)
        points = f"{last.score:g}/{last.max_score:g}"
        if not last.number:
            return f"nothing new to grade, {points}; no attempt is counted"
        return f"attempt {last.number} of {last.limit} today, {points}"

    def _last(self, student: str) -> Attempt:
        last = self._record(student).last
        assert last is not None
        return last

    # -- feedback --------------------------------------------------------------------------------

    def _untold(self, now: datetime.datetime) -> list[str]:
        """Whose feedback is due: the last watch ended before it, or there is more to be said."""
        return [
            student
            for student, record in self._records.items()
            if record.last
            and record.last.graded
            and not record.last.told
            and now >= self._later.get(student, now)
        ]

    def _tell(self, now: datetime.datetime, *, wait: bool) -> None:
        for student, problem in self.teller.finished(wait=wait):
            record = self._record(student)
            if problem:
                self._later[student] = now + PAUSE
                self.say(f"{student}: no feedback yet: {problem}")
            elif record.last and record.last.graded and not record.last.told:
                self._put(student, record.changed(told=True))
                self.say(f"{student}: feedback written")

    # -- errors ----------------------------------------------------------------------------------

    def _paused(self, now: datetime.datetime) -> bool:
        return now < self._later.get("", now)

    def _fail(self, what: str, error: AutograderError) -> None:
        """Say it once, and go on: a gradebook may be locked for a moment, or a TA be grading."""
        if str(error) != self._errors.get(what):
            self._errors[what] = str(error)
            self.say(f"{error}. It will be tried again")
