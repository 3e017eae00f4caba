"""Checks of spatial batch normalisation.

Shapes: x, out, dout, dx (N, C, H, W); gamma, beta, their gradients and all statistics (C,).
"""

from __future__ import annotations

from numpy.random import Generator

from autograder.checks.assignment2.convolutionalnetworks import spatial_cases as spatial
from autograder.checks.assignment2.convolutionalnetworks.own_work import check_answer
from autograder.checks.assignment2.convolutionalnetworks.spatial_cases import (
    SMALL,
    SPATIAL_BATCH,
    draw_images,
)
from autograder.checks.shared import running_statistics as running
from autograder.checks.shared.normalization import DEFAULT_EPS, Case, right_output
from autograder.checks.shared.normalization_answers import ask_forward, expect_output
from autograder.judge import (
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
    expect_unchanged,
)

FORWARD, BACKWARD = "cnn-sbn-forward", "cnn-sbn-backward"
# N, C, H, W: all different, so that no wrong order of axes fits by chance.
SHAPE = (4, 3, 5, 2)
NOT_SQUARE = ((2, 5, 3, 4), (3, 2, 1, 6), (1, 4, 2, 3), (3, 1, 2, 5))
# Restates the contract, so it is true whatever the answer is.
PER_CHANNEL = "one mean and one variance for each channel, over images, rows and columns"


@check_answer(FORWARD, probe="SBN-A1", weight=2)
def channels_are_normalised(student: Student, rng: Generator) -> None:
    """Training mode: every channel is normalised, then scaled and shifted by its own numbers."""
    _expect_output(student, draw_images(rng, SPATIAL_BATCH, SHAPE))


@check_answer(FORWARD, probe="SBN-A4")
def channels_of_images_that_are_not_square(student: Student, rng: Generator) -> None:
    """Wide images, high images, a single image, a single channel."""
    for shape in NOT_SQUARE:
        _expect_output(student, draw_images(rng, SPATIAL_BATCH, shape))


@check_answer(FORWARD, probe="SBN-A1")
def channels_with_small_variance(student: Student, rng: Generator) -> None:
    """A variance that is no larger than eps."""
    _expect_output(student, draw_images(rng, SPATIAL_BATCH, SHAPE, **SMALL))


# What the layer cannot be used for: predictions. That is half of its work, so these weigh as much
# as everything else: statistics that are never updated, or never used, fail two of the three.
@check_answer(FORWARD, probe="SBN-A1", weight=3)
def running_statistics_of_channels(student: Student, rng: Generator) -> None:
    """Running mean and variance after one batch and after three, for two momenta."""
    for given, calls in (({}, 1), ({"momentum": 0.5}, 3)):
        cases = [draw_images(rng, SPATIAL_BATCH, SHAPE, spread=2.0) for _ in range(calls)]
        running.expect_running(student, SPATIAL_BATCH, cases, given)


@check_answer(FORWARD, probe="SBN-A3", weight=3)
def test_mode_uses_running_statistics(student: Student, rng: Generator) -> None:
    """Test mode: the running statistics normalise, several images and one alone."""
    for spread, eps in ((1.0, DEFAULT_EPS), (0.05, 1e-2)):
        case = draw_images(rng, SPATIAL_BATCH, SHAPE, spread=spread, eps=eps)
        mean, var = rng.normal(size=3), rng.uniform(0.5, 2.0, size=3)
        given = {"running_mean": spread * mean, "running_var": spread**2 * var}
        for some in (case, case.rows(slice(1, 2))):
            got = running.output_in_test_mode(student, SPATIAL_BATCH, some, given)
            running.expect_output_in_test_mode(got, SPATIAL_BATCH, some, given)


