"""Which released notebook is it? By the cells it holds, or by what its file is called.

Browsers, systems and people rename notebooks; the ids and the prompts of cells mostly stay.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.notebook.shown import without_told
from autograder.notebook.template import grade_id, source_of

NAMED = re.compile(r"(?P<stem>.*?)\.ipynb(?:\.(?:txt|json))*", re.IGNORECASE | re.DOTALL)

Keys = frozenset[str]
Name = tuple[str, str]  # assignment, notebook


@dataclass(frozen=True)
class Signatures:
    """By what each notebook of a course can be known: cells that no other notebook has."""

    cells: Mapping[Name, Sequence[Keys]]
    graded: Mapping[Name, Sequence[Keys]]  # of these, the ones with a grade_id

    def of(self, submitted: Keys) -> Name | None:
        """The one notebook of which a quarter is there: of all its cells, or of the graded ones."""
        shares: dict[Name, float] = {}
        for cells_of in (self.cells, self.graded):
            for name, cells in cells_of.items():
                if is_quarter(cells, submitted):
                    share = count(cells, submitted) / len(cells)
                    shares[name] = max(shares.get(name, 0), share)
        best = sorted(shares, key=lambda name: shares[name], reverse=True)[:2]
        if not best or (len(best) == 2 and shares[best[1]] * 2 > shares[best[0]]):
            return None
        return best[0]

    def fault(self, name: Name, submitted: Keys) -> str:
        """Why this cannot be the notebook ``name``; empty where a quarter of it is there."""
        kinds = [of[name] for of in (self.cells, self.graded) if of.get(name)]
        if not kinds or any(is_quarter(cells, submitted) for cells in kinds):
            return ""
        other = self.of(submitted)
        if other:
            return f"this is another notebook: by its cells it is {other[1]} of {other[0]}"
        found, of = count(kinds[0], submitted), len(kinds[0])
        are = "1 is" if found == 1 else f"{found or 'none'} are"
        return (
            f"this is another notebook: of the {of} cells that only {name[1]} has, {are} in it. "
            "Is it of another course, or of another year?"
        )


def signatures(documents: Mapping[Name, Mapping[str, Any]]) -> Signatures:
    """Of released notebooks. What cells print does not count: another release may say it or not."""
    cells = {name: without_told(d)["cells"] for name, d in documents.items()}
    held = {name: frozenset().union(*map(keys, inside)) for name, inside in cells.items()}
    number = Counter(key for found in held.values() for key in found)
    common = {key for key, times in number.items() if times > 1}

    def own(some: Iterable[dict[str, Any]]) -> list[Keys]:
        return [left for cell in some if (left := keys(cell) - common)]

    return Signatures(
        {name: own(inside) for name, inside in cells.items()},
        {name: own(cell for cell in inside if grade_id(cell)) for name, inside in cells.items()},
    )


def count(cells: Sequence[Keys], submitted: Keys) -> int:
    return sum(bool(cell & submitted) for cell in cells)


def is_quarter(cells: Sequence[Keys], submitted: Keys) -> bool:
    """Whether a good part of these cells is there."""
    found = count(cells, submitted)
    return bool(cells) and found >= min(2, len(cells)) and found * 4 >= len(cells)


def keys(cell: Mapping[str, Any]) -> Keys:
    """By what a cell can be known again: its id, its grade_id, its source."""
    cell = dict(cell)
    names = {str(cell.get("id") or ""), grade_id(cell)} - {""}
    source = source_of(cell).strip()
    text = {f"source {_sha256(source.encode('utf-8', 'replace'))}"} if source else set()
    return frozenset({f"id {name}" for name in names} | text)


def by_name(stem: str, names: Iterable[str]) -> list[str]:
    """The notebooks whose name is in this one: "Copy of knn (1)", "KNN_solved", "knn-2"."""
    names = list(names)
    words = _words(stem)
    found = [name for name in names if re.search(rf"(?:^| ){_words(name)}\d*(?= |$)", words)]
    found = found or [name for name in names if _words(name).replace(" ", "") == words]
    within = {n for n in found for other in found if n != other and _words(n) in _words(other)}
    return [name for name in found if name not in within]


def _words(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", " ", text).strip()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
