"""What is asked of beam_search, over a small network that the judge knows.

Cases are drawn so that no decision is close, and so that greedy decoding and the usual mistakes
find something else. Weights: a search with the states of other hypotheses finds nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.checks.assignment4.seq2seq_attention.oracle import Beams
from autograder.judge import Failed, Student, check, expect, expect_close

QUESTION, CELL, NAME = "beam", "beam-code", "beam_search"
V, H, START, END = 6, 4, 1, 2
CLEAR = 1e-3
#: Mistakes as options of the oracle, by what is said of them.
MISTAKES: Mapping[str, dict[str, Any]] = {
    "hypotheses move and their states stay: choose the states with them": {"stale": True},
    "finished hypotheses are forgotten": {"forgets": True},
    "the search ends with the first hypothesis that is finished": {"first": True},
    "probabilities are added up, not their logarithms": {"probabilities": True},
    "logits are added up as they are: they are no log-probabilities": {"logits_only": True},
    "the best sum wins: it is not divided by the length": {"ranking": lambda one, alpha: one.total},
    "the length does not count end": {
        "ranking": lambda one, alpha: one.total / max(len(one.words), 1) ** alpha
    },
    "the sum is multiplied by the power of the length, not divided": {
        "ranking": lambda one, alpha: one.total * one.length**alpha
    },
    "k hypotheses are kept open, however many are finished": {"shrinks": False},
}


@dataclass(frozen=True)
class Case:
    writer: oracle.Writer
    s: Tensor
    longest: int
    k: int
    alpha: float

    def search(self, **mistake: Any) -> Beams:
        return oracle.search(
            self.writer, self.s, START, END, self.longest, self.k, self.alpha, **mistake
        )

    def ask(self, student: Student, *, named: bool = True) -> dict[str, Any]:
        cell = student.cell_defining(NAME) or CELL
        alpha = self.alpha if named else None
        return student.apply(
            in_kernel.beams, self.writer.parameters, self.s, START, END, self.longest, self.k,
            alpha, cells=(cell,),
        )  # fmt: skip


def _draw(
    rng: Generator, k: int, alpha: float, longest: int, eager: float,
    accept: Callable[[Case, Beams], bool] = lambda case, right: True,
) -> tuple[Case, Beams]:  # fmt: skip
    while True:
        case = Case(
            oracle.draw_writer(rng, V, H, END, eager), oracle.draw(rng, 1, H), longest, k, alpha
        )
        right = case.search()
        if right.gap > CLEAR and accept(case, right):
            return case, right


def _greedy(case: Case) -> tuple[int, ...]:
    rows = oracle.greedy(case.writer, case.s, START, END, case.longest)
    return tuple(rows[0])


def _expect_words(found: Mapping[str, Any], case: Case, right: Beams) -> None:
    words = tuple(found["words"])
    if words == right.words:
        return
    most = max(found["rows"], default=0)
    expect(most <= case.k, f"k is {case.k}, and a batch of {most} is asked")
    causes = [name for name, mistake in MISTAKES.items() if case.search(**mistake).words == words]
    if len(causes) == 1:  # of several, one might be named that was not made
        raise Failed(causes[0])
    if words == _greedy(case):
        raise Failed(f"k is {case.k}, and this is what greedy decoding writes")
    if words == (*right.words, END):
        raise Failed("end is kept as a word of the sentence")
    if words == (START, *right.words):
        raise Failed("start is kept as a word of the sentence")
    raise Failed(f"another sentence of {len(words)} words is found with k = {case.k}")


def _differs(*names: str) -> Callable[[Case, Beams], bool]:
    """The right answer ends, is no greedy one, and none of these mistakes leads to it."""

    def accept(case: Case, right: Beams) -> bool:
        if not right.ended or right.words == _greedy(case) or len(right.words) < 2:
            return False
        options = [mistake for message, mistake in MISTAKES.items() if message.startswith(names)]
        return all(case.search(**mistake).words != right.words for mistake in options)

    return accept


@check(QUESTION, probe="S2S-A11", weight=3)
def one_beam_is_greedy(student: Student, rng: Generator) -> None:
    """k = 1, for a sentence that ends."""

    def accept(case: Case, right: Beams) -> bool:
        return right.ended and len(right.words) > 2 and right.words == _greedy(case)

    case, right = _draw(rng, 1, 1.0, 8, 0.6, accept)
    words = tuple(case.ask(student)["words"])
    if words != right.words:
        expect(words != (*right.words, END), "end is kept as a word of the sentence")
        expect(words[:1] != (START,) or right.words[:1] == (START,), "start is kept as a word")
    expect(words == right.words, "k = 1 finds another sentence than greedy decoding")


@check(QUESTION, probe="S2S-A11", weight=5)
def several_beams(student: Student, rng: Generator) -> None:
    """k = 3: a better sentence than the greedy one, found with the right states."""
    case, right = _draw(
        rng, 3, 1.0, 6, 0.4, _differs("hypotheses move", "probabilities are", "logits are")
    )
    _expect_words(case.ask(student), case, right)


@check(QUESTION, probe="S2S-A11", weight=3)
def finished_ones_are_kept(student: Student, rng: Generator) -> None:
    """k = 4: one of the hypotheses that finish early, or late, has the largest score."""
    for message in ("finished hypotheses", "the search ends"):
        case, right = _draw(rng, 4, 1.0, 6, 0.8, _differs(message))
        _expect_words(case.ask(student), case, right)


@check(QUESTION, probe="S2S-A11", weight=2)
def places_are_not_filled_again(student: Student, rng: Generator) -> None:
    """k minus the number of finished hypotheses stay open."""

    def accept(case: Case, right: Beams) -> bool:
        return right.ended and case.search(shrinks=False).words != right.words

    case, right = _draw(rng, 3, 1.0, 7, 0.5, accept)
    found = case.ask(student)
    rows = list(found["rows"])
    expect(max(rows, default=0) <= 3, f"k is 3, and a batch of {max(rows, default=0)} is asked")
    expect(0 not in rows, "step is called when no hypothesis is open any more")
    _expect_words(found, case, right)


@check(QUESTION, probe="S2S-A11", weight=3)
def lengths_are_normalised(student: Student, rng: Generator) -> None:
    """alpha of 1 and of 0.6, where the sum alone would choose another sentence."""
    for alpha in (1.0, 0.6):
        case, right = _draw(rng, 4, alpha, 6, 0.7, _differs("the best sum"))
        _expect_words(case.ask(student), case, right)


@check(QUESTION, probe="S2S-A11", weight=3)
def score_is_right(student: Student, rng: Generator) -> None:
    """The sum of log-probabilities, divided by the length, end included, to the power alpha."""

    def accept(case: Case, right: Beams) -> bool:
        return right.ended and len(right.words) > 1

    for alpha in (1.0, 0.7, 0.0):
        case, right = _draw(rng, 2, alpha, 6, 0.5, accept)
        found = case.ask(student)
        length = len(right.words) + 1
        total = right.score * length**alpha
        slips = {
            "the length does not count end": total / (length - 1) ** alpha,
            "it is not divided by the length": total,
            "it is divided by the length, whatever alpha is": total / length,
            "it is the probability: leave the logarithm": np.exp(total),
            "it is multiplied by the power of the length": total * length**alpha,
            "the sign is turned": -right.score,
        }
        different = {message: slip for message, slip in slips.items() if slip != right.score}
        what = f"the score with alpha = {alpha}"
        expect_close(found["score"], right.score, what=what, slips=different, rtol=1e-4)


@check(QUESTION, probe="S2S-A11", weight=2)
def open_ones_count_at_the_end(student: Student, rng: Generator) -> None:
    """max_length is reached: what is open is compared as it is, with what has finished."""

    def accept_open(case: Case, right: Beams) -> bool:
        return not right.ended and len(right.words) == case.longest

    def accept_mixed(case: Case, right: Beams) -> bool:
        return accept_open(case, right) and case.search(open_counts=False).words != right.words

    for eager, accept in ((-3.0, accept_open), (0.5, accept_mixed)):
        case, right = _draw(rng, 3, 1.0, 4, eager, accept)
        found = case.ask(student)
        steps = len(found["rows"])
        expect(steps <= 4, f"max_length is 4, and step is called {steps} times")
        _expect_words(found, case, right)
        expect_close(found["score"], right.score, what="the score of a cut sentence", rtol=1e-4)


@check(QUESTION, probe="S2S-A11", weight=1)
def many_beams_find_the_best(student: Student, rng: Generator) -> None:
    """k larger than the number of all sentences: nothing is ever dropped."""
    longest = 2
    case, right = _draw(rng, 60, 1.0, longest, 0.3)
    found = case.ask(student)
    scores = {}
    others = [word for word in range(V) if word != END]
    for count in range(longest + 1):
        for words in itertools.product(others, repeat=count):
            written = [*words, END] if count < longest else [*words]
            scores[words] = _log_probability(case, written) / len(written)
    best = max(scores, key=lambda words: scores[words])
    assert best == right.words  # the two ways of the judge agree
    expect(tuple(found["words"]) == best, "with room for all sentences, not the best one is found")


@check(QUESTION, probe="S2S-A11", weight=1)
def alpha_is_one_unless_told(student: Student, rng: Generator) -> None:
    """Without alpha, the score is a mean over the words."""

    def accept(case: Case, right: Beams) -> bool:
        return right.ended and len(right.words) > 2

    case, right = _draw(rng, 2, 1.0, 7, 0.3, accept)
    found = case.ask(student, named=False)
    expect_close(found["score"], right.score, what="the score", rtol=1e-4)


@check(QUESTION, probe="S2S-A11", weight=1, condition=True)
def answers_are_plain(student: Student, rng: Generator) -> None:
    """A list of Python ints, and a float."""
    case, _ = _draw(rng, 2, 1.0, 5, 0.3, lambda case, right: right.ended and len(right.words) > 0)
    found = case.ask(student)
    kinds, kind = list(found["kinds"]), found["score_kind"]
    expect(kinds == ["int", "list"], f"the words are {' and '.join(kinds)}, not a list of int")
    expect(kind == "float", f"the score is of type {kind}, not float")


def _log_probability(case: Case, words: list[int]) -> float:
    y, s, total = torch.tensor([START]), case.s, 0.0
    for word in words:
        logits, s = case.writer.step(y, s)
        total += float(logits[0].log_softmax(dim=0)[word])
        y = torch.tensor([word])
    return total
