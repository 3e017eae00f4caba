"""Verdicts on record: what is graded and unchanged need not be graded again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.files import write_text
from autograder.grading.material import Name
from autograder.judge.results import GradedNotebook, from_dict, to_dict
from autograder.notebook.order import order_of


def _result_path(root: Path, student: str, assignment: str, notebook: str) -> Path:
    return root / ".autograder" / "results" / assignment / student / f"{notebook}.json"


def write_result(root: Path, graded: GradedNotebook, fingerprint: str, hand_in: int = 0) -> None:
    """Keep a verdict as JSON, with the fingerprint it was made from and the hand-in's number."""
    path = _result_path(root, graded.student, graded.assignment, graded.notebook)
    kept = {"fingerprint": fingerprint, "hand_in": hand_in, "graded": to_dict(graded)}
    write_text(path, json.dumps(kept))


def read_verdict_on(
    root: Path, student: str, assignment: str, notebook: str, hand_in: int
) -> GradedNotebook | None:
    """The verdict on record, if it is about the hand-in of this number."""
    data = _read(root, student, assignment, notebook)
    try:
        return from_dict(data["graded"]) if data and data["hand_in"] == hand_in else None
    except (ValueError, KeyError, TypeError):
        return None


def read_result(
    root: Path, student: str, assignment: str, notebook: str
) -> tuple[str, GradedNotebook] | None:
    """(fingerprint, verdict) of the last grading, or None when there is none to be read."""
    data = _read(root, student, assignment, notebook)
    try:
        return (data["fingerprint"], from_dict(data["graded"])) if data else None
    except (ValueError, KeyError, TypeError):
        return None


def _read(root: Path, student: str, assignment: str, notebook: str) -> dict[str, Any] | None:
    try:
        text = _result_path(root, student, assignment, notebook).read_text("utf-8")
        data = json.loads(text)
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def verdicts_on_record(
    root: Path, student: str, names: Iterable[Name], handed_in: Mapping[str, bytes]
) -> dict[Name, GradedNotebook]:
    """The verdicts on record about just these files of a student, by assignment and notebook."""
    found = {}
    for name in names:
        own = handed_in.get(f"{name[1]}.ipynb")
        _, graded = read_result(root, student, *name) or ("", None)
        if graded and own and graded.submission == hashlib.sha256(own).hexdigest():
            found[name] = graded
    return found


def results(root: Path, assignment: str) -> Iterator[GradedNotebook]:
    """Every verdict on record for an assignment, by student and in the order of the course.

    Without the graded notebooks themselves (`document` is empty), which would fill the memory.
    """
    order = order_of(root, assignment)
    paths = (root / ".autograder" / "results" / assignment).glob("*/*.json")
    for path in sorted(paths, key=lambda path: (path.parent, order(path.stem))):
        found = read_result(root, path.parent.name, assignment, path.stem)
        if found:
            yield replace(found[1], document="")
