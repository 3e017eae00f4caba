"""The submissions in a course folder: ``submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb``."""

from __future__ import annotations

import datetime
import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from autograder.course.beside import files_below, read_regular
from autograder.course.times import in_utc
from autograder.errors import WrongUse
from autograder.notebook.likeness import NAMED, by_name
from autograder.notebook.repair import MAX_BYTES

T = TypeVar("T")

MAX_SIBLING = 5 << 20  # bytes of another notebook of the same submission, put beside it
MAX_NAMED = 4  # files in one message
ARCHIVES = {".zip", ".gz", ".tgz", ".tar", ".rar", ".7z", ".bz2", ".xz"}
OTHER_KINDS = {
    ".py": "a Python script: ask for the notebook itself",
    ".html": "an HTML page: ask for the notebook itself",
    ".pdf": "a PDF: ask for the notebook itself",
}


class CourseError(WrongUse):
    """Something in the course folder is not as it must be; the message says what to do."""


@dataclass(frozen=True)
class Found:
    """Where a notebook is: ``path`` is None where there is none, and ``hint`` may say why.

    ``note``: how it was found, where it had another name.
    """

    path: Path | None
    note: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment."""

    student: str
    folder: Path

    @property
    def problem(self) -> str:
        """With the folder itself, for a human."""
        if self.folder.parent.name == self.student:
            return ""
        return (
            f"the name of the folder is not UTF-8: graded as {self.student!r}; give it the "
            "student's name and grade again"
        )

    def read(self, notebook: str, expected: Sequence[str] = ()) -> tuple[bytes | None, Found]:
        """What was handed in as this notebook, up to a little more than repair takes."""
        found = self.find(notebook, expected)
        return (read_regular(found.path, MAX_BYTES) if found.path else None), found

    def find(self, notebook: str, expected: Sequence[str] = ()) -> Found:
        """The notebook under its own name, or the one file that is clearly meant for it.

        ``expected``: the names of all notebooks of the assignment. Nothing is guessed where two
        files may be meant.
        """
        name = f"{notebook}.ipynb"
        path = self.folder / name
        if path.is_symlink():  # could hand in somebody else's work, or any file of the grader's
            return Found(None, hint=f"{name} is a symbolic link, which is not followed")
        if path.is_file():
            return Found(path)
        files = list(files_below(self.folder))
        others = {f"{other}.ipynb" for other in expected}
        alike = [
            file
            for file in files
            if file.as_posix() not in others
            and (named := NAMED.fullmatch(file.name))
            and by_name(named["stem"], {notebook, *expected}) == [notebook]
        ]
        if len({self._digest(file) for file in alike}) == 1:
            return Found(self.folder / alike[0], f"{name} was handed in as {str(alike[0])!r}")
        return Found(None, hint=_hint(name, files, alike, others))

    def _digest(self, file: Path) -> str:
        data = read_regular(self.folder / file, MAX_BYTES)
        return hashlib.sha256(data).hexdigest() if data is not None else str(file)

    def handed_in(self) -> tuple[datetime.datetime | None, str]:
        """When, from nbgrader's timestamp.txt, and what a human has to see to about that."""
        path = self.folder / "timestamp.txt"
        text = path.read_text("utf-8", errors="replace").strip() if path.is_file() else ""
        try:
            return (in_utc(text) if text else None), ""
        except (ValueError, OverflowError):
            return None, (
                f"timestamp.txt says {text[:40]!r}, which is not a time, so lateness was not "
                "judged: write one such as '2031-03-01 12:00:00 UTC' and grade again"
            )

    def files(self, expected: Mapping[str, Sequence[str]] | None = None) -> dict[str, bytes]:
        """What the student's notebooks may load, by file name: theirs, earlier assignments' too.

        ``expected``: names of notebooks by assignment, to find those that have another name.
        """
        places = {path.name: path for path in siblings(self.folder)}
        for assignment, names in sorted((expected or {}).items()):
            one = Submission(self.student, self.folder.parent / assignment)
            if one.folder.is_dir() and assignment <= self.folder.name:
                alike = {f"{name}.ipynb": one.find(name, names) for name in names}
                places |= {name: found.path for name, found in alike.items() if found.path}
        found = {}
        for name, path in places.items():
            data = read_regular(path, MAX_SIBLING)
            if data is not None and len(data) <= MAX_SIBLING:
                found[name] = data
        return found


def _hint(name: str, files: Sequence[Path], alike: Sequence[Path], others: Set[str]) -> str:
    """What a human is told of a notebook that is missing."""
    if alike:
        which = ", ".join(repr(str(file)) for file in alike[:MAX_NAMED])
        return (
            f"{name} is missing, and {len(alike)} files may be meant for it: {which}. Rename the "
            "right one and grade again"
        )
    notebook = name.removesuffix(".ipynb").lower()
    for file in files:
        if file.stem.lower() == notebook and file.suffix.lower() in OTHER_KINDS:
            kind = OTHER_KINDS[file.suffix.lower()]
            return f"{name} is missing, but there is {str(file)!r}, {kind}"
    strays = {
        file.stem.lower(): file
        for file in files
        if file.suffix.lower() == ".ipynb" and str(file) not in others
    }
    near = difflib.get_close_matches(notebook, strays, n=1, cutoff=0.4)
    close = strays[near[0]] if near else next((strays[s] for s in strays if notebook in s), None)
    if close:
        return f"{name} is missing, but {close} looks like it: rename it and regrade"
    for file in files:
        if file.suffix.lower() in ARCHIVES:
            return f"{name} is missing, but there is {str(file)!r}: unpack it there and regrade"
    return ""


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
    chosen = [p for p in folders if _matches(student_name(p.parent), pattern)]
    if not chosen:
        students = ", ".join(student_name(p.parent) for p in folders[:8])
        hint = f"there are: {students}" if students else f"expected {base}/STUDENT/{assignment}/"
        raise CourseError(f"no submission of {assignment} matches {pattern!r}; {hint}")
    return [Submission(student_name(p.parent), p) for p in chosen]


def _matches(name: str, pattern: str) -> bool:
    """As in a shell; a name with brackets or stars in it is itself, too."""
    return name == pattern or fnmatch(name, pattern)


def student_name(folder: Path) -> str:
    """A student's name by the folder's: the same, but for bytes that are not UTF-8.

    The gradebook, pages and terminals hold text. A byte that is none becomes ``%E9``.
    """
    raw = os.fsencode(folder.name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
        return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)
