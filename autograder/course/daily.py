"""Attempts of a day: what `watch` has graded of each student, what waits, and what they are told.

A record for each student lies in ``.autograder/watch/ASSIGNMENT/STUDENT/attempts.json``, written
whole at each step, so that a watch that is killed goes on where it was.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autograder.course.submissions import CourseError
from autograder.files import write_text


@dataclass(frozen=True)
class Attempt:
    """One hand-in. ``number`` is that of the day; 0: the same work had been graded before."""

    arrived: str  # an ISO time, in the course's time zone
    digest: str  # of what the student wrote
    stamp: str  # of what the exchange put beside it
    day: str = ""  # on which it is graded; empty: not yet, since the day's attempts are used up
    number: int = 0
    limit: int = 0  # of attempts on that day
    begun: bool = False  # grading has begun
    graded: bool = False
    score: float = 0.0
    max_score: float = 0.0
    told: bool = False  # the feedback is written


@dataclass(frozen=True)
class Daily:
    """One student's attempts, the latest last. ``signature``: of the files they are known from."""

    signature: str = ""
    attempts: tuple[Attempt, ...] = ()
    waiting: Attempt | None = None

    @property
    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    def used(self, day: str) -> int:
        """Attempts of that day which count."""
        return sum(one.day == day and one.number > 0 for one in self.attempts)

    def arrives(self, attempt: Attempt, day: str, limit: int) -> Daily:
        """With a hand-in that has just come. One that nobody has begun to grade gives way to it."""
        known = self.waiting or self.last
        if known and (known.digest, known.stamp) == (attempt.digest, attempt.stamp):
            return self
        kept = self.attempts
        if self.last and not self.last.begun:
            kept = kept[:-1]
        return replace(self, attempts=kept, waiting=attempt).admitted(day, limit)

    def admitted(self, day: str, limit: int) -> Daily:
        """With what waits as an attempt of the day, if there is one left."""
        if self.waiting is None:
            return self
        same = self.last is not None and self.last.digest == self.waiting.digest
        used = self.used(day)
        if not same and used >= limit:
            return self
        number = 0 if same else used + 1
        attempt = replace(self.waiting, day=day, number=number, limit=limit)
        return replace(self, attempts=(*self.attempts, attempt), waiting=None)

    def changed(self, **what: Any) -> Daily:
        """With the last attempt changed so."""
        assert self.last is not None
        return replace(self, attempts=(*self.attempts[:-1], replace(self.last, **what)))

    def explained(self, zone: str) -> Iterator[str]:
        """What the student is told on top of the feedback; ``zone`` is the name of a time zone."""
        graded = [one for one in self.attempts if one.graded]
        if not graded:
            return
        attempt = graded[-1]
        used = self.used(attempt.day)
        left = attempt.limit - used
        tomorrow = f"{next_day(attempt.day)} 00:00 ({zone})"
        about = f"attempt {used} of {attempt.limit} on {attempt.day}"
        if not used:
            about = f"it was graded before, and uses none of the {attempt.limit} attempts of a day"
        yield f"This page is about what arrived at {clock_time(attempt.arrived)}: {about}."
        if self.waiting:
            yield (
                f"Another hand-in came at {clock_time(self.waiting.arrived)}, when the attempts of "
                f"the day were used up. It is kept, and will be graded from {tomorrow} on."
            )
        elif left > 0:
            yield (
                f"Your next {'attempt' if left == 1 else f'{left} attempts'} of that day will be "
                "graded as soon as possible. Each attempt is checked with other inputs, and the "
                "latest one counts."
            )
        else:
            yield f"What you hand in after it is kept, and will be graded from {tomorrow} on."


def read_daily(root: Path, assignment: str, student: str) -> Daily:
    """The record of a student; an empty one where there is none. Raises CourseError."""
    path = daily_path(root, assignment, student)
    try:
        plain = json.loads(path.read_text("utf-8"))
        attempts = tuple(Attempt(**one) for one in plain["attempts"])
        waiting = Attempt(**plain["waiting"]) if plain["waiting"] else None
        return Daily(str(plain["signature"]), attempts, waiting)
    except FileNotFoundError:
        return Daily()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path} says how many attempts {student} has had, and cannot be read ({error}): put "
            "it back from a backup, or delete it, after which the day's attempts are counted anew"
        ) from None


def write_daily(root: Path, assignment: str, student: str, daily: Daily) -> None:
    write_text(daily_path(root, assignment, student), json.dumps(asdict(daily), indent=1))


def daily_path(root: Path, assignment: str, student: str) -> Path:
    return root / ".autograder" / "watch" / assignment / student / "attempts.json"


def next_day(day: str) -> str:
    """The day after an ISO date."""
    return str(datetime.date.fromisoformat(day) + datetime.timedelta(days=1))


def clock_time(moment: str) -> str:
    """An ISO time for reading: its date and time, to the minute."""
    return f"{datetime.datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"
