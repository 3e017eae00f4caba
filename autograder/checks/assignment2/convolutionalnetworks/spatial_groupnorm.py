"""Checks of group normalisation.

Shapes: x, out, dout (N, C, H, W); gamma and beta (1, C, 1, 1); G groups of C/G channels each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import oracle
from autograder.checks.assignment2.convolutionalnetworks.oracle import (
    Case,
    groupnorm,
    make_case,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.assignment2.convolutionalnetworks.spatial_inputs import (
    EPS,
    GRADIENTS,
    draw_factors,
    draw_images,
)
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    advice,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

PAIR = ("spatial_groupnorm_forward", "spatial_groupnorm_backward")
FORWARD, BACKWARD = "cnn-gn-forward", "cnn-gn-backward"
# -- forward -----------------------------------------------------------------

CONSECUTIVE = "a group is C/G channels that lie next to each other; each image has its own"
GROUPS = (((2, 6, 3, 2), 3), ((3, 4, 2, 5), 2), ((2, 6, 2, 3), 2))


def _group_case(
    rng: Generator,
    shape: tuple[int, ...],
    groups: int,
    *,
    eps: float | None = None,
    spread: float = 1.0,
    param: dict[str, Any] | None = None,
) -> Case:
    gamma, beta = (factor.reshape(1, -1, 1, 1) for factor in draw_factors(rng, shape[1]))
    arrays = (draw_images(rng, shape, spread), gamma, beta)
    given = {} if eps is None else {"eps": eps}
    layer = groupnorm(groups, EPS if eps is None else eps)
    return make_case(rng, arrays, [groups, given | (param or {})], layer)


@check_answer(FORWARD, probe="GN-A1", weight=3)
def groups_of_several_channels(student: Student, rng: Generator) -> None:
    """More than one group, more than one channel in each."""
    for shape, groups in GROUPS:
        _expect_groupnorm(student, _group_case(rng, shape, groups))


@check_answer(FORWARD, probe="GN-A1")
def all_channels_in_one_group(student: Student, rng: Generator) -> None:
    """G = 1: each image is normalised as a whole."""
    _expect_groupnorm(student, _group_case(rng, (3, 4, 2, 5), 1))


@check_answer(FORWARD, probe="GN-A1")
def each_channel_a_group(student: Student, rng: Generator) -> None:
    """G = C: each channel of each image by itself."""
    _expect_groupnorm(student, _group_case(rng, (3, 4, 2, 5), 4))


@check_answer(FORWARD, probe="GN-A3", weight=2)
def channels_of_a_group_keep_their_factors(student: Student, rng: Generator) -> None:
    """gamma and beta belong to channels: two channels of a group have different ones."""
    drawn = _group_case(rng, (2, 6, 3, 2), 2)
    channels = np.arange(6.0).reshape(1, 6, 1, 1)
    arrays = (drawn.arrays[0], 1.0 + channels, 10.0 - 3.0 * channels)
    _expect_groupnorm(student, Case(arrays, drawn.more, drawn.layer, drawn.dout))


@check_answer(FORWARD, probe="GN-A4", weight=2)
def eps_of_groupnorm_is_used(student: Student, rng: Generator) -> None:
    """eps given in gn_param, as large as the variance; and the default one."""
    _expect_groupnorm(student, _group_case(rng, (2, 6, 3, 2), 3, eps=1e-2, spread=0.05))
    _expect_groupnorm(student, _group_case(rng, (2, 6, 3, 2), 3, spread=3e-3))


@check_answer(FORWARD, probe="GN-A5", weight=2)
def groupnorm_treats_each_image_alone(student: Student, rng: Generator) -> None:
    """An image gets the same numbers alone and among others; a batch of one works."""
    case = _group_case(rng, (3, 4, 2, 3), 2)
    x, gamma, beta = case.arrays
    one = Case((x[1:2], gamma, beta), case.more, case.layer, case.dout[1:2])
    _expect_groupnorm(student, one)
    others = Case((x * np.array([7.0, 1.0, -3.0]).reshape(3, 1, 1, 1), gamma, beta), *_rest(case))
    got, _ = oracle.forward(student, PAIR[0], others)
    image = expect_shape(got, x.shape, "out")[1:2]
    expect_near(image, one.out, what="out for one image", hint="other images have no influence")


def _rest(case: Case) -> tuple[Any, ...]:
    return case.more, case.layer, case.dout


def _expect_groupnorm(student: Student, case: Case) -> None:
    x, gamma, beta = case.arrays
    groups, param = case.more
    got, _ = oracle.forward(student, PAIR[0], case)
    plain = (case.out - beta) / gamma
    slips = {"gamma and beta are not used": plain}
    (N, C, *_), eps = x.shape, param.get("eps", EPS)
    if 1 < groups < C:
        apart = x.reshape(N, C // groups, groups, -1).swapaxes(1, 2)  # every G-th channel
        slips["groups hold every G-th channel here, not channels next to each other"] = (
            gamma * _standard(apart, eps).swapaxes(1, 2).reshape(x.shape) + beta
        )
    if groups not in (1, C // groups):
        swapped = _standard(x.reshape(N, C // groups, groups, -1), eps).reshape(x.shape)
        slips["there are C/G groups of G channels here, not G groups of C/G"] = (
            gamma * swapped + beta
        )
    name_slip(got, case.out, slips)
    what = f"out for x of shape {x.shape} and G = {groups}"
    expect_near(got, case.out, what=what, hint=CONSECUTIVE)


def _standard(x: Array, eps: float) -> Array:
    """x (N, groups, channels, pixels) with mean 0 and variance 1 in each group."""
    mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


@advice(FORWARD, probe="GN-A1")
def groupnorm_leaves_its_input(student: Student, rng: Generator) -> None:
    """x is as before after the call: the layers before may still need it."""
    case = _group_case(rng, (2, 6, 3, 2), 3)
    kept = student.put(case.arrays[0])
    student.call(PAIR[0], kept, *case.arguments[1:], keep=True)
    expect_unchanged(student.fetch(kept), case.arrays[0], "x")


# -- group normalisation, backward ----------------------------------------------------------------


@check_answer(BACKWARD, probe="GN-A2", weight=4)
def dx_of_groupnorm(student: Student, rng: Generator) -> None:
    """dx for several groups, one group, and each channel a group."""
    hint = "mean and variance of a group depend on x; gamma differs inside a group"
    for shape, groups in (*GROUPS, ((3, 4, 2, 5), 1), ((3, 4, 2, 5), 4)):
        _expect_group_gradient(student, _group_case(rng, shape, groups), 0, hint)


@check_answer(BACKWARD, probe="GN-A2", weight=2)
def dgamma_of_groupnorm(student: Student, rng: Generator) -> None:
    """dgamma, of shape (1, C, 1, 1)."""
    for shape, groups in GROUPS:
        hint = "a sum over images, rows and columns, for each channel"
        _expect_group_gradient(student, _group_case(rng, shape, groups), 1, hint)


@check_answer(BACKWARD, probe="GN-A2", weight=2)
def dbeta_of_groupnorm(student: Student, rng: Generator) -> None:
    """dbeta, of shape (1, C, 1, 1)."""
    for shape, groups in GROUPS:
        hint = "a sum over images, rows and columns, for each channel"
        _expect_group_gradient(student, _group_case(rng, shape, groups), 2, hint)


@check_answer(BACKWARD, probe="GN-A4", weight=2)
def gradients_of_groupnorm_use_eps(student: Student, rng: Generator) -> None:
    """All three gradients for an eps as large as the variance."""
    case = _group_case(rng, (2, 6, 3, 2), 3, eps=1e-2, spread=0.05)
    for which in range(3):
        _expect_group_gradient(student, case, which, "eps stands in the root, with the variance")


@check_answer(BACKWARD, probe="GN-A5")
def gradients_of_a_single_image(student: Student, rng: Generator) -> None:
    """All three gradients for a batch of one."""
    case = _group_case(rng, (1, 6, 2, 3), 2)
    for which in range(3):
        _expect_group_gradient(student, case, which, "there may be one image only")


@check_answer(BACKWARD, probe="GN-A2")
def gradients_after_another_groupnorm(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    first, second = (_group_case(rng, (2, 6, 3, 2), groups) for groups in (3, 2))
    _, cache = oracle.forward(student, PAIR[0], first)
    oracle.forward(student, PAIR[0], second)
    found = oracle.from_cache(student, PAIR[1], first, cache, GRADIENTS)
    for name, got, want in zip(GRADIENTS.split(", "), found, first.gradients, strict=True):
        expect_near(got, want, what=name, hint="keep what backward needs in the cache")


def _expect_group_gradient(student: Student, case: Case, which: int, hint: str) -> None:
    name, groups = GRADIENTS.split(", ")[which], case.more[0]
    got = oracle.backward(student, PAIR, case, GRADIENTS)[which]
    what = f"{name} for x of shape {case.arrays[0].shape} and G = {groups}"
    expect_near(got, case.gradients[which], what=what, hint=hint)
