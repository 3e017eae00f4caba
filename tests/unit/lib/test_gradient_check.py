"""Numerical gradients against derivatives known by heart."""

import numpy as np
import pytest

from cs231n_lib.gradient_check import (
    eval_numerical_gradient,
    eval_numerical_gradient_array,
    grad_check_sparse,
    rel_error,
)


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 4))


def test_scalar_function(x: np.ndarray) -> None:
    before = x.copy()
    gradient = eval_numerical_gradient(lambda v: float(np.sum(np.sin(v) * v)), x)
    assert rel_error(gradient, np.cos(x) * x + np.sin(x)) < 1e-8
    np.testing.assert_array_equal(x, before)


def test_function_may_read_the_array_through_a_closure(x: np.ndarray) -> None:
    gradient = eval_numerical_gradient(lambda _: float(np.sum(x**2)), x)
    assert rel_error(gradient, 2 * x) < 1e-8


def test_verbose_prints_each_element(capsys: pytest.CaptureFixture[str]) -> None:
    eval_numerical_gradient(lambda v: float(v[0] * 3), np.ones(2), verbose=True)
    assert capsys.readouterr().out.splitlines() == ["(0,): 3.000000e+00", "(1,): 0.000000e+00"]


def test_array_function_is_contracted_with_upstream(x: np.ndarray) -> None:
    w = np.random.default_rng(1).normal(size=(4, 5))
    upstream = np.random.default_rng(2).normal(size=(3, 5))
    gradient = eval_numerical_gradient_array(lambda v: v @ w, x, upstream)
    assert rel_error(gradient, upstream @ w.T) < 1e-8


def test_array_function_may_reuse_its_output(x: np.ndarray) -> None:
    buffer = np.empty_like(x)
    gradient = eval_numerical_gradient_array(lambda v: np.multiply(v, v, out=buffer), x, 1.0)
    assert rel_error(gradient, 2 * x) < 1e-8


def test_array_is_restored_after_an_error(x: np.ndarray) -> None:
    before = x.copy()

    def fail(_: np.ndarray) -> float:
        raise RuntimeError("student code")

    with pytest.raises(RuntimeError, match="student code"):
        eval_numerical_gradient(fail, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("x", [np.arange(3), [1.0, 2.0]])
def test_integers_and_lists_are_refused(x: object) -> None:
    with pytest.raises(TypeError, match="array of floats"):
        eval_numerical_gradient(lambda v: 0.0, x)  # pyright: ignore[reportArgumentType]


def test_sparse_check_prints_repeatably(x: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    def loss(v: np.ndarray) -> float:
        return float(np.sum(v**2))

    grad_check_sparse(loss, x, 2 * x, num_checks=4, seed=1)
    first = capsys.readouterr().out
    errors = [float(line.split()[-1]) for line in first.splitlines()]
    assert len(errors) == 4
    assert max(errors) < 1e-8
    grad_check_sparse(loss, x, 2 * x, num_checks=4, seed=1)
    assert capsys.readouterr().out == first
    grad_check_sparse(loss, x, 3 * x, num_checks=1, seed=1)
    assert float(capsys.readouterr().out.split()[-1]) == pytest.approx(0.2, rel=1e-6)
    with pytest.raises(ValueError, match=r"shape \(4,\).*shape \(3, 4\)"):
        grad_check_sparse(loss, x, np.zeros(4))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (1, 1, 0),
        (1, 0, 1),
        (1, -1, 1),
        (0, 0, 0),
        (1e-10, 0, 1e-2),
        ([1, 3], [1, 1], 0.5),
        ([], [], 0),
    ],
)
def test_relative_error(x: object, y: object, expected: float) -> None:
    assert rel_error(x, y) == pytest.approx(expected)  # pyright: ignore[reportArgumentType]


def test_relative_error_shows_nan() -> None:
    assert np.isnan(rel_error([1.0, np.nan], [1.0, 1.0]))
