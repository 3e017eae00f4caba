"""Checks of group normalisation.

Shapes: x, out, dout, dx (N, C, H, W); gamma, beta and their gradients (1, C, 1, 1); G groups of C/G
channels each.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import spatial_cases as spatial
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.assignment2.convolutionalnetworks.spatial_cases import (
    SMALL,
    draw_images,
    group_norm,
)
from autograder.checks.shared.layers import Array
from autograder.checks.shared.normalization import Case, Norm, output_slips, right_output
from autograder.checks.shared.normalization_answers import (
    ask_forward,
    describe,
    expect_default_eps,
)
from autograder.judge import Student, advice, check, expect_near, expect_shape, expect_unchanged

FORWARD, BACKWARD = "cnn-gn-forward", "cnn-gn-backward"
# Restates the contract, so it is true whatever the answer is.
CONSECUTIVE = "a group is C/G channels that lie next to each other; each image has its own"
Sizes = tuple[tuple[int, int, int, int], int]
GROUPS: tuple[Sizes, ...] = (((2, 6, 3, 2), 3), ((3, 4, 2, 5), 2), ((2, 6, 2, 3), 2))
ONE_GROUP: Sizes = ((3, 4, 2, 5), 1)
EACH_CHANNEL: Sizes = ((3, 4, 2, 5), 4)
ONE_IMAGE: Sizes = ((1, 6, 2, 3), 2)


@check_answer(FORWARD, probe="GN-A1", weight=3)
def groups_of_several_channels(student: Student, rng: Generator) -> None:
    """More than one group, more than one channel in each."""
    for shape, groups in GROUPS:
        norm = group_norm(groups)
        _expect_output(student, norm, draw_images(rng, norm, shape))


@check_answer(FORWARD, probe="GN-A1")
def one_group_and_a_group_for_each_channel(student: Student, rng: Generator) -> None:
    """G = 1: each image is normalised as a whole. G = C: each channel of it by itself."""
    for shape, groups in (ONE_GROUP, EACH_CHANNEL):
        norm = group_norm(groups)
        _expect_output(student, norm, draw_images(rng, norm, shape))


@check_answer(FORWARD, probe="GN-A3", weight=2)
def channels_of_a_group_keep_their_factors(student: Student, rng: Generator) -> None:
    """gamma and beta belong to channels: two channels of a group have different ones."""
    norm, channels = group_norm(2), np.arange(6.0).reshape(1, 6, 1, 1)
    drawn = draw_images(rng, norm, (2, 6, 3, 2))
    case = replace(drawn, gamma=1.0 + channels, beta=10.0 - 3.0 * channels)
    _expect_output(student, norm, case)


@check_answer(FORWARD, probe="GN-A4")
def eps_of_groupnorm_is_used(student: Student, rng: Generator) -> None:
    """eps given in gn_param, as large as the variance."""
    norm = group_norm(3)
    _expect_output(student, norm, draw_images(rng, norm, (2, 6, 3, 2), **SMALL))


@check(FORWARD, probe="GN-A4", condition=True)
def default_eps_of_groupnorm(student: Student, rng: Generator) -> None:
    """out where no eps is given, and the variance is about as large as the default one."""
    norm = group_norm(3)
    case = draw_images(rng, norm, (2, 6, 3, 2), spread=3e-3, eps=None)
    expect_default_eps(student, norm, case)


@check_answer(FORWARD, probe="GN-A5", weight=2)
def groupnorm_treats_each_image_alone(student: Student, rng: Generator) -> None:
    """An image gets the same numbers alone and among others; a batch of one works."""
    norm = group_norm(2)
    case = draw_images(rng, norm, (3, 4, 2, 3))
    one = case.rows(slice(1, 2))
    _expect_output(student, norm, one)
    others = replace(case, x=case.x * np.array([7.0, 1.0, -3.0]).reshape(3, 1, 1, 1))
    out = expect_shape(ask_forward(student, norm, others)[0], case.x.shape, "out")
    what = "out for one image among others"
    expect_near(out[1:2], right_output(norm, one), what=what, hint="others have no influence")


@advice(FORWARD, probe="GN-A1")
def groupnorm_leaves_its_input(student: Student, rng: Generator) -> None:
    """x is as before after the call: the layers before may still need it."""
    norm = group_norm(3)
    case = draw_images(rng, norm, (2, 6, 3, 2))
    x = student.put(case.x)
    student.call(norm.forward, x, *case.arrays[1:], norm.groups, norm.settings(case), keep=True)
    expect_unchanged(student.fetch(x), case.x, "x")


def _expect_output(student: Student, norm: Norm, case: Case) -> None:
    what = f"out for {describe(case)} and G = {norm.groups}"
    slips = output_slips(norm, case) | _wrong_groups(norm, case)
    got, _ = ask_forward(student, norm, case)
    expect_near(got, right_output(norm, case), what=what, slips=slips, hint=CONSECUTIVE)


def _wrong_groups(norm: Norm, case: Case) -> dict[str, Array]:
    """What comes of wrong groups, each with its message."""
    C, G = case.x.shape[1], norm.groups
    if not 1 < G < C:
        return {}
    # Channels in an order in which those of every G-th channel lie next to each other, and back.
    order = np.arange(C).reshape(C // G, G).T.ravel()
    plain = replace(case, gamma=np.ones_like(case.gamma), beta=np.zeros_like(case.beta))
    apart = right_output(norm, replace(plain, x=case.x[:, order]))[:, np.argsort(order)]
    slips = {
        "groups hold every G-th channel here, not channels next to each other": (
            case.gamma * apart + case.beta
        ),
        "mean and variance are those of a group in the whole batch; each image has its own": (
            case.gamma * _over_the_batch(case, G) + case.beta
        ),
    }
    if G != C // G:
        swapped = right_output(replace(norm, groups=C // G), case)
        slips["there are C/G groups of G channels here, not G groups of C/G"] = swapped
    return slips


def _over_the_batch(case: Case, G: int) -> Array:
    N, C, H, W = case.x.shape
    groups = case.x.reshape(N, G, C // G, H, W)
    mean = groups.mean(axis=(0, 2, 3, 4), keepdims=True)
    var = groups.var(axis=(0, 2, 3, 4), keepdims=True)
    return ((groups - mean) / np.sqrt(var + case.root_eps)).reshape(case.x.shape)


# -- backward -------------------------------------------------------------------------------------


@check_answer(BACKWARD, probe="GN-A2", weight=2)
def dbeta_of_groupnorm(student: Student, rng: Generator) -> None:
    """dbeta, for each channel, of several images and of one."""
    _expect_gradient(student, rng, (*GROUPS, ONE_IMAGE), "dbeta")


@check_answer(BACKWARD, probe="GN-A2", weight=2)
def dgamma_of_groupnorm(student: Student, rng: Generator) -> None:
    """dgamma, for each channel, of several images and of one."""
    _expect_gradient(student, rng, (*GROUPS, ONE_IMAGE), "dgamma")


# Without dx no layer below ever learns.
@check_answer(BACKWARD, probe="GN-A2", weight=6)
def dx_of_groupnorm(student: Student, rng: Generator) -> None:
    """dx for several groups, one group, each channel a group, and a single image."""
    _expect_gradient(student, rng, (*GROUPS, ONE_GROUP, EACH_CHANNEL, ONE_IMAGE), "dx")


@check_answer(BACKWARD, probe="GN-A4", weight=2)
def gradients_of_groupnorm_use_eps(student: Student, rng: Generator) -> None:
    """dx and dgamma for an eps as large as the variance; dbeta does not depend on it."""
    norm = group_norm(3)
    case = draw_images(rng, norm, (2, 6, 3, 2), **SMALL)
    for name in ("dx", "dgamma"):
        spatial.expect_gradient_of(student, norm, case, name)


@check(BACKWARD, probe="GN-A2", condition=True)
def groupnorm_gradients_have_no_stray_axes(student: Student, rng: Generator) -> None:
    """dgamma and dbeta are of shape (1, C, 1, 1), as gamma and beta are."""
    norm = group_norm(3)
    spatial.expect_spatial_axes(student, norm, draw_images(rng, norm, (2, 6, 3, 2)))


# A net with two such layers learns nothing when the second call spoils the first one's gradients.
@check(BACKWARD, probe="GN-A2", weight=3, condition=True)
def groupnorm_depends_on_its_own_cache(student: Student, rng: Generator) -> None:
    """Two forward calls, then backward for the first: its own cache decides."""
    norms = group_norm(3), group_norm(2)
    first, second = (draw_images(rng, norm, (2, 6, 3, 2)) for norm in norms)
    spatial.expect_own_spatial_cache(student, norms, first, second)


def _expect_gradient(student: Student, rng: Generator, sizes: tuple[Sizes, ...], name: str) -> None:
    for shape, groups in sizes:
        norm = group_norm(groups)
        spatial.expect_gradient_of(student, norm, draw_images(rng, norm, shape), name)
