"""The first wrong gradient on the way from the loss back is found and named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cs231n_lib.feedback import CheckFailed
from cs231n_lib.intermediate_gradients import check_intermediate_gradients, local_gradients

RNG = np.random.default_rng(8)
X, W, B, DY, DZ = (RNG.normal(size=shape) for shape in ((3, 4), (4, 5), (5,), (3, 5), (3, 5)))


def forward(see: Callable[[str, np.ndarray], np.ndarray]) -> float:
    """Two branches that meet in y; z reaches the loss by itself and through y."""
    s = see("s", X @ W + B)
    u = see("u", np.exp(s / 4))
    z = see("z", np.sin(s) * u)
    y = see("y", z**2)
    return float(np.sum(y * DY) + np.sum(z * DZ))


def backward(dy: np.ndarray, dz: np.ndarray, wrong: str = "") -> dict[str, np.ndarray]:
    s = X @ W + B
    u = np.exp(s / 4)
    z = np.sin(s) * u
    dz = (0 if wrong == "z" else dz) + 2 * z * dy
    du = dz * (np.cos(s) if wrong == "u" else np.sin(s))
    ds = dz * np.cos(s) * u + (4 if wrong == "s" else 1 / 4) * du * u
    dX, dW, db = ds @ W.T, X.T @ ds, ds.sum(axis=0)
    return {"y": dy, "z": dz, "u": du, "s": ds, "X": dX, "W": dW, "b": db}


def check(**changes: Any) -> None:
    """The right gradients of s to y but for the changes; None leaves one out."""
    right = {name: backward(DY, DZ)[name] for name in "yzus"} | changes
    check_intermediate_gradients(forward, {k: v for k, v in right.items() if v is not None})


def test_right_ones_print_a_line_each_from_the_loss_back(capsys) -> None:
    check()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["✓ dy", "✓ dz", "✓ du", "✓ ds"]
    errors = [float(line.rstrip(")").split()[-1]) for line in lines]
    assert max(errors) < 1e-8


@pytest.mark.parametrize(
    ("wrong", "before", "said"),
    [
        ("y", "", "the first after the loss"),
        ("z", "y", "dy is right and nearer the loss"),
        ("u", "yz", "dy, dz are right and nearer the loss, so the mistake is in the step"),
        ("s", "yzu", "dy, dz, du are right"),
    ],
)
def test_it_stops_at_the_first_wrong_one(wrong, before, said, capsys) -> None:
    gradients = backward(2 * DY if wrong == "y" else DY, DZ, wrong)
    with pytest.raises(CheckFailed, match=rf"(?s)^✗ d{wrong}: the relative error.*\n  .*{said}"):
        check_intermediate_gradients(forward, {name: gradients[name] for name in "yzus"})
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in printed] == [f"d{name}" for name in before]


@pytest.mark.parametrize("path", ["through y", "by itself"])
def test_a_forgotten_path_is_noticed(path: str) -> None:
    full = backward(DY, DZ)["z"]
    with pytest.raises(CheckFailed, match="✗ dz: the relative error"):
        check(z=DZ if path == "through y" else full - DZ)


def test_a_gradient_of_another_shape_is_refused_even_if_it_would_broadcast() -> None:
    with pytest.raises(CheckFailed, match=r"✗ du: the shape is \(5,\), but u has shape \(3, 5\)"):
        check(u=backward(DY, DZ)["u"].sum(axis=0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_wrong(value: float) -> None:
    with pytest.raises(CheckFailed, match="✗ dz: 15 of 15 values are NaN or infinite"):
        check(z=np.full((3, 5), value))


def test_names_that_are_in_one_place_only_are_said(capsys) -> None:
    check(u=None, t=DY)
    out = capsys.readouterr().out
    assert "· du: not among your gradients\n" in out
    assert out.endswith("\n· the forward pass does not see t\n")
    with pytest.raises(ValueError, match="has s, u, z, y, your gradients are for t: no name"):
        check_intermediate_gradients(forward, {"t": DY})


def test_a_true_zero_is_right_and_so_are_tiny_and_huge_gradients(capsys) -> None:
    """What central differences round off is no mistake of the reader's."""
    for scale in (0.0, 1e-9, 1e-4, 1e6):
        zeros = np.array([1.0, 0.0, 0.0])

        def scaled(see: Any, scale: float = scale) -> float:
            v = see("v", np.array([0.3, 0.7, 1.1]))
            return 3.0 + scale * float(np.sum(np.sin(v) * zeros))  # noqa: B023

        gradient = scale * zeros * np.cos([0.3, 0.7, 1.1])
        check_intermediate_gradients(scaled, {"v": gradient})
        if scale >= 1e-4:
            with pytest.raises(CheckFailed, match="✗ dv"):
                check_intermediate_gradients(scaled, {"v": 1.01 * gradient})
    assert capsys.readouterr().out.count("✓ dv") == 4


