"""What is asked of MultiHeadAttention.forward(query, key, value, attn_mask=None).

Shapes: query (N, S, E), key and value (N, T, E), attn_mask (S, T); answer (N, S, E).

Weights: with a wrong formula (scale, softmax, projection) nothing here is attention: most of the
points. A mask that does not hold back costs a quarter. Heads are asked apart from the formula, and
what comes after them with one head, so that a slip in splitting costs the split.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.transformer_captioning import asking, oracle
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_near,
    expect_shape,
)

CELL = "attention"
NAME = "MultiHeadAttention"
WHAT = "the output"


@check(CELL, probe="ATT-A1", weight=5)
def one_head_is_right(student: Student, rng: Generator) -> None:
    """Self-attention with a single head."""
    _expect_attention(student, rng, 1, S=5, T=5, itself=True)


@check(CELL, probe="ATT-A1", weight=3)
def several_heads_are_right(student: Student, rng: Generator) -> None:
    """Two heads and four, each with its own neighbouring features."""
    for heads in (2, 4):
        _expect_attention(student, rng, heads, S=5, T=5, itself=True)


@check(CELL, probe="ATT-A2, ATT-A4", weight=2)
def other_tokens_may_be_keys(student: Student, rng: Generator) -> None:
    """Keys and values of other tokens than the queries, more and fewer of them."""
    _expect_attention(student, rng, 1, S=3, T=6, itself=False)
    _expect_attention(student, rng, 1, S=4, T=1, itself=False)


@check(CELL, probe="ATT-A3", weight=4)
def masked_keys_do_not_count(student: Student, rng: Generator) -> None:
    """A mask of ones and zeros: a query's answer is that of the keys that it may look at."""
    _expect_mask(student, rng, torch.float32, heads=1)


@check(CELL, probe="ATT-A3")
def masks_may_be_of_any_type(student: Student, rng: Generator) -> None:
    """A mask of bool, and one of integers."""
    for dtype in (torch.bool, torch.int64):
        _expect_mask(student, rng, dtype, heads=2)


@check(CELL, probe="ATT-A5")
def large_scores_do_not_overflow(student: Student, rng: Generator) -> None:
    """Scores of several hundred."""
    E, S, T = 4, 3, 5
    eye = {f"{name}.weight": torch.eye(E) for name in ("key", "query", "value", "proj")}
    layer = oracle.Attention(
        {name: weight.double() for name, weight in eye.items()}
        | {name.replace("weight", "bias"): torch.zeros(E).double() for name in eye},
        1,
    )
    # Whole numbers, so that scores are exact in float32; 30 * 30 / 2 is common to all.
    query, key = (torch.from_numpy(rng.integers(-2, 3, size=(2, n, E))).double() for n in (S, T))
    query[..., 0], key[..., 0] = 30, 30
    value = oracle.draw(rng, 2, T, E)
    got = _answers(student, layer, (query, key, value))[0]
    finite = bool(np.isfinite(expect_shape(got, (2, S, E), WHAT)).all())
    expect(finite, f"{WHAT} holds numbers that are nan or infinite, with scores of about 450")


