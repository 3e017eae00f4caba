"""From checks to messages and points: what is shown together with what."""

from typing import cast

import pytest
from numpy.random import Generator

from autograder.judge import Student, expect
from autograder.judge.registry import Check
from autograder.judge.score import Seed, grade_cell

SEED = Seed(b"secret", "a", "n", "s")
STUDENT = cast(Student, None)  # these checks look at no student


def made(name: str, passes: bool, **properties: object) -> Check:
    def look(student: Student, rng: Generator) -> None:
        expect(passes, f"{name} is wrong", f"perhaps {name} is a sum")

    look.__name__ = name
    standard = {"weight": 1.0, "advice": False, "condition": False, "probe": ""}
    return Check("question", look, **standard | properties)  # type: ignore[arg-type]


def messages(*checks: Check) -> list[str]:
    return [c.message for c in grade_cell(STUDENT, "question", 2.0, checks, SEED).verdict.checks]


def test_a_hint_is_given_while_all_that_is_more_basic_is_right() -> None:
    assert messages(made("loss", True), made("slope", False)) == [
        "",
        "slope is wrong. perhaps slope is a sum",
    ]


def test_no_hint_is_given_once_something_more_basic_is_wrong() -> None:
    assert messages(made("loss", False), made("slope", False), made("edge", False)) == [
        "loss is wrong. perhaps loss is a sum",
        "slope is wrong",
        "edge is wrong",
    ]


@pytest.mark.parametrize("kind", [{"condition": True}, {"advice": True, "weight": 0.0}])
def test_conditions_and_advice_are_not_more_basic_than_an_answer(kind) -> None:
    shown = messages(made("loss", True), made("kept", False, **kind), made("slope", False))
    assert shown[2] == "slope is wrong. perhaps slope is a sum"
