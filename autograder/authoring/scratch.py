"""Where source notebooks run: a copy of their folder, and a kernel without personal settings."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring.source import ReleaseError, read_source, without_hooks
from autograder.course.submissions import siblings
from autograder.judge.warm import make_embedded_data
from autograder.settings import CS231N, CourseSettings, settings_of
from cs231n_lib.data import spritecifar
from cs231n_lib.data.cache import CACHE_VARIABLE

#: What reading a file that is no notebook raises.
UNREADABLE = (ReleaseError, OSError, ValueError, AttributeError, TypeError)

OURS = "CS231N_"
#: Settings of whoever runs the notebooks; the stored outputs know none of them.
PERSONAL = ("MPLBACKEND", "PYTEST_ADDOPTS", "IPYTHONDIR")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def author_copy(source: Path) -> NotebookNode:
    """The notebook as an ordinary kernel can run it and nbval believes it."""
    nb = without_hooks(read_source(source))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1  # nbval compares no output of a cell that was never run
    return nb


def copy_beside_siblings(source: Path, folder: Path) -> Path:
    """Copy a notebook and those it may load into ``folder``; return the copy.

    Later notebooks load earlier ones from the working directory. A sibling that cannot be read is
    copied as it is: whoever loads it will say so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in siblings(source.parent):
        try:
            nbformat.write(author_copy(path), folder / path.name)
        except (*UNREADABLE, RuntimeError):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder / source.name


def course_of(source: Path) -> CourseSettings:
    """The settings of the course in whose ``source/ASSIGNMENT/`` a notebook lies."""
    return settings_of(source.resolve().parent.parent.parent)


def kernel_environment(scratch: Path, course: CourseSettings = CS231N) -> dict[str, str]:
    """The environment for kernels: the embedded data whatever else this user has, one BLAS thread.

    More threads change the last digits, and where cores are busy they wait for each other: two
    threads on two busy cores took up to twenty times as long as one.

    ``scratch`` is a folder for this run; kernels that run at once may share it. What students
    import is found in the course's folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OURS) and name not in PERSONAL
    }
    cache, ipython = scratch / "cache", scratch / "ipython"
    ipython.mkdir(parents=True, exist_ok=True)
    if course.folder:
        path = (course.folder, kept.get("PYTHONPATH", ""))
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    else:
        _link_embedded_data(cache)
    own = {CACHE_VARIABLE: str(cache), "IPYTHONDIR": str(ipython)}
    return kept | own | dict.fromkeys(THREADS, "1")


def _link_embedded_data(cache: Path) -> None:
    """A cache that has the embedded images of this user's cache, and nothing else of it."""
    make_embedded_data()
    images = spritecifar.cache_folder()
    link = cache / images.name
    cache.mkdir(parents=True, exist_ok=True)
    if images.is_dir() and not link.exists():  # no folder: a cache that cannot be written
        link.symlink_to(images.resolve(), target_is_directory=True)
