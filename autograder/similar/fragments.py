"""Who has which fragments of code, and how unusual each is in this class.

A fragment is a row of 20 tokens of code (10 words of prose) within one cell. scikit-learn counts
them, as it counts n-grams of words in texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from sklearn.feature_extraction.text import CountVectorizer

from autograder.similar.tokens import Token, code_tokens, prose_tokens
from autograder.similar.writings import Cell, Writing

LENGTHS = CODE_LENGTH, PROSE_LENGTH = 20, 10  # tokens; docs/similar.md says why
SMALL_CLASS = 20  # of fewer texts nobody can say what is usual: they count as if of so many

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Text:
    """One writing as arrays with an entry for each token, cell after cell."""

    writing: Writing
    cell: Ints
    line: Ints  # within its cell, from 0
    fragment: Ints  # number of the one that begins here; -1: none, or mostly the course's
    length: Ints  # of that fragment
    own: Bools  # not the course's
    share: Floats  # what the token is of its line

    def covered(self, weights: Floats) -> Floats:
        """From weights of fragments, by where they begin, to weights of tokens: the largest."""
        covered = np.zeros(len(weights))
        for length in LENGTHS:
            begun = np.where(self.length == length, weights, 0)
            # over each token the largest of the last `length` weights
            reaching = maximum_filter1d(begun, length, mode="constant", origin=(length - 1) // 2)
            np.maximum(covered, reaching, out=covered)
        return np.where(self.own, covered, 0)

    def lines(self, weights: Floats | Bools) -> float:
        """The student's lines, each counted as the mean weight of its tokens."""
        return float(np.sum(weights * self.share))


@dataclass(frozen=True, eq=False)
class Corpus:
    """All texts of one notebook; ``counts`` and ``weights`` have an entry for each fragment."""

    texts: tuple[Text, ...]
    counts: Ints  # texts that have it
    weights: Floats  # how unusual it is
    matrix: Any  # scipy.sparse: texts x fragments, 1 where the text has it

    def overlaps(self) -> Floats:
        """For every two texts the weights of their common fragments, added up."""
        return (self.matrix.multiply(self.weights) @ self.matrix.T).toarray()


@dataclass(frozen=True)
class _Cut:
    """A cell cut into tokens and the fragments that begin at them."""

    tokens: list[Token]
    fragments: list[str]
    length: int
    lines: list[str]


def unusual(counts: Ints, number: int) -> Floats:
    """1 for what two of ``number`` texts have, less the more have it, 0 for what all have."""
    among = max(number, SMALL_CLASS)
    return 1 - np.log(np.clip(counts, 2, among) / 2) / np.log(among / 2)


def make_corpus(writings: Sequence[Writing], given: Sequence[Cell]) -> Corpus:
    """Count the fragments of one notebook's writings, without those of ``given``."""
    ours = [_cut(cell) for cell in given]
    theirs = [[_cut(cell) for cell in writing.cells] for writing in writings]
    documents = [[fragment for cut in cuts for fragment in cut.fragments] for cuts in theirs]
    documents.insert(0, ["", *(fragment for cut in ours for fragment in cut.fragments)])
    as_they_are: Any = list  # scikit-learn's types know of no function here
    vectorizer = CountVectorizer(analyzer=as_they_are, binary=True, dtype=np.int64)
    matrix: Any = vectorizer.fit_transform(documents)
    is_given = matrix[0].toarray().ravel() > 0
    matrix = matrix[1:].multiply(~is_given).tocsr()
    matrix.eliminate_zeros()
    counts = np.asarray(matrix.sum(axis=0)).ravel()
    given_lines = {line for cut in ours for line in cut.lines}
    pairs = zip(writings, theirs, strict=True)
    texts = (_text(w, cuts, vectorizer.vocabulary_, is_given, given_lines) for w, cuts in pairs)
    return Corpus(tuple(texts), counts, unusual(counts, len(writings)), matrix)


def _cut(cell: Cell) -> _Cut:
    tokens = code_tokens(cell.source) if cell.is_code else prose_tokens(cell.source)
    length = CODE_LENGTH if cell.is_code else PROSE_LENGTH
    words = [token.text for token in tokens]
    fragments = [" ".join(words[i : i + length]) for i in range(len(words) - length + 1)]
    return _Cut(tokens, fragments, length, [line.strip() for line in cell.source.split("\n")])


def _text(
    writing: Writing,
    cuts: Sequence[_Cut],
    numbers: dict[str, int],
    is_given: Bools,
    given_lines: set[str],
) -> Text:
    sizes = [len(cut.tokens) for cut in cuts]
    cell = np.repeat(np.arange(len(cuts)), sizes)
    line = _ints(token.line for cut in cuts for token in cut.tokens)
    length = np.repeat(_ints(cut.length for cut in cuts), sizes)
    fragment = np.full(len(cell), -1)
    start = 0
    for cut, size in zip(cuts, sizes, strict=True):
        found = _ints(numbers[fragment] for fragment in cut.fragments)
        fragment[start : start + len(found)] = found
        start += size
    begins = (fragment >= 0) & is_given[fragment]
    on_own_line = [cut.lines[t.line] not in given_lines for cut in cuts for t in cut.tokens]
    _, where, tokens_in_line = np.unique(
        np.stack([cell, line]), axis=1, return_inverse=True, return_counts=True
    )
    text = Text(
        writing=writing,
        cell=cell,
        line=line,
        fragment=np.where(begins, -1, fragment),
        length=length,
        own=np.array(on_own_line, dtype=bool),
        share=1 / tokens_in_line[where.ravel()],
    )
    own = text.own & ~(text.covered(begins.astype(float)) > 0)
    before = np.concatenate([[0], np.cumsum(own)])  # own tokens before each
    ends = np.minimum(np.arange(len(own)) + length, len(own))
    mostly_own = 2 * (before[ends] - before[:-1]) >= length
    return replace(text, own=own, fragment=np.where(mostly_own, text.fragment, -1))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
