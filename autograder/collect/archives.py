"""Unpack what strangers have packed: nothing leads out of the folder, nothing fills the disk.

Zips are read member by member, under caps. What is refused is reported in a line; the rest goes on.
What came out of ``hw.zip`` is in the folder ``hw.zip!``; a student's zip itself stays beside it
only where something in it was refused.
"""

from __future__ import annotations

import errno
import lzma
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from autograder.collect import CollectError
from autograder.collect.members import Member, open_zip
from autograder.collect.names import clean, is_junk, shown, unused

UNPACKED = "!"
CHUNK = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)
# What zipfile and the file system raise over data and names made to hurt.
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError)
BROKEN = (*BROKEN, ValueError, RuntimeError, NotImplementedError, OSError)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much may come out; ``inner``: out of an archive of one student, and what is in it."""

    file_bytes: int = 200 << 20
    total_bytes: int = 64 << 30
    total_files: int = 200_000
    inner_bytes: int = 512 << 20
    inner_files: int = 10_000
    ratio: int = 200  # unpacked to packed, where more than `free_bytes` come out of a file
    free_bytes: int = 50 << 20
    zips: int = 2  # a zip in a student's zip, and no further
    lines: int = 10  # about one student's archive


@dataclass(frozen=True)
class Download:
    """One path that was given, unpacked."""

    folder: Path
    name: str
    zipped: bool = True
    made: datetime | None = None  # when the LMS wrote the zip: the newest time in it


@dataclass(frozen=True)
class Refused:
    """Something that was not unpacked, or not as it was named."""

    where: str
    reason: str


class _TooMuch(Exception):
    """More comes out than may."""


class Unpacker:
    """Unpacks zips and copies folders into one folder, all under the same caps."""

    def __init__(self, root: Path, caps: ArchiveLimits | None = None) -> None:
        self.root = root
        self.caps = caps or ArchiveLimits()
        self.refused: list[Refused] = []
        self.ignored = 0  # files of the operating system and of Jupyter
        self._bytes, self._files = self.caps.total_bytes, self.caps.total_files
        self._inner_bytes, self._inner_files = 0, 0  # of the student's archive in hand

    def unpack(self, source: Path) -> Download:
        """Put what a zip or a folder holds into a new folder. Raises CollectError: disk full."""
        zipped = not source.is_dir()
        folder = unused(self.root / (clean(source.name) + (UNPACKED if zipped else "")))
        made = None
        try:
            folder.mkdir(parents=True)
            if zipped:
                made = self._unzip(source, folder, zips=0)
            else:
                self._copy_folder(source, folder)
        except OSError as error:
            raise CollectError(f"nothing was collected: {error}") from None
        return Download(folder, source.stem if zipped else source.name, zipped, made)

    def _refuse(self, where: Path, reason: str, name: str = "") -> None:
        relative = where.relative_to(self.root) if where.is_relative_to(self.root) else where
        self.refused.append(Refused(shown(f"{relative}/{name}" if name else str(relative)), reason))

    def _stop_or_refuse(self, where: Path, what: str, error: BaseException) -> None:
        why = str(error)
        if isinstance(error, OSError):
            if error.errno in FULL:
                raise CollectError(f"the disk is full, nothing was collected: {error}") from None
            why = error.strerror or why
        self._refuse(where, f"{what} ({shown(why)})")

    # -- zips ---------------------------------------------------------------------------------

    def _unzip(self, path: Path, folder: Path, zips: int) -> datetime | None:
        """Unpack, ``zips`` deep in other zips; return the newest time of a member."""
        newest, before = None, len(self.refused)
        try:
            size = path.stat().st_size
            with open_zip(path) as (archive, members):
                most = min(self._files, self._inner_files) if zips else self._files
                if len(members) > most:
                    raise zipfile.BadZipFile(f"it holds {len(members)} files, more than {most}")
                newest = max(filter(None, (member.time for member in members)), default=None)
                for member in members:
                    if is_junk(member.name):
                        self.ignored += 1
                    elif member.refusal:
                        self._refuse(folder, member.refusal, member.name)
                    else:
                        self._unzip_member(archive, member, folder, zips, size)
        except BROKEN as error:
            self._stop_or_refuse(path, "cannot be read as a zip", error)
        more = len(self.refused) - before - self.caps.lines
        if zips and more > 0:
            del self.refused[-more:]
            self._refuse(path, f"{more} more of its files were refused")
        return newest

    def _unzip_member(
        self, archive: zipfile.ZipFile, member: Member, folder: Path, zips: int, size: int
    ) -> None:
        where = folder / member.name
        packed = min(member.info.compress_size, size)  # what a zip says of itself may be a lie
        try:
            if where.exists():
                self._refuse(where, "a second file of this name: unpacked beside the first")
            elif member.altered:
                self._refuse(where, "its name had characters that cannot be printed: replaced")
            with archive.open(member.info) as stream:
                most = max(self.caps.free_bytes, self.caps.ratio * packed)
                self._write(stream, unused(where), zips, most)
        except BROKEN as error:
            self._stop_or_refuse(where, "cannot be unpacked", error)

    def _unzip_inner(self, path: Path, zips: int) -> None:
        """Unpack a zip that was handed in; it goes away where all of it came out."""
        if zips > self.caps.zips:
            self._refuse(path, "a zip within a zip within a zip: unpack it by hand")
            return
        if zips == 1:
            self._inner_bytes, self._inner_files = self.caps.inner_bytes, self.caps.inner_files
        folder, before = unused(path.with_name(path.name + UNPACKED)), len(self.refused)
        folder.mkdir()
        self._unzip(path, folder, zips)
        if len(self.refused) == before:
            path.unlink()

    # -- folders ------------------------------------------------------------------------------

    def _copy_folder(self, source: Path, folder: Path) -> None:
        def where(path: Path) -> Path:
            return folder.joinpath(*map(clean, path.relative_to(source).parts))

        def unreadable(error: OSError) -> None:
            self._stop_or_refuse(where(Path(error.filename)), "cannot be read", error)

        for base, folders, files in os.walk(source, onerror=unreadable):
            for name in sorted((*folders, *files)):
                path = Path(base, name)
                if is_junk(name):
                    self.ignored += name in files
                elif path.is_symlink():
                    self._refuse(where(path), "a link: not followed")
                elif name in files:
                    self.copy(path, where(path))
            folders[:] = sorted(name for name in folders if not is_junk(name))

    def copy(self, path: Path, where: Path) -> None:
        """Copy a file of the caller's; a zip is unpacked. Raises CollectError: disk full."""
        if not path.is_file():
            self._refuse(where, "neither a file nor a folder: left where it is")
            return
        try:
            with path.open("rb") as stream:
                self._write(stream, unused(where), 0, self.caps.file_bytes)
        except OSError as error:
            self._stop_or_refuse(where, "cannot be read", error)

    # -- both ---------------------------------------------------------------------------------

    def _write(self, stream: IO[bytes], target: Path, zips: int, most: int) -> None:
        """Write a file, no longer than ``most`` bytes and what is left of the other caps."""
        caps = self.caps
        limits = [
            (most, f"more than {most >> 20} MB when unpacked. A zip bomb?"),
            (caps.file_bytes, f"larger than {caps.file_bytes >> 20} MB"),
            (self._bytes, f"more than {caps.total_bytes >> 30} GB when unpacked altogether"),
        ]
        if zips:
            inner = f"more than {caps.inner_bytes >> 20} MB when unpacked from the zip it is in"
            limits.append((self._inner_bytes, inner))
        most, why = min(limits)
        target.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        try:
            with target.open("xb") as file:
                while chunk := stream.read(CHUNK):
                    written += len(chunk)
                    if written > most:
                        raise _TooMuch
                    file.write(chunk)
        except _TooMuch:
            target.unlink()
            self._refuse(target, f"left out: {why}")
            return
        except BROKEN:
            target.unlink(missing_ok=True)
            raise
        self._bytes, self._files = self._bytes - written, self._files - 1
        if zips:
            self._inner_bytes -= written
            self._inner_files -= 1
        if target.suffix.casefold() == ".zip":
            self._unzip_inner(target, zips + 1)
