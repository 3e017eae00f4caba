"""Visible checks that say what is wrong *and what it means*. They hold no answers.

Numbers may be in arrays, or in tensors on any device. Each check prints one line when the result
is right and raises CheckFailed when it is not: Jupyter shows its two lines, what is wrong and what
that means, and no traceback.
"""

import inspect
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from cs231n_lib.gradient_check import rel_error

#: What has passed since the beginning of an `in_one_line`; None outside of one.
_one_line: ContextVar[list[str] | None] = ContextVar("in_one_line", default=None)

_LIBRARIES = (str(Path(__file__).parent), sysconfig.get_path("stdlib"))


class CheckFailed(AssertionError):
    """A visible check did not hold. The message says it all: where it was found helps nobody."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, by lines."""
        return str(self).splitlines()


def check_close(
    name: str, got: object, want: ArrayLike, tol: float = 1e-7, meaning: str = ""
) -> None:
    """Check that ``got`` equals ``want`` up to a relative error of ``tol``.

    ``meaning`` tells what a failure usually means. Raises CheckFailed naming the first thing
    that is wrong: the type, the shape, NaN, or the element that is farthest off.
    """
    expected = np.asarray(_detached(want))
    values = _as_numbers(name, got, meaning)
    check_shape(name, values, expected.shape, meaning, quiet=True)
    if not np.isfinite(values).all() and np.isfinite(expected).all():
        count = np.size(values) - np.count_nonzero(np.isfinite(values))
        _fail(f"{name}: {count} of {np.size(values)} values are NaN or infinite", meaning)
    error = rel_error(values, expected)
    if not error <= tol:
        scale = np.maximum(1e-8, np.abs(values) + np.abs(expected))
        worst = np.unravel_index(np.argmax(np.abs(values - expected) / scale), expected.shape)
        place = f" at index {tuple(int(i) for i in worst)}" if expected.shape else ""
        _fail(
            f"{name}: the relative error is {error:.1e}, above {tol:.0e}; the worst{place} is "
            f"{values[worst]:.8g} where {expected[worst]:.8g} was expected",
            meaning,
        )
    _passed(f"{name} (relative error {error:.1e})")


def check_shape(
    name: str, got: object, want: tuple[int, ...], meaning: str = "", *, quiet: bool = False
) -> None:
    """Check the shape of an array. Raises CheckFailed with both shapes."""
    shape = np.shape(_as_numbers(name, got, meaning))
    if shape != tuple(want):
        _fail(f"{name}: the shape is {shape}, but {tuple(want)} was expected", meaning)
    if not quiet:
        _passed(f"{name} (shape {shape})")


def check_equal(name: str, got: object, want: object, meaning: str = "") -> None:
    """Check that ``got`` is exactly ``want``: numbers, labels, text, arrays of integers."""
    got, want = _detached(got), _detached(want)
    if isinstance(want, np.ndarray | list | tuple) or hasattr(want, "detach"):
        values, expected = np.asarray(got), np.asarray(want)
        if values.shape != expected.shape:
            _fail(
                f"{name}: the shape is {values.shape}, but {expected.shape} was expected", meaning
            )
        wrong = np.argwhere(values != expected)
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            _fail(
                f"{name}: {len(wrong)} of {expected.size} values differ; the first, at index "
                f"{place}, is {values[place]} where {expected[place]} was expected",
                meaning,
            )
    elif not bool(got == want):
        _fail(f"{name}: it is {got!r}, but {want!r} was expected", meaning)
    _passed(name)


def check_that(name: str, condition: object, meaning: str = "") -> None:
    """Check a condition that has no value to compare."""
    if not condition:
        _fail(f"{name}: this does not hold", meaning)
    _passed(name)


