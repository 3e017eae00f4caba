"""When assignments are due, and what lateness costs: ``calendar.toml`` in the course folder.

Without that file everything is as nbgrader is configured: no penalty, unless a plug-in says so.
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateutil.tz import gettz

from autograder.errors import WrongUse

FILE = "calendar.toml"
DAY = datetime.timedelta(days=1)
EXAMPLE = """\
penalty_per_day = 10  # percent of the points reached, for each day late that is begun
late_days = 3  # of each student, for all assignments together; they are used up first

[due]
assignment1 = 2031-02-07T23:59:00

[extension.ada]
assignment1 = 2  # days more, for her alone"""


class CalendarError(WrongUse):
    """The calendar is wrong; the message says where, and what to do."""


@dataclass(frozen=True)
class Calendar:
    """``due``: in UTC without saying so, as nbgrader has it. ``extensions``: days, by student."""

    due: Mapping[str, datetime.datetime]
    penalty_per_day: float = 0.0  # percent
    late_days: int = 0
    extensions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def extension(self, student: str, assignment: str) -> datetime.timedelta | None:
        days = self.extensions.get(student, {}).get(assignment)
        return None if days is None else days * DAY


@dataclass(frozen=True)
class HandIn:
    """One assignment of one student. ``due`` is after any extension; None: it never is."""

    assignment: str
    due: datetime.datetime | None
    when: datetime.datetime | None

    @property
    def days_late(self) -> int:
        """Each day that is begun counts."""
        if self.due is None or self.when is None:
            return 0
        return max(0, math.ceil((self.when - self.due) / DAY))


@dataclass(frozen=True)
class Lateness:
    """Of the days that something was late, those taken from the budget; what the rest costs."""

    days: int
    free: int
    percent: float


def lateness(calendar: Calendar, hand_ins: Iterable[HandIn]) -> dict[str, Lateness]:
    """By assignment. The budget is spent in the order in which they were due."""
    left, found = calendar.late_days, {}
    late = [one for one in hand_ins if one.days_late]
    for one in sorted(late, key=lambda one: (one.due or datetime.datetime.max, one.assignment)):
        free = min(left, one.days_late)
        left -= free
        percent = min(100.0, (one.days_late - free) * calendar.penalty_per_day)
        found[one.assignment] = Lateness(one.days_late, free, percent)
    return found


def read_calendar(root: Path) -> Calendar | None:
    """None where a course has none. Raises CalendarError."""
    path = root / FILE
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CalendarError(f"{path} cannot be read: {error}") from None
    if unknown := sorted(found.keys() - {"due", "penalty_per_day", "late_days", "extension"}):
        raise CalendarError(
            f"{path}: {unknown[0]!r} is no setting; there are due, penalty_per_day, late_days and "
            "extension"
        )
    due = _table(path, found, "due")
    zone = _zone(root)
    penalty, late_days = found.get("penalty_per_day", 0), found.get("late_days", 0)
    if not _is_number(penalty) or not 0 <= penalty <= 100:
        raise CalendarError(f"{path}: penalty_per_day is {penalty!r}; write percent, from 0 to 100")
    if not isinstance(late_days, int) or isinstance(late_days, bool) or late_days < 0:
        raise CalendarError(f"{path}: late_days is {late_days!r}; write a whole number, such as 3")
    extensions = {
        student: _table(path, _table(path, found, "extension"), student)
        for student in _table(path, found, "extension")
    }
    for student, days in extensions.items():
        for assignment, number in days.items():
            where = f"{path}: extension.{student}: {assignment}"
            if assignment not in due:
                raise CalendarError(f"{where} has no due date; add one under [due]")
            if not _is_number(number) or not 0 <= number <= 3660:
                raise CalendarError(f"{where} is {number!r}; write a number of days, such as 2")
    moments = {name: _moment(f"{path}: due: {name}", when, zone) for name, when in due.items()}
    return Calendar(moments, float(penalty), late_days, extensions)


def _table(path: Path, found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise CalendarError(f"{path}: {name} is {table!r}; make it a table, [{name}]")
    return table


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(float(str(value)))


def _zone(root: Path) -> datetime.tzinfo:
    """nbgrader's own setting, in which it gives its timestamps."""
    from autograder.course.config import course_config  # imports nbgrader: two seconds

    name = str(course_config(root).Exchange.get("timezone", "UTC"))
    zone = gettz(name) if name else None
    if zone is None:
        raise CalendarError(
            f"nbgrader_config.py: c.Exchange.timezone = {name!r} is not a time zone; write one "
            "such as 'Europe/Zurich' or 'UTC'"
        )
    return zone


def _moment(where: str, when: object, zone: datetime.tzinfo) -> datetime.datetime:
    if not isinstance(when, datetime.datetime):
        raise CalendarError(f"{where} is {when!s}; write date and time, as 2031-02-07T23:59:00")
    aware = when if when.tzinfo else when.replace(tzinfo=zone)
    return aware.astimezone(datetime.UTC).replace(tzinfo=None)
