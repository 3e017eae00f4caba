"""Who changed what: ``.autograder/changes.jsonl``, never rewritten.

A line for each regrade, and for each notebook whose points `grade` has changed although what was
handed in is the same.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.judge.results import CellVerdict, GradedNotebook


@dataclass(frozen=True)
class Side:
    """One of the two verdicts on a question: its points, and what was said of them."""

    score: float
    said: tuple[str, ...]  # of checks that did not pass, and why nothing was checked


@dataclass(frozen=True)
class Question:
    """A question before and after."""

    notebook: str
    grade_id: str
    points: float
    before: Side
    after: Side

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class Change:
    """A regrade: ``old`` and ``new`` are automatic points of the notebooks that were graded."""

    time: str  # ISO, UTC
    user: str
    command: str
    student: str
    assignment: str
    note: str
    old: float
    new: float
    max_score: float
    questions: tuple[Question, ...]

    @property
    def when(self) -> str:
        return f"{datetime.datetime.fromisoformat(self.time):%Y-%m-%d %H:%M} UTC"

    def told(self, notebook: str) -> Iterator[str]:
        """What the student reads in a notebook's feedback: points, by question."""
        mine = [one for one in self.questions if one.notebook == notebook]
        if not mine:
            return
        moved = [one for one in mine if one.before.score != one.after.score]
        if not moved:
            yield f"Graded again on {self.when}: the automatic points stay as they were."
            return
        rows = "\n".join(
            f"| {one.grade_id} | {one.before.score:g} | {one.after.score:g} | {one.points:g} |"
            for one in moved
        )
        yield (
            f"Graded again on {self.when}. Automatic points that have changed:\n\n"
            f"| question | before | now | of |\n| --- | --- | --- | --- |\n{rows}"
        )


def compared(
    old: Mapping[str, GradedNotebook], new: Mapping[str, GradedNotebook]
) -> tuple[Question, ...]:
    """The questions of notebooks before and after; what had no verdict before had no points."""
    found = []
    for notebook, graded in sorted(new.items()):
        before = {cell.grade_id: cell for cell in old[notebook].cells} if notebook in old else {}
        for cell in graded.cells:
            sides = _side(before.get(cell.grade_id)), _side(cell)
            found.append(Question(notebook, cell.grade_id, cell.points, *sides))
    return tuple(found)


def _side(cell: CellVerdict | None) -> Side:
    if cell is None:
        return Side(0.0, ("not graded",))
    failed = [f"{one.title} {one.message}".strip() for one in cell.checks if not one.passed]
    return Side(cell.score, tuple(filter(None, (cell.note, *failed))))


def changed_points(
    old: GradedNotebook, new: GradedNotebook, command: str, note: str
) -> Change | None:
    """What a line of the log says of one hand-in graded anew; None where no points have changed."""
    both = compared({old.notebook: old}, {new.notebook: new})
    moved = tuple(one for one in both if one.before.score != one.after.score)
    if not moved:
        return None
    return Change(
        time=now(),
        user=person(),
        command=command,
        student=new.student,
        assignment=new.assignment,
        note=note,
        old=total([old]),
        new=total([new]),
        max_score=round(new.max_score, 4),
        questions=moved,
    )


def append_change(root: Path, change: Change) -> None:
    """Add a line to the log. It is on the disk when this returns."""
    line = json.dumps(asdict(change), ensure_ascii=True) + "\n"
    path = changes_path(root)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("ab+") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        if log.tell() and not _ends_a_line(path):
            line = "\n" + line  # the last writer was killed in the middle of its own
        log.write(line.encode())
        log.flush()
        os.fsync(log.fileno())


def read_changes(root: Path, assignment: str) -> list[Change]:
    """The regrades of an assignment, the first one first. A line that is no such is left out."""
    path = changes_path(root)
    if not path.is_file():
        return []
    lines = path.read_text("utf-8", errors="replace").splitlines()
    found = filter(None, map(_read, lines))
    return [change for change in found if change.assignment == assignment]


def changes_path(root: Path) -> Path:
    return root / ".autograder" / "changes.jsonl"


def person() -> str:
    """Who runs this: the user, and who became that user by sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"user {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} (as {name})" if behind and behind != name else name


def now() -> str:
    """The time for a change."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def total(graded: Sequence[GradedNotebook]) -> float:
    """Automatic points."""
    return round(sum(one.score for one in graded), 4)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _read(line: str) -> Change | None:
    try:
        plain: dict[str, Any] = json.loads(line)
        questions = tuple(_question(one) for one in plain.pop("questions"))
        return Change(**plain, questions=questions)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _question(plain: dict[str, Any]) -> Question:
    sides = {
        name: Side(plain[name]["score"], tuple(plain[name]["said"])) for name in ("before", "after")
    }
    return Question(**{**plain, **sides})
