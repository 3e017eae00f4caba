"""What a zip says of its members, before any of them is unpacked."""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.collect.names import clean, shown

UTF8_NAME, ENCRYPTED = 0x800, 0x1  # flags of a member
DIRECTORY_BYTES = 32 << 20  # the list of members, which zipfile holds in memory
FOLDERS, SAME_NAME, NAME_BYTES = 40, 9, 1000


@dataclass(frozen=True)
class Member:
    """A file in a zip."""

    info: zipfile.ZipInfo
    name: str  # clean, with / between folders
    altered: bool  # it had characters that cannot be printed
    refusal: str  # why it is not unpacked, or empty

    @property
    def time(self) -> datetime | None:
        """As written in the zip, in a time zone that nobody knows."""
        try:
            return datetime(*self.info.date_time)
        except ValueError:
            return None


@contextmanager
def open_zip(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """The archive and its files. Raises BadZipFile, and what else zipfile raises over bad data."""
    with _Reader(path) as file, zipfile.ZipFile(file) as archive:
        names: Counter[str] = Counter()
        members = []
        for info in archive.infolist():
            if not info.is_dir():
                given = _name(info)
                name = clean(given)
                names[name] += 1
                refusal = _refusal(info, name.replace("\\", "/"), names[name])
                members.append(Member(info, name.replace("\\", "/"), name != given, refusal))
        yield archive, members


class _Reader(io.FileIO):
    """A file of which no endless list of members is read at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("the list of its members is too long")
        return super().read(-1 if size is None else size)


def _name(info: zipfile.ZipInfo) -> str:
    """The name. Many programs write UTF-8 and do not say so; zipfile then reads it as cp437."""
    name = info.filename
    if not info.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):  # then it is cp437 indeed
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _refusal(info: zipfile.ZipInfo, name: str, number: int) -> str:
    """Why a file, the ``number``-th of its name, is not unpacked; or empty."""
    parts = name.split("/")
    drive = name[1:2] == ":" and name[:1].isalpha()
    if name.startswith("/") or drive or ".." in parts or not name.strip("/. "):
        return f"its name {shown(name)!r} leads outside the folder: not unpacked"
    if len(parts) > FOLDERS:
        return f"in more than {FOLDERS} folders, one in the other: not unpacked"
    if len(name.encode("utf-8", "replace")) > NAME_BYTES:
        return f"its name is longer than {NAME_BYTES} bytes: not unpacked"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link: not unpacked"
    if info.flag_bits & ENCRYPTED:
        return "encrypted: ask for it without a password"
    if number > SAME_NAME:
        return "yet another file of the same name: not unpacked"
    return ""
