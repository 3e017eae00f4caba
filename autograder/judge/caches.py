"""Functions that share a cache: which of a notebook belong together, and what to try them on.

What a forward function stores for its backward function is free, so neither goes with another
person's. A notebook's checks declare their pairs; grading replaces both, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.judge.registry import checks_for
from autograder.settings import CourseSettings


@dataclass(frozen=True)
class Pair:
    """A forward function and the backward functions that take its cache.

    ``arguments`` are small, of forward; the gradient that backward returns alone, or first, is the
    one with respect to argument number ``wrt``.
    """

    forward: str
    backward: tuple[str, ...]
    arguments: tuple[Any, ...]
    wrt: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return (self.forward, *self.backward)


_declared: dict[str, dict[str, Pair]] = {}  # by module, then by forward function


def shares_cache(
    module: str, forward: str, *backward: str, arguments: Sequence[Any], wrt: int = 0
) -> None:
    """Declare that these functions pass a cache on. ``module``: the declaring one's ``__name__``.

    ``arguments``: small ones of forward, in float64, where it has a slope; for a random one, a
    seed among them.
    """
    pairs = _declared.setdefault(module, {})
    pairs[forward] = Pair(forward, backward, tuple(arguments), wrt)


def pairs_for(assignment: str, notebook: str, course: CourseSettings) -> tuple[Pair, ...]:
    """The pairs of a notebook, from all modules of its checks. Raises CheckError without any."""
    checks_for(assignment, notebook, course)  # imports them
    module = course.checks_module(assignment, notebook)
    inside = [name for name in _declared if name == module or name.startswith(f"{module}.")]
    return tuple(pair for name in inside for pair in _declared[name].values())
