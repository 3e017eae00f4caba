"""The order in which a course has its notebooks: that of its map, release/00_course_map.ipynb."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAP = "00_course_map.ipynb"
_LINK = re.compile(r"\]\(([^()/\s]+)/([^()/\s]+)\.ipynb\)")


@dataclass(frozen=True)
class Order:
    """A key to sort names of notebooks by: as listed, and what is not listed by name at the end."""

    names: tuple[str, ...] = ()

    def __call__(self, name: str) -> tuple[int, str]:
        place = self.names.index(name) if name in self.names else len(self.names)
        return place, name

    def sort(self, names: Iterable[str]) -> list[str]:
        return sorted(names, key=self)


def order_of(root: Path, assignment: str) -> Order:
    """By name for a course that has no map, or none that can be read."""
    try:
        cells = json.loads((root / "release" / MAP).read_text("utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return Order()
    links = (link for text in texts for link in _LINK.findall(text))
    return Order(tuple(dict.fromkeys(name for part, name in links if part == assignment)))
