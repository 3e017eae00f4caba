"""What is asked of CaptioningTransformer, over right layers: forward(features, captions), sample.

Decoder layers and positions are stand-ins here, so mistakes in those cost nothing.
Shapes: features (N, inputs), captions (N, T) of V words; logits (N, T, V).

Weights: a model that can see the next word learns to copy it and cannot write; that costs a third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.transformer_captioning import asking, composed, in_kernel, oracle
from autograder.judge import Student, as_array, check, expect, expect_near, expect_shape

CELL, NAME, CLASS_CELL = "caption-transformer", "CaptioningTransformer", "captioning-transformer"
WHAT = "the output"
V, INPUTS, W, LONGEST = 9, 6, 8, 12
WORDS = ("<NULL>", "<START>", "<END>", "a", "red", "star", "beside", "two", "moons")


@dataclass(frozen=True)
class Case:
    """A model with numbers of the judge's, and the vocabulary that it is made for."""

    net: composed.Captioner
    word_to_idx: dict[str, int]

    @property
    def sizes(self) -> tuple[Any, ...]:
        return self.word_to_idx, INPUTS, W, 2, 2, LONGEST


def draw_case(rng: Generator) -> Case:
    """The numbers of words are in any order: <NULL> need not be 0."""
    numbers = (int(number) for number in rng.permutation(V))
    net = oracle.filled(composed.Captioner(V, INPUTS, W, 2, LONGEST), rng)
    return Case(net, dict(zip(WORDS, numbers, strict=True)))


@check(CELL, probe="CTR-A3, CTR-A2", weight=4)
def scores_are_right(student: Student, rng: Generator) -> None:
    """Words and positions through the decoder, with the projected features as memory, to logits."""
    for N, T in ((3, 5), (1, 1)):
        case = draw_case(rng)
        features, captions = _draw_inputs(rng, N, T)
        got = _scores(student, case, (features, captions))[0]
        slips = _slips(case.net, features, captions) if T > 1 else {}
        wrong = {message: answer.numpy() for message, answer in slips.items()}
        want = case.net(features, captions).numpy()
        what = f"{WHAT} for {N} captions of {T} words"
        expect_near(got, want, what=what, precision="float32", slips=wrong)


@check(CELL, probe="CTR-A1", weight=2)
def no_word_sees_later_ones(student: Student, rng: Generator) -> None:
    """Another word at position t changes the logits at t and later, and none before."""
    case, T, t = draw_case(rng), 6, 3
    features, captions = _draw_inputs(rng, 2, T)
    other = captions.clone()
    other[:, t] = (other[:, t] + 1) % V
    first, second = _scores(student, case, (features, captions), (features, other))
    first, second = (expect_shape(one, (2, T, V), WHAT) for one in (first, second))
    nothing = f"{WHAT} holds numbers that are nan or infinite"
    expect(np.isfinite(first).all(), nothing, "May each word look at itself?")
    scale = float(np.abs(first).max())
    moved = np.abs(first - second).max(axis=(0, 2)) > 1e-4 * scale
    early = ", ".join(str(place) for place in range(t) if moved[place])
    expect(not early, f"another word at position {t} changes the logits at position {early}")
    expect(moved[t], f"another word at position {t} does not change the logits at position {t}")
    expect(
        moved[t + 1 :].all(), f"another word at position {t} does not change the logits after it"
    )


@check(CELL, probe="CTR-A2")
def features_matter(student: Student, rng: Generator) -> None:
    """Another image changes the logits of its caption at every position, and of no other."""
    case = draw_case(rng)
    features, captions = _draw_inputs(rng, 2, 4)
    other = features.clone()
    other[0] = oracle.draw(rng, INPUTS)
    first, second = _scores(student, case, (features, captions), (other, captions))
    first, second = (expect_shape(one, (2, 4, V), WHAT) for one in (first, second))
    expect(np.isfinite(first).all(), f"{WHAT} holds numbers that are nan or infinite")
    moved = np.abs(first - second).max(axis=2) > 1e-4 * float(np.abs(first).max())
    expect(moved[0].any(), "another image leaves the logits of its caption unchanged")
    expect(
        moved[0].all(), "another image changes the logits at some positions but not at all of them"
    )
    expect(not moved[1].any(), "the image of one caption changes the logits of another")


