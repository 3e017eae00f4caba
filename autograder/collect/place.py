"""Carry a plan out: submitted/ gets what was chosen, downloaded/ keeps all the rest."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from autograder.collect.names import shown
from autograder.collect.notebooks import Worth
from autograder.collect.plan import Candidate, Leftover, Order, Plan, newer
from autograder.files import replacing, write_text

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
        self._uses: Counter[Path | None] = Counter()

    def carry_out(self, plan: Plan, *, force: bool) -> Iterator[Row]:
        """One row a file. Whatever is written is whole whenever it is there.

        The files go away from where they were unpacked.
        """
        files = [one.handed.file for one in (*plan.chosen, *(one for one, _ in plan.spare))]
        self._uses = Counter([*files, *(leftover.file for leftover in plan.leftovers)])
        try:
            for _, group in groupby(plan.chosen, key=lambda one: one.student):
                mine = self._judged(list(group), force=force)
                # The time first: were it to come last, a kill in between would leave a wrong one.
                note = self._write_time(mine)
                for number, (one, outcome) in enumerate(mine):
                    row = self._place(one, outcome)
                    yield row if number else _with_note(row, note)
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
        return Row(one.student, one.beside or one.notebook, outcome, where, notes, human)

    def _where(self, file: Path) -> str:
        return shown(str(file.relative_to(self.scratch)))

    # -- one notebook -------------------------------------------------------------------------

    def _folder(self, student: str) -> Path:
        return self.root / "submitted" / student / self.assignment

    def _target(self, one: Candidate) -> Path:
        return self._folder(one.student) / one.path

    def _judged(self, group: list[Candidate], *, force: bool) -> list[tuple[Candidate, str]]:
        """What is to become of each file of a student: what goes along comes with a notebook."""
        outcomes = {one.path: self._judge(one, force=force) for one in group}
        of_notebooks = {outcomes[one.path] for one in group if not one.beside}
        if of_notebooks and of_notebooks <= {NOT_USED, HELD_BACK}:
            outcomes |= dict.fromkeys((one.path for one in group if one.beside), NOT_USED)
        return [(one, outcomes[one.path]) for one in group]

    def _judge(self, one: Candidate, *, force: bool) -> str:
        """What is to become of the file, beside what is in submitted/ already."""
        there = _digest(self._target(one))
        if there in ("", one.what.sha256):
            return UNCHANGED if there else COLLECTED
        collected = self._record.get(one.student, {}).get(one.beside or one.notebook, {})
        untouched = collected.get("sha256") == there
        is_newer = newer(one.handed.order, _order(collected)) if untouched else None
        if force or (is_newer and one.what.worth is Worth.WORK):
            return REPLACED
        return NOT_USED if is_newer is False else HELD_BACK

    def _place(self, one: Candidate, outcome: str) -> Row:
        if outcome in (NOT_USED, HELD_BACK):
            why = "a newer one" if outcome == NOT_USED else "another one, not known to be older"
            kept = self._keep_attempt(one)
            note = f"submitted/ has {why}; --force takes this one, kept as {kept}"
            return self._row(one, outcome, note, human=outcome == HELD_BACK)
        target, note = self._target(one), ""
        if outcome == REPLACED:
            note = self._keep_old(one, target, _digest(target))
        if outcome != UNCHANGED:
            self._put(one.handed.file, target)
        entry = {"sha256": one.what.sha256, "order": one.handed.order}
        self._record.setdefault(one.student, {})[one.beside or one.notebook] = entry
        return self._row(one, outcome, note)

    def _keep_old(self, one: Candidate, target: Path, there: str) -> str:
        if target.is_symlink():
            return "a link was there before"
        old = self._attempt_path(one, there)
        self._copy(target, old)
        return f"the one before is kept as {self._relative(old)}"

    def _write_time(self, judged: list[tuple[Candidate, str]]) -> str:
        """timestamp.txt: the newest time of what is in the folder. Return what to say of it."""
        path = self._folder(judged[0][0].student) / "timestamp.txt"
        before = path.read_text("utf-8", errors="replace").strip() if path.is_file() else ""
        if before and not {COLLECTED, REPLACED} & {outcome for _, outcome in judged}:
            return ""  # whoever set it may have granted an extension
        there = [one for one, outcome in judged if outcome not in (NOT_USED, HELD_BACK)]
        times = [one.handed.time for one in there if one.handed.time]
        if not times:
            return f"timestamp.txt still says {shown(before)!r}" if before else ""
        others = {path.name for path in path.parent.glob("*.ipynb")} - {o.path for o in there}
        time = max([*times, *_times([before] if others else [])])
        text = f"{time:%Y-%m-%d %H:%M:%S} UTC"
        if text == before:
            return ""
        if not self.dry_run:
            write_text(path, text + "\n")
        return f"timestamp.txt said {shown(before)!r} before" if before else ""

    # -- what is not used ---------------------------------------------------------------------

    def _attempt_path(self, one: Candidate, digest: str) -> Path:
        path = self._kept / "attempts" / one.student / one.path
        return path.with_name(f"{path.stem}-{digest[:12]}{path.suffix}")

    def _keep_attempt(self, one: Candidate) -> str:
        path = self._attempt_path(one, one.what.sha256)
        if not path.exists():
            self._put(one.handed.file, path)
        return self._relative(path)

    def _leave(self, leftover: Leftover) -> Row:
        file = leftover.file
        if file is None:
            return Row(leftover.student, "", UNATTRIBUTED, "", leftover.reason, human=True)
        path = self._kept / "unattributed" / file.relative_to(self.scratch)
        digest, note = _digest(file), leftover.reason
        if _digest(path) not in ("", digest):  # another download had another file there
            path = path.with_name(f"{path.stem}-{digest[:12]}{path.suffix}")
            note = f"{note}; kept as {shown(self._relative(path))}"
        if not path.exists():
            self._put(file, path)
        return Row(leftover.student, "", UNATTRIBUTED, self._where(file), note, human=True)

    # -- files --------------------------------------------------------------------------------

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def _put(self, source: Path, target: Path) -> None:
        """Move the file, or copy it where others need it too: the members of a group."""
        if self._uses[source] > 1:
            self._copy(source, target)
        elif not self.dry_run:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)

    def _copy(self, source: Path, target: Path) -> None:
        if self.dry_run:
            return
        with source.open("rb") as original, replacing(target) as copy:
            shutil.copyfileobj(original, copy)

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
