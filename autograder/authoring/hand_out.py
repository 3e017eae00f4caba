"""What students get, in a folder of its own: notebooks, library, and pages that are for them.

It is put together from what is made to be handed out, file by file, so that nothing else of the
course can come along: no source, no check, no page for staff.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.page_links import relative, relinked
from autograder.errors import WrongUse
from autograder.files import replacing, write_bytes
from autograder.notebook.regions import MARK_IN_FILE
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
#: Sections of these pages that are for staff.
STAFF = {
    "docs/students.md": ("For instructors",),
    "docs/installation.md": ("Graders and developers: `make`", "User namespaces"),
}
#: What pip needs besides the library.
PACKAGE = ("pyproject.toml", "LICENSE")
#: In the root of a course of one's own: what its students read first, if there is such a page.
OWN_README = "students.md"


class HandOutError(WrongUse):
    """It cannot be handed out so; the message says why."""


@dataclass(frozen=True)
class HandedOut:
    """``files``: all of it, with their sizes. The rest are paths in the folder, by what became of
    them; ``others`` were there already, and are no part of it."""

    files: Mapping[str, int]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    others: tuple[str, ...]


def hand_out(
    root: Path, folder: Path, assignments: Sequence[str] = (), *, update: bool = False
) -> HandedOut:
    """Write what students get into ``folder``, which is new or empty, or with ``update`` is not.

    ``assignments``: only these; by default all that are released. An update brings these and all
    that the folder has already; it changes files and adds some, and takes nothing away. Raises
    HandOutError, before anything is written unless the disk is at fault, and SettingsError.
    """
    root, folder = root.resolve(), folder.resolve()
    _ensure_apart(root, folder)
    if folder.exists() and not folder.is_dir():
        raise HandOutError(f"{folder} is a file: name a folder")
    first = next(folder.iterdir(), None) if folder.is_dir() else None
    if first and not update:
        raise HandOutError(
            f"{folder} is not empty ({first.name} is in it): name a new folder, or say --update to "
            "change what is different there"
        )
    handed_out = {path.name for path in (folder / "release").glob("*/")} & set(_assignments(root))
    contents = contents_of(root, [*assignments, *sorted(handed_out)] if assignments else ())
    for name in contents:
        _ensure_possible(folder, name)
    there = _files_in(folder)
    new = tuple(name for name in contents if name not in there)
    with _of_the_disk(folder):
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
    folder = folder.resolve()
    path = folder.with_name(f"{folder.name}.zip")
    with (
        _of_the_disk(path),
        replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in handed_out.files:
            archive.write(folder / name, f"{folder.name}/{name}")
    return path


@contextmanager
def _of_the_disk(place: Path) -> Iterator[None]:
    """What the system refuses to read or write there, as a HandOutError."""
    try:
        yield
    except OSError as error:
        raise HandOutError(f"{place} cannot be written: {error}") from None


def contents_of(root: Path, assignments: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file that students get, by its path. Raises HandOutError and SettingsError."""
    settings = settings_of(root)
    found = dict(_released(root, assignments))
    if settings.folder:
        own = root / OWN_README
        return found | ({"README.md": own.read_bytes()} if own.is_file() else {})
    return found | _engines(settings, found)


def _assignments(root: Path) -> list[str]:
    """Those that are released."""
    found = (path for path in (root / "release").glob("*/") if list(path.glob("*.ipynb")))
    return sorted(path.name for path in found)


def _released(root: Path, assignments: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    release, there = root / "release", _assignments(root)
    wanted = [Path(name).name for name in assignments]  # "assignment1/", as a shell completes it
    for name in wanted:
        if name not in there:
            listed = f"released are {', '.join(there)}" if there else "nothing is released yet"
            raise HandOutError(
                f"there is no assignment {name} in {release} ({listed}): run "
                f"`python -m autograder release {name}` first"
            )
    if not there:
        raise HandOutError(f"nothing is released in {release}: run `python -m autograder release`")
    for path in release.rglob("*"):
        if path.is_symlink():
            raise HandOutError(
                f"{path} is a link, and may lead to what is for staff: put the file itself there"
            )
    others = {*there} - {*wanted} if wanted else set()
    for name in _files_in(release):
        if not _is_hidden(name) and name.partition("/")[0] not in others:
            content = (release / name).read_bytes()
            mark = MARK_IN_FILE.search(content)
            if mark and name.endswith((".ipynb", ".py")):  # a page may quote it
                raise HandOutError(
                    f"{release / name} holds `{mark[0].decode()}`, which is for staff: nothing was "
                    "handed out. Make the release anew with `python -m autograder release`, and "
                    "take out what that does not write"
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
    handed_out = {*found, *released}

    def address(file: str, page: str) -> str | None:
        place = PAGES.get(file) or (file if file in handed_out else None)
        return None if place is None else relative(place, PAGES[page])

    for page, place in PAGES.items():
        text = _without((ENGINE / page).read_text("utf-8"), STAFF.get(page, ()))
        shown = relinked(text, page, lambda file, page=page: address(file, page))
        found[place] = shown.encode()
    return found


def _without(text: str, headings: Sequence[str]) -> str:
    """A page without these sections of the second level."""
    first, *sections = text.split("\n## ")
    kept = [one for one in sections if one.partition("\n")[0] not in headings]
    return "\n## ".join([first, *kept]).rstrip("\n") + "\n"


def _ensure_apart(root: Path, folder: Path) -> None:
    """Raises HandOutError where the folder is, holds, or lies in what it is made from."""
    for made_from in (root, ENGINE):
        if made_from in (folder, *folder.parents) or folder in made_from.parents:
            raise HandOutError(
                f"{folder} is not apart from {made_from}, which is for staff: name a folder "
                "elsewhere"
            )


def _ensure_possible(folder: Path, name: str) -> None:
    """Raises HandOutError where something else is in the place of a file."""
    target = folder / name
    for parent in target.relative_to(folder).parents:
        if (folder / parent).exists() and not (folder / parent).is_dir():
            raise HandOutError(f"{folder / parent} is a file, where a folder is to be")
    if target.is_dir():
        raise HandOutError(f"{target} is a folder, where a file is to be")


def _files_in(folder: Path) -> list[str]:
    """Paths of all files below a folder, in order."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _is_hidden(name: str) -> bool:
    """Of a version control, an editor, or Python's own."""
    return any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
