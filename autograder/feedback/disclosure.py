"""What students see of their feedback, and from when on: one rule for each assignment.

The rule is kept in the course folder, where our command and nbgrader's (and so the formgrader's
button) both read it whenever they make a page. Where it cannot be read, no page is made.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from dateutil.tz import gettz
from traitlets.config import Config

from autograder.course.submissions import CourseError
from autograder.course.gradebook import course_config
from autograder.files import write_text
from autograder.notebook.template import notebooks_of

NOW = "now"  # instead of a date: nothing is held back any more


@dataclass(frozen=True)
class Disclosure:
    """``checks``: with what each check found. ``after``: until then only the points."""

    checks: bool = True
    after: datetime.datetime | None = None

    def waits(self, now: datetime.datetime) -> bool:
        return self.after is not None and now < self.after


def read_disclosure(root: Path, assignment: str) -> Disclosure:
    """The assignment's rule; everything at once where none was set. Raises CourseError."""
    rule = _read(root).get(assignment, {})
    try:
        after = datetime.datetime.fromisoformat(rule["after"]) if rule.get("after") else None
        checks = rule.get("checks", True)
        if not isinstance(checks, bool) or (after and after.tzinfo is None):
            raise ValueError(f"found {rule}")
    except (AttributeError, TypeError, ValueError) as error:
        raise _unreadable(root, f"{assignment}: {error}") from None
    return Disclosure(checks, after)


def set_disclosure(
    root: Path, assignment: str, *, checks: bool | None = None, after: str | None = None
) -> Disclosure:
    """Change what is given of the rule, and keep the rest; return the rule.

    ``after`` is a date or a time as people write it, or ``now``. Raises CourseError, TemplateError,
    and then nothing has changed.
    """
    notebooks_of(root, assignment)
    old = read_disclosure(root, assignment)
    if checks is None and after is None:
        return old
    rule = Disclosure(
        checks=old.checks if checks is None else checks,
        after=old.after if after is None else parse_time(after, course_config(root)),
    )
    rules = _read(root)
    when = rule.after.isoformat() if rule.after else None
    rules[assignment] = {"checks": rule.checks, "after": when}
    write_text(_path(root), json.dumps(rules, indent=1, sort_keys=True) + "\n")
    return rule


def parse_time(text: str, config: Config) -> datetime.datetime | None:
    """A moment from an ISO date or time, in the course's time zone where it names none.

    A date is the beginning of that day. None for ``now``. Raises CourseError.
    """
    if text.strip().lower() == NOW:
        return None
    try:
        when = datetime.datetime.fromisoformat(text.strip())
        if when.tzinfo is None:
            when = when.replace(tzinfo=course_zone(config))
        # A fixed offset, and an error for what no calendar has in every zone.
        return when.astimezone(datetime.UTC).astimezone(course_zone(config))
    except (ValueError, OverflowError):
        raise CourseError(
            f"{text!r} is not a date: write one such as 2031-03-08 (the beginning of that day), "
            f"'2031-03-08 18:00', or '{NOW}' to hold nothing back"
        ) from None


def course_zone(config: Config) -> datetime.tzinfo:
    """The time zone that nbgrader gives its timestamps in. Raises CourseError."""
    name = zone_name(config)
    zone = gettz(name) if name else None
    if zone is None:
        raise CourseError(
            f"nbgrader_config.py: c.Exchange.timezone = {name!r} is not a time zone; "
            "write one such as 'Europe/Zurich' or 'UTC'"
        )
    return zone


def zone_name(config: Config) -> str:
    """What the course calls its time zone: ``c.Exchange.timezone``, nbgrader's own setting."""
    return str(config.Exchange.get("timezone", "UTC"))


def explain(rule: Disclosure, now: datetime.datetime, config: Config) -> str:
    """A sentence or two on what is held back and until when; nothing where nothing is."""
    if rule.after and rule.waits(now):
        until = f"{rule.after.astimezone(course_zone(config)):%Y-%m-%d %H:%M}"
        more = "what each check found and written comments" if rule.checks else "written comments"
        return (
            f"Only the points of each question are shown until {until} ({zone_name(config)}). "
            f"Held back until then: {more}."
        )
    if not rule.checks:
        return "Points and written comments are shown, but not the result of each check."
    return ""


def what_is_shown(root: Path, assignment: str, *, unread: bool = False) -> str:
    """The same for a TA, now; ``unread``: not everything has been read. Raises CourseError."""
    now = datetime.datetime.now(datetime.UTC)
    rule = read_disclosure(root, assignment)
    everything = "Everything that has been read is shown." if unread else "Everything is shown."
    return explain(rule, now, course_config(root)) or everything


def _path(root: Path) -> Path:
    return root / ".autograder" / "feedback.json"


def _read(root: Path) -> dict[str, dict]:
    try:
        rules = json.loads(_path(root).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(root, str(error)) from None
    if not isinstance(rules, dict):
        raise _unreadable(root, "expected rules by assignment")
    return rules


def _unreadable(root: Path, why: str) -> CourseError:
    return CourseError(
        f"{_path(root)} says what students may see, and cannot be read ({why}): delete it, and set "
        "the rules again with `python -m autograder feedback ASSIGNMENT --after DATE`"
    )
