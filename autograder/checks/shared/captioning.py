"""Small captioning networks: random cases, and what loss and sample should make of them, by torch.

Two notebooks ask for ``CaptioningRNN``: with the vanilla RNN, and with the LSTM.

Shapes: features (N, D); captions (N, T + 1), words (N, max_length), both integers below V;
W_embed (V, W), W_proj (D, H), b_proj (H,), Wx (W, k H), Wh (H, k H), b (k H,), W_vocab (H, V),
b_vocab (V,), with k = 1 for the RNN and 4 for the LSTM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array

GATES: Mapping[str, int] = {"rnn": 1, "lstm": 4}
#: How far the best word of a step is ahead of the next best: rounding cannot make it another one.
AHEAD = 1e-3

#: Slips in sample that only an LSTM can make.
OF_THE_CELL: Mapping[str, dict[str, Any]] = {
    "the cell does not move on: each step starts with a cell of zeros": {"cell_carried": False},
    "the cell starts at h0; it starts at zero": {"cell_from_h0": True},
}

Leaves = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Case:
    """Parameters and data of a small network. ``start`` and ``end`` are None where none exist."""

    cell_type: str
    params: Mapping[str, Array]
    features: Array
    captions: Array
    null: int = 0
    start: int | None = 1
    end: int | None = 2

    @property
    def sizes(self) -> dict[str, int]:
        """What __init__ calls input_dim, wordvec_dim and hidden_dim."""
        D, H = self.params["W_proj"].shape
        return {"input_dim": D, "wordvec_dim": self.params["W_embed"].shape[1], "hidden_dim": H}

    @property
    def word_to_idx(self) -> dict[str, int]:
        """A number for each word of the vocabulary."""
        special = {"<NULL>": self.null, "<START>": self.start, "<END>": self.end}
        words = {word: number for word, number in special.items() if number is not None}
        taken = set(words.values())
        plain = (number for number in range(len(self.params["W_embed"])) if number not in taken)
        return words | {f"word{number}": number for number in plain}

    @property
    def targets(self) -> Array:
        """The words to be predicted (N, T)."""
        return self.captions[:, 1:]

    def with_captions(self, captions: Array) -> Case:
        return replace(self, captions=captions)

    def renumbered(self, numbers: Array) -> Case:
        """The same vocabulary in another order: word v gets the number ``numbers[v]``."""
        order = np.argsort(numbers)
        params = {
            **self.params,
            "W_embed": self.params["W_embed"][order],
            "W_vocab": self.params["W_vocab"][:, order],
            "b_vocab": self.params["b_vocab"][order],
        }
        start, end = (None if n is None else int(numbers[n]) for n in (self.start, self.end))
        null, captions = int(numbers[self.null]), numbers[self.captions]
        return replace(self, params=params, captions=captions, null=null, start=start, end=end)

    def rows(self, rows: slice) -> Case:
        return replace(self, features=self.features[rows], captions=self.captions[rows])


def draw_case(
    rng: Generator,
    cell_type: str = "rnn",
    *,
    N: int = 3,
    T: int = 5,
    D: int = 6,
    W: int = 4,
    H: int = 7,
    V: int = 9,
    null: int = 0,
    start: int | None = 1,
    end: int | None = 2,
    size: float = 1.0,
) -> Case:
    """Random numbers, biases too; ``size`` is about that of the scores.

    Each caption begins with <START>, where there is one, and all but the first end before the last
    column: what follows there is <NULL>. Some word occurs twice.
    """
    k = GATES[cell_type]
    params = {
        "W_embed": rng.normal(size=(V, W)),
        "W_proj": rng.normal(size=(D, H)) / np.sqrt(D),
        "b_proj": 0.5 * rng.normal(size=H),
        "Wx": rng.normal(size=(W, k * H)) / np.sqrt(W),
        "Wh": rng.normal(size=(H, k * H)) / np.sqrt(H),
        "b": 0.5 * rng.normal(size=k * H),
        "W_vocab": size * rng.normal(size=(H, V)) / np.sqrt(H),
        "b_vocab": 0.5 * size * rng.normal(size=V),
    }
    plain = [number for number in range(V) if number not in (null, start, end)]
    captions = rng.choice(plain, size=(N, T + 1))
    captions[:, 0] = plain[0] if start is None else start
    for n in range(1, N):
        length = int(rng.integers(2, T))  # with what begins it
        captions[n, length:] = null
        if end is not None:
            captions[n, length] = end
    captions[0, -1] = captions[0, 1]
    return Case(cell_type, params, rng.normal(size=(N, D)), captions, null, start, end)


# -- loss -----------------------------------------------------------------------------------------


def right_loss(case: Case) -> tuple[float, dict[str, Array]]:
    """The loss and the gradients of all parameters."""
    return loss_of_words(case, case.captions[:, :-1], case.targets, case.targets != case.null)


def loss_of_words(
    case: Case, given: Array, targets: Array, mask: Array, *, projected: bool = True
) -> tuple[float, dict[str, Array]]:
    """Loss and gradients where ``given`` goes in, and ``targets`` is to come out, both (N, T).

    ``projected``: whether the first hidden state comes from the features, or is zero.
    """
    leaves = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in case.params.items()
    }
    h0 = layers.affine(torch.tensor(case.features), leaves["W_proj"], leaves["b_proj"])
    vectors = recurrent.embedding(torch.tensor(given), leaves["W_embed"])
    cell = {"rnn": recurrent.rnn, "lstm": recurrent.lstm}[case.cell_type]
    h = cell(vectors, h0 if projected else 0 * h0, leaves["Wx"], leaves["Wh"], leaves["b"])
    scores = recurrent.temporal_affine(h, leaves["W_vocab"], leaves["b_vocab"])
    loss = recurrent.temporal_loss(scores, torch.tensor(targets), torch.tensor(mask))
    loss.backward()
    grads = {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
    return float(loss.detach()), grads


def slipped_losses(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Usual slips, by what is said about them: the loss and the gradients that they lead to."""
    return slips_of_degree(case) | slips_of_use(case)


