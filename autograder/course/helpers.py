"""Python modules that a student hands in beside the notebooks, for them to import."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from autograder.course.beside import read_regular
from autograder.files import write_bytes

MAX_BYTES = 1 << 20  # of one module
MAX_FILES = 50
# What goes with a notebook in other ways, or says when it was handed in.
KNOWN = {".ipynb", ".py", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp"}
TIMESTAMP = "timestamp.txt"
# What nbgrader's exchange puts beside a hand-in, and looks for beside its feedback: when it was
# handed in, and the secret that gives the name under which the student finds the feedback.
EXCHANGE = (TIMESTAMP, "submission_secret.txt")
MAX_EXCHANGE = 4096  # bytes


def carry_exchange_files(folder: Path, target: Path) -> None:
    """Have ``target`` hold what the exchange put beside a hand-in: just that, of just this one.

    A link is not followed, and what is too large to be the exchange's stays behind.
    """
    for name in EXCHANGE:
        path, data = target / name, read_regular(folder / name, MAX_EXCHANGE)
        if data is None or len(data) > MAX_EXCHANGE:
            path.unlink(missing_ok=True)
        elif not (path.is_file() and path.read_bytes() == data):
            write_bytes(path, data)


def helper_modules(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The modules by file name, and a sentence for a person about each file that is refused.

    ``folder`` is one assignment's; the modules beside earlier notebooks are there as well, since
    those import them when they are loaded. Of two with one name the later assignment's counts.
    """
    found: dict[str, bytes] = {}
    refused = []
    earlier = sorted(place for place in folder.parent.glob("*") if place.name < folder.name)
    for place in (*earlier, folder):
        for path in sorted(place.glob("*.py")):
            why = _unfit(path)
            if not why and len({*found, path.name}) > MAX_FILES:
                why = f"there are more than {MAX_FILES} of them"
            if why and place == folder:
                refused.append(f"{path.name}, handed in beside the notebook, is not used: {why}")
            if not why:
                found[path.name] = path.read_bytes()
    return found, refused


def _unfit(path: Path) -> str:
    if path.is_symlink():
        return "it is a symbolic link, which is not followed"
    if not path.is_file():
        return "it is not a file"
    size = path.stat().st_size
    return (
        f"it has {size >> 10} KB; at most {MAX_BYTES >> 10} are taken" if size > MAX_BYTES else ""
    )


def shadowed_modules(modules: Iterable[str], notebooks: Iterable[bytes]) -> Iterator[str]:
    """A sentence about each module whose name another one has that is found first here.

    In Jupyter the notebook's folder comes before what is installed, and the student's is found.
    """
    contents = list(notebooks)
    for file in modules:
        name = file.removesuffix(".py")
        if not name.isidentifier():
            continue
        # In the text of a notebook a line begins after the characters \n.
        line = re.compile(rb"(?:\\n|\b)(?:import|from)\s+%b\b" % name.encode("utf-8"))
        imported = any(line.search(content) for content in contents)
        if imported and (name in sys.stdlib_module_names or PathFinder.find_spec(name)):
            yield (
                f"{file}, handed in beside the notebook, has the name of a module that is "
                f"installed, and `import {name}` gets that one: give it another name"
            )


def unused_files(folder: Path, notebooks: Iterable[bytes]) -> Iterator[str]:
    """A sentence about each other file that a notebook names: it is not there when that is run."""
    contents = list(notebooks)
    for path in sorted(folder.glob("*")):
        name = path.name.encode("utf-8", "surrogateescape")
        other = path.suffix.lower() not in {*KNOWN, ""} and path.name not in EXCHANGE
        if other and path.is_file() and any(name in content for content in contents):
            yield (
                f"{path.name}, which a notebook names, was handed in beside it but is not there "
                "when it is graded: only notebooks and .py files are"
            )
