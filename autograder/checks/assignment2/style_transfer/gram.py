"""What is asked of gram_matrix(features, normalize=True): (N, C, H, W) -> (N, C, C)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import oracle
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_near,
    expect_shape,
    expect_unchanged,
)

CELL = "st-gram-matrix"
FUNCTION = "gram_matrix"
WHAT = "the Gram matrices"
SHAPES = ((2, 3, 4, 5), (1, 6, 5, 2), (3, 5, 2, 3))  # more pixels than channels, and fewer


@check(CELL, probe="STY-A2", weight=3)
def matrices_are_right(student: Student, rng: Generator) -> None:
    """Several images that are not square, normalised."""
    for shape in SHAPES:
        features = oracle.draw(rng, *shape)
        _expect_gram(student.call(FUNCTION, features.clone()), features, True)
        _expect_gram(student.call(FUNCTION, features.clone(), normalize=True), features, True)


@check(CELL, probe="STY-A2", weight=2)
def normalization_can_be_turned_off(student: Student, rng: Generator) -> None:
    """The same without normalisation: the sums themselves."""
    for shape in SHAPES:
        features = oracle.draw(rng, *shape)
        _expect_gram(student.call(FUNCTION, features.clone(), normalize=False), features, False)
        _expect_gram(student.call(FUNCTION, features.clone(), False), features, False)


@check(CELL, probe="STY-A2", condition=True)
def each_image_has_its_matrix(student: Student, rng: Generator) -> None:
    """The matrices of N images with C channels have the shape (N, C, C)."""
    for N, C, H, W in SHAPES:
        answer = student.call(FUNCTION, oracle.draw(rng, N, C, H, W))
        expect_shape(answer, (N, C, C), f"the result for features {(N, C, H, W)}")


@check(CELL, probe="STY-A6", weight=6)
def gradient_reaches_the_features(student: Student, rng: Generator) -> None:
    """The gradient of the entries, with weights, with respect to the features."""
    features, upstream = oracle.draw(rng, 2, 4, 3, 5), oracle.draw(rng, 2, 4, 4)
    answer = student.call(FUNCTION, features.clone().requires_grad_())
    got = expect_shape(answer, (2, 4, 4)).astype(np.float64)
    flows = isinstance(answer, Tensor) and answer.requires_grad
    expect(flows, "no gradient flows back", oracle.CUT)
    _, (slope,) = student.grad(FUNCTION, features, upstream=upstream)
    (want,) = oracle.slopes(lambda x: oracle.gram(x) * upstream.double(), features)
    right = oracle.gram(features).numpy()
    factor = float(np.sum(got * right) / np.sum(right**2))
    oracle.expect_slope(slope, want, "the gradient with respect to the features", factor)


@check(CELL, probe="STY-A7", condition=True)
def any_order_in_memory(student: Student, rng: Generator) -> None:
    """Features that are not contiguous in memory: the matrices are those of contiguous ones."""
    for layout in oracle.LAYOUTS:
        _expect_with_layout(student, oracle.draw(rng, 2, 4, 3, 5), layout)


@advice(CELL, probe="STY-A7")
def transposed_pixels(student: Student, rng: Generator) -> None:
    """Features whose rows and columns are transposed in memory: reshape works, view raises."""
    _expect_with_layout(student, oracle.draw(rng, 2, 4, 3, 5), oracle.TRANSPOSED)


@check(CELL, probe="STY-A2", condition=True)
def features_are_left_alone(student: Student, rng: Generator) -> None:
    """The features are unchanged after the call."""
    features = oracle.draw(rng, 2, 4, 3, 5)
    kept = student.put(features)
    student.call(FUNCTION, kept)
    expect_unchanged(student.fetch(kept), features.numpy(), "features")


def _expect_with_layout(student: Student, features: Tensor, layout: str) -> None:
    want = as_array(student.call(FUNCTION, features.clone()), WHAT)
    got = student.call(FUNCTION, oracle.laid_out(student, features, layout))
    expect_near(got, want, what=f"{WHAT} ({layout})", precision="float32")


def _expect_gram(answer: object, features: Tensor, normalize: bool) -> None:
    """The numbers: an axis of length 1 that is missing costs points elsewhere."""
    _, C, H, W = features.shape
    got = as_array(answer, WHAT)
    pixels = H * W != C and got.shape[-2:] == (H * W, H * W)
    expect(not pixels, "the result compares pixels with pixels: compare channels with channels")
    what = f"{WHAT} of features {tuple(features.shape)}" + ("" if normalize else ", not normalised")
    want, slips = oracle.gram(features, normalize).numpy(), _slips(features, normalize)
    expect_near(got, want, what=what, slips=slips, precision="float32", squeeze=True)


def _slips(features: Tensor, normalize: bool) -> dict[str, np.ndarray]:
    """What usual mistakes lead to."""
    N, C, H, W = features.shape
    sums = oracle.gram(features, normalize=False).numpy()
    mixed = features.double().reshape(N, H * W, C)  # cut anew, where axes should be exchanged
    scrambled = (mixed.transpose(1, 2) @ mixed).numpy() / (C * H * W if normalize else 1)
    common = {"reshape does not exchange axes, it only cuts the numbers anew: pixels are "
              "mixed with channels": scrambled}  # fmt: skip
    if not normalize:
        return common | {"with normalize=False nothing is divided": sums / (C * H * W)}
    return common | {
        "they are not normalised: divide by H * W * C": sums,
        "they are divided by H * W only: divide by C as well": sums / (H * W),
        "they are divided by C only: divide by H * W as well": sums / C,
        "they are divided by N too: each image has its own matrix": sums / (N * C * H * W),
        "they are divided twice": sums / (C * H * W) ** 2,
    }