@check(CELL, probe="ATT-A5", weight=2)
def dropout_acts_on_the_weights(student: Student, rng: Generator) -> None:
    """In training mode some weights are 0 and the rest larger; in evaluation mode none."""
    # The value of key t is 1 in the features 2t and 2t + 1 and 0 elsewhere: the output shows the
    # weights, each twice. All weights are alike.
    N, S, T, p = 8, 12, 4, 0.25
    E = 2 * T
    params = oracle.draw_attention(rng, E, 1).params
    eye = torch.eye(E, dtype=torch.float64)
    for name in params:
        params[name] = torch.zeros_like(params[name])
    params["value.weight"] = params["proj.weight"] = eye
    params["query.bias"] = params["key.bias"] = torch.ones(E, dtype=torch.float64)
    layer = oracle.Attention(params, 1)
    value = torch.eye(T).repeat_interleave(2, dim=1).expand(N, T, E).double()
    call = oracle.draw(rng, N, S, E), oracle.draw(rng, N, T, E), value
    quiet = asking.own_answer(_answers(student, layer, call, p=p)[0], (N, S, E), WHAT)
    again = expect_shape(_answers(student, layer, call, p=p)[0], (N, S, E), WHAT)
    same = np.array_equal(quiet, again)
    expect(same, "in evaluation mode the output differs from call to call")
    loud = _answers(student, layer, call, p=p, training=True)[0]
    loud = expect_shape(loud, (N, S, E), WHAT)
    expect(
        not np.allclose(loud, quiet, rtol=1e-3),
        "in training mode the output is that of evaluation mode: nothing is dropped",
    )
    if np.allclose(quiet, quiet.mean(), rtol=1e-3):  # else the output does not show the weights
        pairs = loud.reshape(N, S, T, 2)
        torn = not np.allclose(pairs[..., 0], pairs[..., 1], rtol=1e-3, atol=1e-6)
        whole = "numbers are dropped feature by feature; a weight is dropped for all features"
        expect(not torn, f"in training mode, {whole}")
        sums = loud.sum(axis=-1)
        softmax = "dropout comes before the softmax: a query's weights still sum to the same number"
        expect(not np.allclose(sums, sums.flat[0], rtol=1e-3), f"in training mode, {softmax}")
    shown = np.abs(quiet) > 1e-6
    dropped = np.isclose(loud, 0, atol=1e-6)
    right = dropped | np.isclose(loud * (1 - p), quiet, rtol=1e-3, atol=1e-6)
    expect(
        right.all(),
        "in training mode the output is not that of weights of which some are 0 and the others "
        "1 / (1 - dropout) times as large",
    )
    share = float(dropped[shown].mean())  # of 384 weights: one standard deviation is 0.022
    expect(abs(share - p) < 0.12, f"with dropout={p}, {share:.0%} of the weights are dropped")


@check(CELL, probe="ATT-A1", weight=2)
def gradients_reach_everything(student: Student, rng: Generator) -> None:
    """Query, key, value and the four layers learn."""
    layer, names = oracle.draw_attention(rng, 8, 2), ("query", "key", "value")
    arguments = oracle.draw(rng, 2, 4, 8), oracle.draw(rng, 2, 4, 8), oracle.draw(rng, 2, 4, 8)
    upstream = oracle.draw(rng, 2, 4, 8)
    sizes = 8, 2, 0.0
    found = asking.gradients(student, NAME, sizes, _state(layer), arguments, upstream)
    # A softmax does not notice what is added to all scores of a query: key.bias learns nothing.
    asking.expect_reached(found, names, none="key.bias")


@advice(CELL, probe="ATT-B1")
def no_key_at_all(student: Student, rng: Generator) -> None:
    """A query that may look at no key: the task leaves open what comes out, but for nan."""
    layer, mask = oracle.draw_attention(rng, 4, 1), torch.ones(3, 3).tril(-1)
    x = oracle.draw(rng, 2, 3, 4)
    got = as_array(_answers(student, layer, (x, x, x, mask))[0], WHAT)
    found = "where a query may look at no key, the output is nan"
    expect(np.isfinite(got).all(), found, "-1e9 for masked scores, in place of -inf, avoids it")


# -- asking ---------------------------------------------------------------------------------------


def _state(layer: oracle.Attention) -> oracle.State:
    return {name: value.float() for name, value in layer.params.items()}


def _answers(
    student: Student,
    layer: oracle.Attention,
    *calls: asking.Call,
    p: float = 0.0,
    training: bool = False,
) -> list[object]:
    sizes = len(layer.params["key.bias"]), layer.heads, p
    return asking.answers(student, NAME, sizes, _state(layer), *calls, training=training)


