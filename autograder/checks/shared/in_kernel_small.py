"""Run in the kernel, as source: a cell that searches, on small images and within a time.

The images have 8 x 8 pixels in place of 32 x 32. Each stands for a block of 4 x 4, of which it is
the sum, divided by 4: so an image is about as long a vector as before, and a step of SGD changes
scores by as much. Weights for small images are made weights for large ones by the same rule: the
scores are then the same, but for rounding. It holds no secret.

Shapes: N images; rows (N, 3072) or, with a one at the end, (N, 3073); H units; C classes.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

PIXELS, SMALL = 32, 8
BLOCK = PIXELS // SMALL
INPUTS, FEW_INPUTS = 3 * PIXELS**2, 3 * SMALL**2
ON = "images of 8 × 8 pixels"
PART = 4  # one training gets at most this part of the seconds that are left
INFINITE = float("inf")
DEPTH = 4  # of lists in lists, in which there may be networks


def begin(
    notebook: dict[str, Any],
    seconds: float,
    *,
    images: Sequence[str] = (),
    data: Sequence[str] = (),
    rows: Mapping[str, int] | None = None,
    classifiers: Sequence[str] = (),
    nets: Sequence[str] = (),
) -> SmallSearch:
    """Make small what has these names: matrices of images as rows; dicts of images.

    ``rows``: how many of an array are left. ``classifiers`` and ``nets``: classes whose training
    may take the ``seconds`` in all. Raises LookupError where a notebook has other things there.
    """
    of = "images" if images else "data" if data else ""
    search, new = SmallSearch(notebook, seconds, of), {}
    for name in images:
        new[name] = small_rows(notebook.get(name), name)
    for name in data:
        new[name] = small_data(notebook.get(name), name)
    for name, count in (rows or {}).items():
        if not isinstance(array := notebook.get(name), np.ndarray):
            raise LookupError(f"{name} is no array")
        new[name] = array[:count]
    for name in classifiers:
        if inspect.isclass(own := notebook.get(name)):
            new[name] = search.limited_classifier(own)
    for name in nets:
        if inspect.isclass(own := notebook.get(name)):
            new[name] = search.small_net(own) if data else own
    if nets:
        new["Solver"] = search.limited_solver(notebook.get("Solver"))
    search.replace(new)
    return search


def finish(notebook: dict[str, Any], search: SmallSearch, ok: bool) -> bool:
    """Put back what was made small, and with ``ok`` enlarge what was trained; was it cut short?"""
    search.put_back(ok)
    return search.cut


class Enough(BaseException):
    """The time of one training is over. No student catches it by accident."""


class SmallSearch:
    """The names that were replaced, and the processor time that training may still take."""

    def __init__(self, notebook: dict[str, Any], seconds: float, of: str) -> None:
        self.cut, self.losses = False, []
        self._notebook = notebook
        self._of = of  # what was made small: "images" as rows, "data" for networks, or neither
        self._left, self._until = seconds, INFINITE
        self._before: dict[str, Any] = {}
        self._own: dict[type, type] = {}  # by the class that takes its place
        self._chance = np.random.get_state()  # noqa: NPY002

    def replace(self, new: Mapping[str, Any]) -> None:
        self._new, self._before = dict(new), dict(self._notebook)
        self._notebook.update(new)

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """What runs inside is ended by ``look`` when it has had its part of the time."""
        started, outer = time.process_time(), self._until
        self._until = min(outer, started + self._left / PART)
        try:
            yield
        except Enough:
            self.cut = True
        finally:
            if outer == INFINITE:
                self._left = max(0.0, self._left - (time.process_time() - started))
            self._until = outer

    def look(self) -> None:
        if time.process_time() > self._until:
            raise Enough

    def limited_classifier(self, own: Any) -> type:
        """A linear classifier whose train ends in time."""
        search = self

        class Limited(own):
            def train(self, *args: Any, **options: Any) -> Any:
                search.losses = []
                with search.training():
                    return super().train(*args, **options)
                return search.losses

            def loss(self, *args: Any, **options: Any) -> Any:
                search.look()
                answer = super().loss(*args, **options)
                search.losses += answer[:1] if isinstance(answer, tuple) else []
                return answer

        return self._in_place_of(own, Limited)

    def limited_solver(self, own: Any) -> type:
        """A Solver that ends in time; then it keeps what was best, as after its last epoch."""
        if not (inspect.isclass(own) and hasattr(own, "_step")):
            raise LookupError("Solver is not that of the course")
        search, base = self, cast(Any, own)

        class Limited(base):
            def train(self) -> None:
                with search.training():
                    super().train()
                    return
                self._measure()
                self._iteration = 0
                self.model.params = {name: w.copy() for name, w in self.best_params.items()}

            def _step(self) -> None:
                search.look()
                super()._step()

        return self._in_place_of(own, Limited)

    def small_net(self, own: Any) -> type:
        """A network with as many inputs as small images have, where it was to have 3072."""
        signature = inspect.signature(own)

        class Limited(own):
            def __init__(self, *args: Any, **options: Any) -> None:
                bound = signature.bind(*args, **options)
                bound.apply_defaults()
                if bound.arguments.get("input_dim") == INPUTS:
                    bound.arguments["input_dim"] = FEW_INPUTS
                super().__init__(*bound.args, **bound.kwargs)

        return self._in_place_of(own, Limited)

    def _in_place_of(self, own: type, limited: type) -> type:
        limited.__name__, limited.__qualname__ = own.__name__, own.__qualname__
        limited.__module__, limited.__doc__ = own.__module__, own.__doc__
        self._own[limited] = own
        return limited

    def put_back(self, ok: bool) -> None:
        for name, small in self._new.items():
            if not ok or self._notebook.get(name) is small:
                self._notebook[name] = self._before[name]
        if not ok:
            np.random.set_state(self._chance)  # noqa: NPY002
            return
        seen: set[int] = set()
        for name, value in list(self._notebook.items()):
            hidden = name.startswith("_") or name in ("In", "Out", *self._new)
            same = name in self._before and value is self._before[name]
            if not hidden and (not same or type(value) in (list, dict) or type(value) in self._own):
                self._notebook[name] = self._enlarged(value, name, seen, DEPTH)

    def _enlarged(self, value: Any, name: Any, seen: set[int], depth: int) -> Any:
        """The value, or what it holds, for images of full size."""
        if isinstance(value, np.ndarray):
            if self._of == "images" or (self._of == "data" and name == "W1"):
                return large_weights(value, of_net=self._of == "data")
            return value
        if own := self._own.get(value) if isinstance(value, type) else None:
            return own
        if depth == 0 or id(value) in seen:
            return value
        seen.add(id(value))
        more = (seen, depth - 1)
        if type(value) is dict:
            for key in list(value):
                value[key] = self._enlarged(value[key], key, *more)
        elif type(value) is list:
            value[:] = [self._enlarged(item, "", *more) for item in value]
        elif type(value) is tuple:
            return tuple(self._enlarged(item, "", *more) for item in value)
        elif own := self._own.get(type(value)):
            value.__class__ = own
            for key, item in list(vars(value).items()):
                setattr(value, key, self._enlarged(item, key, *more))
            if getattr(value, "input_dim", None) == FEW_INPUTS:
                value.input_dim = INPUTS
        return value


def small_rows(X: Any, name: str) -> np.ndarray:
    """Images as rows, the colours of a pixel side by side, (N, 192) or with the one (N, 193)."""
    if not (isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] in (INPUTS, INPUTS + 1)):
        raise LookupError(f"{name} is no matrix of images")
    blocks = X[:, :INPUTS].reshape(len(X), SMALL, BLOCK, SMALL, BLOCK, 3)
    few = np.zeros((len(X), SMALL, SMALL, 3))
    for i, j in np.ndindex(BLOCK, BLOCK):
        few += blocks[:, :, i, :, j]
    return np.hstack([few.reshape(len(X), FEW_INPUTS) / BLOCK, X[:, INPUTS:]])


def small_data(data: Any, name: str) -> dict[str, Any]:
    """A dict with small images (N, 3, 8, 8) in place of (N, 3, 32, 32); labels as they are."""
    if not isinstance(data, dict):
        raise LookupError(f"{name} is no dict")
    few = {}
    for key, X in data.items():
        few[key] = X
        if str(key).startswith("X_"):
            if np.shape(X)[1:] != (3, PIXELS, PIXELS):
                raise LookupError(f"{name}[{key!r}] are no images")
            blocks = np.asarray(X).reshape(len(X), 3, SMALL, BLOCK, SMALL, BLOCK)
            few[key] = blocks.sum(axis=(3, 5)) / BLOCK
    return few


def large_weights(W: np.ndarray, of_net: bool) -> np.ndarray:
    """Weights for large images, where these are for small ones: (192, H) of a net, (193, C).

    A net's inputs are (3, 8, 8), those of a linear classifier (8, 8, 3) and perhaps a one.
    """
    narrow = (FEW_INPUTS,) if of_net else (FEW_INPUTS, FEW_INPUTS + 1)
    if W.ndim != 2 or W.shape[0] not in narrow:
        return W
    shape = (3, SMALL, SMALL, -1) if of_net else (SMALL, SMALL, 3, -1)
    large, up = W[:FEW_INPUTS].reshape(shape), 1 if of_net else 0
    large = large.repeat(BLOCK, axis=up).repeat(BLOCK, axis=up + 1) / BLOCK
    return np.vstack([large.reshape(INPUTS, -1), W[FEW_INPUTS:]])
