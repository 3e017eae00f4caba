"""Recurrent networks from their equations, and searches written out, in float64.

Letters: N sentences, S positions, E, H, D numbers of vectors, V words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

State = dict[str, Tensor]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def draw(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.from_numpy(scale * rng.normal(size=shape))


def gru_parameters(rng: Generator, E: int, H: int, suffixes: tuple[str, ...]) -> State:
    """Of a GRU or a cell: for each suffix (one a direction) weights (3H, E), (3H, H) and biases."""
    shapes = {"weight_ih": (3 * H, E), "weight_hh": (3 * H, H)}
    return {
        part + suffix: draw(rng, *shapes.get(part, (3 * H,)), scale=0.7)
        for suffix in suffixes
        for part in PARTS
    }


def gru_step(x: Tensor, h: Tensor, state: Mapping[str, Tensor], suffix: str = "") -> Tensor:
    """Cho et al. (2014), as torch has it: the reset gate acts after the product with the state."""
    w_x, w_h, b_x, b_h = (state[part + suffix] for part in PARTS)
    r_x, z_x, n_x = (x @ w_x.T + b_x).chunk(3, dim=-1)
    r_h, z_h, n_h = (h @ w_h.T + b_h).chunk(3, dim=-1)
    reset, keep = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    return (1 - keep) * torch.tanh(n_x + reset * n_h) + keep * h


FORWARD, BACKWARD = "_l0", "_l0_reverse"


def read(vectors: Tensor, state: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """One sentence of word vectors (S, E): states (S, 2H), and the final ones (2H,)."""
    H = state["weight_hh" + FORWARD].shape[1]
    halves = []
    for suffix, order in ((FORWARD, 1), (BACKWARD, -1)):
        h, rows = torch.zeros(H, dtype=torch.float64), []
        for x in vectors[::1] if order == 1 else vectors.flip(0):
            h = gru_step(x, h, state, suffix)
            rows.append(h)
        halves.append(torch.stack(rows if order == 1 else rows[::-1]))
    left, right = halves
    return torch.cat([left, right], dim=1), torch.cat([left[-1], right[0]])


# -- a small network that writes -------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """What `in_kernel.Writer` computes, in the judge."""

    parameters: State

    def step(self, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        p = self.parameters
        s = torch.tanh(s @ p["over"] + p["words"][y])
        return s @ p["out"] + p["bias"], s


def draw_writer(rng: Generator, V: int, H: int, end: int, eager: float = 0.0) -> Writer:
    """``eager``: how much more probable ``end`` is than other words."""
    bias = draw(rng, V, scale=0.3)
    bias[end] += eager
    return Writer(
        {
            "words": draw(rng, V, H, scale=1.2),
            "over": draw(rng, H, H, scale=0.9),
            "out": draw(rng, H, V, scale=1.5),
            "bias": bias,
        }
    )


def greedy(writer: Writer, s: Tensor, start: int, end: int, longest: int) -> list[list[int]]:
    """One sentence after the other."""
    found = []
    for row in s:
        words, y, state = [], torch.tensor([start]), row[None]
        for _ in range(longest):
            logits, state = writer.step(y, state)
            y = logits.argmax(dim=1)
            if int(y) == end:
                break
            words.append(int(y))
        found.append(words)
    return found


def margin_of_greedy(writer: Writer, s: Tensor, start: int, longest: int) -> float:
    """By how much the best logit leads, at worst, however long one writes."""
    y, least = torch.full((len(s),), start), np.inf
    for _ in range(longest):
        logits, s = writer.step(y, s)
        best = logits.topk(2, dim=1).values
        least = min(least, float((best[:, 0] - best[:, 1]).min()))
        y = logits.argmax(dim=1)
    return least


# -- beams -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hypothesis:
    """words: without end. length: words written, end included. total: what is added up."""

    words: tuple[int, ...]
    length: int
    total: float
    state: Tensor

    def score(self, alpha: float) -> float:
        return self.total / self.length**alpha


@dataclass(frozen=True)
class Beams:
    """The result of a search; gap: how far from a tie its closest decision was."""

    words: tuple[int, ...]
    score: float
    gap: float
    ended: bool


Ranking = Callable[[Hypothesis, float], float]


def _by_score(hypothesis: Hypothesis, alpha: float) -> float:
    return hypothesis.score(alpha)


def search(
    writer: Writer, s: Tensor, start: int, end: int, longest: int, k: int, alpha: float,
    *,
    stale: bool = False,
    forgets: bool = False,
    shrinks: bool = True,
    first: bool = False,
    probabilities: bool = False,
    logits_only: bool = False,
    open_counts: bool = True,
    ranking: Ranking = _by_score,
) -> Beams:  # fmt: skip
    """Beam search with lists of hypotheses; the options are the usual mistakes."""
    beams = [Hypothesis((), 0, 0.0, s[0])]
    finished: list[Hypothesis] = []
    gap = np.inf
    for length in range(1, longest + 1):
        candidates: list[tuple[Hypothesis, bool]] = []
        for beam in beams:
            y = torch.tensor([beam.words[-1] if beam.words else start])
            logits, after = writer.step(y, beam.state[None])
            gains = logits[0] if logits_only else logits[0].log_softmax(dim=0)
            if probabilities:
                gains = gains.exp()
            for word in range(len(writer.parameters["words"])):
                ends = word == end
                words = beam.words if ends else (*beam.words, word)
                total = beam.total + float(gains[word])
                candidates.append((Hypothesis(words, length, total, after[0]), ends))
        candidates.sort(key=lambda pair: -pair[0].total)
        keep = k - len(finished) if shrinks else k
        if len(candidates) > keep:
            gap = min(gap, candidates[keep - 1][0].total - candidates[keep][0].total)
        chosen = candidates[:keep]
        if stale:  # states stay where they were while hypotheses move
            states = [writer.step(
                torch.tensor([beam.words[-1] if beam.words else start]), beam.state[None]
            )[1][0] for beam in beams]  # fmt: skip
            chosen = [
                (Hypothesis(one.words, one.length, one.total, states[min(place, len(states) - 1)]),
                 ends)
                for place, (one, ends) in enumerate(chosen)
            ]  # fmt: skip
        finished += [one for one, ends in chosen if ends]
        beams = [one for one, ends in chosen if not ends]
        if (first and finished) or not beams:
            break
    pool = list(finished) if not forgets else []
    if open_counts or not pool:
        pool += beams
    if not pool:
        pool = list(finished)
    ranked = sorted(pool, key=lambda one: -ranking(one, alpha))
    if len(ranked) > 1:
        gap = min(gap, ranking(ranked[0], alpha) - ranking(ranked[1], alpha))
    best = ranked[0]
    return Beams(best.words, best.score(alpha), gap, best in finished)
