"""What is being graded, on disk: a run that died is not followed by one that dies there again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.files import write_text

GIVE_UP = 2  # runs that died while a notebook was under way, in the last one alone


@dataclass(frozen=True)
class Mark:
    """A notebook under way, and how often it was so until now, with this one."""

    student: str
    notebook: str
    fingerprint: str
    times: int


class UnderWay:
    """The marks of one assignment, a file each, beside the verdicts on record.

    A run takes its marks away when it ends, in whatever way it can still notice. What it leaves
    was under way when it died.
    """

    def __init__(self, root: Path, assignment: str) -> None:
        self._folder = root / ".autograder" / "under-way" / assignment
        self._left = {path.name: mark for path, mark in _marks(self._folder)}

    def deaths(self, student: str, notebook: str, fingerprint: str) -> int:
        """How many runs have died while just this was under way."""
        mark = self._left.get(_name(student, notebook))
        return mark.times if mark and mark.fingerprint == fingerprint else 0

    def begins(self, student: str, notebook: str, fingerprint: str) -> None:
        times = 1 + self.deaths(student, notebook, fingerprint)
        mark = Mark(student, notebook, fingerprint, times)
        write_text(self._folder / _name(student, notebook), json.dumps(asdict(mark)))

    def is_over(self, student: str, notebook: str) -> None:
        name = _name(student, notebook)
        self._left.pop(name, None)
        (self._folder / name).unlink(missing_ok=True)


def _name(student: str, notebook: str) -> str:
    """Names of students can be anything; what they are stands in the file."""
    whose = f"{student}\0{notebook}".encode("utf-8", "surrogatepass")
    return f"{hashlib.sha256(whose).hexdigest()[:32]}.json"


def _marks(folder: Path) -> Iterator[tuple[Path, Mark]]:
    for path in folder.glob("*.json"):
        try:
            yield path, Mark(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)  # half-written when the machine went down
