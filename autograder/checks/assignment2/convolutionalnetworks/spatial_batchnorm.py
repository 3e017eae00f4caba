"""Checks of spatial batch normalisation.

Shapes: x, out, dout (N, C, H, W); gamma, beta and all statistics (C,).
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
    spatial_batchnorm,
)
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.assignment2.convolutionalnetworks.spatial_inputs import (
    EPS,
    GRADIENTS,
    draw_factors,
    draw_images,
)
from autograder.checks.shared.layers import Array, several
from autograder.judge import (
    Ref,
    Student,
    check,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

PAIR = ("spatial_batchnorm_forward", "spatial_batchnorm_backward")
FORWARD, BACKWARD = "cnn-sbn-forward", "cnn-sbn-backward"
# N, C, H, W: all different, so that no wrong order of axes fits by chance.
SHAPES = ((4, 3, 5, 2), (2, 5, 3, 4), (3, 2, 1, 6))
PER_CHANNEL = "one mean and one variance for each channel, over images, rows and columns"


# -- spatial batch normalisation, forward ---------------------------------------------------------


def _batch_case(
    rng: Generator, shape: tuple[int, ...], *, eps: float | None = None, spread: float = 1.0
) -> Case:
    arrays = (draw_images(rng, shape, spread), *draw_factors(rng, shape[1]))
    param: dict[str, Any] = {"mode": "train"} if eps is None else {"mode": "train", "eps": eps}
    return make_case(rng, arrays, [param], spatial_batchnorm(EPS if eps is None else eps))


@check_answer(FORWARD, probe="SBN-A1", weight=3)
def channels_are_normalised(student: Student, rng: Generator) -> None:
    """Training mode: every channel is normalised, then scaled and shifted by its own numbers."""
    _expect_batchnorm(student, _batch_case(rng, SHAPES[0]))
    # Variance and eps of one size: then it shows where eps stands, and which variance it is.
    _expect_batchnorm(student, _batch_case(rng, SHAPES[0], eps=1e-2, spread=0.05))


@check_answer(FORWARD, probe="SBN-A4", weight=2)
def channels_of_images_that_are_not_square(student: Student, rng: Generator) -> None:
    """Wide images, high images, a single image."""
    for shape in (*SHAPES[1:], (1, 4, 2, 3), (3, 1, 2, 5)):
        _expect_batchnorm(student, _batch_case(rng, shape))


@check_answer(FORWARD, probe="SBN-A1", weight=2)
def running_statistics_of_channels(student: Student, rng: Generator) -> None:
    """Running mean and variance after one call and after three, for two momenta."""
    for momentum, calls in ((None, 1), (0.5, 3)):
        batches = [_batch_case(rng, SHAPES[0], spread=2.0) for _ in range(calls)]
        param: dict[str, Any] = {"mode": "train"}
        param |= {} if momentum is None else {"momentum": momentum}
        kept = student.put(param)
        for case in batches:
            _ask(student, case, kept)
        mean, var = _running(batches, 0.9 if momentum is None else momentum)
        found = student.fetch(kept)
        hint = "one number for each channel, kept in bn_param from call to call"
        for name, want in (("running_mean", mean), ("running_var", var)):
            expect(isinstance(found, dict) and name in found, f"bn_param has no {name!r}: {hint}")
            # Some keep the variance with eps added: 1e-5, and right enough.
            what = f"bn_param[{name!r}] after {calls} calls"
            expect_close(found[name], want, what=what, hint=hint, rtol=1e-4, atol=1e-4)


@check_answer(FORWARD, probe="SBN-A3", weight=2)
def test_mode_uses_running_statistics(student: Student, rng: Generator) -> None:
    """Test mode: the running statistics normalise, and stay as they are."""
    case = _batch_case(rng, SHAPES[0])
    mean, var = rng.normal(size=3), rng.uniform(0.5, 2.0, size=3)
    param = {"mode": "test", "running_mean": mean, "running_var": var, "eps": 1e-3}
    kept = student.put(param)
    got = _ask(student, case, kept)
    x, gamma, beta = case.arrays
    across = (-1, 1, 1)
    scaled = (x - mean.reshape(across)) / np.sqrt(var.reshape(across) + 1e-3)
    want = gamma.reshape(across) * scaled + beta.reshape(across)
    slip = "in test mode the batch's own statistics are used, not the running ones"
    param_free = spatial_batchnorm(1e-3)
    name_slip(got, want, {slip: Case(case.arrays, (), param_free, case.dout).out})
    expect_near(got, want, what="out in test mode")
    after = student.fetch(kept)
    for name, before in (("running_mean", mean), ("running_var", var)):
        expect_unchanged(after.get(name), before, f"in test mode, bn_param[{name!r}]")


@check_answer(FORWARD, probe="SBN-A3")
def test_mode_treats_each_image_alone(student: Student, rng: Generator) -> None:
    """Test mode: an image gets the same numbers alone and among others."""
    case = _batch_case(rng, SHAPES[0])
    x, gamma, beta = case.arrays
    param = {"running_mean": rng.normal(size=3), "running_var": rng.uniform(0.5, 2.0, size=3)}
    whole, alone = (
        student.call(PAIR[0], images.copy(), gamma.copy(), beta.copy(), given, keep=(1,))
        for images, given in ((x, {"mode": "test", **param}), (x[1:2], {"mode": "test", **param}))
    )
    together = expect_shape(several(PAIR[0], whole, "out, cache")[0], x.shape, "out")
    expect(np.std(together) > 0, "out is the same number everywhere")
    single = several(PAIR[0], alone, "out, cache")[0]
    expect_near(single, together[1:2], what="out for one image in test mode")


def _ask(student: Student, case: Case, param: Ref) -> Any:
    """out, for a bn_param that lives in the kernel."""
    answer = student.call(PAIR[0], *(a.copy() for a in case.arrays), param, keep=(1,))
    return several(PAIR[0], answer, "out, cache")[0]


def _running(batches: list[Case], momentum: float) -> tuple[Array, Array]:
    """Running mean and variance (C,) after training on these batches."""
    C = batches[0].arrays[1].size
    mean, var = np.zeros(C), np.zeros(C)
    for case in batches:
        x = case.arrays[0]
        mean = momentum * mean + (1 - momentum) * x.mean(axis=(0, 2, 3))
        var = momentum * var + (1 - momentum) * x.var(axis=(0, 2, 3))
    return mean, var


def _expect_batchnorm(student: Student, case: Case) -> None:
    x, gamma, beta = case.arrays
    got, _ = oracle.forward(student, PAIR[0], case)
    across = (-1, 1, 1)
    plain = (case.out - beta.reshape(across)) / gamma.reshape(across)
    eps = case.more[0].get("eps", EPS)
    of_each_image = groupnorm(x.shape[1], eps)
    slips = {"gamma and beta are not used": plain}
    if len(x) > 1:
        alone = Case(case.arrays, (), of_each_image, case.dout).out
        slips["every image has statistics of its own here; the batch shares them"] = alone
    name_slip(got, case.out, slips)
    expect_near(got, case.out, what=f"out for x of shape {x.shape}", hint=PER_CHANNEL)


@check(FORWARD, probe="SBN-A1", condition=True)
def spatial_batchnorm_leaves_its_input(student: Student, rng: Generator) -> None:
    """x is as before after the call."""
    case = _batch_case(rng, SHAPES[0])
    kept = student.put(case.arrays[0])
    student.call(PAIR[0], kept, *case.arguments[1:], keep=True)
    expect_unchanged(student.fetch(kept), case.arrays[0], "x")


# -- spatial batch normalisation, backward --------------------------------------------------------


@check_answer(BACKWARD, probe="SBN-A2", weight=3)
def dx_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dx: every number of a channel depends on all others of that channel."""
    _expect_batch_gradients(student, rng, 0, "the mean and the variance depend on x as well")


