"""A small course of one's own to begin with: one notebook, its checks, a library, settings.

The folder `template_course` beside this module is that course; its packages get the new one's name.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import tempfile
from pathlib import Path

from autograder.errors import WrongUse
from autograder.files import write_text

TEMPLATE = Path(__file__).with_name("template_course")
PACKAGES = ("course_lib", "course_checks")
GITIGNORE = "gitignore"  # it has no dot in the template, where it would hide what git is to keep


class NewCourseError(WrongUse):
    """The course cannot be made there; nothing was written."""


def new_course(folder: Path) -> list[Path]:
    """Write the template course into a new or empty folder. Returns its files.

    It is there as a whole or not at all. Raises NewCourseError.
    """
    folder = folder.absolute()
    prefix = _prefix(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NewCourseError(f"{folder} is no folder; name one that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise NewCourseError(f"{folder} is not empty; name a folder that does not exist yet")
    if not folder.parent.is_dir():
        raise NewCourseError(f"{folder.parent} does not exist; create it first")
    with tempfile.TemporaryDirectory(prefix=".new-course-", dir=folder.parent) as scratch:
        built = Path(scratch, "course")
        _copy(TEMPLATE, built, prefix)
        built.chmod(0o755)
        os.replace(built, folder)  # noqa: PTH105  (an empty folder may be there)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _prefix(folder: Path) -> str:
    """What the names of the course's packages begin with: the folder's name, as Python has it."""
    name = re.sub(r"\W+", "_", folder.name, flags=re.ASCII).strip("_").lower()
    if not name.isidentifier() or keyword.iskeyword(name):
        raise NewCourseError(
            f"{folder.name!r} gives the course's packages no name; begin the folder's name with a "
            "letter (a to z), as in my_course"
        )
    for package in _names(name).values():
        if importlib.util.find_spec(package):
            raise NewCourseError(
                f"a package {package!r} is installed already; give the folder another name"
            )
    return name


def _names(prefix: str) -> dict[str, str]:
    return {name: name.replace("course", prefix, 1) for name in PACKAGES}


def _copy(template: Path, target: Path, prefix: str) -> None:
    """All files are text."""
    names = _names(prefix)
    for path in sorted(template.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        parts = [names.get(part, part) for part in path.relative_to(template).parts]
        if parts == [GITIGNORE]:
            parts = [f".{GITIGNORE}"]
        text = path.read_text("utf-8")
        for old, new in names.items():
            text = re.sub(rf"\b{old}\b", new, text)
        write_text(target.joinpath(*parts), text)
