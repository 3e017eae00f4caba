"""How good translations are: exact match and BLEU, over all sentences or by their length."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cs231n_lib.bleu import corpus_bleu
from cs231n_lib.translation.sentences import Pair

Tokens = Sequence[str]


@dataclass(frozen=True)
class Score:
    """exact: translations that are right word for word; bleu: BLEU-4; both in per cent."""

    exact: float
    bleu: float
    count: int


def score(translations: Sequence[Tokens], pairs: Sequence[Pair]) -> Score:
    """Translations (French tokens) against those of the pairs, which are in the same order.

    Raises ValueError where there are not as many, or none; DataError without sacrebleu.
    """
    if len(translations) != len(pairs) or not pairs:
        raise ValueError(f"{len(translations)} translations of {len(pairs)} sentences")
    exact = sum(
        tuple(one) == pair.french for one, pair in zip(translations, pairs, strict=True)
    ) / len(pairs)
    bleu = corpus_bleu(
        [" ".join(one) for one in translations], [[" ".join(pair.french)] for pair in pairs]
    )
    return Score(100 * exact, bleu, len(pairs))


def score_by_length(
    translations: Sequence[Tokens], pairs: Sequence[Pair], edges: Sequence[int]
) -> list[tuple[float, Score]]:
    """(mean length, score) of the sentences with edges[i] <= English tokens < edges[i + 1].

    Groups without a sentence are left out.
    """
    found: list[tuple[float, Score]] = []
    for low, high in pairwise(edges):
        rows = [row for row, pair in enumerate(pairs) if low <= len(pair.english) < high]
        if rows:
            chosen = [pairs[row] for row in rows]
            length = sum(len(pair.english) for pair in chosen) / len(rows)
            found.append((length, score([translations[row] for row in rows], chosen)))
    return found
