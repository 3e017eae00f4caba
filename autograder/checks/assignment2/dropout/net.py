"""What is asked of FullyConnectedNet with dropout: where it drops, and that it differentiates that.

The masks are the judge's: see ``dropout_net_oracle``. So these checks ask for the network alone,
whatever the student's own dropout layer does.

Shapes: X (N, d_1, ..., d_k), hidden outputs and masks (N, H_l), scores (N, C).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.dropout import net_oracle as oracle
from autograder.checks.assignment2.fullyconnectednets import net_oracle as nets
from autograder.checks.assignment2.fullyconnectednets.net_oracle import Case
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

REG = 0.7
NORMALIZATIONS = ("batchnorm", "layernorm")
AGAIN = "_losses = [_net.loss(_X, _y)[0] for _ in range(3)]"
WITHOUT_SEED = """
_other = FullyConnectedNet(_hidden, _D, _C, _keep, dtype=_np.float64)
_other.params, _other.reg = _params, _reg
_losses = [_other.loss(_X, _y)[0] for _ in range(4)]
"""
SCORES_BETWEEN = """
_before = _net.loss(_X)
_first, _ = _net.loss(_X, _y)
_after = _net.loss(_X)
_second, _ = _net.loss(_X, _y)
"""


def draw(rng: Generator, keep: float, **more) -> Case:
    """A network with two hidden layers, or as ``more`` says; all its sizes differ."""
    return nets.draw_case(rng, keep=keep, **more)


# -- the loss in training mode --------------------------------------------------------------------


def training_loss_is_right(student: Student, rng: Generator) -> None:
    """The training loss of plain networks with one to three hidden layers, for several ratios."""
    for keep, hidden in ((0.75, (7, 6)), (0.5, (8,)), (0.6, (8, 7, 6))):
        _expect_loss(student, rng, draw(rng, keep, hidden=hidden))


def training_loss_is_right_with_normalization(student: Student, rng: Generator) -> None:
    """The training loss with batch and with layer normalisation."""
    for normalization in NORMALIZATIONS:
        case = draw(rng, 0.75, N=8, hidden=(9, 7), normalization=normalization)
        _expect_loss(student, rng, case)


def _expect_loss(student: Student, rng: Generator, case: Case) -> None:
    got, case = oracle.loss_of(student, rng, case)
    want, _ = nets.right_loss(case)
    name_slip(got, want, _slips(case))
    norm = f" and {case.normalization}" if case.normalization else ""
    what = f"the training loss for dropout_keep_ratio = {case.keep:g}{norm}"
    expect_near(got, want, what=what, hint="affine, [normalisation], ReLU, dropout")


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
    return {message: nets.right_loss(replace(case, masks=m))[0] for message, m in found.items()}


def a_seed_makes_the_loss_repeatable(student: Student, rng: Generator) -> None:
    """Three times the same training loss with a seed; others without one."""
    case = draw(rng, 0.5, N=7, hidden=(16, 13))
    after, _ = oracle.run(student, rng, case, AGAIN, "_losses")
    losses = expect_shape(after.get("_losses"), (3,), "the losses of three calls")
    hint = "hand self.dropout_param on to dropout_forward, seed and all"
    expect_close(losses, np.full(3, losses[0]), what="the loss with a seed, once more", hint=hint)

    after, _ = oracle.run(student, rng, case, WITHOUT_SEED, "_losses")
    losses = expect_shape(after.get("_losses"), (4,), "the losses of four calls")
    varied = "without a seed, four training calls gave the same loss: nothing random happens"
    expect(np.ptp(losses) > 1e-9, varied)


# -- gradients ------------------------------------------------------------------------------------


def gradients_are_right(student: Student, rng: Generator) -> None:
    """All gradients of plain networks, with a seed, for ratios 0.75 and 0.5."""
    for keep, hidden in ((0.75, (7, 6)), (0.5, (8, 7, 6))):
        _expect_gradients(student, rng, draw(rng, keep, hidden=hidden))


def gradients_are_right_with_normalization(student: Student, rng: Generator) -> None:
    """All gradients with batch and with layer normalisation, with a seed."""
    for normalization, keep in zip(NORMALIZATIONS, (0.75, 0.5), strict=True):
        case = draw(rng, keep, N=8, hidden=(9, 7), normalization=normalization)
        _expect_gradients(student, rng, case)


def _expect_gradients(student: Student, rng: Generator, case: Case) -> None:
    grads, case = oracle.gradients_of(student, rng, case)
    _, want = nets.right_loss(case)
    ones = tuple(np.ones_like(mask) for mask in case.masks)
    _, undropped = nets.right_loss(replace(case, masks=ones))
    for name in sorted(case.params, key=lambda name: (name[-1], name), reverse=True):
        slip = "the gradients are those of a network without dropout"
        name_slip(grads[name], want[name], {slip: undropped[name]})
        norm = f", {case.normalization}" if case.normalization else ""
        what = f"grads[{name!r}] for dropout_keep_ratio = {case.keep:g}{norm}"
        hint = "on the way back, dropout comes before the ReLU of its layer, with its own cache"
        # The true gradient of a bias that batch normalisation takes away is 0: what is there is
        # the rounding of sums of numbers of size one.
        if case.normalization == "batchnorm" and name[0] == "b" and f"gamma{name[1:]}" in want:
            expect_close(grads[name], want[name], what=what, hint=hint, atol=_rounding(grads))
        else:
            expect_near(grads[name], want[name], what=what, hint=hint)


def _rounding(grads: dict[str, Array]) -> float:
    """1e-6 (the curriculum's 2.2); 1e-4 for those who compute in float32."""
    return 1e-6 if all(g.dtype == np.float64 for g in grads.values()) else 1e-4


# -- scores ---------------------------------------------------------------------------------------


def scores_do_not_drop(student: Student, rng: Generator) -> None:
    """loss(X) for several ratios: nothing is dropped, nothing is scaled."""
    for keep, more in ((0.75, {}), (0.3, {"hidden": (8, 7, 6)}), (0.5, {"image": (2, 3, 2)})):
        case = draw(rng, keep, **more)
        _expect_scores(_scores(student, rng, case), case)


def scores_do_not_drop_with_normalization(student: Student, rng: Generator) -> None:
    """loss(X) with batch and with layer normalisation."""
    for normalization in NORMALIZATIONS:
        case = draw(rng, 0.5, N=8, hidden=(9, 7), normalization=normalization)
        _expect_scores(_scores(student, rng, case), case)


def training_and_scores_take_turns(student: Student, rng: Generator) -> None:
    """loss(X), loss(X, y), loss(X), loss(X, y) of the same network."""
    case = draw(rng, 0.5, hidden=(9, 8))
    names = ("_before", "_after", "_first", "_second")
    after, _ = oracle.run(student, rng, case, SCORES_BETWEEN, *names)
    for name in ("_before", "_after"):
        _expect_scores(after.get(name), case)
    first, second = (expect_shape(after.get(n), (), "the loss") for n in names[2:])
    hint = "loss(X) must not switch dropout off for the training calls after it"
    expect_close(second, first, what="the training loss after loss(X)", hint=hint)
    undropped, _ = nets.right_loss(replace(case, masks=()))
    expect(not np.isclose(float(second), undropped, rtol=1e-6), f"nothing was dropped: {hint}")


def a_ratio_of_1_means_no_dropout(student: Student, rng: Generator) -> None:
    """dropout_keep_ratio = 1: the training loss and the scores belong to the same function."""
    for more in ({}, {"normalization": "layernorm", "N": 8}):
        case = draw(rng, 1, hidden=(9, 7), **more)
        got, _ = oracle.loss_of(student, rng, case)
        want, _ = nets.right_loss(case)
        expect_near(got, want, what="the training loss for dropout_keep_ratio = 1")
        _expect_scores(_scores(student, rng, case), case)


def _scores(student: Student, rng: Generator, case: Case) -> object:
    return oracle.run(student, rng, case, "_answer = _net.loss(_X)", "_answer")[0].get("_answer")


def _expect_scores(got: object, case: Case) -> None:
    expect(not isinstance(got, tuple), "loss(X) returned several things, not the scores alone")
    scores = expect_shape(got, (len(case.X), case.sizes[-1]), "loss(X)")
    want = nets.right_scores(case)
    slip = "loss(X) drops: scores are asked for in test mode, and nothing is dropped there"
    name_slip(scores, want, {slip: nets.right_scores(case, training=True)})
    expect_near(scores, want, what=f"loss(X) for dropout_keep_ratio = {case.keep:g}")


# -- what the class did before --------------------------------------------------------------------


def penalty_is_as_before(student: Student, rng: Generator) -> None:
    """What reg adds to the loss and to the gradients, with dropout."""
    case = draw(rng, 0.75)
    with_reg = case.with_reg(REG)
    penalty = 0.5 * REG * sum(v for name, v in case.squares.items() if name[0] == "W")
    loss, case = oracle.loss_of(student, rng, case)
    more, _ = oracle.loss_of(student, rng, with_reg)
    hint = "0.5 * reg * (sum of squares of all W); dropout does not touch it"
    expect_close(more - loss, penalty, what="what reg adds to the loss", rtol=1e-5, hint=hint)
    plain, _ = oracle.gradients_of(student, rng, case)
    penalized, _ = oracle.gradients_of(student, rng, with_reg)
    for name, parameter in case.params.items():
        added = penalized[name].astype(np.float64) - plain[name]
        want = REG * parameter * (name[0] == "W")
        # The difference of two gradients loses digits where they are large: 1e-5 leaves room.
        rtol = 1e-5 if penalized[name].dtype == np.float64 else 1e-3
        what = f"what reg adds to grads[{name!r}]"
        expect_close(added, want, what=what, rtol=rtol, atol=rtol)


def parameters_are_as_before(student: Student, rng: Generator) -> None:
    """Names, shapes, spread and dtype of the parameters of a network with dropout."""
    made = {"weight_scale": 0.05, "dropout_keep_ratio": 0.5, "normalization": "batchnorm"}
    net = student.new(nets.CLASS, [80, 60], input_dim=40, num_classes=30, **made)
    params = net.get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    shapes = {"W1": (40, 80), "W2": (80, 60), "W3": (60, 30), "b1": (80,), "b2": (60,), "b3": (30,)}
    shapes |= {f"{name}{i}": shapes[f"b{i}"] for name in ("gamma", "beta") for i in (1, 2)}
    expect(set(params) == set(shapes), f"params has the keys {sorted(map(str, params))[:12]}")
    for name, shape in shapes.items():
        value = expect_shape(params[name], shape, f"params[{name!r}]")
        expect(value.dtype == np.float32, f"params[{name!r}] is {value.dtype}, not float32")
        if name[0] != "W":
            start = float(name.startswith("gamma"))
            expect(bool((value == start).all()), f"params[{name!r}] does not start at {start:g}")
            continue
        # 1800 numbers or more: spread and mean vary by 2 %, so 12 % is never reached by chance.
        what = f"the standard deviation of {name} for weight_scale = 0.05"
        expect_close(float(value.std()), 0.05, what=what, rtol=0.12, atol=0)
        expect(abs(float(value.mean())) < 0.12 * 0.05, f"{name} has a mean that is not 0")
