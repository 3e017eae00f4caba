"""BLEU against values worked out by hand."""

import math
import sys

import pytest

from cs231n_lib.bleu import corpus_bleu
from cs231n_lib.errors import DataError

MAT = ["the cat is on the mat", "there is a cat on the mat"]


def test_the_example_of_the_paper() -> None:
    """Papineni et al., section 2.1: "the" counts at most as often as in one reference, 2 of 7."""
    assert corpus_bleu(["the the the the the the the"], [MAT], 1) == pytest.approx(100 * 2 / 7)


def test_geometric_mean_of_the_precisions() -> None:
    candidate = "the cat sat on the mat"  # 5 of 6 words; the cat, on the, the mat: 3 of 5 pairs
    assert corpus_bleu([candidate], [MAT], 1) == pytest.approx(100 * 5 / 6)
    assert corpus_bleu([candidate], [MAT], 2) == pytest.approx(100 * math.sqrt(5 / 6 * 3 / 5))
    three = (5 / 6 * 3 / 5 * 1 / 4) ** (1 / 3)  # on the mat
    assert corpus_bleu([candidate], [MAT], 3) == pytest.approx(100 * three)
    assert corpus_bleu([candidate], [MAT]) == 0  # no four words in a row, and nothing is smoothed


def test_short_captions_pay_for_their_brevity() -> None:
    references = [["a red car on a street"]]
    assert corpus_bleu(["a red car"], references, 2) == pytest.approx(100 * math.exp(1 - 6 / 3))
    longer = ["a red car on a street at night"]
    assert corpus_bleu(longer, references, 1) == pytest.approx(100 * 6 / 8)
    closest = [["a red car on a street at night in the rain", "a red car here"]]
    assert corpus_bleu(["a red car"], closest, 1) == pytest.approx(100 * math.exp(1 - 4 / 3))


def test_counts_are_added_up_over_the_corpus() -> None:
    candidates, references = ["a b c d", "x"], [["a b c d"], ["y"]]
    assert corpus_bleu(candidates, references, 1) == pytest.approx(100 * 4 / 5)  # not the mean, 50


def test_a_perfect_caption_gets_100() -> None:
    references = [MAT, ["two red cars on a road"]]  # as many or as few references as there are
    assert corpus_bleu([MAT[1], "two red cars on a road"], references) == 100
    assert corpus_bleu(["zebra"], [MAT]) == 0


def test_words_are_taken_as_they_are() -> None:
    assert corpus_bleu(["The cat"], [["the cat"]], 1) == pytest.approx(50)
    assert corpus_bleu(["don't ."], [["don't ."]], 2) == 100


@pytest.mark.parametrize(
    ("candidates", "references", "max_n", "message"),
    [
        (["a"], [["a"], ["b"]], 4, "1 candidates, but references for 2"),
        ([], [], 4, "no candidates"),
        (["a"], [[]], 4, r"references\[0\] must be a list"),
        (["a"], ["a b"], 4, r"references\[0\] must be a list"),
        (["a"], [["a"]], 0, "max_n is 0"),
    ],
)
def test_misuse_is_explained(
    candidates: list[str], references: list[list[str]], max_n: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        corpus_bleu(candidates, references, max_n)


def test_without_sacrebleu_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    with pytest.raises(DataError, match=r'pip install "\.\[captions\]"`'):
        corpus_bleu(["a"], [["a"]])
