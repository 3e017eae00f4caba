"""A folder with somebody's work: which file in it is what, and what goes along."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cs231n_lib.errors import NotebookError
from cs231n_lib.hand_in.note import note_of
from cs231n_lib.hand_in.notebook import Notebook, is_of_a_course, read
from cs231n_lib.notebooks import read_document

# As the graders' side has them (tests/unit/lib/test_hand_in_folder.py compares).
MAX_MODULE, MAX_MODULES = 1 << 20, 50  # bytes of one; how many
MAX_PICTURE, MAX_PICTURES, MAX_BESIDE = 3 << 20, 15 << 20, 100  # bytes; of all; how many
MAX_BESIDE_NOTEBOOK = 5 << 20  # bytes of a notebook that another one loads
MAX_FOLDERS = 3  # one in the other
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")
JUNK = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "__pycache__", ".git"}
JUNK |= {"Thumbs.db", "desktop.ini"}


@dataclass
class Folder:
    """``notebooks`` by assignment and name; ``beside`` what goes along, by its path in the folder.

    ``faults``: which files are not what they should be. ``left_out``: which stay, and why.
    """

    path: Path
    notebooks: dict[tuple[str, str], Path] = field(default_factory=dict)
    beside: dict[str, Path] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def assignments(self) -> list[str]:
        return sorted({assignment for assignment, _ in self.notebooks})

    def of(self, assignment: str) -> dict[str, Path]:
        """The notebooks of an assignment, by name."""
        return {name: path for (a, name), path in self.notebooks.items() if a == assignment}


def look_into(path: Path) -> Folder:
    """Sort the files of a folder. Raises NotebookError where there is no folder."""
    if not path.is_dir():
        raise NotebookError(f"{path}: there is no such folder.")
    folder = Folder(path)
    _sort_notebooks(folder)
    _add_modules(folder)
    _add_pictures(folder)
    _name_others(folder)
    return folder


def seen_by(notebook: Notebook) -> tuple[dict[str, Path], list[str]]:
    """The files that a notebook finds when it is graded, and those it loads that are not there.

    These are the notebooks and modules of its folder, and of the earlier assignments beside it
    those that it needs.
    """
    here = notebook.path.resolve().parent
    found: dict[str, Path] = {}
    missing = []
    places = [here.parent / one.split("/")[0] for one in notebook.note.loads]
    for place in sorted({place for place in places if place != here and place.is_dir()}):
        found |= look_into(place).beside
        found |= {f"{name}.ipynb": path for (_, name), path in _notebooks(place).items()}
    found |= look_into(here).beside
    found |= {path.name: path for path in sorted(here.glob("*.ipynb"))}
    found |= {f"{name}.ipynb": path for (_, name), path in _notebooks(here).items()}
    for one in notebook.note.loads:
        if f"{one.split('/')[-1]}.ipynb" not in found:
            missing.append(one)
    own = {f"{notebook.name}.ipynb", notebook.path.name}
    flat = {name: path for name, path in found.items() if "/" not in name and name not in own}
    kept = {name: path for name, path in flat.items() if path.suffix in (".ipynb", ".py")}
    fit = {name: path for name, path in kept.items() if path.stat().st_size <= MAX_BESIDE_NOTEBOOK}
    return fit, missing


def _notebooks(path: Path) -> dict[tuple[str, str], Path]:
    folder = Folder(path)
    _sort_notebooks(folder)
    return folder.notebooks


def _sort_notebooks(folder: Folder) -> None:
    candidates: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.path.glob("*.ipynb")):
        if path.is_symlink():
            folder.faults.append(f"{path.name} is a symbolic link, which is not followed.")
            continue
        try:
            document = read_document(path)[1]
        except NotebookError as error:
            folder.faults.append(str(error))
            continue
        if not is_of_a_course(document):
            folder.left_out.append(
                f"{path.name} is a notebook of your own. If another one loads it, move what it "
                "defines into a .py file."
            )
            continue
        note = note_of(document) or read(path).note
        candidates.setdefault((note.assignment, note.notebook), []).append(path)
    for (assignment, name), paths in candidates.items():
        exact = [path for path in paths if path.name == f"{name}.ipynb"]
        chosen = exact or (paths if len({path.read_bytes() for path in paths}) == 1 else [])
        if not chosen:
            which = " or ".join(repr(path.name) for path in paths)
            folder.faults.append(
                f"{name}.ipynb may be {which}, and they differ. Give the right one that name."
            )
            continue
        folder.notebooks[assignment, name] = chosen[0]
        folder.left_out += [
            f"{path.name} is another copy of {name}.ipynb, and {chosen[0].name} is taken."
            for path in paths
            if path != chosen[0]
        ]


def _add_modules(folder: Folder) -> None:
    modules = sorted(folder.path.glob("*.py"))
    for number, path in enumerate(modules, start=1):
        if path.is_symlink() or not path.is_file():
            folder.left_out.append(f"{path.name} is no ordinary file.")
        elif (size := path.stat().st_size) > MAX_MODULE:
            folder.left_out.append(
                f"{path.name} has {size >> 10} KB, and modules of up to {MAX_MODULE >> 10} are "
                "taken."
            )
        elif number > MAX_MODULES:
            folder.left_out.append(f"{path.name} is one module too many: {MAX_MODULES} are taken.")
        else:
            folder.beside[path.name] = path


def _add_pictures(folder: Folder) -> None:
    total = count = 0
    for path in _files_below(folder.path):
        if path.suffix.lower() not in PICTURES:
            continue
        name = path.relative_to(folder.path).as_posix()
        size = path.stat().st_size
        if size > MAX_PICTURE:
            folder.left_out.append(
                f"{name} has {size / (1 << 20):.1f} MB, and pictures of up to "
                f"{MAX_PICTURE >> 20} are taken."
            )
        elif not path.read_bytes().startswith(BEGINNINGS):
            folder.left_out.append(f"{name} is no picture, whatever it is called.")
        elif total + size > MAX_PICTURES or count >= MAX_BESIDE:
            folder.left_out.append(
                f"{name} is one picture too many: {MAX_BESIDE} are taken, and "
                f"{MAX_PICTURES >> 20} MB of them."
            )
        else:
            folder.beside[name] = path
            total, count = total + size, count + 1


def _name_others(folder: Folder) -> None:
    """Files of other kinds that a notebook names: they are not there when it is graded."""
    texts = [path.read_bytes() for path in folder.notebooks.values()]
    for path in sorted(folder.path.glob("*")):
        known = path.suffix.lower() in {".ipynb", ".py", ".zip", "", *PICTURES}
        name = path.name.encode("utf-8", "surrogateescape")
        if not known and path.is_file() and any(name in text for text in texts):
            folder.left_out.append(
                f"{path.name}, which a notebook names, is not there when that is graded: only "
                "notebooks, .py files and pictures are."
            )


def _files_below(folder: Path) -> Iterator[Path]:
    for place, inside, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        inside[:] = sorted(name for name in inside if name not in JUNK and name[:2] != "._")
        if depth >= MAX_FOLDERS:
            inside.clear()
        for name in sorted(names):
            path = Path(place, name)
            if name not in JUNK and name[:2] != "._" and not path.is_symlink():
                yield path
