"""What a student uploaded to Gradescope -> submitted/: which file is which notebook.

Uploads may hold folders, copies that a browser or Jupyter renamed, and anything else. Nothing is
opened here, and links are not followed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.repair import MAX_BYTES

# "knn (1)", "knn - Copy (2)", "knn-Copy1", "knn_copy 3": what browsers and systems add to a name
ADDED = re.compile(r"(?:\s*\(\d+\)|[-_ ]+(?:copy|kopie|copie)\s*\d*)+$", re.IGNORECASE)


def hand_in(uploaded: Path, submitted: Path, assignments: Mapping[str, str]) -> list[str]:
    """Copy each notebook of the course to ``submitted/ASSIGNMENT/NOTEBOOK.ipynb``.

    ``assignments``: notebook -> assignment. Returns what to tell the student: about files that were
    taken under another name, or left aside, and why.
    """
    candidates: dict[str, list[Path]] = {}
    for path in _notebooks(uploaded):
        candidates.setdefault(_bare(path.stem), []).append(path)
    notes = []
    for notebook, assignment in assignments.items():
        name = f"{notebook}.ipynb"
        found = candidates.pop(_bare(notebook), [])
        chosen = _nearest([path for path in found if path.stem == notebook] or found)
        if len(chosen) > 1:
            files = _listed(chosen, uploaded)
            notes.append(f"{name}: which of these is it? {files}. Hand in one of them, alone")
        elif chosen and (reason := _refused(chosen[0])):
            notes.append(f"{_listed(chosen, uploaded)} was not taken: {reason}")
        elif chosen:
            target = submitted / assignment / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(chosen[0], target)
            if chosen[0].name != name:
                notes.append(f"{_listed(chosen, uploaded)} was taken for {name}")
            aside = [path for path in found if path != chosen[0]]
            if aside:
                taken = _listed(chosen, uploaded)
                notes.append(f"{taken} was graded, not {_listed(aside, uploaded)}")
    strays = [path for paths in candidates.values() for path in paths]
    if strays:
        notes.append(f"no notebook of this course, so not graded: {_listed(strays, uploaded)}")
    return notes


def _refused(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return "it is a link, or no file"
    return f"it has more than {MAX_BYTES >> 20} MB" if path.stat().st_size > MAX_BYTES else ""


def _nearest(paths: list[Path]) -> list[Path]:
    """Those in the fewest folders: a copy further down is a backup, or a clone's."""
    depth = min((len(path.parts) for path in paths), default=0)
    return [path for path in paths if len(path.parts) == depth]


def _notebooks(folder: Path) -> Iterator[Path]:
    """What is called *.ipynb, outside hidden folders and those of the Mac's zips."""
    for place, inside, files in os.walk(folder):
        inside[:] = sorted(n for n in inside if not n.startswith(".") and n != "__MACOSX")
        for name in sorted(files):
            if not name.startswith(".") and name.casefold().endswith(".ipynb"):
                yield Path(place, name)


def _bare(stem: str) -> str:
    return ADDED.sub("", stem.strip()).casefold()


def _listed(paths: list[Path], folder: Path) -> str:
    return ", ".join(str(path.relative_to(folder)) for path in sorted(paths))
