"""Python modules that a student hands in beside the notebooks, for them to import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_BYTES = 1 << 20  # of one module
MAX_FILES = 50
# What goes with a notebook in other ways, or says when it was handed in.
KNOWN = {".ipynb", ".py", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp"}
TIMESTAMP = "timestamp.txt"


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
        return "it is no file"
    size = path.stat().st_size
    return f"it has {size >> 10} KB, more than {MAX_BYTES >> 10}" if size > MAX_BYTES else ""


def unused_files(folder: Path, notebooks: Iterable[bytes]) -> Iterator[str]:
    """A sentence about each other file that a notebook names: it is not there when that is run."""
    contents = list(notebooks)
    for path in sorted(folder.glob("*")):
        name = path.name.encode("utf-8", "surrogateescape")
        other = path.suffix.lower() not in KNOWN and path.name != TIMESTAMP
        if other and path.is_file() and any(name in content for content in contents):
            yield (
                f"{path.name}, which a notebook names, was handed in beside it but is not there "
                "when it is graded: only notebooks and .py files are"
            )
