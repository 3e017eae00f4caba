"""What is asked of CaptioningRNN.sample, over right layers.

The cases are drawn so that each word depends on the one before, on the state, and on the image, and
that no special word comes up where it would matter whether one stops at <END>.

Shapes: features (N, D); captions (N, max_length).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.captioning import Case
from autograder.checks.shared.captioning_answers import in_place, late, samples
from autograder.checks.shared.captioning_words import (
    draw_ending_case,
    draw_telling_case,
    greedy,
    slipped_words,
)
from autograder.judge import Failed, Student, as_array, check, expect, expect_equal, name_slip

CELL = "caption-sample"
LENGTH = 7


@check(CELL, probe="CAP-A5", weight=3)
def words_of_several_captions(student: Student, rng: Generator) -> None:
    """Seven words for each of three images: the best one at each step, which is the next input."""
    _expect_words(student, draw_telling_case(rng, length=LENGTH))


# A caption that begins with <START> is one word short, and is read out with it. It is right
# otherwise, so this costs a third of the question, and nothing in the other checks.
@check(CELL, probe="CAP-A5", weight=3)
def first_word_comes_first(student: Student, rng: Generator) -> None:
    """captions[:, 0] is the first word that is predicted, for max_length 7 and 1."""
    case = draw_telling_case(rng, length=LENGTH)
    right = greedy(case, 1)[0][:, 0]
    for length, answer in zip((LENGTH, 1), samples(student, case, (LENGTH, 1)), strict=True):
        array = as_array(answer, "captions")
        expect(array.ndim == 2 and array.size > 0, f"captions has shape {array.shape}")
        if late(array, case):
            what = "<START>" if array[0, 0] == case.start else "<NULL>"
            raise Failed(
                f"captions[:, 0] is {what} in every caption: the first predicted word belongs "
                "there. As it is, each caption is one word short"
            )
        expect_equal(array[:, 0], right, what=f"the first words for max_length = {length}")


@check(CELL, probe="CAP-A5")
def words_of_one_caption(student: Student, rng: Generator) -> None:
    """Seven words for a single image."""
    # The special words have other numbers here: 1 is not always <START>.
    _expect_words(student, draw_telling_case(rng, length=LENGTH, N=1, null=4, start=6, end=0))


@check(CELL, probe="CAP-A5")
def captions_that_end_early(student: Student, rng: Generator) -> None:
    """Where one caption has come to <END>, the others go on."""
    case = draw_ending_case(rng, length=LENGTH)
    got = _words(student, case)
    words = greedy(case, LENGTH)[0][:, : got.shape[1]]
    for row, (found, want) in enumerate(zip(got, words, strict=True), start=1):
        ends = np.flatnonzero(want == case.end)
        counted = ends[0] + 1 if len(ends) else len(want)  # what follows <END> is free
        others = "it comes to <END>" if len(ends) else "other captions have come to <END>"
        _expect_row(found[:counted], want[:counted], f"caption {row}, where {others},")


@check(CELL, probe="CAP-A5", condition=True)
def integers_of_the_right_shape(student: Student, rng: Generator) -> None:
    """captions holds integers, and has the shape (N, max_length)."""
    case = draw_telling_case(rng, length=LENGTH)
    for length, answer in zip((LENGTH, 2), samples(student, case, (LENGTH, 2)), strict=True):
        array = as_array(answer, "captions")
        wanted = (len(case.features), length)
        expect(
            array.shape == wanted,
            f"captions has shape {array.shape} for max_length = {length}; expected {wanted}",
        )
        kind = array.dtype
        expect(kind.kind in "iu", f"captions holds numbers of type {kind}; words are integers")


def _expect_words(student: Student, case: Case) -> None:
    want, _ = greedy(case, LENGTH)
    got = _words(student, case)
    there = got.shape[1]
    slips = {said: slip[:, :there] for said, slip in slipped_words(case, LENGTH).items()}
    name_slip(got, want[:, :there], slips)
    for row, (found, right) in enumerate(zip(got, want, strict=True), start=1):
        _expect_row(found, right[:there], f"caption {row}")


def _words(student: Student, case: Case) -> np.ndarray:
    """The predicted words, without a last one that is lacking: ``first_word_comes_first`` asks."""
    [answer] = samples(student, case, (LENGTH,))
    got = in_place(answer, case, LENGTH)
    return got[:, :-1] if (got[:, -1] == -1).all() else got


def _expect_row(got: np.ndarray, want: np.ndarray, caption: str) -> None:
    wrong = np.flatnonzero(got != want)
    if len(wrong):
        place = int(wrong[0])
        before = "<START> and the words before it" if place else "<START>"
        said = f"word {place + 1} of {caption} is not the one with the largest logit after"
        raise Failed(f"{said} {before}")
