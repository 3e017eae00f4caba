"""What is asked of get_similarity_no_loop: (N, D), (M, D) -> (N, M) cosines.

Weights: other numbers than cosines are worth little; a table of one row is an edge.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.clip_dino.known import cosines
from autograder.judge import (
    Failed,
    Student,
    as_array,
    check,
    expect_close,
    expect_shape,
    expect_unchanged,
    forbid_loops,
)

QUESTION, NAME = "similarity", "get_similarity_no_loop"


def _draw(rng: Generator, N: int, M: int, D: int) -> tuple[Tensor, Tensor]:
    """Features of lengths between about 1 and 30."""
    pair = []
    for rows in (N, M):
        lengths = np.exp(rng.uniform(0, 3, size=(rows, 1)))
        pair.append(torch.from_numpy(rng.normal(size=(rows, D)) * lengths))
    return pair[0], pair[1]


def _slips(texts: Tensor, images: Tensor) -> dict[str, np.ndarray]:
    dots = texts @ images.T
    t, v = texts.norm(dim=1)[:, None], images.norm(dim=1)[None, :]
    columns = (texts / texts.norm(dim=0)) @ (images / images.norm(dim=0)).T
    named = {
        "these are dot products: nothing is divided by the lengths": dots,
        "only the texts are normalised": dots / t,
        "only the images are normalised": dots / v,
        "columns are brought to length 1, not rows: each row is one feature vector": columns,
        "the dot products are divided by the squares of the lengths": dots / (t * v) ** 2,
        "the features are divided by the length of the whole matrix": dots / (t.norm() * v.norm()),
        "the signs are lost: a cosine may be negative": (dots / (t * v)).abs(),
        "these are angles, or distances, of the cosines: 1 - cosine": 1 - dots / (t * v),
    }
    return {message: wrong.numpy() for message, wrong in named.items()}


@check(QUESTION, probe="CLIP-A1", weight=2)
def has_a_row_for_each_text(student: Student, rng: Generator) -> None:
    """(N, M): a row for each text, a column for each image."""
    for N, M in ((3, 5), (4, 2)):
        texts, images = _draw(rng, N, M, 6)
        got = as_array(student.call(NAME, texts, images), NAME)
        turned = cosines(texts, images).numpy().T
        if got.shape == (M, N) and np.allclose(got, turned, atol=1e-5):
            raise Failed("a row belongs to an image here, not to a text")
        expect_shape(got, (N, M), NAME)


@check(QUESTION, probe="CLIP-A1", weight=5)
def values_are_cosines(student: Student, rng: Generator) -> None:
    """Cosines of vectors of different lengths."""
    texts, images = _draw(rng, 3, 5, 6)
    want = cosines(texts, images).numpy()
    got = as_array(student.call(NAME, texts, images), NAME)
    if got.shape == (5, 3):
        got = got.T  # which way it lies is asked above
    expect_close(got, want, what="the cosines", slips=_slips(texts, images))


@check(QUESTION, probe="CLIP-A1", weight=1, rare=True)
def one_text_and_one_image(student: Student, rng: Generator) -> None:
    """One text, one image, or both, stay matrices."""
    for N, M in ((1, 4), (4, 1), (1, 1)):
        texts, images = _draw(rng, N, M, 5)
        got = student.call(NAME, texts, images)
        expect_close(got, cosines(texts, images).numpy(), what=f"of {N} texts and {M} images")


@check(QUESTION, probe="CLIP-A1", weight=1, condition=True)
def features_stay_as_they_were(student: Student, rng: Generator) -> None:
    """The features are not changed: they are needed again."""
    texts, images = _draw(rng, 3, 4, 5)
    kept = student.put(texts), student.put(images)
    student.call(NAME, *kept)
    for name, ref, before in zip(("text", "image"), kept, (texts, images), strict=True):
        expect_unchanged(student.fetch(ref), before.numpy(), f"{name}_features")


@check(QUESTION, probe="CLIP-A1", weight=1, condition=True)
def has_no_loop(student: Student, rng: Generator) -> None:
    """No loop over texts or images."""
    forbid_loops(student, NAME, "one matrix product gives all dot products at once")
