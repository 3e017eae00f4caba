"""Numbers may differ by a cell's tolerance; text may not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG, Measured, difference, tolerance


def apart(stored: str, new: str, bound: str = "0.02") -> str:
    return difference(stored, new, Decimal(bound))


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("accuracy 0.301", "accuracy 0.321"),  # exactly the bound, which floats would miss
        ("loss -0.01", "loss 0.01"),
        (f"{9.99:5.2f}|", f"{10.01:5.2f}|"),  # columns fill differently
        ("a 1e-5 b", "a 2E-05 b"),
        ("9,999.99 images", "10,000.01 images"),
        ("[0.5 .5 1.]", "[0.51 .49 1.01]"),
        ("nan inf -inf", "nan inf -inf"),
        ("float64, v1.2.3, conv2", "float64, v1.2.3, conv2"),
        ("", ""),
    ],
)
def test_within(stored: str, new: str) -> None:
    assert apart(stored, new) == ""
    assert apart(new, stored) == ""


@pytest.mark.parametrize(
    ("stored", "new", "why"),
    [
        ("30.2 %", "30.9 %", "30.2 became 30.9: 0.7 apart, 0.02 allowed"),
        ("0.30", "0.33", "0.03 apart"),
        ("1 2.0", "1 2.03", "2.0 became 2.03"),
        ("best 5", "best 6", "1 apart"),
        ("0.301 right", "0.301 wrong", "text between"),
        ("0.3 0.4", "0.3", "2 numbers became 1"),
        ("1", "1.0", "printed as an integer"),
        ("nan", "0.0", "only the same NaN"),
        ("inf", "-inf", "only the same NaN or infinity"),
        ("float64 0.5", "float32 0.5", "text between"),
        ("9,999 images", "10,999 images", "1000 apart"),
        ("5-3", "5-4", "3 became 4"),
        ("one\ntwo 0.5", "one two 0.5", "text between"),
    ],
)
def test_beyond(stored: str, new: str, why: str) -> None:
    assert why in apart(stored, new)
    assert apart(new, stored)


def test_integers_may_differ_where_the_tolerance_is_that_large() -> None:
    assert apart("100 steps", "102 steps", "2") == ""
    assert apart("100 steps", "103 steps", "2")


def test_measured_text_is_compared_by_both_operators() -> None:
    text = Measured("0.30", Decimal("0.02"))
    assert text == "0.31"
    assert not text != "0.31"  # noqa: SIM202  (the operator nbval uses)
    assert text != "0.33"
    assert text != 0.30


def test_tags() -> None:
    assert tolerance(()) is None
    assert tolerance([CHECKED_OUTPUT_TAG, "skip-when-grading"]) is None
    assert tolerance([CHECKED_OUTPUT_TAG, "nbval-tolerance-0.02"]) == Decimal("0.02")
    assert tolerance(["nbval-tolerance-1e-6", CHECKED_OUTPUT_TAG]) == Decimal("0.000001")


@pytest.mark.parametrize("bound", ["abc", "-1", "", "nan", "inf", "0.02 ", "0,02", ".5", "1_0"])
def test_malformed_tags(bound: str) -> None:
    with pytest.raises(ValueError, match="does not name a tolerance; write a number"):
        tolerance([CHECKED_OUTPUT_TAG, f"nbval-tolerance-{bound}"])


def test_tags_without_a_number_or_in_company() -> None:
    with pytest.raises(ValueError, match="does not name a tolerance"):
        tolerance([CHECKED_OUTPUT_TAG, "nbval-tolerance"])
    with pytest.raises(ValueError, match="2 tolerance tags"):
        tolerance([CHECKED_OUTPUT_TAG, "nbval-tolerance-1", "nbval-tolerance-2"])
    with pytest.raises(ValueError, match="does nothing without 'nbval-check-output'"):
        tolerance(["nbval-tolerance-1"])
