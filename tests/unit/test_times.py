"""Timestamps are read as nbgrader reads them."""

from __future__ import annotations

import pytest
from nbgrader.utils import parse_utc

from autograder.course.times import in_utc

WRITTEN = (
    "2031-03-01 12:00:00 UTC",
    "2031-03-01 12:00:00",
    "2031-03-01 12:00:00.123456 UTC",
    "2031-07-01 12:00:00 Europe/Berlin",
    "2031-07-01 12:00:00 3600",
    "2031-07-01 12:00:00 -0800",
    "2031-07-01T12:00:00+02:00",
    "2031-07-01 12:00:00 Nowhere/AtAll",
    "1/3/2031",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_timestamp_means_what_it_means_to_nbgrader(text: str) -> None:
    assert in_utc(text) == parse_utc(text)


@pytest.mark.parametrize(
    "text", ["yesterday evening", "1 March 2031", "2031-13-45 12:00:00 UTC", "UTC", "a b c"]
)
def test_what_is_no_time_is_an_error_to_both(text: str) -> None:
    for read in (in_utc, parse_utc):
        with pytest.raises((ValueError, OverflowError)):
            read(text)
