"""Which notebooks may be loaded by which: those of the same assignment and of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def siblings(folder: Path) -> Iterator[Path]:
    """The notebooks of an assignment's folder, after those of earlier assignments beside it.

    ``folder`` is one of ``source/``, ``release/`` or ``submitted/STUDENT/``. Put together by name,
    a later notebook takes the place of an earlier one, as ``cs231n_lib.notebooks.load`` finds them.
    """
    earlier = sorted(place for place in folder.parent.glob("*") if place.name < folder.name)
    for place in (*earlier, folder):
        yield from sorted(place.glob("*.ipynb"))
