"""The hidden checks: how one is declared, and how those of a notebook are found."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from numpy.random import Generator

from autograder.errors import WrongUse
from autograder.judge.reading import know_library
from autograder.judge.student import Student
from autograder.settings import CS231N, CourseSettings

CheckFunction = Callable[[Student, Generator], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """One hidden check of one graded cell.

    ``weight`` is its share of the cell's points; advice (the curriculum's Tier B) has none.
    A ``condition`` (inputs untouched, no loops) is worth something only together with an answer:
    an empty function meets every condition. A ``rare`` case is one that later notebooks, which
    load what is asked about, hardly ever come to: who fails it alone keeps the function there.
    """

    grade_id: str
    function: CheckFunction
    weight: float
    advice: bool
    condition: bool
    probe: str
    rare: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def title(self) -> str:
        """The first line of the docstring: shown to students, so it gives nothing away."""
        return (self.function.__doc__ or self.name).strip().splitlines()[0]


class CheckError(WrongUse):
    """The checks themselves are wrong: a missing module, a weight that makes no sense."""


_declared: dict[str, list[Check]] = {}  # by module


def _broken(module: str, error: Exception) -> CheckError:
    return CheckError(f"{module} cannot be imported ({type(error).__name__}: {error}); mend it")


def check(
    grade_id: str,
    *,
    probe: str = "",
    weight: float = 1.0,
    condition: bool = False,
    rare: bool = False,
    module: str = "",
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a hidden check that carries points (Tier A).

    ``rare``: see Check. ``module``: the notebook's module that it belongs to, where it is written
    in another one.
    """
    if not weight > 0:
        raise CheckError(f"{grade_id}: a check that carries points needs a weight, got {weight}")
    carries = {"weight": weight, "advice": False, "condition": condition, "rare": rare}
    return _declare(grade_id, module, probe=probe, **carries)


def advice(
    grade_id: str, *, probe: str = "", module: str = ""
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare a check that is reported without carrying points (Tier B)."""
    return _declare(grade_id, module, weight=0.0, advice=True, condition=False, probe=probe)


def check_each(
    cells: Mapping[str, T],
    *,
    probe: str = "",
    weight: float = 1.0,
    condition: bool = False,
    rare: bool = False,
    advises: bool = False,
    module: str = "",
) -> Callable[[Callable[[Student, Generator, T], None]], Callable]:
    """Declare one hidden check for each of these cells; the check is told what ``cells`` maps to.

    Where a notebook asks for the same thing twice (a naive version and a fast one, say). Several
    checks of one cell that only differ in a case: stack the decorator, and name them apart by
    writing two functions. With ``advises`` they carry no points.
    """

    def register(function: Callable[[Student, Generator, T], None]) -> Callable:
        for grade_id, what in cells.items():

            @wraps(function)  # its module included, where the check is looked for
            def run(student: Student, rng: Generator, what: T = what) -> None:
                function(student, rng, what)

            if advises:
                advice(grade_id, probe=probe, module=module)(run)
            else:
                options = {"weight": weight, "condition": condition, "rare": rare}
                check(grade_id, probe=probe, module=module, **options)(run)
        return function

    return register


def _declare(
    grade_id: str, module: str, **properties: Any
) -> Callable[[CheckFunction], CheckFunction]:
    def register(function: CheckFunction) -> CheckFunction:
        new = Check(grade_id, function, **properties)
        checks = _declared.setdefault(module or function.__module__, [])
        # Declared again (a reloaded module): the new one takes the old one's place.
        checks[:] = [c for c in checks if (c.grade_id, c.name) != (grade_id, new.name)] + [new]
        return function

    return register


def ensure_checks(assignment: str, notebook: str, course: CourseSettings) -> None:
    """Raises CheckError where there are none; what they import is not imported for that."""
    _find_package(course)
    try:
        found = importlib.util.find_spec(course.checks_module(assignment, notebook))
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise _no_checks(assignment, notebook, course)


def _find_package(course: CourseSettings) -> None:
    """Let the packages in a course's folder be imported. Raises CheckError."""
    if not course.folder:
        return
    if course.folder not in sys.path:
        sys.path.append(course.folder)  # last: nothing in there takes the name of anything else
        importlib.invalidate_caches()
    found = importlib.util.find_spec(course.checks)
    if found is None or Path(course.folder, course.checks) not in Path(found.origin or "").parents:
        there = f"that name finds {found.origin or 'a folder'}" if found else "it is not there"
        raise CheckError(
            f"{course.folder} has its hidden checks in the package {course.checks!r}, but {there}; "
            "where several machines grade, all need the course's folder at the same place; else "
            "give the package another name, and say so in course.toml"
        )
    know_library(course.library.name)


def ensure_packages(course: CourseSettings) -> None:
    """Raises CheckError where a package in a course's folder cannot be imported."""
    _find_package(course)
    for name in course.packages:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise _broken(name, error) from error


def _no_checks(assignment: str, notebook: str, course: CourseSettings) -> CheckError:
    path = Path(course.folder, course.checks_module(assignment, notebook).replace(".", "/") + ".py")
    return CheckError(f"{assignment}/{notebook} has no hidden checks: write {path}")


def checks_for(
    assignment: str, notebook: str, course: CourseSettings = CS231N
) -> Mapping[str, tuple[Check, ...]]:
    """The checks of a notebook by grade_id, from its module or all modules of its package.

    Raises CheckError when it has neither, or when they cannot be imported.
    """
    module = course.checks_module(assignment, notebook)
    _find_package(course)
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise _no_checks(assignment, notebook, course) from None
        if not course.folder:
            raise
        raise _broken(module, error) from error
    except Exception as error:
        if not course.folder or isinstance(error, CheckError):
            raise
        raise _broken(module, error) from error
    by_cell: dict[str, list[Check]] = {}
    inside = [name for name in _declared if name == module or name.startswith(f"{module}.")]
    for declared in (check for name in inside for check in _declared[name]):
        by_cell.setdefault(declared.grade_id, []).append(declared)
    return {grade_id: tuple(checks) for grade_id, checks in by_cell.items()}
