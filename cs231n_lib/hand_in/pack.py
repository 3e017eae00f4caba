"""What is handed in, as one file: the same work always gives the same bytes; and a receipt."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cs231n_lib.data.cache import write_atomically
from cs231n_lib.errors import CourseError

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier time


@dataclass(frozen=True)
class Packed:
    """``files`` holds size and SHA-256 of what is in it, by its name there."""

    path: Path
    receipt: Path
    sha256: str
    files: Mapping[str, tuple[int, str]]


def pack(
    to: Path,
    assignment: str,
    notebooks: Mapping[str, Path],
    beside: Mapping[str, Path],
    lines: Sequence[str],
    *,
    now: datetime,
) -> Packed:
    """Write ASSIGNMENT.zip and ASSIGNMENT-receipt.txt into the folder ``to``, each whole or not.

    ``notebooks`` by name; ``beside``: what goes along, by its path. ``lines`` say what is missing,
    and stand in the receipt. Raises CourseError where a file cannot be read or written.
    """
    files = {f"{name}.ipynb": path for name, path in notebooks.items()} | dict(beside)
    target, receipt = to / f"{assignment}.zip", to / f"{assignment}-receipt.txt"
    try:
        contents = {name: path.read_bytes() for name, path in sorted(files.items())}
        data = _zipped(contents)
        about = {name: (len(text), _sha256(text)) for name, text in contents.items()}
        packed = Packed(target, receipt, _sha256(data), about)
        text = "\n".join(_receipt(packed, assignment, lines, now)) + "\n"
        write_atomically(target, lambda file: file.write(data))
        write_atomically(receipt, lambda file: file.write(text.encode("utf-8")))
    except OSError as error:
        where = error.filename or to
        raise CourseError(
            f"{where}: {error.strerror or error}; say with --to where the zip may be written."
        ) from error
    return packed


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    """By name, with no time, no owner and no system in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def _receipt(packed: Packed, assignment: str, lines: Sequence[str], now: datetime) -> list[str]:
    files = [f"  {digest}  {size:>10,}  {name}" for name, (size, digest) in packed.files.items()]
    return [
        f"{packed.path.name}, for {assignment}",
        f"packed   {now:%Y-%m-%d %H:%M:%S %z}".rstrip(),
        f"SHA-256  {packed.sha256}",
        "",
        "In it (SHA-256, bytes, name):",
        *files,
        "",
        *(["Missing or open when it was packed:", *(f"  {line}" for line in lines)] if lines else
          ["Nothing was known to be missing or open."]),
        "",
        "This says what was packed on your machine. That it has arrived is for the place to say "
        "where you upload it.",
    ]  # fmt: skip


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
