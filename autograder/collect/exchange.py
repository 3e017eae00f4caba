"""nbgrader's collect, made safe: what a student put into the exchange is copied, never followed.

The folders in the exchange belong to students, who may put anything into them at any time. nbgrader
copies what a link leads to, with the rights of whoever collects: a link to the course's secret, or
to somebody else's work, would come back on the student's own feedback page.

``nbgrader_config.py`` names :class:`SafeCollect`; `nbgrader collect`, the formgrader's button and
`python -m autograder watch --exchange` all use it.
"""

from __future__ import annotations

import datetime
import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from logging import Logger
from pathlib import Path
from typing import Any

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns
from traitlets.config import Config

NOBODY = ("", ".", "..")
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def configure(c: Config) -> None:
    """Let nbgrader's ``collect`` use what is in this module."""
    c.ExchangeFactory.collect = SafeCollect


class SafeCollect(ExchangeCollect):
    """Takes only what belongs to the student whose name it has, and only ordinary files of it."""

    def copy_files(self) -> None:
        """As nbgrader does it, but what somebody else put there is left, and nothing is lost.

        nbgrader deletes the hand-in that it has before it copies a newer one.
        """
        course: Any = self.coursedir  # traitlets tells no checker what is in a trait
        assignment = course.assignment_id
        records = [record for record in self.src_records if not self._fault(record)]
        records = [record for record in records if not self._too_large(record["filename"])]
        self.log.info("%d hand-ins of %s", len(records), assignment)
        for record in records:
            student = record["username"]
            dest = course.format_path(course.submitted_directory, student, assignment)
            if Path(dest).is_dir():
                there = course.get_existing_timestamp(dest)
                if not self._is_wanted(record["timestamp"], there):
                    hint = "" if self.update else ": --update takes a newer one"
                    self.log.info("%s has been collected before%s", student, hint)
                    continue
            self.log.info("Collecting %s of %s", assignment, student)
            self.do_copy(str(Path(self.inbound_path, record["filename"])), dest)

    def _is_wanted(self, time: datetime.datetime, there: datetime.datetime | None) -> bool:
        """Whether a hand-in of this time is to replace the one that is there."""
        if self.update and (there is None or time > there):
            return True
        return bool(self.before_duedate) and time != there

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """A name that nbgrader cannot read keeps nobody else's from being collected."""
        try:
            return super()._path_to_record(path)
        except (ExchangeError, ValueError, OverflowError):
            unknown = {"username": "", "timestamp": datetime.datetime.min}
            return {**unknown, "filename": Path(path).name}

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The newest first; what is forged comes last, so that it hides nothing."""
        ordered = super()._sort_by_timestamp(records)
        faults = {record["filename"]: self._fault(record) for record in ordered}
        for name, fault in faults.items():
            if fault:
                self.log.error("%s is not collected: %s", name, fault)
        return sorted(ordered, key=lambda record: bool(faults[record["filename"]]))

    def do_copy(self, src: str, dest: str, log: Logger | None = None) -> None:
        """Copy the ordinary files of the student's; names of others are in the log.

        ``dest`` is there as a whole, as it was or as it is now; a stop between the two renamings
        leaves what was there as ``.NAME.old``, and the next collection puts it back. Raises
        OSError, as where the disk is full; what is one student's doing keeps nobody else's from
        being collected.
        """
        course: Any = self.coursedir
        ignored = ignore_patterns(
            exclude=course.ignore,
            include=course.include,
            max_file_size=course.max_file_size,
            log=self.log,
        )
        place = Path(dest)
        new, old = (place.with_name(f".{place.name}.{word}") for word in ("new", "old"))
        if old.is_dir() and not place.exists():
            old.rename(place)
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)
        try:
            for left_out in copy_ordinary(Path(src), new, ignored):
                what = "is a link, a special file or somebody else's: left out"
                self.log.warning("%s %s", Path(src, left_out), what)
        except ExchangeError as error:
            shutil.rmtree(new, ignore_errors=True)
            self.log.error("%s is not collected: %s", Path(src).name, error)
            return
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        if course.groupshared:
            for part in (new, *new.rglob("*")):
                part.chmod(0o2770 if part.is_dir() else 0o660)
        if place.exists():
            place.rename(old)
        new.rename(place)
        shutil.rmtree(old, ignore_errors=True)

    def _too_large(self, name: str) -> bool:
        course: Any = self.coursedir
        if self.get_size(str(Path(self.inbound_path, name))) <= 1000 * course.max_dir_size:
            return False
        what = "it is larger than CourseDirectory.max_dir_size allows"
        self.log.error("%s is not collected: %s", name, what)
        return True

    def _fault(self, record: Mapping[str, Any]) -> str:
        """Why a hand-in is not taken; empty: it is."""
        name, path = record["username"], Path(self.inbound_path, record["filename"])
        about = os.lstat(path)
        if not stat.S_ISDIR(about.st_mode):
            return "it is not a folder"
        if name in NOBODY:
            return "its name is not STUDENT+ASSIGNMENT+TIME"
        if not self.check_owner:
            return ""
        try:
            owner = pwd.getpwuid(about.st_uid).pw_name
        except KeyError:
            owner = f"user {about.st_uid}"
        if owner == name:
            return ""
        return (
            f"it belongs to {owner}. Where students have no users of their own on this machine, "
            "set c.ExchangeCollect.check_owner = False in nbgrader_config.py"
        )


def copy_ordinary(source: Path, target: Path, ignored: Any = None) -> list[str]:
    """Copy a folder's ordinary files, of the folder's owner; what was left out, as paths in it.

    Every folder and file is opened once, without following a link, and looked at when it is open:
    its owner may exchange it for a link at any moment. Raises ExchangeError where ``source`` itself
    has become one.
    """
    left_out: list[str] = []
    owner = -1  # not known yet: nobody's
    target.mkdir(parents=True)
    for place, folders, names, here in os.fwalk(source, follow_symlinks=False):
        relative = Path(place).relative_to(source)
        if owner < 0:
            owner = os.fstat(here).st_uid
        skipped = set(ignored(place, [*folders, *names])) if ignored else set()
        links = {name for name in folders if _is_link(name, here)}
        left_out += [str(relative / name) for name in sorted(links)]
        folders[:] = [name for name in folders if name not in skipped | links]
        for name in folders:
            (target / relative / name).mkdir(exist_ok=True)
        for name in names:
            if name not in skipped and not _copy(name, here, target / relative / name, owner):
                left_out.append(str(relative / name))
    if owner < 0:
        raise ExchangeError(f"{source} cannot be read: is it still there?")
    return left_out


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return True  # gone meanwhile


def _copy(name: str, folder: int, target: Path, owner: int) -> bool:
    """Whether it was an ordinary file of the owner's.

    Raises OSError where it cannot be copied to its end: a part of a file is nobody's hand-in.
    """
    try:
        descriptor = os.open(name, FLAGS, dir_fd=folder)
    except OSError:
        return False  # a link, or gone meanwhile
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != owner:
            return False
        with target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
    return True
