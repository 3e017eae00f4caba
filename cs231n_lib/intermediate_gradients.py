"""Check the gradient of every quantity on the way through a forward pass, by name.

A gradient check of a whole layer says that something is wrong, not where. Here the reader writes
the forward pass once more, hands every quantity through ``see``, and learns at which of them the
own gradients go wrong first, seen from the loss:

    def forward(see):
        s = see("s", x * w)
        y = see("y", s**2)
        return np.sum(y * dy)

    check_intermediate_gradients(forward, {"y": dy, "s": 2 * s * dy})

    ✓ dy (relative error 1.2e-11)
    ✓ ds (relative error 3.4e-11)

The gradient of a quantity counts every path from it to the loss: what ``see`` returns is used in
all of them, so the central difference moves them all.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.feedback import CheckFailed
from cs231n_lib.gradient_check import eval_numerical_gradient, rel_error

FloatArray = NDArray[np.float64]
See = Callable[[str, FloatArray], FloatArray]


def check_intermediate_gradients(
    forward: Callable[[See], float],
    gradients: Mapping[str, ArrayLike],
    tol: float = 1e-6,
    h: float = 1e-5,
) -> None:
    """Compare ``gradients[name]`` with central differences at each quantity ``forward`` sees.

    ``forward(see)`` computes a loss, a number, in float64, and writes ``name = see("name", value)``
    for each quantity on the way. Names are checked from the loss back; one line is printed for
    each that is right, and for each without a gradient of yours. Small arrays, please: every
    element of each quantity costs two forward passes.

    Raises CheckFailed at the first gradient that is wrong: those before it are right, so the
    mistake is in the step to this one. Raises ValueError when ``forward`` cannot be checked: it
    has no name that you have, one name twice, quantities that are not float64, or random numbers.
    """
    values, loss = _forward_values(forward)
    if not any(name in gradients for name in values):
        raise ValueError(
            f"the forward pass has {_listed(values)}, your gradients are for {_listed(gradients)}: "
            "no name is in both"
        )
    right: list[str] = []
    for name in reversed(values):
        if name not in gradients:
            print(f"· d{name}: not among your gradients")
            continue
        error = _error(name, forward, values[name], gradients[name], loss, h, right)
        if not error <= tol:
            raise CheckFailed(
                f"✗ d{name}: the relative error is {error:.1e}, above {tol:.0e}.\n{_where(right)}"
            )
        print(f"✓ d{name} (relative error {error:.1e})")
        right.append(f"d{name}")
    if unknown := [name for name in gradients if name not in values]:
        print(f"· the forward pass does not see {_listed(unknown)}")


def local_gradients(
    function: Callable[..., object], *arguments: Any, names: Mapping[str, str] | None = None
) -> dict[str, NDArray[Any]]:
    """Call your backward function and return the gradients it holds in local variables.

    An array in a variable ``ds`` is the gradient of ``s``, as it is when the function returns.
    ``names`` says which variable it is where you call it otherwise: ``{"s": "grad_of_s"}``. What
    was passed in and not assigned anew is left out: it may be a part of a gradient only.

        check_intermediate_gradients(forward, local_gradients(square_backward, dy, cache))

    Raises ValueError when ``names`` asks for a variable that the function has not.
    """
    found = _locals_at_return(function, arguments)
    named = {name[1:]: value for name, value in found.items() if name[:1] == "d" and name[1:]}
    for name, variable in (names or {}).items():
        if variable not in found:
            raise ValueError(
                f"{getattr(function, '__name__', 'the function')} has no variable {variable}; it "
                f"has {_listed(found)}"
            )
        named[name] = found[variable]
    given = {id(argument) for argument in arguments}
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, np.ndarray) and id(value) not in given
    }


def _forward_values(forward: Callable[[See], float]) -> tuple[dict[str, FloatArray], float]:
    """Every quantity in the order in which it is seen, and the loss."""
    values: dict[str, FloatArray] = {}

    def see(name: str, value: FloatArray) -> FloatArray:
        if name in values:
            raise ValueError(f"{name} is seen twice; number what a loop computes: h0, h1, ...")
        if not isinstance(value, np.ndarray) or value.dtype != np.float64:
            kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(
                f"{name} is of type {kind}; central differences need arrays of float64 from the "
                "inputs on"
            )
        values[name] = value.copy()
        return value

    loss = float(forward(see))
    if float(forward(lambda _, value: value)) != loss:
        raise ValueError("two forward passes give different losses; use the same random numbers")
    return values, loss


def _error(
    name: str,
    forward: Callable[[See], float],
    value: FloatArray,
    gradient: ArrayLike,
    loss: float,
    h: float,
    right: list[str],
) -> float:
    """The largest relative error of one gradient. Raises CheckFailed when it cannot be compared."""
    got = np.asarray(gradient, np.float64)
    if got.shape != value.shape:
        raise CheckFailed(
            f"✗ d{name}: the shape is {got.shape}, but {name} has shape {value.shape}.\n"
            f"{_where(right)}"
        )
    if bad := int(np.count_nonzero(~np.isfinite(got))):
        raise CheckFailed(
            f"✗ d{name}: {bad} of {got.size} values are NaN or infinite.\n{_where(right)}"
        )

    def moved(x: NDArray[Any]) -> float:
        return forward(lambda seen, computed: x.copy() if seen == name else computed)

    numerical = eval_numerical_gradient(moved, value.copy(), h=h)
    if not numerical.any() and got.any():
        raise CheckFailed(
            f"✗ d{name}: yours is not 0, yet the loss does not depend on {name}.\n"
            f'  Does forward continue with what see returned? Write {name} = see("{name}", ...).'
        )
    # What is rounded away in the loss is no error, nor are elements far smaller than the largest.
    floor = max(1e-4 * max(1.0, abs(loss)), 1e-3 * float(np.max(np.abs(numerical), initial=0.0)))
    return rel_error(got, numerical, floor)


def _where(right: list[str]) -> str:
    if not right:
        return "  It is the first after the loss: look at how the loss depends on it."
    return (
        f"  {', '.join(right)} {'is' if len(right) == 1 else 'are'} right and nearer the "
        "loss, so the mistake is in the step from there to here."
    )


def _locals_at_return(
    function: Callable[..., object], arguments: tuple[Any, ...]
) -> dict[str, Any]:
    code, found = inspect.unwrap(function).__code__, {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            found.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before)
    return found


def _listed(names: Any) -> str:
    return ", ".join(names) or "nothing"
