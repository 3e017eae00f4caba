"""The formats of downloads: which file was handed in by whom, and in which attempt.

Read off the programs that write them, or off a real download (docs/collect.md says where):

- Canvas: ``NAME_[LATE_]USER_UPLOAD_FILE``, all files side by side; uploads are numbered in time.
- Moodle: ``NAME_NUMBER_assignsubmission_file[_]/FILE``, or without folders ``..._file_FILE``.
- Gradescope: ``submission_NUMBER/FILE`` beside ``submission_metadata.yml``.
- Folder: ``STUDENT/.../FILE``, or a zip of one student, named like the student.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.collect import CollectError
from autograder.collect.archives import UNPACKED, Download
from autograder.collect.gradescope import METADATA, read_metadata
from autograder.collect.names import is_junk
from autograder.collect.people import Person

CANVAS = re.compile(r"(?P<name>.+?)_(?P<late>LATE_)?(?P<user>\d+)_(?P<upload>\d+)_(?P<file>.+)")
CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<user>[^_]+)_(?P<upload>\d+)_(?P<file>.+)"
)
CANVAS_TEXT = re.compile(
    r"(?P<name>.+?)_(?P<late>LATE_)?(?P<user>\d+)_(?P<file>(?:text|link)\.html)"
)
MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
PATTERNS = (("moodle", MOODLE), ("canvas", CANVAS), ("canvas", CANVAS_ANONYMOUS))
ATTEMPT = re.compile(r"attempt[ _-]?(\d+)", re.IGNORECASE)
WRAPPERS = 3  # folders around a download, as unpacking programs make them


@dataclass(frozen=True)
class SubmittedFile:
    """One file. What can be compared with another file's ``order`` tells which is newer."""

    file: Path
    name: str  # without what the LMS put in front
    person: Person | None
    attempt: str = ""  # files handed in together
    order: tuple[str, float] | None = None
    time: datetime | None = None  # UTC, without saying so, as nbgrader has it
    late: bool = False
    others: tuple[Person, ...] = field(default=())  # the rest of a group
    problem: str = "its name does not say which student it is from"  # where there is no person


def read(
    download: Download, wanted: str, assignment: str, is_student: Callable[[str], bool]
) -> list[SubmittedFile]:
    """All files of a download, in the format ``wanted``, or whichever it has for "auto".

    ``is_student`` tells a student's folder from one around the download. Raises CollectError.
    """
    found, folder = _locate(download.folder, is_student)
    kind = found if wanted == "auto" else wanted
    readers = {"canvas": _canvas, "moodle": _moodle, "gradescope": _gradescope}
    if kind in readers:
        return list(readers[kind](download, folder))
    return list(_students(download, assignment, is_student))


def recognise(folder: Path) -> str:
    """The format of what is in the folder itself, or empty: never looks into what is below."""
    names = [path.name for path in _inside(folder)]
    if METADATA in names:
        return "gradescope"
    for kind, pattern in PATTERNS:
        if names and sum(bool(pattern.fullmatch(name)) for name in names) * 2 >= len(names):
            return kind
    return ""


def _locate(folder: Path, is_student: Callable[[str], bool]) -> tuple[str, Path]:
    """The format, and the folder with the submissions. Not in anything that students packed."""
    place = folder
    for _ in range(WRAPPERS):
        kind, inside = recognise(place), _inside(place)
        if kind:
            return kind, place
        inner = inside[0] if len(inside) == 1 else place
        if inner == place or not inner.is_dir() or inner.name.endswith(UNPACKED):
            break
        if is_student(inner.name):
            break
        place = inner
    return "folder", folder


def _canvas(download: Download, folder: Path) -> Iterator[SubmittedFile]:
    for entry in _inside(folder):
        name = entry.name
        anonymous = CANVAS_ANONYMOUS.fullmatch(name)
        match = anonymous or CANVAS.fullmatch(name) or CANVAS_TEXT.fullmatch(name)
        if match is None:
            yield from (SubmittedFile(file, file.name, None) for file in _files(entry))
            continue
        about = match.groupdict()
        user = about["user"]
        user_id = "" if anonymous else user
        person = Person(about["name"], "Canvas", lms_user_id=user_id, number=user)
        order = ("upload to Canvas", int(about["upload"])) if "upload" in about else None
        for file in _files(entry):
            name = about["file"] if file == entry else file.name
            yield SubmittedFile(file, name, person, download.name, order, late=bool(about["late"]))


