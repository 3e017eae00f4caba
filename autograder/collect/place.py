"""Carry a plan out: submitted/ gets what was chosen, downloaded/ keeps all the rest."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.collect.names import shown
from autograder.collect.plan import Candidate, Leftover, Order, Plan, newer
from autograder.records import write_text

COLLECTED, REPLACED, UNCHANGED = "collected", "replaced", "unchanged"
NOT_USED, HELD_BACK, UNATTRIBUTED, REFUSED = "not used", "held back", "unattributed", "refused"


@dataclass(frozen=True)
class Row:
    """What became of one file."""

    student: str
    notebook: str
    outcome: str
    where: str  # in the download
    note: str = ""
    human: bool = False


class Placer:
    """Writes into a course, or only says what would be written."""

    def __init__(self, root: Path, assignment: str, scratch: Path, *, dry_run: bool) -> None:
        self.root, self.assignment = root, assignment
        self.scratch, self.dry_run = scratch, dry_run
        self._kept = root / "downloaded" / assignment
        self._record_path = root / ".autograder" / "collected" / f"{assignment}.json"
        self._record = _read_record(self._record_path)

    def carry_out(self, plan: Plan, *, force: bool) -> Iterator[Row]:
        """One row a file. Whatever is written is whole whenever it is there."""
        try:
            for student in sorted({one.student for one in plan.chosen}):
                mine = [one for one in plan.chosen if one.student == student]
                rows = [self._place(one, force=force) for one in mine]
                note = self._write_time(mine, any(r.outcome in (COLLECTED, REPLACED) for r in rows))
                yield from rows[:-1]
                yield _with_note(rows[-1], note)
            for one, reason in plan.spare:
                kept = self._keep_attempt(one)
                yield self._row(one, NOT_USED, f"{reason}; kept as {kept}")
            for leftover in plan.leftovers:
                yield self._leave(leftover)
        finally:
            self._write_record()

    def _row(self, one: Candidate, outcome: str, note: str = "", *, human: bool = False) -> Row:
        notes = "; ".join(filter(None, (one.note, note)))
        where = self._where(one.handed.file)
        human = human or not one.known
        return Row(one.student, one.notebook, outcome, where, notes, human)

    def _where(self, file: Path) -> str:
        return shown(str(file.relative_to(self.scratch)))

    # -- one notebook -------------------------------------------------------------------------

    def _folder(self, student: str) -> Path:
        return self.root / "submitted" / student / self.assignment

    def _place(self, one: Candidate, *, force: bool) -> Row:
        target = self._folder(one.student) / f"{one.notebook}.ipynb"
        there = _digest(target)
        if there == one.what.sha256:
            self._remember(one)
            return self._row(one, UNCHANGED)
        if there:
            collected = self._record.get(one.student, {}).get(one.notebook, {})
            mine = collected.get("sha256") == there
            is_newer = newer(one.handed.order, _order(collected)) if mine else None
            if not is_newer and not force:
                return self._hold_back(one, mine, is_newer)
        note = self._keep_old(one, target, there) if there else ""
        self._copy(one.handed.file, target)
        self._remember(one)
        return self._row(one, REPLACED if there else COLLECTED, note)

    def _hold_back(self, one: Candidate, mine: bool, is_newer: bool | None) -> Row:
        kept = self._keep_attempt(one)
        if is_newer is False:
            note = f"submitted/ has a newer one; --force takes this one, kept as {kept}"
            return self._row(one, NOT_USED, note)
        how = "nothing tells which is newer" if mine else "which was not collected, or edited since"
        note = f"submitted/ has another one, {how}; --force takes this one, kept as {kept}"
        return self._row(one, HELD_BACK, note, human=True)

    def _keep_old(self, one: Candidate, target: Path, there: str) -> str:
        if target.is_symlink():
            return "a link was there before"
        old = self._attempt_path(one.student, one.notebook, there)
        self._copy(target, old)
        return f"the one before is kept as {self._relative(old)}"

    def _remember(self, one: Candidate) -> None:
        entry = {"sha256": one.what.sha256, "order": one.handed.order}
        self._record.setdefault(one.student, {})[one.notebook] = entry

    def _write_time(self, mine: Iterable[Candidate], changed: bool) -> str:
        """timestamp.txt: the newest time of what is in the folder. Return what to say of it."""
        mine = list(mine)
        path = self._folder(mine[0].student) / "timestamp.txt"
        times = [one.handed.time for one in mine if one.handed.time]
        before = path.read_text("utf-8", errors="replace").strip() if path.is_file() else ""
        if before and not changed:
            return ""  # whoever set it may have granted an extension
        if not times:
            return f"timestamp.txt still says {shown(before)!r}" if before else ""
        others = {path.stem for path in path.parent.glob("*.ipynb")} - {o.notebook for o in mine}
        time = max([*times, *_times([before] if others else [])])
        text = f"{time:%Y-%m-%d %H:%M:%S} UTC"
        if text == before:
            return ""
        if not self.dry_run:
            write_text(path, text + "\n")
        return f"timestamp.txt said {shown(before)!r} before" if before else ""

    # -- what is not used ---------------------------------------------------------------------

    def _attempt_path(self, student: str, notebook: str, digest: str) -> Path:
        return self._kept / "attempts" / student / f"{notebook}-{digest[:12]}.ipynb"

    def _keep_attempt(self, one: Candidate) -> str:
        path = self._attempt_path(one.student, one.notebook, one.what.sha256)
        if not path.exists():
            self._copy(one.handed.file, path)
        return self._relative(path)

    def _leave(self, leftover: Leftover) -> Row:
        file = leftover.file
        if file is None:
            return Row(leftover.student, "", UNATTRIBUTED, "", leftover.reason, human=True)
        path = self._kept / "unattributed" / file.relative_to(self.scratch)
        digest = _digest(file)
        if _digest(path) not in ("", digest):
            path = path.with_name(f"{path.stem}-{digest[:12]}{path.suffix}")
        if not path.exists():
            self._copy(file, path)
        note = f"{leftover.reason}; kept as {shown(self._relative(path))}"
        return Row(leftover.student, "", UNATTRIBUTED, self._where(file), note, human=True)

    # -- files --------------------------------------------------------------------------------

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def _copy(self, source: Path, target: Path) -> None:
        """Copy so that the target is never seen half-written."""
        if self.dry_run:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".collect-") as folder:
            copy = Path(folder) / "copy"
            shutil.copyfile(source, copy)
            copy.chmod(0o644)
            copy.replace(target)

    def _write_record(self) -> None:
        text = json.dumps(self._record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        known = self._record_path.is_file() and self._record_path.read_text("utf-8") == text
        if self._record and not known and not self.dry_run:
            write_text(self._record_path, text)


def _with_note(row: Row, note: str) -> Row:
    notes = "; ".join(filter(None, (row.note, note)))
    return Row(row.student, row.notebook, row.outcome, row.where, notes, row.human)


def _read_record(path: Path) -> dict[str, dict[str, Any]]:
    """What was collected before, by student and notebook: without it nothing is known to be old."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _order(collected: dict[str, Any]) -> Order | None:
    match collected.get("order"):
        case [str(kind), int(value) | float(value)]:
            return kind, value
    return None


def _digest(path: Path) -> str:
    """The SHA-256 of a file; empty where there is none. Links are not followed."""
    if path.is_symlink():
        return "a link"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _times(texts: Iterable[str]) -> Iterator[datetime]:
    from nbgrader.utils import parse_utc

    for text in filter(None, texts):
        try:
            yield parse_utc(text)
        except (ValueError, OverflowError):
            continue
