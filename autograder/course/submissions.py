"""The submissions in a course folder: ``submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb``."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from nbgrader.utils import parse_utc

from autograder.errors import WrongUse
from autograder.notebook.repair import MAX_BYTES

T = TypeVar("T")

MAX_SIBLING = 5 << 20  # bytes of another notebook of the same submission, put beside it


class CourseError(WrongUse):
    """Something in the course folder is not as it must be; the message says what to do."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment."""

    student: str
    folder: Path

    def read(self, notebook: str) -> bytes | None:
        """What was handed in as this notebook, up to a little more than repair takes."""
        path = self.folder / f"{notebook}.ipynb"
        if path.is_symlink() or not path.is_file():
            return None  # a link could hand in somebody else's work, or any file of the grader's
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def handed_in(self) -> tuple[datetime.datetime | None, str]:
        """When, from nbgrader's timestamp.txt, and what a human has to see to about that."""
        path = self.folder / "timestamp.txt"
        text = path.read_text("utf-8", errors="replace").strip() if path.is_file() else ""
        try:
            return (parse_utc(text) if text else None), ""
        except (ValueError, OverflowError):
            return None, (
                f"timestamp.txt says {text[:40]!r}, which is no time, so lateness was not judged: "
                "write one such as '2031-03-01 12:00:00 UTC' and grade again"
            )

    def files(self) -> dict[str, bytes]:
        """What the student's notebooks may load, by file name: theirs, earlier assignments' too."""
        found = {}
        for path in siblings(self.folder):
            fits = path.is_file() and path.stat().st_size <= MAX_SIBLING
            if fits and not path.is_symlink():
                found[path.name] = path.read_bytes()
        return found

    def hint(self, notebook: str, expected: Sequence[str]) -> str:
        """A hint for the TA about a notebook that is missing."""
        if (self.folder / f"{notebook}.ipynb").is_symlink():
            return f"{notebook}.ipynb is a symbolic link, which is not followed"
        strays = [p.stem for p in self.folder.glob("*.ipynb") if p.stem not in expected]
        lowered = {stray.lower(): stray for stray in strays}
        near = difflib.get_close_matches(notebook.lower(), lowered, n=1, cutoff=0.4)
        contained = [stray for low, stray in lowered.items() if notebook.lower() in low]
        name = lowered[near[0]] if near else contained[0] if contained else ""
        if not name:
            return ""
        return f"{notebook}.ipynb is missing, but {name}.ipynb looks like it: rename it and regrade"


def siblings(folder: Path) -> Iterator[Path]:
    """The notebooks of an assignment's folder, after those of earlier assignments beside it.

    ``folder`` is one of ``source/``, ``release/`` or ``submitted/STUDENT/``. Put together by name,
    a later notebook takes the place of an earlier one, as ``cs231n_lib.notebooks.load`` finds them.
    """
    earlier = sorted(place for place in folder.parent.glob("*") if place.name < folder.name)
    for place in (*earlier, folder):
        yield from sorted(place.glob("*.ipynb"))


def submissions(root: Path, assignment: str, pattern: str = "*") -> list[Submission]:
    """The submissions whose student matches the pattern. Raises CourseError when there are none."""
    base = root / "submitted"
    folders = [p for p in sorted(base.glob(f"*/{assignment}")) if p.is_dir()]
    chosen = [p for p in folders if fnmatch(p.parent.name, pattern)]
    if not chosen:
        students = ", ".join(p.parent.name for p in folders[:8])
        hint = f"there are: {students}" if students else f"expected {base}/STUDENT/{assignment}/"
        raise CourseError(f"no submission of {assignment} matches {pattern!r}; {hint}")
    return [Submission(p.parent.name, p) for p in chosen]
