"""What is released beside the notebooks: whatever lies there, and a course's own library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nbgrader.utils import find_all_files

from autograder.authoring.source import ReleaseError
from autograder.files import write_bytes
from autograder.notebook.regions import MARK_IN_FILE
from autograder.settings import CourseSettings

_TELLING_NAME = re.compile(r"solution|answer|rubric|mark.?scheme|hidden.?test|gradebook", re.I)
READ_BYTES = 10 << 20  # of a file: a longer one is data


def check_others(folder: Path, ignored: Sequence[str]) -> None:
    """Raise ReleaseError when a file that would be copied looks like a solution."""
    for name in sorted(find_all_files(str(folder), [*ignored, "*.ipynb"])):
        check_other(Path(name), folder)


def check_other(path: Path, folder: Path) -> None:
    """The same for one file in ``folder``."""
    why = ""
    if _TELLING_NAME.search(path.relative_to(folder).as_posix()):
        why = "sounds like what students must not see"
    elif region := MARK_IN_FILE.search(_beginning(path)):
        why = f"holds {region[0].decode()!r}"
    if why:
        raise ReleaseError(
            f"{path}: would be released as it is, and {why}; move it out of source/, list it "
            "under c.CourseDirectory.ignore in nbgrader_config.py, or give it another name"
        )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(READ_BYTES)
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror}), so not released") from None


def add_library(course: CourseSettings, folder: Path) -> None:
    """Put what students import beside the notebooks, so that they need to install nothing.

    The library that comes with the engine is installed. Raises ReleaseError where a file of it
    looks like a solution, or names the hidden checks.
    """
    if not course.folder:
        return
    source = Path(course.folder, course.library.name)
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        hidden = any(part == "__pycache__" or part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden:
            check_other(path, source)
            if re.search(rb"\b%b\b" % course.checks.encode(), _beginning(path)):
                raise ReleaseError(
                    f"{path} names {course.checks!r}; students get this file, and never the hidden "
                    "checks: keep the two apart"
                )
            write_bytes(folder / course.library.name / inside, path.read_bytes())
