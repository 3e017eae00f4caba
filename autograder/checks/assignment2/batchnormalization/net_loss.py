"""What is asked of FullyConnectedNet.loss with normalisation, over right layers.

Shapes: X (N, d_1, ..., d_k), y (N,); W1 (D, H_1), ...; gamma1, beta1 (H_1,), ... of the hidden
layers; scores (N, C).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.shared import in_kernel_net, layers
from autograder.checks.shared.fully_connected import (
    EPS,
    NET,
    Case,
    draw_case,
    right_loss,
    right_scores,
)
from autograder.checks.shared.layers import Array
from autograder.checks.shared.normalization_stand_ins import NORMS, UPDATING
from autograder.checks.shared.penalty import expect_penalty, expect_penalty_gradients
from autograder.checks.shared.student_net import (
    as_gradients,
    as_loss,
    as_scores,
    expect_entries,
    expect_gradient_shapes,
    expect_gradients,
)
from autograder.judge import Student, check, expect, expect_close, expect_near

CELL = "bn-net-loss"
BATCHNORM, LAYERNORM = "batchnorm", "layernorm"
REG = 0.7
OVER_NORMS = NET.with_layers(NORMS, UPDATING)


def cases(rng: Generator, normalization: str) -> Iterator[Case]:
    """Nets with one, two and three hidden layers, and one for images (3, 2, 2)."""
    for image, hidden in (((5,), (7,)), ((5,), (7, 6)), ((5,), (5, 6, 4)), ((3, 2, 2), (6,))):
        yield draw_case(rng, image=image, hidden=hidden, normalization=normalization)


# -- loss and gradients ---------------------------------------------------------------------------


@check(CELL, probe="FCBN-A3")
def loss_with_batchnorm(student: Student, rng: Generator) -> None:
    """The loss with batch normalisation and one, two and three hidden layers."""
    _expect_losses(student, rng, BATCHNORM)


@check(CELL, probe="FCBN-A3")
def loss_with_layernorm(student: Student, rng: Generator) -> None:
    """The loss with layer normalisation and one, two and three hidden layers."""
    _expect_losses(student, rng, LAYERNORM)


@check(CELL, probe="FCBN-A2", weight=3)
def gradients_with_batchnorm(student: Student, rng: Generator) -> None:
    """All gradients with batch normalisation and one, two and three hidden layers."""
    _expect_gradients(student, rng, BATCHNORM)


@check(CELL, probe="FCBN-A2", weight=3)
def gradients_with_layernorm(student: Student, rng: Generator) -> None:
    """All gradients with layer normalisation and one, two and three hidden layers."""
    _expect_gradients(student, rng, LAYERNORM)


@check(CELL, probe="FCBN-A2", condition=True)
def shapes_of_gradients(student: Student, rng: Generator) -> None:
    """Each entry of grads has the shape of its parameter, and there are no others."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, normalization=normalization)
        expect_gradient_shapes(OVER_NORMS.gradients_of(student, case), case)


@check(CELL, probe="FCBN-A5")
def penalty_without_gamma_and_beta(student: Student, rng: Generator) -> None:
    """What reg adds to the loss: weights count, all else does not."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, normalization=normalization).with_reg(REG)
        expect_penalty(case, lambda one: OVER_NORMS.loss_of(student, one))


@check(CELL, probe="FCBN-A5")
def penalty_gradients_without_gamma_and_beta(student: Student, rng: Generator) -> None:
    """What reg adds to each gradient: weights count, all else does not."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, normalization=normalization).with_reg(REG)
        expect_penalty_gradients(
            case,
            lambda one: OVER_NORMS.loss_of(student, one),
            lambda one: OVER_NORMS.gradients_of(student, one),
        )


def _expect_losses(student: Student, rng: Generator, normalization: str) -> None:
    for case in cases(rng, normalization):
        want = right_loss(case)[0]
        slips = {
            "normalisation comes before ReLU, not after it": _composition(case, relu_first=True)[0],
            "the loss is that of a net without normalisation": right_loss(
                replace(case, normalization=None)
            )[0],
        }
        got = OVER_NORMS.loss_of(student, case)
        expect_near(got, want, what=f"the loss {_about(case)}", slips=slips)


def _expect_gradients(student: Student, rng: Generator, normalization: str) -> None:
    for case in cases(rng, normalization):
        want = right_loss(case)[1]
        found = OVER_NORMS.gradients_of(student, case)
        expect_entries(found, case.params)
        for name in case.params:
            what = f"grads[{name!r}] {_about(case)}"
            if normalization == BATCHNORM and name.startswith("b") and f"gamma{name[1:]}" in want:
                # Before batch normalisation a bias does nothing: its gradient is rounding noise.
                expect_close(found[name], want[name], what=what, atol=1e-6, squeeze=True)
            else:
                expect_near(found[name], want[name], what=what, squeeze=True)


def _about(case: Case) -> str:
    return f"with {case.normalization}, {case.depth - 1} hidden layers, X {case.X.shape}"


# -- test mode ------------------------------------------------------------------------------------


