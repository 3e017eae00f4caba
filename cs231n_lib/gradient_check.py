"""Numerical gradients, to hold analytic ones against.

All use the centred difference (f(x + h) - f(x - h)) / 2h, whose error shrinks with h squared. They
perturb ``x`` **in place**, one element at a time, and put it back, so that ``f`` may also read the
same array through a closure (``lambda _: net.loss(X, y)``).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating]


def eval_numerical_gradient(
    f: Callable[[FloatArray], float], x: FloatArray, verbose: bool = False, h: float = 1e-5
) -> NDArray[np.float64]:
    """Differentiate the scalar function ``f`` at ``x``; ``verbose`` prints every element.

    Shapes: x any; returns an array like x.
    Raises TypeError when x is not an array of floats: an integer one cannot move by h.
    """
    _require_floats(x)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        upper, lower = (float(f(x)) for _ in _moved(x, index, h))
        gradient[index] = (upper - lower) / (2 * h)
        if verbose:
            print(f"{index}: {gradient[index]:.6e}")
    return gradient


def eval_numerical_gradient_array(
    f: Callable[[FloatArray], FloatArray], x: FloatArray, df: ArrayLike, h: float = 1e-5
) -> NDArray[np.float64]:
    """Differentiate sum(f(x) * df) at ``x``: what a backward pass returns for upstream ``df``.

    Shapes: x any; df like f(x); returns an array like x.
    Raises TypeError when x is not an array of floats.
    """
    _require_floats(x)
    upstream = np.asarray(df, np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        # Copies: f may return x itself, or a buffer which it uses again.
        upper, lower = (np.array(f(x), np.float64) for _ in _moved(x, index, h))
        gradient[index] = np.sum((upper - lower) * upstream) / (2 * h)
    return gradient


def grad_check_sparse(
    f: Callable[[FloatArray], float],
    x: FloatArray,
    analytic_grad: FloatArray,
    num_checks: int = 10,
    h: float = 1e-5,
    seed: int | None = None,
) -> None:
    """Print the numerical and the analytic derivative at a few random elements of ``x``.

    For arrays too large to check whole. ``seed`` makes the choice repeatable.
    Raises TypeError when x is not an array of floats, ValueError when the shapes differ.
    """
    _require_floats(x)
    if np.shape(analytic_grad) != x.shape:
        raise ValueError(
            f"the gradient has shape {np.shape(analytic_grad)}, but x has shape {x.shape}"
        )
    rng = np.random.default_rng(seed)
    for flat_index in rng.integers(0, x.size, num_checks):
        index = np.unravel_index(flat_index, x.shape)
        upper, lower = (float(f(x)) for _ in _moved(x, index, h))
        numerical, analytic = (upper - lower) / (2 * h), float(analytic_grad[index])
        error = rel_error(numerical, analytic)
        print(f"numerical: {numerical:f} analytic: {analytic:f}, relative error: {error:e}")


def rel_error(x: ArrayLike, y: ArrayLike, floor: float = 1e-8) -> float:
    """Return the largest |x - y| / max(floor, |x| + |y|) over all elements: 0 is equal, 1 is worst.

    Shapes: x and y alike (or broadcastable). NaN anywhere gives NaN; empty arrays give 0.
    """
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    scale = np.maximum(floor, np.abs(first) + np.abs(second))
    return float(np.max(np.abs(first - second) / scale, initial=0.0))


def _moved(x: FloatArray, index: tuple[np.intp | int, ...], h: float) -> Iterator[None]:
    """Set ``x[index]`` to its value plus h, then minus h; restore it whatever happens."""
    value = x[index]
    try:
        for moved in (value + h, value - h):
            x[index] = moved
            yield
    finally:
        x[index] = value


def _require_floats(x: object) -> None:
    if not isinstance(x, np.ndarray) or not np.issubdtype(x.dtype, np.floating):
        found = f"an array of {x.dtype}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
        raise TypeError(f"x must be an array of floats, not {found}; try x.astype(np.float64)")
