"""Arguments that a call must leave as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.checks.shared.layers import Array
from autograder.judge import Student, expect_unchanged


def expect_arguments_unchanged(
    student: Student, name: str, arguments: Mapping[str, Array], *more: Any, **keywords: Any
) -> None:
    """The student's function ``name`` is called with these arrays, then ``more``; all must stay.

    ``arguments``: by the name that the student knows each of them by, in the order of the call.
    """
    kept = {what: student.put(array.copy()) for what, array in arguments.items()}
    student.call(name, *kept.values(), *more, keep=True, **keywords)
    for what, reference in kept.items():
        expect_unchanged(student.fetch(reference), arguments[what], what)
