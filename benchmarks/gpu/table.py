"""What the parts give, and the one table of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADINGS = ("part", "what", "found", "wanted", "")


@dataclass(frozen=True)
class Row:
    """One line. ``right``: whether it is as wanted; None: it is only measured."""

    what: str
    found: str
    wanted: str = ""
    right: bool | None = None


def table(parts: Iterable[tuple[str, Iterable[Row]]], *, judged: bool) -> str:
    """All lines in Markdown. ``judged``: say which are as wanted; of a dry run none can be."""
    lines = [_line(HEADINGS), _line("---" for _ in HEADINGS)]
    for name, rows in parts:
        for row in rows:
            mark = "" if row.right is None or not judged else "ok" if row.right else "**NOT SO**"
            lines.append(_line((name, row.what, row.found, row.wanted, mark)))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "/") for cell in cells) + " |"
