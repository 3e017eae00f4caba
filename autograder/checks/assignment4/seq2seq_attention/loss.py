"""What is asked of sequence_loss, against probabilities that are added up word by word.

Weights: a loss that learns padding, or forgets a word, costs most.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import oracle
from autograder.judge import Student, check, expect, expect_close

QUESTION, NAME = "sequence-loss", "sequence_loss"


def _draw(
    rng: Generator, lengths: tuple[int, ...], T: int, V: int, pad: int = 0
) -> tuple[Tensor, Tensor]:
    """Logits (N, T, V), and targets (N, T) whose rows have these lengths before the padding."""
    targets = torch.full((len(lengths), T), pad)
    others = torch.tensor([word for word in range(V) if word != pad])
    for row, length in enumerate(lengths):
        targets[row, :length] = others[torch.from_numpy(rng.integers(0, V - 1, size=length))]
    return oracle.draw(rng, len(lengths), T, V, scale=1.5), targets


def _losses(logits: Tensor, targets: Tensor) -> np.ndarray:
    """The cross-entropy at each place, (N, T)."""
    chances = np.exp(logits.numpy())
    chances = chances / chances.sum(axis=2, keepdims=True)
    return -np.log(np.take_along_axis(chances, targets.numpy()[:, :, None], axis=2)[..., 0])


def _expect(student: Student, logits: Tensor, targets: Tensor, pad: int = 0) -> None:
    each, words = _losses(logits, targets), targets.numpy() != pad
    want = each[words].mean()
    N, T = targets.shape
    lines = (each * words).sum(axis=1)
    slips = {
        "padding is counted as if it were a word": each.mean(),
        "the sum over the words is divided by all N * T positions": lines.sum() / (N * T),
        "this is the mean of the means of the sentences": (lines / words.sum(axis=1)).mean(),
        "the losses are added up; take their mean": lines.sum(),
        "the sum over the words is divided by the number of sentences": lines.sum() / N,
        "the sum over all positions, padding too, is divided by the words": (
            each.sum() / words.sum()
        ),
        "this is a mean probability: take the logarithm": np.exp(-each[words]).mean(),
        "the sign is wrong": -want,
    }
    got = student.call(NAME, logits, targets, pad)
    expect_close(got, want, what="the loss", slips=slips, rtol=1e-5)


@check(QUESTION, probe="S2S-A3", weight=4)
def mean_over_words(student: Student, rng: Generator) -> None:
    """Sentences of different lengths: one mean over all words, without padding."""
    _expect(student, *_draw(rng, (5, 2, 3, 1), 6, 7))


@check(QUESTION, probe="S2S-A3", weight=2)
def no_padding_at_all(student: Student, rng: Generator) -> None:
    """A batch in which nothing is padded."""
    _expect(student, *_draw(rng, (4, 4), 4, 5))


@check(QUESTION, probe="S2S-A3", weight=1, rare=True)
def padding_may_have_another_number(student: Student, rng: Generator) -> None:
    """pad is 3, and 0 is a word."""
    logits, targets = _draw(rng, (3, 1), 4, 5, pad=3)
    targets[0, 1] = 0
    _expect(student, logits, targets, pad=3)


@check(QUESTION, probe="S2S-A3", weight=1)
def large_logits(student: Student, rng: Generator) -> None:
    """Logits that all are about 10,000."""
    logits, targets = _draw(rng, (3, 2), 3, 5)
    each = _losses(logits, targets)[targets.numpy() != 0]
    got = student.call(NAME, logits + 1e4, targets, 0)
    expect_close(got, each.mean(), what="the loss of logits near 10,000", rtol=1e-5)


@check(QUESTION, probe="S2S-A3", weight=2)
def gradient_of_the_loss(student: Student, rng: Generator) -> None:
    """Probabilities minus one for the right word, divided by the words; nothing at padding."""
    logits, targets = _draw(rng, (3, 1), 4, 5)
    gradient = student.grad(NAME, logits, targets, 0, wrt=(0,))[1][0]
    expect(gradient is not None, "no gradient reaches the logits", "Is the graph cut?")
    chances, words = logits.softmax(dim=2), (targets != 0)[:, :, None]
    right = torch.nn.functional.one_hot(targets, 5)
    want = ((chances - right) * words / words.sum()).numpy()
    expect_close(gradient, want, what="the gradient of the logits", rtol=1e-5)
