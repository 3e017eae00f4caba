"""A fast version that calls the slow one: found by the names in its code, wherever they are."""

import functools

import pytest

from cs231n_lib.feedback import CheckFailed, check_on_its_own


def slow(values):
    return sum(values)


def fast(values):
    return values.sum()


def calls(values):
    return slow(values)


def calls_inside(values):
    def part(value):
        return [slow(each) for each in (value,)]

    return part(values)


@functools.wraps(calls)
def wrapped(*arguments):
    return calls(*arguments)


def test_it_passes_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    check_on_its_own(fast, "slow", "slower")
    assert capsys.readouterr().out == "✓ fast does not call slow or slower\n"


@pytest.mark.parametrize("function", [calls, calls_inside, wrapped])
def test_a_call_is_found(function) -> None:
    with pytest.raises(CheckFailed, match=r"calls slow\.\n  Its loops run\.") as failed:
        check_on_its_own(function, "slow", meaning="Its loops run.")
    assert failed.value.args[0].startswith("✗ calls")


def test_what_is_no_python_function_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    check_on_its_own(functools.partial(fast), "slow")
    assert capsys.readouterr().out == "✓ partial does not call slow\n"
