"""The words that greedy decoding writes, by torch; and those that usual slips lead to.

Shapes: as in captioning.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.captioning import Case, draw_case
from autograder.checks.shared.layers import Array

#: How far the best word of a step is ahead of the next best: rounding cannot make it another one.
AHEAD = 1e-3


#: Slips in sample that only an LSTM can make.
OF_THE_CELL: Mapping[str, dict[str, Any]] = {
    "the cell is not carried over: each step starts with a cell of zeros": {"cell_carried": False},
    "the cell starts at h0; it starts at zero": {"cell_from_h0": True},
}


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
    p = {name: torch.tensor(value, dtype=torch.float64) for name, value in case.params.items()}
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
        "the hidden state is not carried over: each step starts from h0": {"carried": False},
        "these are the words that follow if <NULL> goes in first; it should be <START>": {
            "first": case.null
        },
        "the features make no difference: h0 is zero": {"projected": False},
    }
    if case.end is not None:
        message = "these are the words that follow if <END> goes in first; it should be <START>"
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
