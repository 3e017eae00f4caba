"""The cells of whatever was handed in as a notebook, or what it is instead.

Editors, browsers and version control do things to files. What is clear is mended and said; what is
no notebook is told for what it is, so that the student knows what to hand in.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from typing import Any

from autograder.errors import NeedsHuman
from autograder.notebook import attachments
from autograder.notebook import template as released
from autograder.notebook.characters import is_whole, whole
from autograder.notebook.template import Cell

MAX_BYTES = 200 << 20
MAX_CELLS = 1_000  # a long notebook of the course has 80
MAX_CODE = 200_000  # characters of a cell: twice a whole notebook of the course
MAX_TEXT = 2 << 20  # of a cell of text, where Colab keeps pasted pictures as text
MAX_SCRIPT = 200_000  # characters looked at to tell a Python script


class UnreadableError(NeedsHuman):
    """Not a notebook at all; the message says what was found."""


@dataclass
class Reading:
    """The cells, in nbformat's form without outputs; what was mended; what a human has to see."""

    cells: list[Cell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)


def read_notebook(data: bytes) -> Reading:
    """Raises UnreadableError."""
    reading = Reading()
    try:
        found = _cells(data, reading.notes)
        if len(found) > MAX_CELLS:
            raise UnreadableError(
                f"the notebook has {len(found):,} cells, and at most {MAX_CELLS:,} are read: "
                "delete those that are not needed and hand it in again"
            )
        for number, cell in enumerate(found, start=1):
            reading.cells.append(_normal(cell, number, reading))
    except RecursionError:
        raise UnreadableError(
            "the file is not JSON that can be read: it is nested too deeply"
        ) from None
    return reading


def _cells(data: bytes, notes: list[str]) -> list[Any]:
    if not data.strip():
        raise UnreadableError("the file is empty")
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"the file has {len(data) >> 20} MB")
    for start, kind in BEGINNINGS.items():
        if data.startswith(start):
            raise UnreadableError(f"the file is {kind}, not a notebook")
    text = _text(data, notes)
    document = _document(text, notes)
    if not isinstance(document, dict):
        raise UnreadableError("the file is JSON, but not a notebook")
    if document.get("nbformat") in (2, 3) and "worksheets" in document:
        document = _upgrade(document)
        notes.append("the notebook was in an old format: upgraded")
    if not isinstance(document.get("cells"), list):
        raise UnreadableError("the file is JSON, but not a notebook: it has no list of cells")
    return document["cells"]


# What a file is that begins so.
BEGINNINGS = {
    b"PK\x03\x04": "a zip archive (unpack it and hand in the notebook that is in it)",
    b"\x1f\x8b": "packed with gzip (unpack it and hand in the notebook that is in it)",
    b"Rar!": "a RAR archive (unpack it and hand in the notebook that is in it)",
    b"7z\xbc\xaf": "a 7z archive (unpack it and hand in the notebook that is in it)",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"version https://git-lfs": "a Git LFS pointer to a file that was not handed in "
    "(`git lfs pull` fetches it)",
}


def _text(data: bytes, notes: list[str]) -> str:
    encoding = json.detect_encoding(data)  # by byte order mark or zeros
    if data.startswith(b"\xef\xbb\xbf"):
        notes.append("the file began with a byte order mark: removed")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if not encoding.startswith("utf-8") or b"\0" in data:
            raise UnreadableError("the file is not text") from None
        return _damaged(data, notes)
    if not encoding.startswith("utf-8"):
        notes.append(f"the file was {encoding[:6].upper()}: read as such")
    return text


