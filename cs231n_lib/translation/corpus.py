"""Pairs of sentences, generated from a seed or read from a file; vocabularies; batches.

Letters: N sentences in a batch, S tokens of the longest English one, T of the longest French one.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from cs231n_lib.errors import DataError
from cs231n_lib.translation.french import tokenize
from cs231n_lib.translation.phrases import Choices
from cs231n_lib.translation.sentences import Pair, sentence

PAD, START, END, UNK = "<pad>", "<start>", "<end>", "<unk>"
SPECIAL = (PAD, START, END, UNK)
LONGEST = 20  # English tokens of a training sentence
LONG = 40  # and of the longest in the test set of long ones
Pairs = tuple[Pair, ...]


@dataclass(frozen=True)
class Corpus:
    """train and val: what a model may learn from. test: new sentences of the same kind; long: of 21
    to 40 tokens; new: with an adjective and a noun that training never shows together."""

    train: Pairs
    val: Pairs
    test: Pairs
    long: Pairs
    new: Pairs


class Vocabulary:
    """Words and their numbers; <pad> is 0, <start> 1, <end> 2, <unk> 3."""

    def __init__(self, sentences: Sequence[Sequence[str]], at_least: int = 1) -> None:
        counts = Counter(word for one in sentences for word in one)
        known = sorted(word for word, count in counts.items() if count >= at_least)
        self.words = (*SPECIAL, *known)
        self._numbers = {word: number for number, word in enumerate(self.words)}
        self.pad, self.start, self.end, self.unk = (self._numbers[word] for word in SPECIAL)

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, tokens: Sequence[str], start: bool = False) -> list[int]:
        """Numbers of a sentence, with <end> behind it and, on request, <start> before it."""
        numbers = [self._numbers.get(word, self.unk) for word in tokens]
        return [*([self.start] if start else []), *numbers, self.end]

    def decode(self, numbers: Sequence[int]) -> list[str]:
        """Words up to the first <end>, without <start> and <pad>."""
        words: list[str] = []
        for number in numbers:
            if number == self.end:
                break
            if number not in (self.pad, self.start):
                words.append(self.words[number])
        return words


@cache
def generated_corpus(train: int = 20_000, test: int = 500, seed: int = 0) -> Corpus:
    """Our own pairs, the same for a seed on every machine; no sentence is in two of the parts."""
    seen: set[tuple[str, ...]] = set()
    choices = Choices(seed)
    known = _collected(choices, train + 2 * test, seen, (1, LONGEST), {1: 0.66, 2: 0.34})
    long = _collected(choices, test, seen, (LONGEST + 1, LONG), {3: 0.4, 4: 0.4, 5: 0.2})
    new = _collected(
        Choices(seed + 1, "new"), test, seen, (1, LONGEST), {1: 0.66, 2: 0.34}, new=True
    )
    return Corpus(known[2 * test :], known[:test], known[test : 2 * test], long, new)


def fresh_pairs(count: int, seed: int, at_least: int = 6) -> Pairs:
    """``count`` sentences of the kind that training shows, of ``at_least`` English tokens.

    They are drawn anew, and not compared with what a model may have seen.
    """
    return _collected(Choices(seed), count, set(), (at_least, LONGEST), {1: 0.66, 2: 0.34})


def _collected(
    choices: Choices, count: int, seen: set[tuple[str, ...]], lengths: tuple[int, int],
    clauses: dict[int, float], new: bool = False,
) -> Pairs:  # fmt: skip
    found: list[Pair] = []
    low, high = lengths
    while len(found) < count:
        pair = sentence(choices, choices.weighted(clauses), relatives=0.12)
        if low <= len(pair.english) <= high and pair.english not in seen and pair.new >= new:
            seen.add(pair.english)
            found.append(pair)
    return tuple(found)


def read_corpus(path: Path | str, longest: int = LONGEST) -> Pairs:
    """Pairs from a file with an English and a French sentence on each line, separated by a tab.

    Further columns are ignored, and so are sentences of more than ``longest`` tokens. Text is
    lower-cased. Raises DataError where the file cannot be read or a line has no two columns.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    found: list[Pair] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            raise DataError(
                f"{path}, line {number}: no tab; English and French are separated by one"
            )
        english, french = (
            tuple(tokenize(text.lower(), language))
            for text, language in zip(columns, ("en", "fr"), strict=False)
        )
        if 0 < len(english) <= longest and french:
            found.append(Pair(english, french, new=False))
    if not found:
        raise DataError(f"{path}: no pair of sentences of at most {longest} tokens")
    return tuple(found)


def padded(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """Rows of different lengths -> one tensor (N, longest) of integers, filled up with ``pad``."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])


class Batches:
    """Batches of (source (N, S), target (N, T)), sentences of like length together.

    A source ends in <end>; a target begins with <start> and ends in <end>; both are filled up with
    <pad>. Each pass over it shuffles anew, from the seed.
    """

    def __init__(
        self, pairs: Pairs, english: Vocabulary, french: Vocabulary, batch_size: int = 64,
        seed: int = 0, device: torch.device | str = "cpu",
    ) -> None:  # fmt: skip
        self._rows = [
            (english.encode(pair.english), french.encode(pair.french, start=True)) for pair in pairs
        ]
        self._pads, self._size, self._device = (english.pad, french.pad), batch_size, device
        self._random = random.Random(seed)

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        shuffled = self._random.sample(self._rows, len(self._rows))
        shuffled.sort(key=lambda row: (len(row[1]), len(row[0])))  # stable: ties stay shuffled
        groups = [
            shuffled[start : start + self._size] for start in range(0, len(shuffled), self._size)
        ]
        for group in self._random.sample(groups, len(groups)):
            source, target = (
                padded([row[side] for row in group], self._pads[side]).to(self._device)
                for side in (0, 1)
            )
            yield source, target
