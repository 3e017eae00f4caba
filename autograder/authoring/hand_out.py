"""What students get, in a folder of its own: notebooks, library, and pages that are for them.

It is put together from what is made to be handed out, file by file, so that nothing else of the
course can come along: no source, no check, no page for staff.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.page_links import relative, relinked
from autograder.errors import WrongUse
from autograder.files import replacing, write_bytes
from autograder.settings import CourseSettings, settings_of

ENGINE = Path(__file__).resolve().parents[2]
#: Pages for students of the course that comes with the engine, and where they lie for them.
PAGES = {
    "docs/start-student.md": "README.md",
    "docs/students.md": "docs/students.md",
    "docs/student-help.md": "docs/student-help.md",
    "docs/installation.md": "docs/installation.md",
    "docs/colab.md": "docs/colab.md",
}
#: What pip needs besides the library.
PACKAGE = ("pyproject.toml", "LICENSE")
#: In the root of a course of one's own: what its students read first, if there is such a page.
OWN_README = "students.md"
# The beginnings of what only a source may hold.
_SECRETS = (b"### BEGIN SOLUTION", b"### BEGIN HIDDEN TESTS", b"### BEGIN MARK SCHEME")
_NOT_OURS = {"__pycache__", ".ipynb_checkpoints"}


class HandOutError(WrongUse):
    """It cannot be handed out so; the message says why."""


@dataclass(frozen=True)
class HandedOut:
    """``files``: all of it, with their sizes. The others are paths in the folder, by what became
    of them; ``others`` were there already, and are no part of it."""

    files: Mapping[str, int]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    others: tuple[str, ...]


def hand_out(
    root: Path, folder: Path, assignments: Sequence[str] = (), *, update: bool = False
) -> HandedOut:
    """Write what students get into ``folder``, which is new or empty, or with ``update`` is not.

    ``assignments``: only these; by default all that are released. An update changes files and adds
    some, and takes nothing away. Raises HandOutError before anything is written, and SettingsError.
    """
    root, folder = root.resolve(), folder.absolute()
    _ensure_apart(root, folder)
    if folder.exists() and not folder.is_dir():
        raise HandOutError(f"{folder} is a file: name a folder")
    first = next(folder.iterdir(), None) if folder.is_dir() else None
    if first and not update:
        raise HandOutError(
            f"{folder} is not empty ({first.name} is in it): name a new folder, or say --update to "
            "change what is different there"
        )
    contents = contents_of(root, assignments)
    there = _files_in(folder)
    new = tuple(name for name in contents if name not in there)
    changed = tuple(
        name
        for name, content in contents.items()
        if name in there and (folder / name).read_bytes() != content
    )
    for name in (*new, *changed):
        write_bytes(folder / name, contents[name])
    others = tuple(name for name in there if name not in contents and not _is_hidden(name))
    return HandedOut({n: len(content) for n, content in contents.items()}, new, changed, others)


def pack(folder: Path, handed_out: HandedOut) -> Path:
    """A zip beside the folder, with what was handed out and nothing else of it."""
    path = folder.absolute().with_name(f"{folder.absolute().name}.zip")
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in handed_out.files:
            archive.write(folder / name, f"{folder.absolute().name}/{name}")
    return path


def contents_of(root: Path, assignments: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file that students get, by its path. Raises HandOutError and SettingsError."""
    settings = settings_of(root)
    found = dict(_released(root, assignments))
    if settings.folder:
        own = root / OWN_README
        return found | ({"README.md": own.read_bytes()} if own.is_file() else {})
    return found | _engines(settings, found)


def _released(root: Path, assignments: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    release = root / "release"
    there = sorted(path.name for path in release.glob("*/") if list(path.glob("*.ipynb")))
    for name in assignments or there:
        if name not in there:
            listed = f"released are {', '.join(there)}" if there else "nothing is released yet"
            raise HandOutError(
                f"there is no assignment {name} in {release} ({listed}): run "
                f"`python -m autograder release {name}` first"
            )
    if not there:
        raise HandOutError(f"nothing is released in {release}: run `python -m autograder release`")
    for name in _files_in(release):
        assignment, _, rest = name.partition("/")
        if not _is_hidden(name) and (not rest or assignment in (assignments or there)):
            content = (release / name).read_bytes()
            if secret := next((mark for mark in _SECRETS if mark in content), None):
                raise HandOutError(
                    f"{release / name} holds `{secret.decode()}`, which is for staff: nothing was "
                    "handed out; make the release anew with `python -m autograder release`"
                )
            yield f"release/{name}", content


def _engines(settings: CourseSettings, released: Mapping[str, bytes]) -> dict[str, bytes]:
    """The library that comes with the engine, what pip needs, and the pages for students."""
    library = settings.library.name
    found = {
        f"{library}/{name}": (ENGINE / library / name).read_bytes()
        for name in _files_in(ENGINE / library)
        if not _is_hidden(name)
    }
    found |= {name: (ENGINE / name).read_bytes() for name in PACKAGE}
    handed_out = {**dict.fromkeys(found), **dict.fromkeys(released)}

    def address(file: str, page: str) -> str | None:
        place = PAGES.get(file) or (file if file in handed_out else None)
        return None if place is None else relative(place, PAGES[page])

    for page, place in PAGES.items():
        text = (ENGINE / page).read_text("utf-8")
        shown = relinked(text, page, lambda file, page=page: address(file, page))
        found[place] = shown.encode()
    return found


def _ensure_apart(root: Path, folder: Path) -> None:
    """Raises HandOutError where the folder is, holds, or lies in what it is made from."""
    made_from = [root / "release", root / "source", root / "submitted", ENGINE / "cs231n_lib"]
    resolved = folder.resolve()
    if resolved in (root, *root.parents, ENGINE) or any(
        place == resolved or place in resolved.parents for place in made_from
    ):
        raise HandOutError(f"{folder} belongs to the course itself: name a folder apart from it")


def _files_in(folder: Path) -> list[str]:
    """Paths of all files below a folder, in order."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _is_hidden(name: str) -> bool:
    """Of a version control, an editor, or Python's own."""
    parts = name.split("/")
    return any(part.startswith(".") or part in _NOT_OURS for part in parts)
