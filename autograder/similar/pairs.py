"""Which pairs are suspiciously alike, and which files are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.similar.fragments import Bools, Corpus, Text
from autograder.similar.writings import Writing


@dataclass(frozen=True, eq=False)
class Pair:
    """Two texts of one notebook. ``lines`` is what pairs are ranked by."""

    left: Text
    right: Text
    lines: float  # unusual lines in common: the mean of both sides
    left_share: float  # of the left one's own lines, how many are on the right too
    right_share: float


def identical(writings: Sequence[Writing]) -> tuple[list[Writing], list[list[Writing]]]:
    """One writing of each file, and the groups that handed in the same one, bit by bit.

    The one is of this class where anybody of the group is; groups of others alone are left out.
    """
    groups: dict[str, list[Writing]] = {}
    for writing in sorted(writings, key=lambda w: (w.other, w.who)):
        groups.setdefault(writing.digest, []).append(writing)
    same = [group for group in groups.values() if len(group) > 1 and not group[0].other]
    return [group[0] for group in groups.values()], same


def find_pairs(
    corpus: Corpus, threshold: float, tick: Callable[[int, int], None] = lambda done, of: None
) -> list[Pair]:
    """The pairs at or above the threshold, most unusual lines first.

    ``tick`` is given how many texts have been compared with those after them.
    """
    overlaps = corpus.overlaps()
    found = []
    for number, left in enumerate(corpus.texts):
        tick(number, len(corpus.texts))
        for other in np.flatnonzero(overlaps[number, number + 1 :] > 0) + number + 1:
            right = corpus.texts[other]
            both_others = left.writing.other and right.writing.other
            if not both_others and unusual_lines(corpus, left, right) >= threshold:
                found.append(compare(corpus, left, right))
    tick(len(corpus.texts), len(corpus.texts))
    return sorted(found, key=lambda p: (-p.lines, p.left.writing.who, p.right.writing.who))


def compare(corpus: Corpus, left: Text, right: Text) -> Pair:
    """How much two texts have in common, however little it is."""
    shares = [
        one.lines(one.covered(common(corpus, one, two).astype(float)) > 0) / one.lines(one.own)
        for one, two in ((left, right), (right, left))
        if one.own.any()
    ]
    left_share, right_share = shares if len(shares) == 2 else (0.0, 0.0)
    return Pair(left, right, unusual_lines(corpus, left, right), left_share, right_share)


def unusual_lines(corpus: Corpus, left: Text, right: Text) -> float:
    """Lines in common, each counted as much as it is unusual: the mean of both sides."""
    lines = [
        one.lines(one.covered(corpus.weights[one.fragment] * common(corpus, one, two)))
        for one, two in ((left, right), (right, left))
    ]
    return round(sum(lines) / 2, 1)


def common(corpus: Corpus, one: Text, two: Text) -> Bools:
    """Where in the first text a fragment begins that the second has too."""
    marked = np.zeros(len(corpus.counts) + 1, dtype=bool)  # the last stands for -1
    marked[two.fragment] = True
    marked[-1] = False
    return marked[one.fragment]
