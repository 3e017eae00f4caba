"""What is asked of the loss of FullyConnectedNet with normalisation, over right layers.

Shapes: X (N, d_1, ..., d_k), y (N,); W1 (D, H_1), ...; gamma1, beta1 (H_1,), ... of the hidden
layers. The student's class finds layers that the judge answers; see ``fc_net_oracle``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets import net_oracle as nets
from autograder.checks.assignment2.fullyconnectednets.net_oracle import EPS, Case, draw_case
from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.checks.shared.normalization_stand_ins import LAYERS
from autograder.judge import (
    Student,
    check,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

CELL = "bn-net-loss"
BATCHNORM, LAYERNORM = "batchnorm", "layernorm"
HIDDEN = ((7,), (7, 6), (5, 6, 4))  # depth 2, 3 and 4
REG = 0.7
TRAINED = """
for _ in range({calls}):
    _net.loss(_X, _y)
_all, _some, _one = _net.loss(_X), _net.loss(_X[1:4]), _net.loss(_X[:1])
_modes = [str(bn_param.get("mode")) for bn_param in _net.bn_params]
_statistics = [dict(bn_param) for bn_param in _net.bn_params]
_net.loss(_X, _y)
_back = [str(bn_param.get("mode")) for bn_param in _net.bn_params]
"""


@check(CELL, probe="FCBN-A3", weight=2)
def loss_with_batchnorm(student: Student, rng: Generator) -> None:
    """The loss of nets with batch normalisation and one, two and three hidden layers."""
    loss_is_the_composition(student, rng, BATCHNORM)


@check(CELL, probe="FCBN-A3", weight=2)
def loss_with_layernorm(student: Student, rng: Generator) -> None:
    """The loss of nets with layer normalisation and one, two and three hidden layers."""
    loss_is_the_composition(student, rng, LAYERNORM)


def loss_is_the_composition(student: Student, rng: Generator, normalization: str) -> None:
    """The loss of nets with one, two and three hidden layers."""
    for hidden in HIDDEN:
        case = draw_case(rng, hidden=hidden, normalization=normalization)
        want = nets.right_loss(case)[0]
        got = nets.loss_of(student, case, **LAYERS)[0]
        plain = replace(case, normalization=None)
        slips = {
            "normalisation comes before ReLU, not after it": _composition(case, relu_first=True)[0],
            "the loss is that of a net without normalisation": nets.right_loss(plain)[0],
        }
        name_slip(got, want, slips)
        hint = "affine, normalisation, ReLU for each hidden layer; then affine alone"
        expect_near(got, want, what=f"the loss with {len(hidden)} hidden layers", hint=hint)


def gradients_are_right(student: Student, rng: Generator, normalization: str) -> None:
    """All gradients of nets with one, two and three hidden layers."""
    for hidden in HIDDEN:
        case = draw_case(rng, hidden=hidden, normalization=normalization)
        _expect_gradients(student, case)


def images_are_accepted(student: Student, rng: Generator) -> None:
    """Images (3, 2, 2): scores, loss and gradients with either normalisation."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, image=(3, 2, 2), hidden=(6,), normalization=normalization)
        got = nets.loss_of(student, case, **LAYERS)[0]
        expect_near(got, nets.right_loss(case)[0], what="the loss")
        _expect_gradients(student, case)


def without_normalization_all_is_as_before(student: Student, rng: Generator) -> None:
    """normalization=None: scores, loss and gradients of the plain net."""
    case = draw_case(rng)
    expect_near(nets.scores_of(student, case, **LAYERS), nets.right_scores(case), what="loss(X)")
    loss, grads = nets.right_loss(case)
    expect_near(nets.loss_of(student, case, **LAYERS)[0], loss, what="the loss")
    found = nets.gradients_of(student, case, **LAYERS)
    for name, want in grads.items():
        expect_near(found[name], want, what=f"grads[{name!r}]")


