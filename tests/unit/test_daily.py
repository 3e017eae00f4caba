"""Attempts of a day: what counts, what waits, and what the student is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.daily import Attempt, Daily, daily_path, read_daily, write_daily
from autograder.course.submissions import CourseError

MONDAY, TUESDAY = "2031-03-03", "2031-03-04"


def hand_in(work: str, stamp: str = "", at: str = f"{MONDAY}T14:03:00+00:00") -> Attempt:
    return Attempt(at, work, stamp)


def graded(daily: Daily) -> Daily:
    return daily.changed(begun=True, graded=True, told=True)


def after(*works: str, limit: int = 2) -> Daily:
    daily = Daily()
    for work in works:
        daily = graded(daily.arrives(hand_in(work), MONDAY, limit))
    return daily


def test_as_many_count_as_there_are_and_the_rest_waits_for_the_next_day() -> None:
    daily = after("a", "b")
    assert [one.number for one in daily.attempts] == [1, 2]
    third = daily.arrives(hand_in("c"), MONDAY, 2)
    assert third.waiting == hand_in("c")
    assert third.attempts == daily.attempts
    assert third.admitted(MONDAY, 2) is third
    fourth = third.arrives(hand_in("d"), MONDAY, 2)
    assert fourth.waiting == hand_in("d"), "the latest one is graded"
    tuesday = fourth.admitted(TUESDAY, 2)
    assert tuesday.waiting is None
    assert tuesday.last
    assert (tuesday.last.digest, tuesday.last.day, tuesday.last.number) == ("d", TUESDAY, 1)


def test_the_same_work_is_no_attempt() -> None:
    daily = after("a", "b")
    assert daily.arrives(hand_in("b"), MONDAY, 2) is daily
    again = daily.arrives(hand_in("b", stamp="another secret"), MONDAY, 2)
    assert again.last
    assert again.last.number == 0
    assert again.used(MONDAY) == 2
    back = daily.arrives(hand_in("c"), MONDAY, 2).arrives(hand_in("b", "new"), MONDAY, 2)
    assert back.waiting is None, "who goes back to what is graded waits for nothing"


def test_one_that_nobody_has_begun_to_grade_gives_way() -> None:
    daily = after("a").arrives(hand_in("b"), MONDAY, 2).arrives(hand_in("c"), MONDAY, 2)
    assert [(one.digest, one.number) for one in daily.attempts] == [("a", 1), ("c", 2)]
    assert daily.waiting is None


def test_students_are_told_how_many_are_left_and_what_waits() -> None:
    first, second = after("a", limit=3), after("a", "b")
    assert not list(Daily().explained("UTC"))
    text = " ".join(first.explained("UTC"))
    assert f"arrived at {MONDAY} 14:03: attempt 1 of 3 on {MONDAY}." in text
    assert "Your next 2 attempts of that day will be graded as soon as possible." in text
    text = " ".join(second.explained("UTC"))
    assert "attempt 2 of 2" in text
    assert f"is kept, and will be graded from {TUESDAY} 00:00 (UTC) on." in text
    waits = second.arrives(hand_in("c", at=f"{MONDAY}T15:20:00+00:00"), MONDAY, 2)
    text = " ".join(waits.explained("Europe/Berlin"))
    assert f"Another hand-in came at {MONDAY} 15:20" in text
    assert f"will be graded from {TUESDAY} 00:00 (Europe/Berlin) on" in text
    uncounted = Daily(attempts=(hand_in("a"),)).changed(graded=True, day=MONDAY, limit=5)
    assert "uses none of the 5 attempts of a day" in " ".join(uncounted.explained("UTC"))


def test_a_record_comes_back_as_it_was_and_a_broken_one_is_named(tmp_path: Path) -> None:
    daily = after("a", "b").arrives(hand_in("c"), MONDAY, 2)
    write_daily(tmp_path, "a1", "ann", daily)
    assert read_daily(tmp_path, "a1", "ann") == daily
    assert read_daily(tmp_path, "a1", "bo") == Daily()
    for broken in ("{", "[]", '{"signature": "", "attempts": [{"no": 1}], "waiting": null}'):
        daily_path(tmp_path, "a1", "ann").write_text(broken)
        with pytest.raises(CourseError, match=r"attempts\.json says how many attempts ann"):
            read_daily(tmp_path, "a1", "ann")
