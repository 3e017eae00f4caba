"""Sizes follow the environment, and nothing but two values of it."""

import pytest

from autograder.judge import warm as workers
from cs231n_lib.errors import CourseError
from cs231n_lib.scale import at_scale


@pytest.mark.parametrize(
    ("value", "expected"), [(None, 9000), ("", 9000), ("embedded", 9000), ("full", 49000)]
)
def test_embedded_unless_full(
    value: str | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("CS231N_SCALE", raising=False)
    else:
        monkeypatch.setenv("CS231N_SCALE", value)
    assert at_scale(embedded=9000, full=49000) == expected


def test_any_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS231N_SCALE", "full")
    assert at_scale(embedded=[1e-7], full=[1e-7, 1e-6]) == [1e-7, 1e-6]


@pytest.mark.parametrize("value", ["Full", "1", "large"])
def test_another_value_is_an_error_that_says_what_to_do(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS231N_SCALE", value)
    with pytest.raises(CourseError, match=f"CS231N_SCALE is '{value}'; set it to .*unset"):
        at_scale(embedded=1, full=2)


def test_no_positions() -> None:
    with pytest.raises(TypeError):
        at_scale(1, 2)  # type: ignore[misc]


def test_kernels_of_the_grader_get_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a wrong one stops the grader, rather than failing every student."""
    monkeypatch.setattr(workers, "make_embedded_data", lambda: None)
    for value, passed_on in (("", "embedded"), ("full", "full")):
        monkeypatch.setenv("CS231N_SCALE", value)
        assert workers.data_for_kernels()[1]["CS231N_SCALE"] == passed_on
    monkeypatch.setenv("CS231N_SCALE", "Full")
    with pytest.raises(CourseError, match="CS231N_SCALE is 'Full'"):
        workers.data_for_kernels()
