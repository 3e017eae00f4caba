"""A spreadsheet in CSV as a learning platform wrote it: read, changed in a few cells, written back.

Encoding, byte order mark, delimiter, line ends, columns and order stay what they were.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from autograder.export import ExportError

MAX_BYTES = 50 << 20
MARKS = (  # a mark, and the encoding of what follows it
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Sheet:
    """The rows, header included, and how they were written."""

    header: list[str]
    rows: list[list[str]]
    mark: bytes = b""
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"

    def to_bytes(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_end)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return self.mark + text.getvalue().encode(self.encoding, "replace")


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file. Raises ExportError when it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ExportError(f"{path} has more than {MAX_BYTES >> 20} MB: is it the right file?")
    if data.startswith(b"PK\x03\x04"):
        raise ExportError(f"{path} is a zip or an Excel workbook: download or save it as CSV")
    mark, encoding, text = _decode(path, data)
    first = text.split("\n", 1)[0]
    # csv.Sniffer goes by the frequency of characters, and has taken a letter for the delimiter.
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ExportError(f"{path} is not a CSV file: {error}; download it again") from None
    if not rows or len(rows[0]) < 2:
        raise ExportError(f"{path} has no row of column names; download it again")
    line_end = "\r\n" if first.endswith("\r") else "\n"
    # Blank lines, which some programs add at the end, are no rows.
    return Sheet(rows[0], [row for row in rows[1:] if row], mark, encoding, delimiter, line_end)


def _decode(path: Path, data: bytes) -> tuple[bytes, str, str]:
    """(byte order mark, encoding, text). What is not UTF-8 is taken for Excel's old encoding."""
    marks = [known for known in MARKS if data.startswith(known[0])]
    for mark, encoding in marks or [(b"", "utf-8"), (b"", "cp1252")]:
        try:
            return mark, encoding, data[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ExportError(f"{path} is not text: download it again, as CSV")
