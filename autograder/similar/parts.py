"""What stands where on both sides of a pair: its common parts, numbered from top to bottom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.similar.fragments import Corpus, Ints, Text
from autograder.similar.pairs import Pair, common

MAX_PLACES = 20  # where a fragment is looked for on the other side: repeated code has very many


@dataclass(frozen=True)
class Line:
    """One line of a cell as it is shown."""

    number: int
    source: str
    common: bool  # most of what is the student's own in it is on the other side too
    part: int  # the number of the common part it belongs to, on both sides; 0: none
    given: bool  # all that is compared of it is the course's
    begins: bool = False  # the first line of its part in this cell
    ends: bool = False


@dataclass(frozen=True)
class ShownCell:
    """A cell of one side."""

    name: str
    lines: tuple[Line, ...]

    @property
    def common(self) -> int:
        return sum(line.common for line in self.lines)


@dataclass(frozen=True)
class Part:
    """A common part: its cell, and how many lines it has, on each side."""

    number: int
    left_cell: str
    left_lines: int
    right_cell: str
    right_lines: int
    texts: int  # that have it: the median over its fragments


@dataclass(frozen=True)
class SideBySide:
    """Both sides of a pair, and what they have in common."""

    left: tuple[ShownCell, ...]
    right: tuple[ShownCell, ...]
    parts: tuple[Part, ...]


def side_by_side(corpus: Corpus, pair: Pair) -> SideBySide:
    """Mark the common lines, and number the parts that have lines on both sides."""
    texts = {}
    left, right = (np.zeros(len(text.fragment), int) for text in (pair.left, pair.right))
    for number, (mine, yours, length) in enumerate(_stretches(pair), start=1):
        tokens = length - 1 + int(pair.left.length[mine])
        for side, start in ((left, mine), (right, yours)):
            stretch = side[start : start + tokens]
            stretch[stretch == 0] = number
        texts[number] = int(np.median(corpus.counts[pair.left.fragment[mine : mine + length]]))
    sides = (
        _lines(corpus, pair.left, pair.right, left),
        _lines(corpus, pair.right, pair.left, right),
    )
    places = [_places(cells) for cells in sides]
    both = sorted((places[0].keys() & places[1].keys()) - {0})
    numbers = {old: new for new, old in enumerate(both, start=1)}
    parts = (Part(numbers[old], *places[0][old], *places[1][old], texts[old]) for old in both)
    shown = [tuple(_renumbered(cell, numbers) for cell in cells) for cells in sides]
    return SideBySide(shown[0], shown[1], tuple(parts))


def _stretches(pair: Pair) -> list[tuple[int, int, int]]:
    """(token on the left, token on the right, fragments in a row), each as long as possible."""
    mine, yours = pair.left.fragment.tolist(), pair.right.fragment.tolist()
    places: dict[int, list[int]] = {}
    for at, fragment in enumerate(yours):
        if fragment >= 0 and len(places.setdefault(fragment, [])) < MAX_PLACES:
            places[fragment].append(at)
    found, at = [], 0
    while at < len(mine):
        runs = [(_run(mine, yours, at, there), -there) for there in places.get(mine[at], ())]
        length, there = max(runs, default=(1, 0))
        if runs:
            found.append((at, -there, length))
        at += length
    return found


def _run(mine: Sequence[int], yours: Sequence[int], left: int, right: int) -> int:
    length = 0
    while (
        left + length < len(mine)
        and right + length < len(yours)
        and mine[left + length] == yours[right + length] >= 0
    ):
        length += 1
    return length


def _lines(corpus: Corpus, text: Text, other: Text, parts: Ints) -> list[ShownCell]:
    """The cells of one side, with the part that most of each common line belongs to."""
    covered = text.covered(common(corpus, text, other).astype(float)) > 0
    tokens: dict[tuple[int, int], list[int]] = {}
    for at, place in enumerate(zip(text.cell.tolist(), text.line.tolist(), strict=True)):
        tokens.setdefault(place, []).append(at)
    cells = []
    for number, cell in enumerate(text.writing.cells):
        lines = []
        for row, source in enumerate(cell.source.split("\n")):
            there = tokens.get((number, row), [])
            own = [at for at in there if text.own[at]]
            is_common = bool(own) and 2 * int(covered[own].sum()) >= len(own)
            part = Counter(parts[own].tolist()).most_common(1)[0][0] if is_common else 0
            lines.append(Line(row + 1, source, is_common, part, given=bool(there) and not own))
        cells.append(ShownCell(cell.name, tuple(lines)))
    return cells


def _places(cells: Sequence[ShownCell]) -> dict[int, tuple[str, int]]:
    """For each part its cell, and how many lines it has."""
    found: dict[int, tuple[str, int]] = {}
    for cell in cells:
        for part, lines in Counter(line.part for line in cell.lines).items():
            found[part] = (cell.name, lines)
    return found


def _renumbered(cell: ShownCell, numbers: Mapping[int, int]) -> ShownCell:
    """With the final numbers of the parts, and with the ends of each marked."""
    lines = [replace(line, part=numbers.get(line.part, 0)) for line in cell.lines]
    first = {line.part: line.number for line in reversed(lines)}
    last = {line.part: line.number for line in lines}
    marked = (
        replace(
            line,
            begins=line.part > 0 and line.number == first[line.part],
            ends=line.part > 0 and line.number == last[line.part],
        )
        for line in lines
    )
    return ShownCell(cell.name, tuple(marked))
