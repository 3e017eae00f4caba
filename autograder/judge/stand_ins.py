"""What a stand-in answers: no more than the call that it was made for can ask of it.

A stand-in knows right answers, and is in the hands of code that would like to have them. So it is
alive during one request to the kernel only, answers a bounded number of calls, and refuses what the
request did not make possible: arrays of other sizes than were sent, weights that are not those that
were sent, rows of other data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CALLS = 20_000  # answered by default: a loop over single rows of a small data set takes some
SPARE = 1000  # numbers in an array beyond what was sent, and as whole numbers
NEAR = 0.5  # relative: trained or scaled weights are still those that were sent
NESTED = 8

Serve = Callable[[int, str, list, dict], Any]


class Refused(ValueError):
    """Arguments that no honest call has; the text is told to the student's code."""


@dataclass(frozen=True)
class Rows:
    """The rows of these matrices, which may come back in any order, and as float32."""

    known: frozenset[bytes]

    @classmethod
    def of(cls, *matrices: np.ndarray) -> Rows:
        return cls(frozenset(_single(row) for matrix in matrices for row in matrix))

    def expect(self, matrix: np.ndarray) -> np.ndarray:
        """The matrix, if all its rows are known. Raises Refused."""
        if matrix.ndim < 1 or not all(_single(row) in self.known for row in matrix):
            raise Refused("a stand-in answers for rows of the data that it was made for only")
        return matrix


@dataclass
class Served:
    """One stand-in: who answers, and how often.

    ``weights``: its calls hold an array that was sent, of so many axes at least; 0: they need not.
    """

    serve: Serve
    calls: int = CALLS
    weights: int = 0
    said: set[str] = field(default_factory=set)  # texts of errors that hold nothing of the caller's
    _answered: int = 0

    def answer(self, sent: Sent, number: int, method: str, args: list, kwargs: dict) -> Any:
        """An answer for arguments that are possible after ``sent``. Raises whatever is wrong."""
        self._answered += 1
        try:
            if self._answered > self.calls:
                raise Refused(f"a stand-in was called more than {self.calls} times")
            sent.expect_possible([*args, *kwargs.values()], weights=self.weights)
            found = self.serve(number, method, args, kwargs)
        except Exception as error:
            if not set(str(error)) & set("'\""):  # in quotes there may be what the caller sent
                self.said.add(str(error))
            raise
        sent.add(found)
        return found


class Sent:
    """The arrays that a request brings into the kernel, and those that its stand-ins answer."""

    def __init__(self, message: Any) -> None:
        self._arrays: list[np.ndarray] = list(_arrays(message))
        self._largest = max((array.size for array in self._arrays), default=0)
        self._empty = any(array.size == 0 for array in self._arrays)

    def add(self, answer: Any) -> None:
        self._largest = max([self._largest, *(array.size for array in _arrays(answer))])

    def expect_possible(self, arguments: list, *, weights: int) -> None:
        """Raises Refused where the arguments do not come from what was sent."""
        largest = 4 * self._largest + SPARE
        arrays = list(_arrays(arguments))
        for array in arrays:
            axes = max(array.shape, default=0)
            if array.size > largest or axes > largest or (array.size == 0 and not self._empty):
                raise Refused("a stand-in was given an array of a size that nothing here has")
        if any(abs(number) > 1000 * SPARE for number in _whole_numbers(arguments)):
            raise Refused("a stand-in was given a number that is far too large")
        matrices = [array for array in arrays if array.ndim >= weights]
        if weights and not any(self._is_known(array) for array in matrices):
            raise Refused("a stand-in was given weights that are not those of the network")

    def _is_known(self, array: np.ndarray) -> bool:
        """An array that was sent, times a factor, and not changed by much."""
        if array.dtype.kind not in "biuf" or not array.size:
            return False
        found = array.ravel().astype(np.float64)
        for other in self._arrays:
            if other.shape == array.shape and other.dtype.kind in "biuf":
                sent = other.ravel().astype(np.float64)
                scale = sent @ sent
                factor = found @ sent / scale if scale else 0.0
                near = np.linalg.norm(found - factor * sent) <= NEAR * np.linalg.norm(found)
                if near and found.any() == sent.any():
                    return True
        return False


def _arrays(value: Any, depth: int = NESTED) -> Iterator[np.ndarray]:
    """The arrays and tensors in nested containers."""
    if isinstance(value, np.ndarray):
        yield value
    elif type(value).__module__.partition(".")[0] == "torch":
        yield value.detach().to(dtype=_wide(value)).numpy()
    elif depth:
        for item in _items(value):
            yield from _arrays(item, depth - 1)


def _whole_numbers(value: Any, depth: int = NESTED) -> Iterator[int]:
    if isinstance(value, int | np.integer):
        yield int(value)
    elif depth:
        for item in _items(value):
            yield from _whole_numbers(item, depth - 1)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple | set) else ()


def _single(row: Any) -> bytes:
    return np.asarray(row, dtype=np.float32).tobytes()


def _wide(tensor: Any) -> Any:
    import torch

    return torch.float32 if tensor.dtype is torch.bfloat16 else tensor.dtype


def serving(what: Callable[..., Any]) -> tuple[tuple[str, ...], Serve]:
    """The public methods of a class ``what``, none of a function, and what answers their calls."""
    instances: dict[int, Any] = {}
    is_class = isinstance(what, type)
    methods = tuple(n for n in vars(what) if not n.startswith("_")) if is_class else ()

    def serve(number: int, method: str, args: list, kwargs: dict) -> Any:
        if not is_class:
            return what(*args, **kwargs)
        if method == "__init__":
            instances[number] = what(*args, **kwargs)
            return None
        if method not in methods:
            raise KeyError(f"no method {method!r}")
        return getattr(instances[number], method)(*args, **kwargs)

    return methods, serve