def _moodle(download: Download, folder: Path) -> Iterator[SubmittedFile]:
    # Moodle writes no time of handing in, but a later download has what is newer.
    made = download.made
    order = ("download from Moodle", _seconds(made)) if made else None
    for entry in _inside(folder):
        match = MOODLE.fullmatch(entry.name)
        if match is None:
            yield from (SubmittedFile(file, file.name, None) for file in _files(entry))
            continue
        person = Person(match["name"], "Moodle", number=match["number"] or "")
        for file in _files(entry):
            name = (match["file"] or file.name) if file == entry else file.name
            yield SubmittedFile(file, name, person, download.name, order)


def _gradescope(download: Download, folder: Path) -> Iterator[SubmittedFile]:
    if not (folder / METADATA).is_file():
        raise CollectError(
            f"{download.name} holds no {METADATA}: is it what Gradescope calls "
            "'Export Submissions'? Otherwise name another format with --from"
        )
    known = read_metadata(folder / METADATA)
    for entry in _inside(folder):
        if entry.name == METADATA:
            continue
        about = known.get(entry.name)
        for file in _files(entry):
            if about is None or not about.people:
                yield SubmittedFile(
                    file, file.name, None, problem=f"{METADATA} names no student for it"
                )
                continue
            time = about.time
            order = ("time in Gradescope", _seconds(time)) if time else None
            first, *others = about.people
            yield SubmittedFile(
                file, file.name, first, entry.name, order, time, others=tuple(others)
            )


def _students(
    download: Download, assignment: str, is_student: Callable[[str], bool]
) -> Iterator[SubmittedFile]:
    """A folder for each student, or a download of one student."""
    folder = download.folder
    if (folder / download.name).is_dir() and len(_inside(folder)) == 1:
        folder = folder / download.name  # as unpacking programs make it
    entries = _inside(folder)
    stamps = "" if download.zipped else assignment
    known = is_student(download.name)
    one = any(entry.name == assignment and entry.is_dir() for entry in entries)
    if known or one or all(entry.is_file() for entry in entries):
        mine = known or one or download.zipped
        yield from _of_student(folder, download.name if mine else "", folder, stamps)
        return
    for entry in entries:
        name = entry.name.removesuffix(UNPACKED)
        stem = Path(name).stem if name != entry.name else name
        if name != entry.name and (kind := recognise(entry)):
            problem = f"{name} looks like a download from {kind}: name it as a PATH of its own"
            yield from (SubmittedFile(f, f.name, None, problem=problem) for f in _files(entry))
            continue
        mine = "" if name != entry.name else stamps
        yield from _of_student(entry, stem if entry.is_dir() else "", folder, mine)


def _of_student(place: Path, name: str, folder: Path, stamps: str) -> Iterator[SubmittedFile]:
    """``stamps``: in which folder of the student's nbgrader's own timestamp.txt lies, if anywhere.

    What students packed may hold a file of that name, too: it says what they like.
    """
    from nbgrader.utils import parse_utc

    # The name of a folder may be anything: an id, a name, an address.
    person = Person(name, "folder", sid=name, email=name) if name else None
    for file in _files(place):
        if file.name == "timestamp.txt":
            continue
        parts = [ATTEMPT.search(part) for part in file.relative_to(folder).parts[:-1]]
        numbers = [int(match[1]) for match in parts if match]
        attempt = f"attempt {numbers[-1]}" if numbers else str(folder)
        order = ("attempt", int(numbers[-1])) if numbers else None
        time = None
        stamp = file.with_name("timestamp.txt")
        if stamps and stamp.parent == place / stamps and stamp.is_file():
            try:
                time = parse_utc(stamp.read_text("utf-8", errors="replace")[:100].strip())
                order = ("time in timestamp.txt", _seconds(time))
            except (ValueError, OverflowError):
                pass  # as if it had none
        yield SubmittedFile(file, file.name, person, attempt, order, time)


def _seconds(time: datetime) -> float:
    return time.replace(tzinfo=UTC).timestamp()  # in any zone, as long as it is always the same


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_junk(path.name))


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(path for path in place.rglob("*") if path.is_file() and not is_junk(path.name))
