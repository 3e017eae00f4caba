"""What is asked of AttentionTranslator.context, over right scores and right means.

The functions of the other questions are stand-ins here, so that a mistake in them is paid once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.judge import Student, as_array, check, expect, expect_near

QUESTION, CELL, NAME = "attention-translator", "attention-translator-code", "AttentionTranslator"
E, H, N, S = 3, 4, 3, 5
Asked = list[str]


def _tensor(value: Any, shape: tuple[int, ...], what: str) -> Tensor:
    array = as_array(value, what)
    expect(array.shape == shape, f"{what} has shape {array.shape}, not {shape}")
    return torch.from_numpy(array.astype("float64"))


def _right(asked: Asked) -> dict[str, Any]:
    """The functions of the other questions, which note that they were asked."""

    def additive_scores(query: Any, keys: Any, v: Any) -> Tensor:
        asked.append("additive")
        q = _tensor(query, (N, H), "query of additive_scores")
        k = _tensor(keys, (N, S, H), "keys of additive_scores")
        return (torch.tanh(q[:, None] + k) @ _tensor(v, (H,), "v of additive_scores")).float()

    def scaled_dot_product_scores(query: Any, keys: Any) -> Tensor:
        asked.append("dot")
        q = _tensor(query, (N, H), "query of scaled_dot_product_scores")
        k = _tensor(keys, (N, S, H), "keys of scaled_dot_product_scores")
        return ((q[:, None] * k).sum(dim=2) / np.sqrt(H)).float()

    def attention_context(scores: Any, mask: Any, states: Any) -> tuple[Tensor, Tensor]:
        e = _tensor(scores, (N, S), "scores of attention_context")
        words = _tensor(mask, (N, S), "mask of attention_context") > 0
        h = _tensor(states, (N, S, 2 * H), "states of attention_context")
        context, weights = _mean(e, words, h)
        return context.float(), weights.float()

    return {
        "additive_scores": additive_scores,
        "scaled_dot_product_scores": scaled_dot_product_scores,
        "attention_context": attention_context,
    }


def _mean(e: Tensor, words: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    weights = e.masked_fill(~words, -np.inf).softmax(dim=1)
    return (weights[:, :, None] * h).sum(dim=1), weights


def _expect(student: Student, rng: Generator, kind: str, part: int) -> None:
    """The context (part 0) or the weights (part 1) of a translator of this kind."""
    state = {
        "query.weight": oracle.draw(rng, H, H),
        "key.weight": oracle.draw(rng, H, 2 * H),
        "v": oracle.draw(rng, H),
    }
    states, s = oracle.draw(rng, N, S, 2 * H), oracle.draw(rng, N, H)
    mask = torch.arange(S)[None] < torch.tensor([5, 2, 3])[:, None]
    asked: Asked = []
    right = _right(asked)
    sent = {name: value.float() for name, value in state.items()}
    found = student.apply(
        in_kernel.attended, student.cell_defining(NAME) or CELL, kind, sent, [E, H],
        states.float(), mask, s.float(), cells=(student.cell_defining(NAME) or CELL,),
        bindings={name: student.stand_in(function) for name, function in right.items()},
    )  # fmt: skip
    query, keys = s @ state["query.weight"].T, states @ state["key.weight"].T
    e = {
        "additive": torch.tanh(query[:, None] + keys) @ state["v"],
        "dot": (query[:, None] * keys).sum(dim=2) / np.sqrt(H),
    }
    other = "dot" if kind == "additive" else "additive"
    bare = (
        torch.tanh(s[:, None] + keys) @ state["v"]
        if kind == "additive"
        else (s[:, None] * keys).sum(dim=2) / np.sqrt(H)
    )
    slips = {
        f"kind is {kind!r}, and the scores are those of {other!r}": _mean(e[other], mask, states),
        "the state is compared as it is: the query is self.query(s)": _mean(bare, mask, states),
        "the mask has no effect": _mean(e[kind], torch.ones_like(mask), states),
    }
    if part == 0:
        slips["this is the sentence vector"] = (states.mean(dim=1), mask)
    what = ("the context", "the weights")[part]
    expect_near(
        found[part], _mean(e[kind], mask, states)[part].numpy(), what=f"{what}, kind {kind!r}",
        precision="float32", slips={name: wrong[part].numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(QUESTION, probe="S2S-A8", weight=3)
def context_of_additive_attention(student: Student, rng: Generator) -> None:
    """The context, kind "additive"."""
    _expect(student, rng, "additive", 0)


@check(QUESTION, probe="S2S-A8", weight=3)
def context_of_dot_products(student: Student, rng: Generator) -> None:
    """The context, kind "dot"."""
    _expect(student, rng, "dot", 0)


@check(QUESTION, probe="S2S-A8", weight=2)
def weights_are_returned(student: Student, rng: Generator) -> None:
    """The weights, of both kinds."""
    for kind in ("additive", "dot"):
        _expect(student, rng, kind, 1)


@check(QUESTION, probe="S2S-A8", weight=1)
def gradients_go_back(student: Student, rng: Generator) -> None:
    """A gradient comes back from the context to the states, the keys and s."""
    cell = student.cell_defining(NAME) or CELL
    states, s = oracle.draw(rng, N, S, 2 * H).float(), oracle.draw(rng, N, H).float()
    mask = torch.arange(S)[None] < torch.tensor([4, 5, 2])[:, None]
    for kind in ("additive", "dot"):
        found = student.apply(
            in_kernel.reached_by_context, cell, kind, [E, H], states, mask, s, cells=(cell,)
        )
        cut = ", ".join(name for name, reached in found.items() if not reached)
        expect(not cut, f"kind {kind!r}: no gradient comes back from the context to {cut}",
               "Is the graph cut (detach, no_grad)?")  # fmt: skip