def test_a_forward_pass_that_drops_what_see_returns_is_told_so() -> None:
    def forgetful(see: Any) -> float:
        z = X @ W
        see("z", z)
        return float(np.sum(z))

    with pytest.raises(CheckFailed, match=r'Write z = see\("z", \.\.\.\)'):
        check_intermediate_gradients(forgetful, {"z": np.ones((3, 5))})


def test_forward_passes_that_cannot_be_checked_are_told_why() -> None:
    def single(see: Any) -> float:
        return float(np.sum(see("z", (X @ W).astype(np.float32))))

    def twice(see: Any) -> float:
        return float(np.sum(see("h", see("h", X @ W))))

    def random(see: Any) -> float:
        return float(np.sum(see("z", X @ W)) * RNG.random())

    for made, said in (
        (single, "z is of type float32; central differences need"),
        (lambda see: see("z", 3.0), "z is of type float"),
        (twice, "h is seen twice; number what a loop computes"),
        (random, "two forward passes give different losses"),
    ):
        with pytest.raises(ValueError, match=said):
            check_intermediate_gradients(made, {"z": np.ones((3, 5)), "h": np.ones((3, 5))})


def test_what_forward_works_on_stays_as_it_was() -> None:
    before = X.copy(), W.copy(), B.copy(), DY.copy()
    check()
    for array, kept in zip((X, W, B, DY), before, strict=True):
        np.testing.assert_array_equal(array, kept)


# Gradients read out of the reader's own function


def test_local_variables_are_the_gradients_of_what_follows_the_d(capsys) -> None:
    found = local_gradients(backward, DY, DZ)
    assert set(found) == {"z", "u", "s", "X", "W", "b"}, "dy was passed in and never assigned"
    np.testing.assert_array_equal(found["W"], backward(DY, DZ)["W"])
    check_intermediate_gradients(forward, found)
    out = capsys.readouterr().out
    assert "✓ dz" in out
    assert "· dy: not among your gradients" in out
    assert out.endswith("· the forward pass does not see X, W, b\n")
    with pytest.raises(CheckFailed, match="✗ du"):
        check_intermediate_gradients(forward, local_gradients(backward, DY, DZ, "u"))


def test_a_variable_of_another_name_can_be_named() -> None:
    def step(dy: np.ndarray) -> None:
        total = 3 * dy
        d = 2
        dtotal = None
        return dtotal and total and d

    found = local_gradients(step, DY, names={"z": "total"})
    assert set(found) == {"z"}
    np.testing.assert_array_equal(found["z"], 3 * DY)
    with pytest.raises(ValueError, match="step has no variable dz; it has dy, total, d, dtotal"):
        local_gradients(step, DY, names={"z": "dz"})


def test_a_wrapped_function_and_a_method_are_looked_into() -> None:
    import functools

    class Layer:
        @functools.lru_cache  # noqa: B019
        def step(self, scale: float) -> None:
            dz = scale * DY  # noqa: F841

    np.testing.assert_array_equal(local_gradients(Layer().step, 2.0)["z"], 2 * DY)


def test_an_error_in_the_function_comes_through_and_profiling_ends() -> None:
    import sys

    def fails(dy: np.ndarray) -> None:
        raise NotImplementedError("write your code here")

    with pytest.raises(NotImplementedError):
        local_gradients(fails, DY)
    assert sys.getprofile() is None
