"""Comparisons for hidden checks. They say what is wrong, never what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from autograder.judge.told import is_known_type
from autograder.sandbox.wire import Ref

Precision = Literal["float64", "float32"]
# Relative tolerance by the precision of what was sent, with an absolute floor; the curriculum's
# section 2.2. Never by the precision of the answer: coarser numbers would be judged less strictly.
RTOL: Mapping[Precision, float] = {"float64": 1e-6, "float32": 1e-4}
ATOL = 1e-8
#: Wrong answers by the message that names the slip behind them.
Slips = Mapping[str, "np.ndarray | float"]


class Failed(Exception):
    """A check did not pass; the message is for the student.

    ``message`` says what was seen and is always true. ``hint`` guesses at the cause: it is shown
    only while every more basic check of the question has passed (see `score.grade_cell`).
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
        self.message = message
        self.hint = hint


def expect(condition: object, message: str, hint: str = "") -> None:
    """Fail with ``message`` unless ``condition`` holds."""
    if not condition:
        raise Failed(message, hint)


def as_array(value: Any, what: str = "the result") -> np.ndarray:
    """An answer as a numeric array; Failed says what it is otherwise."""
    if value is None:
        raise Failed(f"{what} is None: is a return statement missing?")
    if isinstance(value, Ref):
        named = f" of type {value.type_name}" if is_known_type(value.type_name) else ""
        raise Failed(f"{what} is an object{named}, not an array of numbers")
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
    slips: Slips | None = None,
    what: str = "the result",
    precision: Precision = "float64",
    rtol: float | None = None,
    atol: float = ATOL,
    squeeze: bool = False,
) -> None:
    """Every entry within ``atol + rtol * |want|``; the shape must agree too.

    ``slips``: wrong answers that are known, each with the message that names its cause. Where one
    of them explains the answer, that message is given. ``precision``: of the numbers that the
    student's code was given; ``rtol`` defaults to what it allows. ``squeeze``: axes of length 1 do
    not count, where the shape has a check of its own.
    """
    want = np.asarray(want)
    array = as_array(got, what)
    if squeeze and np.squeeze(array).shape == np.squeeze(want).shape:
        array = array.reshape(want.shape)
    array = expect_shape(array, want.shape, what)
    name_slip(array, want, slips or {}, atol=atol)
    if rtol is None:
        rtol = RTOL[precision]
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    bad = ~np.isfinite(wide) & np.isfinite(want)
    if bad.any():
        many = f"{what} holds {_count(bad)} that are nan or infinite"
        raise Failed(many if want.ndim else f"{what} is nan or infinite", hint)
    with np.errstate(invalid="ignore"):
        wrong = ~np.isclose(wide, want, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        error = np.abs(wide - want) / np.maximum(np.abs(want), ATOL)
        if not want.ndim:
            raise Failed(f"{what} is wrong", hint)
        where = np.unravel_index(np.argmax(np.where(wrong, error, -1)), want.shape)
        size = f"largest relative error {error[where]:.1e} (at {tuple(map(int, where))})"
        raise Failed(f"{what}: {_count(wrong)} differ, {size}", hint)


def expect_near(
    got: Any,
    want: np.ndarray | float,
    *,
    what: str,
    hint: str = "",
    slips: Slips | None = None,
    precision: Precision = "float64",
    squeeze: bool = False,
) -> None:
    """Close as sums are: the error may be a part of the largest entry, not of each.

    An entry is a sum of N terms of the size of the largest entry, which may cancel; rounding does
    not cancel with them. The rest is as in `expect_close`.
    """
    rtol = RTOL[precision]
    atol = rtol * float(np.max(np.abs(want), initial=0.0)) + ATOL
    options = {"hint": hint, "slips": slips, "squeeze": squeeze}
    expect_close(got, want, what=what, rtol=rtol, atol=atol, **options)


def expect_equal(got: Any, want: Any, *, hint: str = "", what: str = "the result") -> None:
    """Exactly these numbers (labels, indices, counts), whatever their dtype."""
    want = np.asarray(want)
    array = expect_shape(got, want.shape, what)
    wrong = array != want
    if np.any(wrong):
        many = f"{what}: {_count(wrong)} are wrong"
        raise Failed(many if want.ndim else f"{what} is wrong", hint)


def expect_unchanged(now: Any, before: np.ndarray, what: str) -> None:
    """An argument must be as it was before the call."""
    array = as_array(now, what)
    same = array.shape == before.shape and np.array_equal(array, before, equal_nan=True)
    expect(same, f"{what} was modified by the call: work on a copy instead")


def name_slip(got: Any, want: np.ndarray | float, slips: Slips, *, atol: float = ATOL) -> None:
    """Fail with the message of a usual slip where it explains a wrong answer; else say nothing.

    A right answer passes, even where a slip would have led to the same numbers by chance. ``atol``:
    how far an entry may be off that is a sum of larger ones.
    """
    array = as_array(got)
    if array.shape != np.shape(want) or np.allclose(array, want, rtol=1e-4, atol=atol):
        return
    for message, wrong in slips.items():
        if np.allclose(array, wrong, rtol=1e-4, atol=atol):
            raise Failed(message)


def _count(mask: np.ndarray) -> str:
    return f"{int(np.sum(mask))} of {np.size(mask)} entries"


def _kind(array: np.ndarray) -> str:
    return {"U": "text", "S": "bytes", "O": "objects"}.get(array.dtype.kind, str(array.dtype))


def _numpy_dtype(tensor: Any) -> Any:
    import torch

    return torch.float32 if tensor.dtype in (torch.bfloat16,) else tensor.dtype
