"""What is asked of encoder_forward, against a GRU from its equations, one sentence at a time.

Weights: states that know the padding spoil everything after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.checks.assignment4.seq2seq_attention.oracle import BACKWARD, FORWARD
from autograder.judge import Student, check, expect, expect_near, expect_shape

QUESTION, CELL, NAME = "encoder", "encoder-code", "encoder_forward"
V, E, H = 11, 4, 3


@dataclass(frozen=True)
class Case:
    """Sentences of different lengths, and layers with numbers of the judge's."""

    tokens: Tensor  # (N, S)
    lengths: tuple[int, ...]
    embedding: Tensor
    gru: oracle.State
    pad: int = 0

    def read(self, row: int, upto: int | None = None) -> tuple[Tensor, Tensor]:
        """States and sentence vector of one row, of its words or of its first ``upto`` tokens."""
        tokens = self.tokens[row, : upto or self.lengths[row]]
        return oracle.read(self.embedding[tokens], self.gru)


def _draw(rng: Generator, lengths: tuple[int, ...], S: int, pad: int = 0) -> Case:
    tokens = torch.full((len(lengths), S), pad)
    others = torch.tensor([word for word in range(V) if word != pad])
    for row, length in enumerate(lengths):
        tokens[row, :length] = others[torch.from_numpy(rng.integers(0, V - 1, size=length))]
    gru = oracle.gru_parameters(rng, E, H, (FORWARD, BACKWARD))
    return Case(tokens, lengths, oracle.draw(rng, V, E), gru, pad)


def _ask(student: Student, case: Case) -> tuple[Any, Any]:
    gru = {name: value.float() for name, value in case.gru.items()}
    cell = student.cell_defining(NAME) or CELL
    (found,) = student.apply(
        in_kernel.encoded, case.embedding.float(), gru, [case.tokens], case.pad, cells=(cell,)
    )
    expect(len(found) == 2, f"{NAME} returns {len(found)} values, not (states, sentence)")
    return found[0], found[1]


def _words(case: Case, rows: list[Tensor]) -> Tensor:
    """The states at words of all rows, one after the other."""
    return torch.cat([row[:length] for row, length in zip(rows, case.lengths, strict=True)])


def _expect_states(case: Case, states: Any) -> None:
    N, S = case.tokens.shape
    array = torch.from_numpy(expect_shape(states, (N, S, 2 * H), "states"))
    got = _words(case, list(array))
    want = [case.read(row)[0] for row in range(N)]
    spoilt = [case.read(row, S)[0] for row in range(N)]
    turned = [torch.cat(one.chunk(2, dim=1)[::-1], dim=1) for one in want]
    left = [torch.cat([one[:, :H], one[:, :H]], dim=1) for one in want]
    slips = {
        "the right-to-left half has begun in the padding": _words(case, spoilt).numpy(),
        "the halves of the states are exchanged": _words(case, turned).numpy(),
        "both halves are those of the left-to-right direction": _words(case, left).numpy(),
    }
    what = f"states at words, of sentences of {', '.join(map(str, case.lengths))} tokens"
    expect_near(got, _words(case, want).numpy(), what=what, precision="float32", slips=slips)


def _expect_sentence(case: Case, sentence: Any) -> None:
    N, S = case.tokens.shape
    want = torch.stack([case.read(row)[1] for row in range(N)])
    spoilt = torch.stack([case.read(row, S)[1] for row in range(N)])
    states = [case.read(row)[0] for row in range(N)]
    longer = [case.read(row, S)[0] for row in range(N)]
    zero = torch.zeros(2 * H, dtype=torch.float64)
    at_end = torch.stack([row[-1] if len(row) == S else zero for row in states])
    slips = {
        "these are the final states after the padding: the GRU has read on behind the sentence": (
            spoilt
        ),
        "this is the state at the last column, which is padding in shorter sentences": at_end,
        "this is the state at the last column, padding and all": torch.stack(
            [row[-1] for row in longer]
        ),
        "the right-to-left half is that at the last word; it ends at the first": torch.stack(
            [row[-1] for row in states]
        ),
        "these are the states at the first word; the left-to-right half ends at the last": (
            torch.stack([row[0] for row in states])
        ),
        "the halves are exchanged": torch.cat(want.chunk(2, dim=1)[::-1], dim=1),
        "the left half is right; the right half has begun in the padding": torch.cat(
            [want[:, :H], spoilt[:, H:]], dim=1
        ),
        "this is a mean of the states": torch.stack([row.mean(dim=0) for row in states]),
    }
    expect_near(
        expect_shape(sentence, (N, 2 * H), "the sentence vector"), want.numpy(),
        what="the sentence vector", precision="float32",
        slips={message: wrong.numpy() for message, wrong in slips.items()},
    )  # fmt: skip


@check(QUESTION, probe="S2S-A1", weight=4)
def states_are_right(student: Student, rng: Generator) -> None:
    """The states at the words of sentences of different lengths."""
    case = _draw(rng, (6, 2, 4, 1), 6)
    _expect_states(case, _ask(student, case)[0])


@check(QUESTION, probe="S2S-A1", weight=4)
def sentence_is_right(student: Student, rng: Generator) -> None:
    """The final states of both halves, of sentences of different lengths."""
    case = _draw(rng, (3, 7, 1, 5), 7)
    _expect_sentence(case, _ask(student, case)[1])


@check(QUESTION, probe="S2S-A1", weight=2)
def all_may_end_in_padding(student: Student, rng: Generator) -> None:
    """A batch in which every sentence is shorter than the row: S stays what it is."""
    case = _draw(rng, (3, 2), 6)
    states, sentence = _ask(student, case)
    _expect_states(case, states)
    _expect_sentence(case, sentence)


@check(QUESTION, probe="S2S-A1", weight=1, rare=True)
def padding_may_have_another_number(student: Student, rng: Generator) -> None:
    """pad is an argument: 5 here, and 0 is a word."""
    case = _draw(rng, (4, 2, 3), 4, pad=5)
    case.tokens[0, 1] = 0
    states, sentence = _ask(student, case)
    _expect_states(case, states)
    _expect_sentence(case, sentence)


@check(QUESTION, probe="S2S-A1", weight=1)
def gradients_reach_the_layers(student: Student, rng: Generator) -> None:
    """Embedding and GRU learn from the states and from the sentence vector."""
    case = _draw(rng, (3, 2), 3)
    gru = {name: value.float() for name, value in case.gru.items()}
    cell = student.cell_defining(NAME) or CELL
    found = student.apply(
        in_kernel.reached_by_encoder, case.embedding.float(), gru, case.tokens, cells=(cell,)
    )
    cut = " and ".join(name for name, reached in found.items() if not reached)
    expect(not cut, f"no gradient comes back from {cut}", "Is the graph cut (detach, no_grad)?")
