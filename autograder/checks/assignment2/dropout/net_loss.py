"""What is asked of FullyConnectedNet with dropout: where it drops, and that it differentiates that.

The masks are the judge's: see `dropping`. So these checks ask for the network alone, whatever the
student's own dropout layer does.

Shapes: X (N, d_1, ..., d_k), hidden outputs and masks (N, H_l), scores (N, C).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.dropout.dropping import answers, without_seed
from autograder.checks.shared.fully_connected import (
    CLASS,
    Case,
    draw_case,
    right_loss,
    right_scores,
)
from autograder.checks.shared.initial_parameters import (
    arrays,
    expect_dtype,
    expect_names_and_shapes,
    expect_spread,
    expect_start,
    parameters,
)
from autograder.checks.shared.penalty import expect_penalty, expect_penalty_gradients
from autograder.checks.shared.student_net import (
    as_gradients,
    as_loss,
    as_scores,
    expect_entries,
    expect_gradient_shapes,
)
from autograder.judge import Student, check, expect, expect_close, expect_near

CELL = "do-net"
NORMALIZATIONS = ("batchnorm", "layernorm")

# -- training mode --------------------------------------------------------------------------------


@check(CELL, probe="FCDO-A2", weight=3)
def training_loss(student: Student, rng: Generator) -> None:
    """The training loss of plain networks with one to three hidden layers, for several ratios."""
    for keep, hidden in ((0.75, (7, 6)), (0.5, (8,)), (0.6, (8, 7, 6))):
        _expect_loss(student, rng, draw_case(rng, keep=keep, hidden=hidden))


@check(CELL, probe="FCDO-A1", weight=4)
def gradients(student: Student, rng: Generator) -> None:
    """All gradients of plain networks, with a seed, for ratios 0.75 and 0.5."""
    for keep, hidden in ((0.75, (7, 6)), (0.5, (8, 7, 6))):
        _expect_gradients(student, rng, draw_case(rng, keep=keep, hidden=hidden))


@check(CELL, probe="FCDO-A1", weight=3)
def training_with_normalization(student: Student, rng: Generator) -> None:
    """Training loss and gradients with batch and with layer normalisation, with a seed."""
    for normalization, keep in zip(NORMALIZATIONS, (0.75, 0.5), strict=True):
        settings = {"N": 8, "hidden": (9, 7), "normalization": normalization}
        _expect_loss(student, rng, draw_case(rng, keep=keep, **settings))
        _expect_gradients(student, rng, draw_case(rng, keep=keep, **settings))


# A net that drops the same units in every step trains a thinned net, and uses a whole one.
@check(CELL, probe="FCDO-A2", weight=4)
def training_loss_varies_without_seed(student: Student, rng: Generator) -> None:
    """Four calls of loss(X, y) without a seed."""
    case = draw_case(rng, keep=0.5, N=7, hidden=(16, 13))
    found, _ = answers(student, rng, case, *[(case.X, case.y)] * 4, net=without_seed())
    losses = [as_loss(answer) for answer in found]
    varied = "without a seed, four training calls gave the same loss: nothing random happens"
    expect(np.ptp(losses) > 1e-9, varied)


@check(CELL, probe="FCDO-A2")
def training_loss_with_a_seed(student: Student, rng: Generator) -> None:
    """Three calls of loss(X, y) with a seed: three times the same loss."""
    case = draw_case(rng, keep=0.5, N=7, hidden=(16, 13))
    found, _ = answers(student, rng, case, *[(case.X, case.y)] * 3)
    first, *others = (as_loss(answer) for answer in found)
    hint = "pass self.dropout_param to dropout_forward, including its seed"
    for loss in others:
        expect_close(loss, first, what="the loss with a seed, once more,", hint=hint)


@check(CELL, probe="FCDO-A1", condition=True)
def shapes_of_gradients(student: Student, rng: Generator) -> None:
    """Each entry of grads has the shape of its parameter, and there are no others."""
    case = draw_case(rng, keep=0.5, normalization="batchnorm")
    (answer,), _ = answers(student, rng, case, (case.X, case.y))
    expect_gradient_shapes(as_gradients(answer), case)


def _expect_loss(student: Student, rng: Generator, case: Case) -> None:
    (answer,), case = answers(student, rng, case, (case.X, case.y))
    what = f"the training loss for {_about(case)}"
    expect_near(as_loss(answer), right_loss(case)[0], what=what, slips=_slips(case))


def _slips(case: Case) -> dict[str, float]:
    """What usual slips make of the loss."""
    ones = tuple(np.ones_like(mask) for mask in case.masks)
    last = (*ones[:-1], case.masks[-1])
    reversed_ = tuple(mask * case.keep / (1 - case.keep) for mask in case.masks)
    found = {
        "the training loss is that of a network without dropout": ones,
        "p in dropout_param is the ratio to drop: it must be the ratio to keep": reversed_,
    }
    if len(ones) > 1:
        found["dropout follows the last hidden layer only: it belongs after every one"] = last
        for layer in range(len(ones)):
            masks = (*case.masks[:layer], ones[layer], *case.masks[layer + 1 :])
            found[f"there is no dropout after hidden layer {layer + 1} of {len(ones)}"] = masks
    return {message: right_loss(replace(case, masks=m))[0] for message, m in found.items()}


def _expect_gradients(student: Student, rng: Generator, case: Case) -> None:
    (answer,), case = answers(student, rng, case, (case.X, case.y))
    grads, (_, want) = as_gradients(answer), right_loss(case)
    expect_entries(grads, want)
    ones = tuple(np.ones_like(mask) for mask in case.masks)
    _, undropped = right_loss(replace(case, masks=ones))
    slip = "the gradients are those of a network without dropout"
    hint = "on the way back, dropout comes before the ReLU of its layer, with its own cache"
    for name in sorted(case.params, key=lambda name: (name[-1], name), reverse=True):
        options = {"what": f"grads[{name!r}] for {_about(case)}", "hint": hint, "squeeze": True}
        options["slips"] = {slip: undropped[name]}
        if case.normalization == "batchnorm" and name[0] == "b" and f"gamma{name[1:]}" in want:
            # The true gradient of a bias that batch normalisation takes away is 0: what is there
            # is rounding noise.
            expect_close(grads[name], want[name], atol=1e-6, **options)
        else:
            expect_near(grads[name], want[name], **options)


def _about(case: Case) -> str:
    norm = f" and {case.normalization}" if case.normalization else ""
    return f"dropout_keep_ratio = {case.keep:g}{norm}"


# -- scores ---------------------------------------------------------------------------------------


@check(CELL, probe="FCDO-A3", weight=3)
def scores_without_dropout(student: Student, rng: Generator) -> None:
    """loss(X) for several ratios, plain and normalised: nothing is dropped, nothing is scaled."""
    cases = [
        draw_case(rng, keep=0.75),
        draw_case(rng, keep=0.3, hidden=(8, 7, 6)),
        draw_case(rng, keep=0.5, image=(2, 3, 2)),
        *(draw_case(rng, keep=0.5, N=8, hidden=(9, 7), normalization=n) for n in NORMALIZATIONS),
    ]
    for case in cases:
        (scores,), case = answers(student, rng, case, (case.X,))
        _expect_scores(scores, case)


@check(CELL, probe="FCDO-A3")
def scores_between_training_calls(student: Student, rng: Generator) -> None:
    """loss(X), loss(X, y), loss(X), loss(X, y) of the same network."""
    case = draw_case(rng, keep=0.5, hidden=(9, 8))
    X, y = case.X, case.y
    (before, first, after, second), _ = answers(student, rng, case, (X,), (X, y), (X,), (X, y))
    _expect_scores(before, case)
    _expect_scores(after, case)
    want, hint = as_loss(first), "loss(X) must not switch dropout off for the calls after it"
    expect_close(as_loss(second), want, what="the training loss after loss(X)", hint=hint)
    undropped, _ = right_loss(replace(case, masks=()))
    dropped = not np.isclose(as_loss(second), undropped, rtol=1e-6)
    expect(dropped, "the training loss is that of a network without dropout", hint)


@check(CELL, probe="FCDO-A3")
def ratio_1_means_no_dropout(student: Student, rng: Generator) -> None:
    """dropout_keep_ratio = 1: the training loss and the scores belong to the same function."""
    for more in ({}, {"normalization": "layernorm", "N": 8}):
        case = draw_case(rng, keep=1, hidden=(9, 7), **more)
        (scores, answer), _ = answers(student, rng, case, (case.X,), (case.X, case.y))
        what = "the training loss for dropout_keep_ratio = 1"
        expect_near(as_loss(answer), right_loss(case)[0], what=what)
        _expect_scores(scores, case)


def _expect_scores(answer: object, case: Case) -> None:
    slip = "loss(X) drops: scores are asked for in test mode, and nothing is dropped there"
    expect_near(
        as_scores(answer, case),
        right_scores(case),
        what=f"loss(X) for {_about(case)}",
        slips={slip: right_scores(case, training=True)},
    )


# -- what the class did before --------------------------------------------------------------------


@check(CELL, probe="FCDO-A1")
def penalty(student: Student, rng: Generator) -> None:
    """What reg adds to the loss and to the gradients, with dropout."""
    case = draw_case(rng, keep=0.75).with_reg(0.7)

    def ask(one: Case) -> object:
        return answers(student, rng, one, (one.X, one.y))[0][0]

    expect_penalty(case, lambda one: as_loss(ask(one)))
    expect_penalty_gradients(
        case, lambda one: as_loss(ask(one)), lambda one: as_gradients(ask(one))
    )


@check(CELL, probe="FCDO-A1")
def initial_parameters(student: Student, rng: Generator) -> None:
    """Names, shapes, spread and dtype of the parameters of a network with dropout."""
    made = {"weight_scale": 0.05, "dropout_keep_ratio": 0.5, "normalization": "batchnorm"}
    params = parameters(student, CLASS, [100, 80], input_dim=60, num_classes=70, **made)
    shapes = {"W1": (60, 100), "W2": (100, 80), "W3": (80, 70)}
    shapes |= {f"b{layer}": shapes[f"W{layer}"][1:] for layer in (1, 2, 3)}
    shapes |= {
        f"{name}{layer}": shapes[f"b{layer}"] for name in ("gamma", "beta") for layer in (1, 2)
    }
    expect_names_and_shapes(params, shapes, "with dropout and batchnorm")
    expect_dtype(params, "float32", "by default")
    starts = {name: float(name.startswith("gamma")) for name in shapes if name[0] != "W"}
    expect_start(params, starts)
    weights = arrays(params, ("W1", "W2", "W3"))
    expect_spread(weights, 0.05)
    for name, values in weights.items():  # of 5,600 numbers the mean varies by 0.013 * scale
        expect(abs(values.mean()) < 0.1 * 0.05, f"{name} has a mean that is not 0")
