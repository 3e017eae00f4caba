"""What is asked of CaptioningRNN.loss, over right layers.

Shapes: features (N, D); captions (N, T + 1) integers, of which the first T go in, and the last T
are to come out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.captioning import Case, draw_case
from autograder.checks.shared.captioning_answers import (
    answers,
    as_gradients,
    as_loss,
    expect_nothing_changed,
)
from autograder.checks.shared.captioning_loss import (
    loss_of_words,
    right_loss,
    slipped_losses,
    slips_of_degree,
)
from autograder.checks.shared.layers import fits
from autograder.checks.shared.student_net import expect_entries
from autograder.judge import Student, as_array, check, expect, expect_near, expect_shape, named

CELL = "caption-loss"
AFTER_THE_WORDS = ("W_vocab", "b_vocab", "Wx", "Wh", "b")
BEFORE_THE_WORDS = ("W_embed", "W_proj", "b_proj")


def cases(rng: Generator) -> list[Case]:
    """Batches of three captions, and of one, with captions that end early."""
    several = draw_case(rng)
    return [several, draw_case(rng, N=2, T=4, D=3, W=5, H=4).rows(slice(1, 2))]


@check(CELL, probe="CAP-A1", weight=4)
def loss_of_captions(student: Student, rng: Generator) -> None:
    """The loss of three captions of different lengths, and of one alone."""
    for case in cases(rng):
        [answer] = answers(student, case)
        slips = {message: slip for message, (slip, _) in slipped_losses(case).items()}
        what = f"the loss of captions of shape {case.captions.shape}"
        expect_near(as_loss(answer), right_loss(case)[0], what=what, slips=slips)


@check(CELL, probe="CAP-A2", weight=4)
def gradients_of_rnn_and_scores(student: Student, rng: Generator) -> None:
    """grads of W_vocab, b_vocab, Wx, Wh and b, for three captions and for one."""
    _expect_gradients(student, rng, AFTER_THE_WORDS)


@check(CELL, probe="CAP-A2", weight=4)
def gradients_of_words_and_features(student: Student, rng: Generator) -> None:
    """grads of W_embed, W_proj and b_proj, for three captions and for one."""
    _expect_gradients(student, rng, BEFORE_THE_WORDS)


@check(CELL, probe="CAP-A3")
def null_with_another_number(student: Student, rng: Generator) -> None:
    """The same captions in a vocabulary where <NULL> is not word 0: the loss is the same."""
    case = draw_case(rng)
    numbers = np.arange(len(case.params["W_embed"]))
    word = int(case.captions[0, 1])  # it gets the number 0, and <NULL> gets its
    numbers[[case.null, word]] = word, case.null
    other = case.renumbered(numbers)
    given, targets = other.captions[:, :-1], other.targets
    slip = loss_of_words(other, given, targets, targets != 0)[0]
    said = "words with the number 0 are left out, not those that are <NULL>: see self._null"
    what = "the loss in a vocabulary where <NULL> is another word than number 0, compared with"
    once, again = _own_loss(student, case), as_loss(answers(student, other)[0])
    expect_near(again, once, what=f"{what} word 0,", slips={said: slip})


@check(CELL, probe="CAP-A3")
def nothing_to_predict(student: Student, rng: Generator) -> None:
    """Captions of <NULL> only: the loss is 0, and so are all gradients."""
    case = draw_case(rng)
    empty = case.captions.copy()
    empty[:, 1:] = case.null
    [answer] = answers(student, case.with_captions(empty))
    about = "for captions in which all words to be predicted are <NULL>"
    expect_near(as_loss(answer), 0.0, what=f"the loss {about}")
    for name, got in as_gradients(answer).items():
        zero = as_array(got, f"grads[{name!r}]")
        expect(not zero.any(), f"grads[{name!r}] {about} is not zero everywhere")


@check(CELL, probe="CAP-A4", weight=2)
def scale_of_the_loss(student: Student, rng: Generator) -> None:
    """The same captions twice, or with more <NULL> at their ends: the loss is the same."""
    case = draw_case(rng)
    twice = Case(
        case.cell_type,
        case.params,
        np.concatenate([case.features] * 2),
        np.concatenate([case.captions] * 2),
    )
    padding = np.full((len(case.features), 3), case.null)
    longer = case.with_captions(np.concatenate([case.captions, padding], axis=1))
    once = _own_loss(student, case)
    of_twice, of_longer = (as_loss(answer) for answer in answers(student, twice, longer))
    expect_near(
        of_twice,
        once,
        what="the loss of every caption twice, compared with once,",
        slips={"the loss of every caption twice is twice as large: it is to be a mean": 2 * once},
    )
    what = "the loss of captions with three more <NULL> at the end, compared with none,"
    expect_near(of_longer, once, what=what)


@check(CELL, probe="CAP-A6")
def vocabulary_without_start_and_end(student: Student, rng: Generator) -> None:
    """A vocabulary without <START> and <END>: the network can be made, and has a loss."""
    case = draw_case(rng)
    without = replace(case, start=None, end=None)
    once, again = _own_loss(student, case), as_loss(answers(student, without, strict=True)[0])
    what = "the loss in a vocabulary that has neither <START> nor <END>, compared with one that has"
    expect_near(again, once, what=f"{what} them,")


@check(CELL, probe="CAP-A2", condition=True)
def shapes_of_gradients(student: Student, rng: Generator) -> None:
    """Each entry of grads has the shape of its parameter, and there are no others."""
    case = draw_case(rng)
    grads = as_gradients(answers(student, case)[0])
    for name, value in case.params.items():
        if name in grads:
            expect_shape(grads[name], value.shape, f"grads[{name!r}]")
    extra = named(name for name in grads if name not in case.params)
    expect(not extra, f"grads has entries that are no parameters: {extra}")


@check(CELL, probe="CAP-A7", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator) -> None:
    """features, captions and the parameters are as before after the call."""
    expect_nothing_changed(student, draw_case(rng))


def _own_loss(student: Student, case: Case) -> float:
    """The student's loss of a case, right or wrong, with which others are compared."""
    loss = float(as_loss(answers(student, case)[0]))
    expect(np.isfinite(loss) and abs(loss) > 1e-6, f"the loss of random captions is {loss:.3g}")
    return loss


def _expect_gradients(student: Student, rng: Generator, names: tuple[str, ...]) -> None:
    """Gradients of the loss, or of the student's own where a network would still learn by it.

    A slip of that kind has been charged by ``loss_of_captions``. After any other one the network is
    of no use, and that is what it loses here.
    """
    for case in cases(rng):
        [answer] = answers(student, case)
        grads, loss = as_gradients(answer), as_loss(answer)
        expect_entries(grads, names)
        slipped = [found for slip, found in slips_of_degree(case).values() if fits(loss, slip)]
        right = right_loss(case)[1]
        for name in names:
            if not any(fits(grads[name], found[name]) for found in slipped):
                what = f"grads[{name!r}] for captions of shape {case.captions.shape}"
                expect_near(grads[name], right[name], what=what, squeeze=True)