def _damaged(data: bytes, notes: list[str]) -> str:
    """Text that is not UTF-8: an editor has saved it as Windows does, or bytes went wrong."""
    text = data.decode("utf-8-sig", "replace")
    wrong = text.count("\ufffd")
    right = sum(character > "\x7f" for character in text) - wrong
    if wrong > max(right, len(text) // 20) and wrong > len(text) // 20:
        raise UnreadableError("the file is not text")
    if wrong > right:
        notes.append(
            "the file was saved in Windows' own encoding (cp1252, which editors call ANSI), not in "
            "UTF-8: read as such"
        )
        return data.decode("cp1252", "replace")
    notes.append(f"{wrong} characters of the file were not UTF-8: replaced by \ufffd")
    return text


def _document(text: str, notes: list[str]) -> Any:
    decoder = json.JSONDecoder()
    try:
        start = len(text) - len(text.lstrip())
        document, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(_no_json(text, error)) from None
    rest = text[end:].strip()
    if rest:
        if not isinstance(document, dict) or '"cells"' in rest:
            raise UnreadableError(
                "the file is not JSON: after the end of a notebook comes more, perhaps another "
                "notebook. Which of the two is it?"
            )
        notes.append(f"after the end of the notebook came {len(rest)} characters: left out")
    return document


def _no_json(text: str, error: ValueError | RecursionError) -> str:
    """What a text is that should have been a notebook."""
    head = text.lstrip()[:200].casefold()
    if head.startswith(("<!doctype", "<html", "<?xml", "<head", "<svg")):
        return "the file is an HTML page, not a notebook (save the notebook itself, as .ipynb)"
    conflict = re.search(r"(?m)^[ \t]*<{7}(?= |$)", text) and re.search(r"(?m)^[ \t]*>{7}", text)
    if conflict:
        return (
            "the file is not JSON: Git has left both sides of a merge conflict in it "
            "(<<<<<<< and >>>>>>>); choose one of them and hand it in again"
        )
    if not head.startswith(("{", "[")) and _is_script(text):
        return "the file is a Python script, not a notebook"
    if isinstance(error, json.JSONDecodeError) and head.startswith("{"):
        torn = error.msg.startswith("Unterminated string") and "\n" not in text[error.pos :][:-1]
        if error.pos >= len(text.rstrip()) or (torn and len(text) > len("{''}")):
            return (
                f"the file is not JSON: it is truncated after {len(text):,} characters "
                "(it was not saved, copied or uploaded completely)"
            )
    return f"the file is not JSON ({str(error)[:120]})"


def _is_script(text: str) -> bool:
    if len(text) > MAX_SCRIPT:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    own = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)
    return any(isinstance(node, own) for node in body)


def _upgrade(document: dict[str, Any]) -> dict[str, Any]:
    import nbformat  # slow to import, and hardly ever needed

    try:
        return nbformat.reads(json.dumps(document), as_version=4)
    except Exception as error:
        raise UnreadableError(f"a notebook of an old format that is broken ({error})") from None


# -- one cell -------------------------------------------------------------------------------------


def _normal(cell: Any, number: int, reading: Reading) -> Cell:
    """A cell with just the fields that count, outputs dropped; what it lost is noted."""
    cell = cell if isinstance(cell, dict) else {}
    kind = cell.get("cell_type")
    kind = kind if kind in ("code", "markdown", "raw") else "raw"
    about = released.nbgrader(cell)
    normal: Cell = {
        "cell_type": kind,
        "id": whole(str(cell.get("id", ""))),
        "metadata": {"nbgrader": {"grade_id": whole(released.grade_id(cell))}} if about else {},
        "source": released.source_of(cell),
    }
    called = f"cell {normal['id']!r}" if normal["id"] else f"cell number {number}"
    if not is_whole(normal["source"]):
        normal["source"] = whole(normal["source"])
        reading.notes.append(
            f"{called} held half of a character (half an emoji?): replaced by \ufffd"
        )
    _shorten(normal, called, reading)
    pictures = attachments.of_cell(cell, called, reading.notes) if kind != "code" else {}
    if pictures:
        normal["attachments"] = pictures
    return as_type(normal, kind)


def _shorten(cell: Cell, called: str, reading: Reading) -> None:
    size, most = len(cell["source"]), MAX_CODE if cell["cell_type"] == "code" else MAX_TEXT
    if size > most:
        what = f"{called} has {size:,} characters, and at most {most:,} of a cell are read"
        reading.concerns.append(f"{what}: it was left out")
        cell["source"] = f"# Left out: {what}."


def as_type(cell: Cell, kind: str) -> Cell:
    """The cell as one of this type, without outputs."""
    unfit = {"outputs", "execution_count"} | ({"attachments"} if kind == "code" else set())
    cell = {name: value for name, value in cell.items() if name not in unfit}
    cell["cell_type"] = kind
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
