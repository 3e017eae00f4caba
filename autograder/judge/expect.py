"""Comparisons for hidden checks. They say what is wrong, never what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.sandbox.wire import Ref

# Relative tolerances by precision, with an absolute floor; the curriculum's section 2.2.
RTOL = {"float64": 1e-6, "complex128": 1e-6, "float32": 1e-4, "complex64": 1e-4}
COARSE_RTOL = 1e-2  # float16, bfloat16
ATOL = 1e-8


class Failed(Exception):
    """A check did not pass; the message is for the student."""


def expect(condition: object, message: str) -> None:
    """Fail with ``message`` unless ``condition`` holds."""
    if not condition:
        raise Failed(message)


def as_array(value: Any, what: str = "the result") -> np.ndarray:
    """An answer as a numeric array; Failed says what it is otherwise."""
    if value is None:
        raise Failed(f"{what} is None: is a return statement missing?")
    if isinstance(value, Ref):
        raise Failed(f"{what} is an object of type {value.type_name}, not an array of numbers")
    if type(value).__module__.split(".")[0] == "torch":
        value = value.detach().to(dtype=_numpy_dtype(value)).numpy()
    try:
        array = np.asarray(value)
    except ValueError:
        raise Failed(f"{what} is a list of rows of different lengths, not an array") from None
    if array.dtype.kind not in "biufc":
        raise Failed(f"{what} holds {_kind(array)}, not numbers")
    return array


def expect_shape(value: Any, shape: Sequence[int], what: str = "the result") -> np.ndarray:
    """``value`` as an array, which must have this shape."""
    array = as_array(value, what)
    if array.shape != tuple(shape):
        raise Failed(f"{what} has shape {array.shape}; expected {tuple(shape)}")
    return array


def expect_close(
    got: Any,
    want: Any,
    *,
    hint: str = "",
    what: str = "the result",
    rtol: float | None = None,
    atol: float = ATOL,
) -> None:
    """Every entry within ``atol + rtol * |want|``; the shape must agree too.

    ``rtol`` defaults to what the precision of ``got`` allows.
    """
    want = np.asarray(want)
    array = expect_shape(got, want.shape, what)
    if rtol is None:
        exact = array.dtype.kind in "biu"
        rtol = RTOL["float64"] if exact else RTOL.get(array.dtype.name, COARSE_RTOL)
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    bad = ~np.isfinite(wide) & np.isfinite(want)
    if bad.any():
        many = f"{what} holds {_count(bad)} that are nan or infinite"
        raise Failed(_say(many if want.ndim else f"{what} is nan or infinite", hint))
    with np.errstate(invalid="ignore"):
        wrong = ~np.isclose(wide, want, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        error = np.abs(wide - want) / np.maximum(np.abs(want), ATOL)
        if not want.ndim:
            raise Failed(_say(f"{what} is wrong", hint))
        where = np.unravel_index(np.argmax(np.where(wrong, error, -1)), want.shape)
        size = f"largest relative error {error[where]:.1e} (at {tuple(map(int, where))})"
        raise Failed(_say(f"{what}: {_count(wrong)} differ, {size}", hint))


def expect_near(got: Any, want: np.ndarray | float, *, what: str, hint: str = "") -> None:
    """Close as sums are: the error may be a part of the largest entry, not of each.

    An entry is a sum of N terms of the size of the largest entry, which may cancel; rounding does
    not cancel with them. Whoever computes in float32 keeps 7 of 16 digits.
    """
    rtol = RTOL.get(as_array(got, what).dtype.name, RTOL["float64"])
    largest = float(np.max(np.abs(want), initial=0.0))
    expect_close(got, want, what=what, hint=hint, rtol=rtol, atol=rtol * largest + 1e-8)


def expect_equal(got: Any, want: Any, *, hint: str = "", what: str = "the result") -> None:
    """Exactly these numbers (labels, indices, counts), whatever their dtype."""
    want = np.asarray(want)
    array = expect_shape(got, want.shape, what)
    wrong = array != want
    if np.any(wrong):
        many = f"{what}: {_count(wrong)} are wrong"
        raise Failed(_say(many if want.ndim else f"{what} is wrong", hint))


def expect_unchanged(now: Any, before: np.ndarray, what: str) -> None:
    """An argument must be as it was before the call."""
    array = as_array(now, what)
    same = array.shape == before.shape and np.array_equal(array, before, equal_nan=True)
    expect(same, f"{what} was modified by the call: work on a copy instead")


def name_slip(got: Any, want: np.ndarray | float, slips: Mapping[str, np.ndarray | float]) -> None:
    """Fail with the message of a usual slip where it explains a wrong answer; else say nothing.

    A right answer passes, even where a slip would have led to the same numbers by chance.
    """
    array = as_array(got)
    if array.shape != np.shape(want) or np.allclose(array, want, rtol=1e-4, atol=1e-8):
        return
    for message, wrong in slips.items():
        if np.allclose(array, wrong, rtol=1e-4, atol=1e-8):
            raise Failed(message)


def _say(message: str, hint: str) -> str:
    return f"{message}. {hint}" if hint else message


def _count(mask: np.ndarray) -> str:
    return f"{int(np.sum(mask))} of {np.size(mask)} entries"


def _kind(array: np.ndarray) -> str:
    return {"U": "text", "S": "bytes", "O": "objects"}.get(array.dtype.kind, str(array.dtype))


def _numpy_dtype(tensor: Any) -> Any:
    import torch

    return torch.float32 if tensor.dtype in (torch.bfloat16,) else tensor.dtype
