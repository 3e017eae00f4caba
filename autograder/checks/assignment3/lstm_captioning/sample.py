"""What is asked of CaptioningRNN.sample with cell_type "lstm", over right layers.

New is the cell, which has to be carried from word to word. What RNN_Captioning has asked for is
not asked again: a caption with <START> in its first place, or with a slip known from there, passes
here if the cell is carried, and advice tells of it.

Shapes: features (N, D); captions (N, max_length).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.captioning import Case
from autograder.checks.shared.captioning_answers import in_place, late, samples
from autograder.checks.shared.captioning_words import (
    OF_THE_CELL,
    draw_telling_case,
    greedy,
    slipped_words,
)
from autograder.checks.shared.layers import Array
from autograder.judge import Failed, Student, advice, as_array, check, name_slip

CELL = "lstm-caption-sample"
LENGTH = 7


def written(student: Student, case: Case) -> tuple[Array, Array]:
    """The student's captions and the right ones; without a last word where theirs lacks one."""
    got = in_place(samples(student, case, (LENGTH,))[0], case, LENGTH)
    there = LENGTH - int((got[:, -1] == -1).all())
    return got[:, :there], greedy(case, LENGTH)[0][:, :there]


def carried_over(got: Array, case: Case) -> str:
    """The slip of RNN_Captioning that explains these captions; empty where there is none."""
    for said, words in slipped_words(case, LENGTH).items():
        if said not in OF_THE_CELL and np.array_equal(got, words[:, : got.shape[1]]):
            return said
    return ""


@check(CELL, probe="LCAP-A2", weight=4)
def words_of_several_captions(student: Student, rng: Generator) -> None:
    """Seven words for each of three images: hidden state and cell go from word to word."""
    _expect_words(student, rng, N=3)


# Two slips may lead to the same words in one short caption, hardly in three: hence a condition.
@check(CELL, probe="LCAP-A2", condition=True)
def words_of_one_caption(student: Student, rng: Generator) -> None:
    """Seven words for a single image."""
    _expect_words(student, rng, N=1)


@advice(CELL, probe="CAP-A5")
def as_in_rnn_captioning(student: Student, rng: Generator) -> None:
    """What RNN_Captioning has asked already: what goes in first, and where the words belong."""
    case = draw_telling_case(rng, "lstm", length=LENGTH)
    got, want = written(student, case)
    said = carried_over(got, case)
    captions = as_array(samples(student, case, (LENGTH,))[0], "captions")
    if np.array_equal(got, want) and late(captions, case):
        said = "captions[:, 0] is not a predicted word: the first one belongs there"
    if said:
        raise Failed(f"{said}. This was asked for in RNN_Captioning; here it costs nothing")


def _expect_words(student: Student, rng: Generator, N: int) -> None:
    case = draw_telling_case(rng, "lstm", length=LENGTH, N=N)
    got, want = written(student, case)
    if carried_over(got, case):
        return
    slips = {said: greedy(case, LENGTH, **options)[0] for said, options in OF_THE_CELL.items()}
    name_slip(got, want, {said: words[:, : got.shape[1]] for said, words in slips.items()})
    wrong = np.argwhere(got != want)
    if len(wrong):
        row, place = wrong[0]
        raise Failed(
            f"{len(wrong)} of {got.size} words are not the most probable after those before them; "
            f"the first is word {place + 1} of caption {row + 1}"
        )
