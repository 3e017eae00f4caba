"""What is asked of CaptioningRNN.sample, over right layers.

The cases are drawn so that each word depends on the one before, on the state, and on the image, and
that no special word comes up where it would matter whether one stops at <END>.

Shapes: features (N, D); captions (N, max_length).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.captioning import (
    draw_ending_case,
    draw_telling_case,
    greedy,
    slipped_words,
)
from autograder.checks.shared.captioning_answers import in_place, late, samples
from autograder.judge import Failed, Student, as_array, check, expect, expect_equal, name_slip

CELL = "caption-sample"
LENGTH = 7


@check(CELL, probe="CAP-A5", weight=3)
def words_of_several_captions(student: Student, rng: Generator) -> None:
    """Seven words for each of three images: the best one at each step, which then goes in."""
    _expect_words(student, rng, N=3)


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
                "there. Now each caption is one word short"
            )
        expect_equal(array[:, 0], right, what=f"the first words for max_length = {length}")


@check(CELL, probe="CAP-A5")
def words_of_one_caption(student: Student, rng: Generator) -> None:
    """Seven words for a single image."""
    _expect_words(student, rng, N=1)


@check(CELL, probe="CAP-A5")
def captions_that_end_early(student: Student, rng: Generator) -> None:
    """Where one caption has come to <END>, the others go on."""
    case = draw_ending_case(rng, length=LENGTH)
    words, _ = greedy(case, LENGTH)
    [answer] = samples(student, case, (LENGTH,))
    got = in_place(answer, case, LENGTH)
    for row, (found, want) in enumerate(zip(got, words, strict=True)):
        ends = np.flatnonzero(want == case.end)
        counted = ends[0] + 1 if len(ends) else LENGTH  # what follows <END> is free
        about = "some captions end early here, with <END>"
        _expect_row(found[:counted], want[:counted], f"caption {row} of {len(got)} ({about})")


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


def _expect_words(student: Student, rng: Generator, N: int) -> None:
    case = draw_telling_case(rng, length=LENGTH, N=N)
    want, _ = greedy(case, LENGTH)
    [answer] = samples(student, case, (LENGTH,))
    got = in_place(answer, case, LENGTH)
    there = LENGTH - int((got[:, -1] == -1).all())  # a word that is lacking is asked for elsewhere
    slips = {said: slip[:, :there] for said, slip in slipped_words(case, LENGTH).items()}
    name_slip(got[:, :there], want[:, :there], slips)
    for row, (found, right) in enumerate(zip(got, want, strict=True)):
        _expect_row(found, right, f"caption {row} of {N}")


def _expect_row(got: np.ndarray, want: np.ndarray, about: str) -> None:
    """The same words; one that is lacking at the end (-1) is asked for elsewhere."""
    lacking = bool(len(got)) and got[-1] == -1
    wrong = np.flatnonzero((got != want)[:-1] if lacking else got != want)
    expect(
        not len(wrong),
        f"{about}: {len(wrong)} of {len(got)} words are not the best ones after those before "
        f"them; word {int(wrong[0]) + 1 if len(wrong) else 0} is the first",
    )
