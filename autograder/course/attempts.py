"""The number of each hand-in of a student for a notebook, on record.

Another hand-in gets the next number; the same one keeps its own, however often it is graded. Hidden
inputs are drawn from the number, too (`judge.score.Seed`).
"""

from __future__ import annotations

import json
from pathlib import Path

from autograder.files import write_text


def attempt(root: Path, student: str, name: tuple[str, str], digest: str) -> int:
    """The number of this hand-in, from 1; on record from now on. ``digest``: see `beside`."""
    path = attempts_path(root, student, name)
    known = read_attempts(path)
    if digest not in known:
        known.append(digest)
        write_text(path, json.dumps(known))
    return known.index(digest) + 1


def attempts_path(root: Path, student: str, name: tuple[str, str]) -> Path:
    """Where the record is: a list of digests, the first hand-in first."""
    assignment, notebook = name
    return root / ".autograder" / "attempts" / assignment / student / f"{notebook}.json"


def read_attempts(path: Path) -> list[str]:
    """The digests on record; none where there is no record, or none that can be read."""
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [str(digest) for digest in known] if isinstance(known, list) else []
