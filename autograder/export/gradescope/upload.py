"""What a student uploaded to Gradescope -> submitted/: which file is which notebook.

Files are known as `collect` knows them, by their cells, then by their names. Modules beside a
notebook go with it. No link is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.collect.names import is_junk, shown
from autograder.collect.notebooks import Identified, Released, identify, load_released
from autograder.course.beside import read_regular
from autograder.course.helpers import MAX_BYTES as MAX_MODULE
from autograder.files import write_bytes
from autograder.notebook.repair import MAX_BYTES


@dataclass(frozen=True)
class Upload:
    """A file that is a notebook of the course."""

    path: Path  # in the upload
    data: bytes
    what: Identified


def hand_in(uploaded: Path, course: Path, assignment: str, submitted: Path) -> list[str]:
    """Write each notebook of the course to ``submitted/ASSIGNMENT/NOTEBOOK.ipynb``.

    Notebooks of earlier assignments are handed in as well, for later ones to load. Returns what to
    tell the student: about files that were taken under another name, or not at all, and why.
    """
    names = sorted(path.name for path in (course / "release").iterdir() if path.is_dir())
    names.sort(key=lambda name: name != assignment)  # its own notebooks first
    released = {name: load_released(course, name) for name in names}
    found: dict[tuple[str, str], list[Upload]] = {}
    notes, modules = [], []
    for path in _files(uploaded):
        if path.suffix == ".py":
            modules.append(path)
            continue
        try:
            upload = _read(uploaded, path)
            place, what = _place(upload, path.name, released)
        except ValueError as refused:
            notes.append(f"{shown(str(path))}: not graded, {refused}")
        else:
            found.setdefault((place, what.notebook), []).append(Upload(path, upload, what))
    folders: dict[Path, str] = {}  # of notebooks that are graded, and their assignments
    for (place, notebook), uploads in sorted(found.items()):
        best = _best(uploads)
        files = ", ".join(shown(str(upload.path)) for upload in best)
        if len(best) > 1:
            notes.append(f"{notebook}.ipynb: which of these is it? {files}. Hand in only one")
            continue
        write_bytes(submitted / place / f"{notebook}.ipynb", best[0].data)
        folders.setdefault(best[0].path.parent, place)
        if best[0].what.note:
            notes.append(f"{files} was taken for {notebook}.ipynb")
        aside = [shown(str(upload.path)) for upload in uploads if upload is not best[0]]
        if aside:
            notes.append(f"{files} was graded, not {', '.join(aside)}")
    for path in modules:
        if fault := _bring_module(uploaded / path, folders.get(path.parent), submitted):
            notes.append(f"{shown(str(path))}: not used, {fault}")
    return notes


def _bring_module(path: Path, place: str | None, submitted: Path) -> str:
    """Put a module beside the notebooks that can import it; say why not, where it is not."""
    if place is None:
        return "there is no graded notebook beside it"
    data = read_regular(path, MAX_MODULE)
    if data is None:
        return "it is a link, or not a file"
    if len(data) > MAX_MODULE:
        return f"it has more than {MAX_MODULE >> 20} MB"
    target = submitted / place / path.name
    if target.exists():
        return "another file of this name is beside another notebook"
    write_bytes(target, data)
    return ""


def _files(uploaded: Path) -> Iterator[Path]:
    """The files, as paths in the upload, without what systems and Jupyter put beside them."""
    for place, inside, files in os.walk(uploaded):
        inside.sort()
        for name in sorted(files):
            path = Path(place, name).relative_to(uploaded)
            if not is_junk(path.as_posix()):
                yield path


def _read(uploaded: Path, path: Path) -> bytes:
    """Raises ValueError with the reason why a file is not taken."""
    place = uploaded / path
    if place.is_symlink() or not place.is_file():
        raise ValueError("it is a link, or not a file")
    if place.stat().st_size > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES >> 20} MB")
    return place.read_bytes()


def _place(data: bytes, name: str, released: Mapping[str, Released]) -> tuple[str, Identified]:
    """The assignment, and which notebook of it. Raises ValueError when it is none of the course."""
    reasons = []
    for assignment, notebooks in released.items():
        what = identify(data, name, notebooks)
        if what.notebook:
            return assignment, what
        reasons.append(what.reason or "it came with the assignment")
    raise ValueError(reasons[0])


def _best(uploads: list[Upload]) -> list[Upload]:
    """The most worked on, under its own name, in the fewest folders; several if that is a tie.

    A copy further down is a backup, or a clone's.
    """

    def rank(upload: Upload) -> tuple[int, bool, int]:
        return upload.what.worth, not upload.what.note, -len(upload.path.parts)

    best = [upload for upload in uploads if rank(upload) == max(map(rank, uploads))]
    return best[:1] if len({upload.what.sha256 for upload in best}) == 1 else best
