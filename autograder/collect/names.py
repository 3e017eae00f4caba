"""Names from strangers, made harmless for paths and terminals."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from autograder.course.beside import is_junk

__all__ = ["clean", "is_junk", "is_safe", "shown", "slug", "unused"]

JOINERS = "\u200c\u200d"  # invisible, and parts of Persian and Indian names
MAX_LENGTH = 160  # characters of a name in a message


def clean(name: str) -> str:
    """A name in composed Unicode (NFC), without characters that a terminal takes for orders."""
    return "".join(
        "_" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in JOINERS else c
        for c in unicodedata.normalize("NFC", name)
    )


def shown(name: str) -> str:
    """A name as it goes into a message: clean, and not longer than a line or two."""
    name = clean(name)
    half = MAX_LENGTH // 2
    return name if len(name) <= MAX_LENGTH else f"{name[:half]}…{name[-half:]}"


def unused(path: Path) -> Path:
    """The path, or one beside it that is not taken: ``knn (2).ipynb``."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def is_safe(name: str) -> bool:
    """Whether a name can be a folder's: one part of a path, visible, printable, of usual length."""
    usual = bool(name) and name == clean(name) and len(name.encode()) <= 200
    return usual and not name.startswith(".") and not re.search(r"[/\\:*?\[\]\"<>|]", name)


def slug(name: str) -> str:
    """A safe name made of letters and digits of any script, ``-``, ``_`` and ``.``; maybe empty."""
    text = re.sub(r"[^\w.\-]+", "_", unicodedata.normalize("NFC", name))
    return text.strip("._-")[:60].rstrip("._-")
