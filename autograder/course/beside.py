"""What lies in somebody's folder: ordinary files, never what a link leads to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autograder.notebook.pictures import MAX_PICTURE, MAX_PICTURES, SUFFIXES, kind_of

# What operating systems and Jupyter put beside somebody's files.
JUNK = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "__pycache__", ".git"}
JUNK |= {"Thumbs.db", "desktop.ini"}

MAX_FOLDERS, MAX_FILES = 3, 5_000  # folders one in the other; files looked at
MAX_BESIDE = 100  # pictures that go along


def is_junk(name: str) -> bool:
    """Whether a path is of the operating system's or Jupyter's making."""
    parts = PurePosixPath(name).parts
    return any(part in JUNK or part.startswith("._") for part in parts)


def files_below(folder: Path) -> Iterator[Path]:
    """Ordinary files in the folder and a few folders down, as paths in it, by name."""
    seen = 0
    for place, inside, names in os.walk(folder):
        here = Path(place).relative_to(folder)
        inside[:] = sorted(name for name in inside if not is_junk(name))
        if len(here.parts) >= MAX_FOLDERS:
            inside.clear()
        for name in sorted(names):
            seen += 1
            if seen > MAX_FILES:
                return
            if not is_junk(name) and stat.S_ISREG(os.lstat(folder / here / name).st_mode):
                yield here / name


def read_regular(path: Path, most: int) -> bytes | None:
    """A file's content up to ``most`` bytes and one more; None where it is a link or no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(most + 1)


def pictures_beside(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Pictures handed in beside a notebook, by path; a line on each that is left out."""
    found: dict[str, bytes] = {}
    notes = []
    total = 0
    for path in files_below(folder):
        if path.suffix.lower() not in SUFFIXES:
            continue
        name = path.as_posix()
        data = read_regular(folder / path, MAX_PICTURE)
        if data is None:
            continue
        fault = ""
        if len(data) > MAX_PICTURE:
            fault = f"larger than {MAX_PICTURE >> 20} MB"
        elif not kind_of(data):
            fault = "not a picture, whatever it is called"
        elif total + len(data) > MAX_PICTURES or len(found) >= MAX_BESIDE:
            fault = f"one too many: at most {MAX_BESIDE} and {MAX_PICTURES >> 20} MB are kept"
        if fault:
            notes.append(f"{name!r}, handed in beside the notebook, is {fault}: left out")
        else:
            found[name] = data
            total += len(data)
    return found, notes
