"""Cells that search or train at length: run on less than all of the data when they are graded.

What such a cell finds is judged, not how long it computes. So a function of ours makes the
notebook's data small before the cell runs, in the notebook itself, and another one makes the data,
and what was trained on them, large again. A notebook that this does not fit is run as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.settings import CourseSettings


@dataclass(frozen=True)
class SmallRun:
    """How one cell is run when graded. Both functions are of one module that the kernel gets.

    ``begin(notebook, seconds, **arguments)`` returns what ``finish(notebook, begun, ok)`` needs,
    or raises LookupError; ``finish`` returns whether training was cut short, for want of the
    ``seconds`` of processor time. ``on`` says which data it gets, for the student; empty: all.
    """

    begin: Callable[..., Any]
    finish: Callable[..., bool]
    on: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


_declared: dict[str, dict[str, SmallRun]] = {}  # by module, by cell id


def runs_small(
    module: str,
    cell: str,
    begin: Callable[..., Any],
    finish: Callable[..., bool],
    on: str = "",
    **arguments: Any,
) -> None:
    """Declare that a cell is run so; ``module`` is that of the notebook's checks."""
    _declared.setdefault(module, {})[cell] = SmallRun(begin, finish, on, arguments)


def small_runs(assignment: str, notebook: str, course: CourseSettings) -> Mapping[str, SmallRun]:
    """Those of a notebook, by cell id, once its checks have been imported."""
    package = course.checks_module(assignment, notebook)
    inside = [name for name in _declared if name == package or name.startswith(f"{package}.")]
    return {cell: run for name in inside for cell, run in _declared[name].items()}