@check_answer(FORWARD, probe="SBN-A3", weight=3)
def test_mode_after_training(student: Student, rng: Generator) -> None:
    """Trained on one batch again and again, then test mode: an image alone is normalised alike."""
    case = draw_images(rng, SPATIAL_BATCH, (6, 3, 5, 4))
    out, _ = ask_forward(student, SPATIAL_BATCH, case)
    want = expect_shape(out, case.x.shape, "out in training mode")[:1]
    # 0.5**20 of the start is left, for whichever of the two shares is called the momentum.
    given = running.train_on(student, SPATIAL_BATCH, [case] * 20, {"momentum": 0.5})
    for name in running.STATISTICS:
        expect(name in given, f"after training, bn_param has no entry {name!r}")
    learned = {name: as_array(given[name], name) for name in running.STATISTICS}
    image = case.rows(slice(0, 1))
    got = running.output_in_test_mode(student, SPATIAL_BATCH, image, learned)
    # What the variance was divided by (0.4 %) and eps in running_var are asked for elsewhere.
    what = "out in test mode, after 20 equal batches, compared with training mode,"
    slip = "in test mode, an image alone is normalised by its own mean and variance"
    slips = {slip: right_output(SPATIAL_BATCH, image)}
    expect_close(got, want, what=what, slips=slips, rtol=0.02, atol=0.02)


@check(FORWARD, probe="SBN-A1", condition=True)
def running_var_without_eps(student: Student, rng: Generator) -> None:
    """running_var after two batches, for a large eps and for a small one."""
    cases = [draw_images(rng, SPATIAL_BATCH, SHAPE) for _ in range(2)]
    running.expect_eps_is_not_stored(student, SPATIAL_BATCH, cases)


@check(FORWARD, probe="SBN-A3", condition=True)
def batchnorm_leaves_what_it_is_given(student: Student, rng: Generator) -> None:
    """x is as before in both modes, and in test mode the running statistics are."""
    case = draw_images(rng, SPATIAL_BATCH, SHAPE)
    given = {"running_mean": rng.normal(size=3), "running_var": rng.uniform(0.5, 2.0, size=3)}
    for mode in ("train", "test"):
        x, kept = student.put(case.x), student.put({"mode": mode, **running.copies(given)})
        student.call(SPATIAL_BATCH.forward, x, *case.arrays[1:], kept, keep=True)
        expect_unchanged(student.fetch(x), case.x, f"x, in {mode} mode,")
    after = running.fetch(student, kept)
    for name, before in given.items():
        expect_unchanged(after.get(name), before, f"in test mode, bn_param[{name!r}]")


def _expect_output(student: Student, case: Case) -> None:
    expect_output(ask_forward(student, SPATIAL_BATCH, case)[0], SPATIAL_BATCH, case, PER_CHANNEL)


# -- backward -------------------------------------------------------------------------------------


@check_answer(BACKWARD, probe="SBN-A2", weight=2)
def dbeta_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dbeta, one number for each channel; images that are not square, a single image."""
    _expect_gradient(student, rng, "dbeta")


@check_answer(BACKWARD, probe="SBN-A2", weight=2)
def dgamma_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dgamma, one number for each channel; images that are not square, a single image."""
    _expect_gradient(student, rng, "dgamma")


@check_answer(BACKWARD, probe="SBN-A2", weight=3)
def dx_of_spatial_batchnorm(student: Student, rng: Generator) -> None:
    """dx: every number of a channel depends on all others of that channel."""
    for more in ({}, SMALL):
        case = draw_images(rng, SPATIAL_BATCH, SHAPE, **more)
        spatial.expect_gradient_of(student, SPATIAL_BATCH, case, "dx")


@check_answer(BACKWARD, probe="SBN-A4", weight=2)
def dx_of_images_that_are_not_square(student: Student, rng: Generator) -> None:
    """dx of wide images, high images, a single image, a single channel."""
    for shape in NOT_SQUARE:
        case = draw_images(rng, SPATIAL_BATCH, shape)
        spatial.expect_gradient_of(student, SPATIAL_BATCH, case, "dx")


@check(BACKWARD, probe="SBN-A2", condition=True)
def spatial_gradients_have_no_stray_axes(student: Student, rng: Generator) -> None:
    """No gradient has an axis of length 1 too many, or too few."""
    spatial.expect_spatial_axes(student, SPATIAL_BATCH, draw_images(rng, SPATIAL_BATCH, SHAPE))


def _expect_gradient(student: Student, rng: Generator, name: str) -> None:
    for shape in (SHAPE, *NOT_SQUARE):
        case = draw_images(rng, SPATIAL_BATCH, shape)
        spatial.expect_gradient_of(student, SPATIAL_BATCH, case, name)
    case = draw_images(rng, SPATIAL_BATCH, SHAPE, **SMALL)
    spatial.expect_gradient_of(student, SPATIAL_BATCH, case, name)