@check(CELL, probe="FCBN-A4", weight=5)
def test_mode_after_training(student: Student, rng: Generator) -> None:
    """Twenty calls of loss(X, y), then loss(X) for all rows, for some, and for one."""
    case = draw_case(rng, hidden=(6, 6, 6), normalization=BATCHNORM)
    batches = [(case.X, case.y)] * 20 + [(case.X,), (case.X[1:4],), (case.X[:1],), (case.X, case.y)]
    found = OVER_NORMS.apply(student, case, in_kernel_net.answers_and_memory, batches)
    (answer, memory), (some, _), (one, _), (_, memory_of_training) = found[20:]
    _expect_modes(memory, "test", "loss(X)")
    _expect_modes(memory_of_training, "train", "loss(X, y)")
    scores = as_scores(answer, case)
    hint = "in test mode a row's scores do not depend on the rows beside it"
    for name, part, rows in (("X[1:4]", some, slice(1, 4)), ("X[:1]", one, slice(0, 1))):
        what = f"loss({name}), compared with these rows of loss(X),"
        expect_near(part, scores[rows], what=what, hint=hint)
    share, known = 1 - 0.9**20, []
    for number, (entry, moments) in enumerate(zip(memory, _composition(case)[1], strict=True)):
        hint = "each hidden layer has its own entry of bn_params, from the first to the last"
        for name, of_batch in zip(("running_mean", "running_var"), moments, strict=True):
            what = f"bn_params[{number}][{name!r}]"
            expect(name in entry, f"after 20 training calls, bn_params[{number}] has no {name!r}")
            expect_near(entry[name], share * of_batch, what=what, hint=hint)
        known.append(tuple(share * of_batch for of_batch in moments))
    want = right_scores(replace(case, running=tuple(known)))
    expect_near(scores, want, what="loss(X) after training")


# What a net is for. One that learns nothing, or that can only classify in company, is of no use: it
# loses this beside the check of what is wrong in it, and so about half of the points.
@check(CELL, probe="FCBN-A4", weight=8)
def trained_net_classifies_single_images(student: Student, rng: Generator) -> None:
    """Sixty steps of SGD on eight easy images with batch normalisation; then the class of each."""
    N, C, D = 8, 4, 6
    # With 8 hidden units a right net fails once in 600 draws: too many of them die, or start dead.
    case = draw_case(rng, N=N, image=(D,), hidden=(16,), C=C, normalization=BATCHNORM)
    centres = 3 * np.linalg.qr(rng.normal(size=(D, D)))[0][:C]  # the classes are far apart
    case = replace(case, X=centres[case.y] + 0.1 * rng.normal(size=(N, D)))
    trained = in_kernel_net.scores_after_training
    found = OVER_NORMS.apply(student, case, trained, case.X.copy(), case.y.copy(), 60, 0.5)
    expect(found is not None, "loss(X, y) does not return the loss and all gradients")
    scores = np.concatenate([as_scores(row, replace(case, X=case.X[:1])) for row in found])
    wrong = int(np.sum(scores.argmax(axis=1) != case.y))
    expect(
        wrong == 0,
        f"after 60 steps of SGD with the net's gradients, {wrong} of {N} easy training images are "
        "classified wrongly, each given to loss(X) by itself",
    )


@check(CELL, probe="FCBN-A3")
def layernorm_has_no_modes(student: Student, rng: Generator) -> None:
    """Scores of all rows and of one row, with layer normalisation."""
    case = draw_case(rng, normalization=LAYERNORM)
    want = right_scores(case)
    expect_near(OVER_NORMS.scores_of(student, case), want, what="loss(X) with layernorm")
    one = replace(case, X=case.X[:1], y=case.y[:1])
    got = OVER_NORMS.scores_of(student, one)
    expect_near(got, want[:1], what="loss(X) of a single row with layernorm")


def _expect_modes(memory: list[dict[str, Any]], mode: str, call: str) -> None:
    found = [str(entry.get("mode")) for entry in memory]
    modes = [name if name in ("train", "test", "None") else "something else" for name in found]
    message = f"after {call} the modes in bn_params are {modes}; they should all be {mode!r}"
    expect(bool(modes) and set(modes) == {mode}, message)


# -- what the class did before --------------------------------------------------------------------


@check(CELL, probe="FCBN-A3")
def net_without_normalization(student: Student, rng: Generator) -> None:
    """normalization=None: scores, loss and gradients of the plain net."""
    case = draw_case(rng)
    scores, answer = OVER_NORMS.answers(student, case, (case.X,), (case.X, case.y))
    expect_near(as_scores(scores, case), right_scores(case), what="loss(X)")
    loss, grads = right_loss(case)
    expect_near(as_loss(answer), loss, what="the loss")
    expect_gradients(as_gradients(answer), grads, "without normalisation")


@check(CELL, probe="FCBN-A5", condition=True)
def arguments_are_unchanged(student: Student, rng: Generator) -> None:
    """X, y and all parameters are as before: training changes them, the loss does not."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, normalization=normalization).with_reg(REG)
        OVER_NORMS.expect_nothing_changed(student, case)


def _composition(
    case: Case, *, relu_first: bool = False
) -> tuple[float, list[tuple[Array, Array]]]:
    """The training loss step by step, and mean and variance (H_l,) of each hidden layer."""
    h, statistics = case.X.reshape(len(case.X), -1), []
    axis = 0 if case.normalization == BATCHNORM else 1
    for layer in range(1, case.depth):
        a = h @ case.params[f"W{layer}"] + case.params[f"b{layer}"]
        a = np.maximum(a, 0) if relu_first else a
        mean, var = a.mean(axis=axis, keepdims=True), a.var(axis=axis, keepdims=True)
        statistics.append((mean.ravel(), var.ravel()))
        gamma, beta = case.params[f"gamma{layer}"], case.params[f"beta{layer}"]
        h = gamma * (a - mean) / np.sqrt(var + EPS) + beta
        h = h if relu_first else np.maximum(h, 0)
    scores = h @ case.params[f"W{case.depth}"] + case.params[f"b{case.depth}"]
    loss = layers.cross_entropy(torch.tensor(scores), torch.tensor(case.y))
    return float(loss), statistics