@check(CELL, probe="CTR-A4", condition=True)
def sample_writes_the_likeliest_words(student: Student, rng: Generator) -> None:
    """Greedy captions, of the length that was asked for, by the model's own logits."""
    N, length = 3, 4
    case, features = _case_with_clear_words(rng, N, length)
    cell = student.cell_defining(NAME) or CLASS_CELL
    state, sent = oracle.state(case.net), features.float().numpy()
    arguments = list(case.sizes), state, sent, length, cell
    found = student.apply(in_kernel.sampled, *arguments, cells=(cell,))
    got = as_array(asking.complete(NAME, state, found)["answers"][0], "the sampled captions")
    shape = (N, length)
    expect(got.shape == shape, f"sample() returns shape {got.shape}, not (N, max_length): {shape}")
    words = torch.full((N, 1), case.word_to_idx["<START>"])
    for t in range(length):
        scores = expect_shape(_scores(student, case, (features, words))[0], (N, t + 1, V), WHAT)
        best = torch.from_numpy(scores[:, -1].argmax(axis=-1))
        words = torch.cat([words, best[:, None]], dim=1)
    same = got == words[:, 1:].numpy()
    expect(same.all(), f"{int((~same).sum())} of {same.size} words are not the most probable")


# -- asking ---------------------------------------------------------------------------------------


def _scores(student: Student, case: Case, *calls: tuple[Tensor, Tensor]) -> list[Any]:
    cell = student.cell_defining(NAME) or CLASS_CELL
    return asking.answers(student, NAME, case.sizes, oracle.state(case.net), *calls, cell=cell)


def _draw_inputs(rng: Generator, N: int, T: int) -> tuple[Tensor, Tensor]:
    return oracle.draw(rng, N, INPUTS), torch.from_numpy(rng.integers(0, V, size=(N, T)))


def _case_with_clear_words(rng: Generator, N: int, length: int) -> tuple[Case, Tensor]:
    """Words change along the captions, and none is likeliest by so little that rounding decides."""
    while True:
        case, features = draw_case(rng), oracle.draw(rng, N, INPUTS)
        case.net.embedding.weight.data *= 4  # the last word decides more than the image
        case.net.output.bias.data *= 0
        for name, value in case.net.transformer.named_parameters():
            if name.endswith("word.weight"):
                value.data *= 4
        number = case.word_to_idx["<START>"]
        start, words = torch.full((N, 1), number), case.net.greedy(features, number, length)
        words = torch.from_numpy(words)
        top = case.net(features, torch.cat([start, words[:, :-1]], dim=1)).topk(2).values
        clear = float((top[..., 0] - top[..., 1]).min()) > 1e-3
        if clear and all(len(row.unique()) > 2 for row in words):
            return case, features


def _slips(net: composed.Captioner, features: Tensor, captions: Tensor) -> dict[str, Tensor]:
    words = net.embedding(captions)
    placed, memory = net.positional_encoding(words), net.visual_projection(features)[:, None]
    T = captions.shape[1]
    ones = torch.ones(T, T, dtype=torch.float64)
    scores = net(features, captions)
    return {
        "there is no mask: each word sees those after it": net.scored(placed, memory, ones),
        "the mask is upside down: a word sees itself and what comes after it": net.scored(
            placed, memory, ones.triu()
        ),
        "the positions are missing": net.scored(words, memory),
        "the positions are added twice": net.scored(net.positional_encoding(placed), memory),
        "positions are added to the image as well": net.scored(
            placed, net.positional_encoding(memory)
        ),
        "there is a softmax at the end: return the logits": scores.softmax(dim=-1),
        "there is a log-softmax at the end: return the logits": scores.log_softmax(dim=-1),
        "there is a ReLU at the end: logits may be negative": scores.clamp(min=0),
        "the decoder is missing": net.output(placed),
        "each word sees the next one as well": net.scored(placed, memory, ones.tril(1)),
        "all images of the batch are in the memory of each caption": net.scored(
            placed, memory.transpose(0, 1).expand(len(features), -1, -1)
        ),
        "the features have no effect": net.scored(placed, torch.zeros_like(memory)),
        "the words have no effect": net.output(
            net.transformer(torch.zeros_like(placed), memory, tgt_mask=composed.causal(T))
        ),
    }