def check_on_its_own(function: Callable[..., Any], *others: str, meaning: str = "") -> None:
    """Check that ``function`` does not use these ``others``, named as in its own text.

    A fast version that calls the slow one returns the right numbers, so no comparison notices.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    used = sorted(set(others) & _names_in(code)) if code else []
    name = getattr(function, "__name__", type(function).__name__)
    if used:
        _fail(f"{name} calls {' and '.join(used)}", meaning)
    _passed(f"{name} does not call {' or '.join(others)}")


@contextmanager
def in_one_line(name: str) -> Iterator[None]:
    """One line for all the checks of a block that hold, instead of one for each.

        with in_one_line("gradients of all parameters"):
            for key, parameter in net.params.items():
                check_close(f"gradient of {key}", grads[key], numerical(parameter))

    The first one that fails shows its two lines, as everywhere.
    """
    names: list[str] = []
    outer = _one_line.set(names)
    try:
        yield
    finally:
        _one_line.reset(outer)
    _passed(f"{name} ({len(names)} check{'' if len(names) == 1 else 's'})")


@contextmanager
def explained(name: str, meaning: str = "") -> Iterator[None]:
    """Say in two lines what is wrong when code of the reader's stops with an exception.

        with explained("distances with one loop", "Subtract one test image from all rows."):
            dists = classifier.compute_distances_one_loop(X_test)

    Raises CheckFailed with the exception's words and the last line of a cell that it went through.
    These pass through: NotImplementedError, which says by itself that a question is open, other
    checks that failed, and interruptions.
    """
    try:
        yield
    except (NotImplementedError, CheckFailed):
        raise
    except Exception as error:
        words = " ".join(str(error).split()) or "no message"
        line = _line_of_a_cell(error)
        at = f", in the line `{line}`" if line else ""
        _fail(f"{name}: {type(error).__name__}: {words.removesuffix('.')}{at}", meaning, error)


def returned(name: str, answer: Any, wanted: str) -> tuple[Any, ...]:
    """Unpack what the function ``name`` returned, for instance its "out, cache".

    Prints nothing. Raises CheckFailed when there are not as many values as ``wanted`` names.
    """
    count = wanted.count(",") + 1
    if answer is None:
        _fail(f"{name} returned None; is there a `return` at its end?", "")
    if not isinstance(answer, tuple | list):
        _fail(f"{name} returned a single {type(answer).__name__}, not {wanted}", "")
    if len(answer) != count:
        _fail(f"{name} returned {len(answer)} values; it must return {count}: {wanted}", "")
    return tuple(answer)


def _names_in(code: CodeType) -> set[str]:
    """What the code, and functions and comprehensions in it, look up by name."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


def _passed(what: str) -> None:
    names = _one_line.get()
    if names is None:
        print(f"✓ {what}")
    else:
        names.append(what)


def _as_numbers(name: str, got: object, meaning: str) -> np.ndarray:
    if got is None:
        _fail(f"{name}: the result is None; is a `return` missing?", meaning)
    try:
        values = np.asarray(_detached(got))
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, say
        _fail(f"{name}: a {type(got).__name__} that is not an array ({error})", meaning)
    if not np.issubdtype(values.dtype, np.number) and values.dtype != bool:
        _fail(f"{name}: a {type(got).__name__} where numbers were expected", meaning)
    return values


def _detached(value: Any) -> Any:
    """Tensors, in lists and tuples too, without gradient and in main memory; else as it is."""
    if type(value) in (list, tuple):
        return type(value)(_detached(item) for item in value)
    return value.detach().cpu() if hasattr(value, "detach") else value


def _line_of_a_cell(error: Exception) -> str:
    """The last line on the way to the exception that is not in a library; or nothing."""
    lines = [
        linecache.getline(frame.f_code.co_filename, number).strip()
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not _is_a_librarys(frame.f_code.co_filename)
    ]
    return lines[-1] if lines else ""


def _is_a_librarys(filename: str) -> bool:
    return (
        filename.startswith(_LIBRARIES)
        or filename.startswith("<frozen ")
        or "site-packages" in filename
        or "dist-packages" in filename  # Debian's, and Colab's
    )


def _fail(what: str, meaning: str, cause: Exception | None = None) -> NoReturn:
    stop = "" if what.endswith("?") else "."
    raise CheckFailed(f"✗ {what}{stop}" + (f"\n  {meaning}" if meaning else "")) from cause
