"""What is asked of the scores and of the weighted mean, number by number.

Weights: a softmax over the wrong axis or padding with weight make attention useless.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.judge import (
    Student,
    as_array,
    check,
    check_each,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    expect_unchanged,
)

SCORES, CONTEXT = "attention-scores", "attention-context"
ADDITIVE, DOT, POOLED = "additive_scores", "scaled_dot_product_scores", "attention_context"


# -- scores ----------------------------------------------------------------------------------------


def _additive(query: Tensor, keys: Tensor, v: Tensor) -> np.ndarray:
    """One score after the other."""
    N, S, _ = keys.shape
    return np.array(
        [
            [sum(v.numpy() * np.tanh(query[n].numpy() + keys[n, j].numpy())) for j in range(S)]
            for n in range(N)
        ]
    )


@check(SCORES, probe="S2S-A6", weight=4)
def additive_scores_are_right(student: Student, rng: Generator) -> None:
    """v . tanh(query + key), for sizes that all differ."""
    N, S, A = 3, 5, 4
    query, keys, v = oracle.draw(rng, N, A), oracle.draw(rng, N, S, A), oracle.draw(rng, A)
    want = _additive(query, keys, v)
    total = query[:, None] + keys
    slips = {
        "the tanh is missing": (total @ v).numpy(),
        "the tanh is taken of the sum, after v": torch.tanh(total @ v).numpy(),
        "the query is left out": (torch.tanh(keys) @ v).numpy(),
        "query and keys are multiplied, not added": (torch.tanh(query[:, None] * keys) @ v).numpy(),
        "there is a softmax: return the scores": torch.from_numpy(want).softmax(dim=1).numpy(),
        "the scores are divided by the root of A, which only the dot product is": (
            want / np.sqrt(A)
        ),
    }
    expect_near(student.call(ADDITIVE, query, keys, v), want, what="the scores", slips=slips)


@check(SCORES, probe="S2S-A6", weight=4)
def dot_products_are_right(student: Student, rng: Generator) -> None:
    """query . key / sqrt(A), for sizes that all differ."""
    N, S, A = 4, 3, 7
    query, keys = oracle.draw(rng, N, A), oracle.draw(rng, N, S, A)
    dots = np.array([[float(query[n] @ keys[n, j]) for j in range(S)] for n in range(N)])
    slips = {
        "the scale is missing: divide by the root of A": dots,
        "the dot products are multiplied by the root of A": dots * np.sqrt(A),
        "they are divided by A, not by its root": dots / A,
        "they are divided by the root of S, the number of words": dots / np.sqrt(S),
        "they are divided by the root of N, the number of sentences": dots / np.sqrt(N),
        "there is a softmax: return the scores": (
            torch.from_numpy(dots / np.sqrt(A)).softmax(dim=1).numpy()
        ),
    }
    expect_near(student.call(DOT, query, keys), dots / np.sqrt(A), what="the scores", slips=slips)


@check(SCORES, probe="S2S-A6", weight=1, rare=True)
def one_sentence_and_one_word(student: Student, rng: Generator) -> None:
    """N = 1, S = 1 and A = 1 keep their axes."""
    for N, S, A in ((1, 4, 3), (3, 1, 2), (1, 1, 1), (2, 3, 1)):
        query, keys, v = oracle.draw(rng, N, A), oracle.draw(rng, N, S, A), oracle.draw(rng, A)
        sizes = f"N, S, A = {N}, {S}, {A}"
        got = expect_shape(student.call(ADDITIVE, query, keys, v), (N, S), f"additive, {sizes}")
        expect_near(got, _additive(query, keys, v), what=f"additive scores, {sizes}")
        got = expect_shape(student.call(DOT, query, keys), (N, S), f"dot products, {sizes}")
        want = (query[:, None] * keys).sum(dim=2).numpy() / np.sqrt(A)
        expect_near(got, want, what=f"dot products, {sizes}")


@check(SCORES, probe="S2S-A6", weight=1)
def gradients_reach_query_and_keys(student: Student, rng: Generator) -> None:
    """Both kinds of scores can be learned through."""
    arguments = oracle.draw(rng, 2, 3), oracle.draw(rng, 2, 4, 3), oracle.draw(rng, 3)
    for name, sent in ((ADDITIVE, arguments), (DOT, arguments[:2])):
        upstream = torch.ones(2, 4, dtype=torch.float64)
        _, grads = student.grad(name, *sent, wrt=tuple(range(len(sent))), upstream=upstream)
        cut = any(grad is None or not as_array(grad).any() for grad in grads)
        expect(not cut, f"{name}: no gradient reaches one of its arguments")


# -- the weighted mean -----------------------------------------------------------------------------


def _draw(
    rng: Generator, lengths: tuple[int, ...], S: int, D: int
) -> tuple[Tensor, Tensor, Tensor]:
    mask = torch.arange(S)[None] < torch.tensor(lengths)[:, None]
    return oracle.draw(rng, len(lengths), S, scale=2.0), mask, oracle.draw(rng, len(lengths), S, D)


def _pooled(student: Student, scores: Tensor, mask: Tensor, states: Tensor) -> dict[str, Any]:
    cell = student.cell_defining(POOLED) or "context-code"
    return student.apply(in_kernel.pooled, scores, mask, states, cells=(cell,))


def _softmax(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Row by row over the words; a row without words is 0."""
    weights = np.zeros_like(scores)
    for row, words in enumerate(mask):
        if words.any():
            powers = np.exp(scores[row, words] - scores[row, words].max())
            weights[row, words] = powers / powers.sum()
    return weights


