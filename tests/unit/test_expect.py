"""What the checks compare with, and the inputs they draw: no right answer may ever look wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.checks.shared.linear_oracle import HINGE, draw
from autograder.judge import Failed, expect_close, expect_near, name_slip
from autograder.judge.registry import CheckError, checks_for

# How the checks of the linear losses call draw: N, D, C, scale.
DRAWN = [(9, 6, 4, 1.0), (5, 4, 3, 1e3), (1, 5, 4, 1.0), (6, 5, 4, 1.0), (3, 2, 2, 1.0)]


def test_a_slip_is_named_only_where_the_answer_is_wrong() -> None:
    slips = {"a sum": 12.0, "one too much": 4.0}
    name_slip(3.0, 3.0, slips)
    name_slip(5.0, 3.0, slips)  # wrong, but no slip that we know
    for got, message in ((12.0, "a sum"), (np.float32(4.0), "one too much")):
        with pytest.raises(Failed, match=message):
            name_slip(got, 3.0, slips)


@pytest.mark.parametrize("want", [0.0, np.zeros((2, 3))])
def test_a_right_answer_stays_right_where_a_slip_gives_the_same(want) -> None:
    """A loss of 0 is its own sum over the rows."""
    name_slip(want, want, {"a sum over the rows": 5 * want})


def test_rounding_is_measured_against_the_largest_entry() -> None:
    want = np.array([1e3, 1e-3])
    expect_near(want + 1e-5, want, what="dW")  # a sum of terms near 1000, in float64
    expect_near((want + 1e-5).astype(np.float32), want, what="dW", precision="float32")
    with pytest.raises(Failed, match="dW: 1 of 2 entries differ"):
        expect_near(want + np.array([0, 1e-2]), want, what="dW")


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble", "complex64", "complex256"])
def test_coarse_or_unknown_types_are_judged_no_less_strictly(dtype) -> None:
    """Tolerance follows what was sent: nobody gains by answering in another type."""
    want = np.linspace(1, 2, 7)
    wrong = (want * 1.005).astype(dtype)
    with pytest.raises(Failed, match="dists: 7 of 7 entries differ"):
        expect_close(wrong, want, what="dists")
    with pytest.raises(Failed, match="dists: 7 of 7 entries differ"):
        expect_near(wrong, want, what="dists", precision="float32")


def test_a_slip_takes_the_place_of_a_hint() -> None:
    want = np.arange(4.0)
    slips = {"these are squares": want**2}
    with pytest.raises(Failed) as fits:
        expect_close(want**2, want, slips=slips, hint="look at one entry")
    with pytest.raises(Failed) as differs:
        expect_close(want + 1, want, slips=slips, hint="look at one entry")
    assert (fits.value.message, fits.value.hint) == ("these are squares", "")
    assert differs.value.message.startswith("the result: 4 of 4 entries differ")
    assert differs.value.hint == "look at one entry"


def test_axes_of_length_1_may_be_a_question_of_their_own() -> None:
    want = np.arange(3.0).reshape(1, 3, 1)
    expect_close(want.ravel(), want, squeeze=True)
    with pytest.raises(Failed, match=r"dgamma has shape \(3,\); expected \(1, 3, 1\)"):
        expect_close(want.ravel(), want, what="dgamma")
    with pytest.raises(Failed, match=r"has shape \(3, 1\)"):
        expect_close(want.reshape(3, 1), want.reshape(3), squeeze=False)


@pytest.mark.parametrize(("N", "D", "C", "scale"), DRAWN)
def test_the_hinge_loss_of_drawn_rows_is_never_almost_zero(N, D, C, scale) -> None:
    """One draw in 240 of the large scores used to have no violated margin at all."""
    for seed in range(1000):
        problem = draw(np.random.default_rng(seed), N, D, C, scale)
        assert HINGE(problem, 0.0).loss > 0.04 * scale


def test_checks_of_a_package_are_those_of_all_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hogs"
    package.mkdir()
    (package / "__init__.py").write_text("from autograder.checks.assignment1.hogs import a, b\n")
    (package / "a.py").write_text(
        "from autograder.judge import check, check_each\n"
        "@check('one')\ndef alone(student, rng): 'First.'\n"
        "@check_each({'one': 1, 'two': 2}, weight=3)\ndef both(student, rng, what): student(what)\n"
    )
    (package / "b.py").write_text(
        "from autograder.judge import advice\n@advice('two')\ndef more(student, rng): 'Last.'\n"
    )
    import autograder.checks.assignment1 as checks

    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    found = checks_for("assignment1", "hogs")
    told: list[int] = []
    for cell in found.values():
        for one in cell:
            one.function(told.append, np.random.default_rng(0))  # type: ignore[arg-type]
    assert {cell: [c.name for c in found[cell]] for cell in found} == {
        "one": ["alone", "both"],
        "two": ["both", "more"],
    }
    assert (told, found["two"][0].weight, found["two"][1].advice) == ([1, 2], 3, True)
    for name in [name for name in sys.modules if name.endswith(("hogs", "hogs.a", "hogs.b"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(CheckError, match="assignment1/hog has no hidden checks: write"):
        checks_for("assignment1", "hog")