@check_answer(BACKWARD, probe="SBN-A2", weight=2)
def dgamma_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dgamma, one number for each channel."""
    _expect_batch_gradients(student, rng, 1, "sum over images, rows and columns")


@check_answer(BACKWARD, probe="SBN-A2")
def dbeta_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dbeta, one number for each channel."""
    _expect_batch_gradients(student, rng, 2, "sum over images, rows and columns")


@check_answer(BACKWARD, probe="SBN-A4", weight=2)
def gradients_of_images_that_are_not_square(student: Student, rng: Generator) -> None:
    """Wide images, high images, a single image: all three gradients."""
    for shape in (*SHAPES[1:], (1, 4, 2, 3), (3, 1, 2, 5)):
        case = _batch_case(rng, shape)
        found = oracle.backward(student, PAIR, case, GRADIENTS)
        for name, got, want in zip(GRADIENTS.split(", "), found, case.gradients, strict=True):
            expect_near(got, want, what=f"{name} for x of shape {shape}")


def _expect_batch_gradients(student: Student, rng: Generator, which: int, hint: str) -> None:
    name = GRADIENTS.split(", ")[which]
    for more in ({}, {"eps": 1e-2, "spread": 0.2}):
        case = _batch_case(rng, SHAPES[0], **more)
        got = oracle.backward(student, PAIR, case, GRADIENTS)[which]
        expect_near(got, case.gradients[which], what=name, hint=hint)