def _means(weights: np.ndarray, states: Tensor) -> np.ndarray:
    return (weights[:, :, None] * states.numpy()).sum(axis=1)


def _slips(scores: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Weights of the usual mistakes."""
    everything = _softmax(scores, np.ones_like(mask))
    columns = np.where(mask, scores, -np.inf)
    with np.errstate(invalid="ignore"):
        down = np.exp(columns - columns.max(axis=0)) / np.exp(columns - columns.max(axis=0)).sum(0)
    return {
        "padding gets weight: the mask has no effect": everything,
        "padding is set to 0 after the softmax, so that the other weights do not add up to 1": (
            everything * mask
        ),
        "scores of padding are set to 0 before the softmax, which is not the least there is": (
            _softmax(scores * mask, np.ones_like(mask))
        ),
        "the words are masked, and padding gets all the weight": _softmax(scores, ~mask),
        "the softmax goes along the sentences of the batch, not along the words": np.nan_to_num(
            down
        ),
        "all words get the same weight": mask / np.maximum(mask.sum(axis=1, keepdims=True), 1),
        "the weights are not normalised": np.exp(scores) * mask,
        "the signs of the scores are turned": _softmax(-scores, mask),
    }


@check(CONTEXT, probe="S2S-A7", weight=4)
def weights_are_right(student: Student, rng: Generator) -> None:
    """A softmax over the words of each row, and 0 at padding."""
    scores, mask, states = _draw(rng, (5, 2, 3, 1), 5, 4)
    want = _softmax(scores.numpy(), mask.numpy())
    slips = _slips(scores.numpy(), mask.numpy())
    got = _pooled(student, scores, mask, states)["weights"]
    expect_close(got, want, what="the weights", slips=slips, rtol=1e-5)


@check(CONTEXT, probe="S2S-A7", weight=3)
def context_is_right(student: Student, rng: Generator) -> None:
    """The mean of the states by these weights."""
    scores, mask, states = _draw(rng, (2, 6, 4), 6, 3)
    weights = _softmax(scores.numpy(), mask.numpy())
    wrong = _slips(scores.numpy(), mask.numpy())
    slips = {message: _means(slip, states) for message, slip in wrong.items()}
    best = weights.argmax(axis=1)
    slips["this is the state with the largest weight, not a mean"] = states.numpy()[
        np.arange(3), best
    ]
    slips["this is the sum of the states, without weights"] = (
        states.numpy() * mask.numpy()[:, :, None]
    ).sum(axis=1)
    got = _pooled(student, scores, mask, states)["context"]
    expect_near(got, _means(weights, states), what="the context", slips=slips)


@check(CONTEXT, probe="S2S-A7", weight=2)
def padding_gets_nothing_whatever_its_score(student: Student, rng: Generator) -> None:
    """Padding with a score of 10,000, words near -10,000: the weight of padding is exactly 0."""
    scores, mask, states = _draw(rng, (3, 1, 2), 4, 3)
    scores = torch.where(mask, scores - 1e4, torch.tensor(1e4, dtype=torch.float64))
    found = _pooled(student, scores, mask, states)
    weights = expect_shape(found["weights"], mask.shape, "the weights")
    expect(np.isfinite(weights).all(), "the weights hold numbers that are nan or infinite")
    rest = float(np.abs(weights[~mask.numpy()]).max())
    expect(rest == 0, f"padding gets a weight of {rest:.1e} where its score is large")
    want = _softmax(scores.numpy(), mask.numpy())
    expect_close(weights, want, what="weights of words with scores near -10,000", rtol=1e-5)


@check(CONTEXT, probe="S2S-A7", weight=2)
def rows_without_words_are_zero(student: Student, rng: Generator) -> None:
    """A row of nothing but padding: zeros, in the gradient as well."""
    scores, mask, states = _draw(rng, (3, 0, 2), 4, 3)
    found = _pooled(student, scores, mask, states)
    weights = expect_shape(found["weights"], mask.shape, "the weights")
    context = expect_shape(found["context"], (3, 3), "the context")
    for what, row in (("weights", weights[1]), ("context", context[1])):
        expect(not np.isnan(row).any(), f"the {what} of a row without words are nan")
        expect(not row.any(), f"the {what} of a row without words are not 0")
    want = _softmax(scores.numpy(), mask.numpy())
    expect_close(weights, want, what="the weights beside such a row", rtol=1e-5)


@check(CONTEXT, probe="S2S-A7", weight=1)
def gradient_reaches_the_scores(student: Student, rng: Generator) -> None:
    """Where to look can be learned."""
    scores, mask, states = _draw(rng, (4, 2), 4, 3)
    gradient = _pooled(student, scores, mask, states)["gradient"]
    expect(gradient is not None, "no gradient comes back from the context to the scores")
    array = expect_shape(gradient, scores.shape, "the gradient of the scores")
    expect(array[mask.numpy()].any(), "the gradient of the scores is 0", "Is there an arg-max?")


@check_each({CONTEXT: POOLED}, probe="S2S-A7", weight=1, condition=True)
def arguments_are_unchanged(student: Student, rng: Generator, name: str) -> None:
    """scores, mask and states are as before."""
    sent = dict(zip(("scores", "mask", "states"), _draw(rng, (3, 1), 4, 2), strict=True))
    kept = [student.put(value) for value in sent.values()]
    student.call(name, *kept)
    for (key, before), reference in zip(sent.items(), kept, strict=True):
        expect_unchanged(student.fetch(reference), before.numpy(), key)
