"""Cells that stopped with an error: what is missing then, and what a person should see."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autograder.judge.results import CellVerdict

# What may be right on the student's machine: a package that is not here, newer or IPython's syntax.
ELSEWHERE = {
    "ModuleNotFoundError", "ImportError", "SyntaxError", "IndentationError", "TabError",
    "UsageError",
}  # fmt: skip
SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
MAX_JSON = 20 << 20  # bytes of a submission that is read once more for the Python it was saved with
# How a check says that a name of the notebook is missing.
_UNDEFINED = re.compile(
    r"NameError: name '(\w+)' is not defined|^your code raised KeyError: '(\w+)'$"
    r"|^(\w+) cannot be found in the notebook"
)


@dataclass(frozen=True)
class Failure:
    """A cell that stopped with an error."""

    cell: str
    source: str
    error: str  # "ModuleNotFoundError: No module named 'seaborn' (line 1 of cell 'setup': `...`)"
    kind: str  # the exception's type

    def defines(self, name: str) -> bool:
        """Whether the cell was to define this name. Its text is searched: it may not be Python."""
        bound = rf"(?:def|class)\s+{name}\b|{name}\b[^=\n]*=[^=]|(?:import|from)\b[^\n]*\b{name}\b"
        return any(re.match(bound, line.lstrip()[:500]) for line in self.source.splitlines())


def failure(cell: str, source: str, told: Mapping[str, Any], *, late: bool = False) -> Failure:
    """``told``: what the kernel says of the error, which is text of the student's.

    ``late``: the cell had to be interrupted.
    """
    if late:
        return Failure(cell, source, "an interrupt, since its time was up", "KeyboardInterrupt")
    kind, line = str(told.get("type", "Exception"))[:100], str(told.get("line", ""))[:200]
    code, message = str(told.get("code", ""))[:200], str(told.get("message", ""))[:300]
    place = f" ({line}: `{code}`)" if line and code else f" ({line})" if line else ""
    return Failure(cell, source, f"{kind}: {message}{place}" if message else kind + place, kind)


class Failures:
    """All of one notebook, in order."""

    def __init__(self, submission: bytes | None) -> None:
        self._submission = submission
        self.reasons: list[str] = []  # for a human
        self._all: list[Failure] = []
        self._told: dict[str, str] = {}  # a cell that failed: the question that says why

    def add(self, found: Failure, *, ask: bool) -> None:
        """``ask``: a person shall see what may be right on the student's machine."""
        self._all.append(found)
        if ask:
            self._ask(found)

    def _ask(self, found: Failure) -> None:
        if found.kind in ELSEWHERE:
            hint = newer_python(found.kind, self._submission)
            reason = f"cell {found.cell!r} stopped with {found.error}{hint}"
            self.reasons += [reason] if reason not in self.reasons else []

    def explain(self, verdict: CellVerdict) -> CellVerdict:
        """The verdict with the reason of each missing name, given once, instead of the name."""
        told: set[tuple[str, str]] = set()
        checks = []
        for check in verdict.checks:
            match = None if check.passed else _UNDEFINED.search(check.message)
            name = next(filter(None, match.groups())) if match else ""
            cause = next((one for one in reversed(self._all) if name and one.defines(name)), None)
            if cause:
                again = (name, cause.cell) in told
                told.add((name, cause.cell))
                missing = f"{name} is not defined, "
                reason = "as said above" if again else self._reason(cause, verdict.grade_id)
                check = replace(check, message=missing + reason)
            checks.append(check)
        return replace(verdict, checks=tuple(checks))

    def _reason(self, cause: Failure, grade_id: str) -> str:
        """Why what this cell defines is missing, or where that is told."""
        self._ask(cause)
        stopped = f"because cell {cause.cell!r} stopped with "
        if cause.cell in self._told:
            where = self._told[cause.cell]
            above = "above" if where == grade_id else f"at {where!r}"
            return f"{stopped}an error, which is reported {above}"
        self._told[cause.cell] = grade_id
        return stopped + cause.error + newer_python(cause.kind, self._submission)


def saved_with(submission: bytes | None) -> tuple[int, int] | None:
    """The version of Python that a notebook was saved with, where it says so."""
    if not submission or len(submission) > MAX_JSON:
        return None
    try:
        version = json.loads(submission)["metadata"]["language_info"]["version"]
        major, minor = str(version).split(".")[:2]
        return int(major), int(minor)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def newer_python(kind: str, submission: bytes | None) -> str:
    """A sentence's end for a syntax error in a notebook that a newer Python may have read."""
    theirs, ours = saved_with(submission), sys.version_info[:2]
    if kind not in SYNTAX or theirs is None or theirs <= ours:
        return ""
    names = ["{}.{}".format(*version) for version in (theirs, ours)]
    return (
        f"; the notebook was saved with Python {names[0]} and is graded with Python {names[1]}, "
        "which does not know newer syntax"
    )
