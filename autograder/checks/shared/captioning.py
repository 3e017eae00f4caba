"""Small captioning networks with random parameters, and captions for them.

Two notebooks ask for ``CaptioningRNN``: with the vanilla RNN, and with the LSTM.

Shapes: features (N, D); captions (N, T + 1), words (N, max_length), both integers below V;
W_embed (V, W), W_proj (D, H), b_proj (H,), Wx (W, k H), Wh (H, k H), b (k H,), W_vocab (H, V),
b_vocab (V,), with k = 1 for the RNN and 4 for the LSTM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.layers import Array

GATES: Mapping[str, int] = {"rnn": 1, "lstm": 4}


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