def _expect_attention(
    student: Student, rng: Generator, heads: int, *, S: int, T: int, itself: bool
) -> None:
    N, E = 2, 8
    layer, query = oracle.draw_attention(rng, E, heads), oracle.draw(rng, N, S, E)
    key = query if itself else oracle.draw(rng, N, T, E)
    value = query if itself else oracle.draw(rng, N, T, E)
    want = oracle.attend(layer, query, key, value).numpy()
    slips = oracle.attention_slips(layer, query, key, value)
    got = _answers(student, layer, (query, key, value))[0]
    named = f"{WHAT} of {heads} heads" if heads > 1 else WHAT
    wrong = {message: answer.numpy() for message, answer in slips.items()}
    expect_near(got, want, what=named, precision="float32", slips=wrong)


def _expect_mask(student: Student, rng: Generator, dtype: torch.dtype, heads: int) -> None:
    """A query's answer under the mask is the student's own for the allowed keys alone."""
    N, S, T, E = 2, 4, 5, 8
    layer = oracle.draw_attention(rng, E, heads)
    mask = torch.from_numpy(rng.random((S, T)) < 0.5)
    mask[torch.arange(S), torch.from_numpy(rng.integers(0, T - 1, S))] = True
    mask[:, T - 1] = False  # no query looks at the last key; each looks at one at least
    query, key, value = (oracle.draw(rng, N, n, E) for n in (S, T, T))
    plain = [(query, key, value)]
    for chosen in (mask, ~mask):
        plain += [(query[:, [s]], key[:, chosen[s]], value[:, chosen[s]]) for s in range(S)]
    got, free, *rows = _answers(student, layer, (query, key, value, mask.to(dtype)), *plain)
    shape, kind = (N, S, E), str(dtype).removeprefix("torch.")
    what = f"{WHAT} under a mask of type {kind}"
    alone = [asking.own_answer(row, (N, 1, E), f"{WHAT} for one query") for row in rows]
    want, swapped = (np.concatenate(part, axis=1) for part in (alone[:S], alone[S:]))
    free = asking.own_answer(free, shape, WHAT)
    matter = not np.allclose(free, want, rtol=1e-3)
    expect(matter, f"{WHAT} is the same with fewer keys: it does not depend on them")
    slips = {
        "the mask is inverted: 0 and False forbid a key, 1 and True allow it": swapped,
        "the mask has no effect": free,
    }
    slips |= _mask_slips(layer, query, key, value, mask)
    hint = "A query's answer is not the one that it gets from its allowed keys alone"
    slips = {f"with a mask of type {kind}, {message}": wrong for message, wrong in slips.items()}
    expect_near(got, want, what=what, precision="float32", slips=slips, hint=hint)


def _mask_slips(
    layer: oracle.Attention, query: Tensor, key: Tensor, value: Tensor, mask: Tensor
) -> dict[str, np.ndarray]:
    """Masks that are added, or multiplied in, by an otherwise right attention."""
    E, H = query.shape[-1], layer.heads
    q, k, v = (
        layer.linear(name, x).unflatten(-1, (H, E // H)).transpose(1, 2)
        for name, x in (("query", query), ("key", key), ("value", value))
    )
    scores, ones = q @ k.mT / (E // H) ** 0.5, mask.double()

    def finished(weights: Tensor) -> np.ndarray:
        return layer.linear("proj", (weights @ v).transpose(1, 2).flatten(2)).numpy()

    after = torch.softmax(scores, dim=-1) * ones
    return {
        "it is added to the scores: that forbids nothing": finished(
            torch.softmax(scores + ones, dim=-1)
        ),
        "forbidden scores become 0; e^0 is 1, not 0": finished(
            torch.softmax(scores * ones, dim=-1)
        ),
        "it comes after the softmax: the weights that are left do not sum to 1": finished(after),
    }
