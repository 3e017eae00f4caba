"""What is asked of word_embedding_forward and word_embedding_backward.

Shapes: words x (N, T) or (N,), integers below V; W, dW (V, D); out, dout (N, T, D) or (N, D).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array
from autograder.judge import Student, check, expect_near

FORWARD, BACKWARD = "embed-fwd", "embed-bwd"
N, T, V, D = 4, 3, 9, 5


def draw(rng: Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Words of this shape, and a vector for each of the V words."""
    return rng.integers(0, V, size=shape), rng.normal(size=(V, D))


@check(FORWARD, probe="EMB-A1", weight=3)
def vectors_of_captions(student: Student, rng: Generator) -> None:
    """out for words (N, T)."""
    for shape in ((N, T), (1, 6), (5, 1)):
        x, W = draw(rng, shape)
        got, _ = layers.forward(student, "word_embedding_forward", x, W)
        expect_near(got, W[x], what=f"out for x of shape {shape}")


@check(FORWARD, probe="EMB-A1")
def vectors_of_one_word_each(student: Student, rng: Generator) -> None:
    """out for words (N,), one for each caption, as needed when a caption is written."""
    x, W = draw(rng, (N,))
    got, _ = layers.forward(student, "word_embedding_forward", x, W)
    expect_near(got, W[x], what="out for x with one axis only, (N,),")


@check(BACKWARD, probe="EMB-A2")
def gradient_of_different_words(student: Student, rng: Generator) -> None:
    """dW where no word occurs twice; the vectors of other words have a gradient of zero."""
    x = rng.permutation(V)[: 2 * T].reshape(2, T)
    _expect_gradient(student, rng, x, "where no word occurs twice")


@check(BACKWARD, probe="EMB-A2", weight=3)
def gradient_of_repeated_words(student: Student, rng: Generator) -> None:
    """dW where words occur several times, in one caption and in several."""
    for shape in ((N, T), (1, 7)):
        x = rng.integers(0, 4, size=shape)
        x[0, 0] = x[0, -1] = x[-1, 1] = 5
        _expect_gradient(student, rng, x, f"for x of shape {shape} with repeated words")


def _expect_gradient(student: Student, rng: Generator, x: Array, about: str) -> None:
    W, dout = rng.normal(size=(V, D)), rng.normal(size=(*x.shape, D))
    want = right_gradient(x, W, dout)
    once, count = np.zeros_like(W), np.bincount(x.ravel(), minlength=V)[:, None]
    once[x] = dout
    slips = {
        "a word that occurs more than once gets only the last of its gradients: add them up "
        "(dW[x] += dout does not do that)": once,
        "a word that occurs more than once gets the mean of its gradients: add them up": (
            want / np.maximum(count, 1)
        ),
    }
    _, cache = layers.forward(student, "word_embedding_forward", x, W)
    got = student.call("word_embedding_backward", dout.copy(), cache)
    expect_near(got, want, what=f"dW {about}", slips=slips)


def right_gradient(x: Array, W: Array, dout: Array) -> Array:
    words = torch.tensor(x)
    return layers.gradients(lambda leaf: recurrent.embedding(words, leaf), [W], dout)[0]
