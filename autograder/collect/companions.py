"""Pictures and modules that were handed in beside a notebook: they go where it goes.

A written answer shows the one, and cells import the other; grading finds both in the folder of the
notebook (:mod:`autograder.course.beside`, :mod:`autograder.course.helpers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath

from autograder.collect.exports import SubmittedFile
from autograder.notebook.pictures import SUFFIXES as PICTURES

MODULE = ".py"
SUFFIXES = {MODULE, *PICTURES}


def is_companion(name: str) -> bool:
    """Whether files of this kind go along with a notebook."""
    return PurePath(name).suffix.casefold() in SUFFIXES


def place_beside(companion: SubmittedFile, notebooks: Sequence[SubmittedFile]) -> str:
    """Its path, seen from one of the notebooks that were handed in with it; empty without one.

    Where it lies in the notebook's folder or below, that path is kept; where the LMS has put all
    files side by side, it is the name that the student gave it. A module counts only in the
    notebook's own folder, from where it can be imported.
    """
    together = [one for one in notebooks if one.attempt == companion.attempt]
    for notebook in together:
        folder = notebook.file.parent
        if companion.file.is_relative_to(folder) and companion.file.parent != folder:
            path = PurePosixPath(companion.file.relative_to(folder).as_posix())
            return "" if path.suffix.casefold() == MODULE else str(path)
    beside = any(one.file.parent == companion.file.parent for one in together)
    return PurePosixPath(companion.name).name if beside else ""
