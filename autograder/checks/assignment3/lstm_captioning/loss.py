"""What is asked of CaptioningRNN.loss with cell_type "lstm", over right layers.

What is the same in both notebooks (which words count, what divides the loss, where h0 comes from)
has been asked in RNN_Captioning. Whoever has carried a mistake over from there has paid for it: the
loss and its gradients then only have to be those of that mistake, and advice tells of it.

Shapes: features (N, D); captions (N, T + 1) integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.captioning import Case, draw_case
from autograder.checks.shared.captioning_answers import answers, as_gradients, as_loss
from autograder.checks.shared.captioning_loss import right_loss, slipped_losses
from autograder.checks.shared.layers import Array, fits
from autograder.checks.shared.student_net import expect_entries
from autograder.judge import Failed, Student, advice, as_array, check, expect, expect_near

CELL = "lstm-caption-loss"
OF_SCORES_AND_LSTM = ("W_vocab", "b_vocab", "Wx", "Wh", "b")
OF_WORDS_AND_FEATURES = ("W_embed", "W_proj", "b_proj")


def cases(rng: Generator) -> list[Case]:
    """Batches of three captions, and of one, with captions that end early."""
    several = draw_case(rng, "lstm")
    return [several, draw_case(rng, "lstm", N=2, T=4, D=3, W=5, H=4).rows(slice(1, 2))]


def carried_over(answer: Any, case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """The slips of RNN_Captioning that explain this answer's loss, with what they lead to."""
    loss = as_loss(answer)
    if fits(loss, right_loss(case)[0]):
        return {}
    return {said: slip for said, slip in slipped_losses(case).items() if fits(loss, slip[0])}


@check(CELL, probe="LCAP-A1", weight=3)
def loss_of_captions(student: Student, rng: Generator) -> None:
    """The loss of three captions of different lengths, and of one alone."""
    for case in cases(rng):
        [answer] = answers(student, case)
        if not carried_over(answer, case):
            what = f"the loss of captions of shape {case.captions.shape}"
            expect_near(as_loss(answer), right_loss(case)[0], what=what)


@check(CELL, probe="LCAP-A1", weight=3)
def gradients_of_scores_and_lstm(student: Student, rng: Generator) -> None:
    """grads of W_vocab, b_vocab, Wx, Wh and b, for three captions and for one."""
    _expect_gradients(student, rng, OF_SCORES_AND_LSTM)


@check(CELL, probe="LCAP-A1", weight=3)
def gradients_of_words_and_features(student: Student, rng: Generator) -> None:
    """grads of W_embed, W_proj and b_proj, for three captions and for one."""
    _expect_gradients(student, rng, OF_WORDS_AND_FEATURES)


# A loss of 0 and no gradient are right here, and earn nothing alone: hence a condition.
@check(CELL, probe="LCAP-A3", condition=True)
def nothing_to_predict(student: Student, rng: Generator) -> None:
    """Captions of <NULL> only: the loss is 0, and so are all gradients."""
    case = draw_case(rng, "lstm")
    empty = case.captions.copy()
    empty[:, 1:] = case.null
    usual, answer = answers(student, case, case.with_captions(empty))
    if carried_over(usual, case):
        return
    about = "for captions in which all words to be predicted are <NULL>"
    expect_near(as_loss(answer), 0.0, what=f"the loss {about}")
    grads = as_gradients(answer)
    expect(grads, f"grads {about} is empty")
    for name, got in grads.items():
        zero = as_array(got, f"grads[{name!r}]")
        expect(not zero.any(), f"grads[{name!r}] {about} is not zero everywhere")


@advice(CELL, probe="CAP-A1")
def as_in_rnn_captioning(student: Student, rng: Generator) -> None:
    """What RNN_Captioning has asked already: which words count, and what divides the loss."""
    for case in cases(rng):
        for said in carried_over(answers(student, case)[0], case):
            raise Failed(f"{said}. This was asked for in RNN_Captioning; here it costs nothing")


def _expect_gradients(student: Student, rng: Generator, names: tuple[str, ...]) -> None:
    """Gradients of the loss, or of the loss that a slip carried over explains."""
    for case in cases(rng):
        [answer] = answers(student, case)
        grads, right = as_gradients(answer), right_loss(case)[1]
        expect_entries(grads, names)
        slipped = [found for _, found in carried_over(answer, case).values()]
        for name in names:
            zero = np.zeros_like(case.params[name])  # where nothing reaches a parameter
            if not any(fits(grads[name], found.get(name, zero)) for found in slipped):
                what = f"grads[{name!r}] for captions of shape {case.captions.shape}"
                expect_near(grads[name], right[name], what=what, squeeze=True)