def slips_of_degree(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Slips in what is counted, in what divides, in a bias: a network learns to write even so."""
    given, targets = case.captions[:, :-1], case.targets
    counted = targets != case.null
    loss, grads = right_loss(case)

    def divided(by: float) -> tuple[float, dict[str, Array]]:
        return loss / by, {name: value / by for name, value in grads.items()}

    unbiased = replace(case, params={**case.params, "b_proj": 0 * case.params["b_proj"]})
    everything = np.ones_like(counted)
    return {
        "<NULL> counts among the words to be predicted: it only fills up the rows, and belongs "
        "outside the mask": loss_of_words(case, given, targets, everything),
        "the mask belongs to the words that go in, not to those that should come out": (
            loss_of_words(case, given, targets, given != case.null)
        ),
        "the loss is divided by N * T; only the number N of captions divides it": divided(
            targets.shape[1]
        ),
        "the loss is divided by the number of words; only the number N of captions divides "
        "it": divided(max(int(counted.sum()), 1) / len(targets)),
        "the loss is a sum over the captions; it is divided by their number N": divided(
            1 / len(targets)
        ),
        "b_proj makes no difference": right_loss(unbiased),
    }


def slips_of_use(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Slips in what goes where: a network does not learn what it is for."""
    given, targets = case.captions[:, :-1], case.targets
    counted = targets != case.null
    return {
        "each word is to be predicted from itself: the targets are captions[:, 1:], one word "
        "later than what goes in": loss_of_words(case, given, given, given != case.null),
        "the words that go in are captions[:, 1:], the very words that should come out": (
            loss_of_words(case, targets, targets, counted)
        ),
        "the features make no difference: h0 is zero": loss_of_words(
            case, given, targets, counted, projected=False
        ),
    }


# -- sample ---------------------------------------------------------------------------------------


def greedy(
    case: Case,
    length: int,
    *,
    first: int | None = None,
    fed_back: bool = True,
    carried: bool = True,
    cell_carried: bool = True,
    cell_from_h0: bool = False,
    projected: bool = True,
) -> tuple[Array, float]:
    """The words (N, length) that are always the best next ones, and how far ahead the best was.

    ``first``: what goes in first, <START> if None. The rest are slips: the chosen word is not
    ``fed_back``, but ``first`` again; the hidden state, or an LSTM's cell, is not ``carried`` over
    to the next step; the first cell is h0; the features are not ``projected`` to h0, which is zero.
    """
    p: Leaves = {
        name: torch.tensor(value, dtype=torch.float64) for name, value in case.params.items()
    }
    h0 = layers.affine(torch.tensor(case.features), p["W_proj"], p["b_proj"])
    h0 = h0 if projected else torch.zeros_like(h0)
    h, c = h0, h0 if cell_from_h0 else torch.zeros_like(h0)
    first = case.start if first is None else first
    assert first is not None, "a vocabulary without <START> writes no captions"
    begin = torch.full((len(h0),), first)
    word, words, ahead = begin, [], np.inf
    for _ in range(length):
        x = recurrent.embedding(word, p["W_embed"])
        if case.cell_type == "rnn":
            h = recurrent.rnn_step(x, h, p["Wx"], p["Wh"], p["b"])
        else:
            h, c = recurrent.lstm_step(x, h, c, p["Wx"], p["Wh"], p["b"])
        scores = recurrent.temporal_affine(h, p["W_vocab"], p["b_vocab"])
        best, chosen = scores.topk(2, dim=1)
        ahead = min(ahead, float((best[:, 0] - best[:, 1]).min()))
        words.append(chosen[:, 0])
        word = chosen[:, 0] if fed_back else begin
        h = h if carried else h0
        c = c if cell_carried else torch.zeros_like(c)
    return torch.stack(words, dim=1).numpy(), ahead


def slipped_words(case: Case, length: int) -> dict[str, Array]:
    """Usual slips in sample, by what is said about them: the words (N, length) they lead to."""
    slips: dict[str, dict[str, Any]] = {
        "<START> goes in at every step: each chosen word is what goes in next": {"fed_back": False},
        "the hidden state does not move on: each step starts from h0": {"carried": False},
        "these are the words that come where <NULL> goes in first; it should be <START>": {
            "first": case.null
        },
        "the features make no difference: h0 is zero": {"projected": False},
    }
    if case.end is not None:
        message = "these are the words that come where <END> goes in first; it should be <START>"
        slips[message] = {"first": case.end}
    if case.cell_type == "lstm":
        slips |= OF_THE_CELL
    return {message: greedy(case, length, **options)[0] for message, options in slips.items()}


def draw_telling_case(
    rng: Generator, cell_type: str = "rnn", *, length: int = 7, N: int = 3, **sizes: int
) -> Case:
    """A case whose captions show every slip: each leads to other words, in every caption.

    No special word comes up, so that it makes no difference whether one stops at <END>. At each
    step the best word is clearly ahead.
    """
    while True:
        case = draw_case(rng, cell_type, N=N, **({"V": 12, "H": 8} | sizes), size=8.0)
        # A word that is liked for itself would come up whatever went before it.
        case = replace(case, params={**case.params, "b_vocab": _against_special_words(rng, case)})
        words, ahead = greedy(case, length)
        others = slipped_words(case, length).values()
        differs = all((other != words).any(axis=1).all() for other in others)
        varied = all(len(set(row)) >= min(length, 3) for row in words.tolist())
        special = {case.null, case.start, case.end}
        if ahead > AHEAD and differs and varied and not special & set(words.ravel().tolist()):
            return case


def draw_ending_case(rng: Generator, cell_type: str = "rnn", *, length: int = 7) -> Case:
    """A case in which <END> comes up early in one caption at least, and never in another one."""
    while True:
        case = draw_case(rng, cell_type, V=9, H=8, size=8.0)
        b_vocab = _against_special_words(rng, case)
        b_vocab[case.end] += 30.0
        case = replace(case, params={**case.params, "b_vocab": b_vocab})
        words, ahead = greedy(case, length)
        ended = (words == case.end)[:, : length - 3].any(axis=1)
        open_ended = (words != case.end).all(axis=1)
        if ahead > AHEAD and ended.any() and open_ended.any() and not (words == case.null).any():
            return case


def _against_special_words(rng: Generator, case: Case) -> Array:
    """b_vocab (V,) under which a special word is hardly ever the best."""
    b_vocab = rng.normal(size=case.params["b_vocab"].shape)
    b_vocab[[n for n in (case.null, case.start, case.end) if n is not None]] -= 30.0
    return b_vocab