def gamma_and_beta_are_not_penalized(student: Student, rng: Generator, normalization: str) -> None:
    """What reg adds to the loss and to each gradient: weights count, all else does not."""
    case = draw_case(rng, normalization=normalization)
    added = nets.NET.added_by_reg(student, case.with_reg(REG), **LAYERS)
    squares = case.squares
    weights = sum(squares[name] for name in squares if name.startswith("W"))
    gammas = sum(squares[name] for name in squares if name.startswith("gamma"))
    betas = sum(squares[name] for name in squares if name.startswith("beta"))
    half = 0.5 * REG
    slips = {
        "reg makes no difference to the loss": 0.0,
        "the penalty lacks the factor 0.5": 2 * half * weights,
        "gamma and beta are penalised too": half * (weights + gammas + betas),
        "gamma is penalised too": half * (weights + gammas),
        "beta is penalised too": half * (weights + betas),
    }
    name_slip(added, half * weights, slips)
    what = "the penalty, loss with reg minus loss without,"
    expect_close(added, half * weights, what=what, rtol=1e-5)
    after, before = (nets.gradients_of(student, case.with_reg(reg), **LAYERS) for reg in (REG, 0.0))
    for name, value in case.params.items():
        want = REG * value * name.startswith("W")
        what = f"what reg adds to grads[{name!r}]"
        hint = "" if name.startswith("W") else "this parameter is not part of the penalty"
        # The difference of two gradients loses digits where they are large: 1e-5 leaves room.
        expect_close(after[name] - before[name], want, what=what, rtol=1e-5, atol=1e-5, hint=hint)


def test_mode_after_training(student: Student, rng: Generator) -> None:
    """Twenty calls of loss(X, y), then loss(X) for all rows, for some, and for one."""
    case = draw_case(rng, hidden=(6, 6, 6), normalization=BATCHNORM)
    names = ("_all", "_some", "_one", "_modes", "_statistics", "_back")
    after = nets.run(student, case, TRAINED.format(calls=20), *names, **LAYERS)
    scores = expect_shape(after.get("_all"), (len(case.X), case.sizes[-1]), "loss(X)")
    hint = "in test mode a row's scores must not depend on the rows beside it"
    for name, rows in (("_some", slice(1, 4)), ("_one", slice(0, 1))):
        expect_near(after.get(name), scores[rows], what="loss(X) of some rows", hint=hint)
    _expect_modes(after.get("_modes"), "test", "loss(X)")
    _expect_modes(after.get("_back"), "train", "loss(X, y)")
    running = _composition(case)[1]
    share = 1 - 0.9**20
    for number, (entry, (mean, var)) in enumerate(zip(after["_statistics"], running, strict=True)):
        what = f"bn_params[{number}]"
        hint = "each hidden layer has its own entry of bn_params, from the first to the last"
        expect_near(
            entry.get("running_mean"), share * mean, what=f"{what}['running_mean']", hint=hint
        )
        expect_near(entry.get("running_var"), share * var, what=f"{what}['running_var']", hint=hint)
    known = tuple((share * mean, share * var) for mean, var in running)
    want = nets.right_scores(replace(case, running=known))
    expect_near(scores, want, what="loss(X) after training")


def layernorm_needs_no_modes(student: Student, rng: Generator) -> None:
    """Scores of all rows and of one row, with layer normalisation."""
    case = draw_case(rng, normalization=LAYERNORM)
    want = nets.right_scores(case)
    expect_near(nets.scores_of(student, case, **LAYERS), want, what="loss(X)")
    one = replace(case, X=case.X[:1], y=case.y[:1])
    expect_near(nets.scores_of(student, one, **LAYERS), want[:1], what="loss(X) of a single row")


def loss_leaves_parameters(student: Student, rng: Generator) -> None:
    """X, y and all parameters are as before: training changes them, the loss does not."""
    for normalization in (BATCHNORM, LAYERNORM):
        case = draw_case(rng, normalization=normalization).with_reg(REG)
        nets.NET.expect_nothing_changed(student, case, **LAYERS)


def _expect_gradients(student: Student, case: Case) -> None:
    want = nets.right_loss(case)[1]
    found = nets.gradients_of(student, case, **LAYERS)
    for name in case.params:
        what = f"grads[{name!r}] with {case.depth - 1} hidden layers"
        if case.normalization == BATCHNORM and name.startswith("b") and name[1:].isdigit():
            # Before batch normalisation a bias does nothing: its gradient is rounding noise.
            expect_close(found[name], want[name], what=what, rtol=1e-6, atol=1e-6)
        else:
            expect_near(found[name], want[name], what=what)


def _expect_modes(found: Any, mode: str, call: str) -> None:
    modes = list(found or ())
    hint = f"after {call} the modes in bn_params are {modes}"
    expect(bool(modes) and set(modes) == {mode}, f"{hint}; they should all be {mode!r}")


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
