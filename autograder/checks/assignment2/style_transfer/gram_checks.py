"""What is asked of gram_matrix(features, normalize=True): (N, C, H, W) -> (N, C, C)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import oracle
from autograder.judge import (
    Failed,
    Ref,
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_near,
    expect_shape,
    expect_unchanged,
    name_slip,
)

CELL = "st-gram-matrix"
FUNCTION = "gram_matrix"
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


@check(CELL, probe="STY-A2")
def matrices_are_symmetric(student: Student, rng: Generator) -> None:
    """Channels c and d together are channels d and c together; places do not matter."""
    features = oracle.draw(rng, 2, 4, 3, 5)
    matrices = expect_shape(
        student.call(FUNCTION, features.clone()), (2, 4, 4), "the Gram matrices"
    )
    expect(np.any(matrices), "the Gram matrices are all zero")
    symmetric = np.allclose(matrices, matrices.transpose(0, 2, 1), rtol=1e-4, atol=1e-6)
    expect(symmetric, "the Gram matrices are not symmetric")
    places = torch.from_numpy(rng.permutation(15))
    moved = features.flatten(2)[:, :, places].reshape(features.shape)
    again = as_array(student.call(FUNCTION, moved), "the Gram matrices")
    expect_near(again, matrices, what="the Gram matrices after the pixels have changed places")


@check(CELL, probe="STY-A6", weight=2)
def gradient_reaches_the_features(student: Student, rng: Generator) -> None:
    """The gradient of the entries, with weights, with respect to the features."""
    features = oracle.draw(rng, 2, 4, 3, 5)
    answer = student.call(FUNCTION, features.clone().requires_grad_())
    expect_shape(answer, (2, 4, 4), "the Gram matrices")
    cut = "no gradient flows back: is the graph cut by detach, data, no_grad or numpy?"
    expect(isinstance(answer, Tensor) and answer.requires_grad, cut)
    upstream = oracle.draw(rng, 2, 4, 4)
    _, (slope,) = student.grad(FUNCTION, features, upstream=upstream)
    (want,) = oracle.slopes(lambda x: oracle.gram(x) * upstream.double(), features)
    oracle.expect_slope(slope, want, "the gradient with respect to the features")


@check(CELL, probe="STY-A7")
def any_order_in_memory(student: Student, rng: Generator) -> None:
    """Features that do not lie in memory in one piece, or in another order."""
    for name, layout in oracle.LAYOUTS.items():
        _expect_with_layout(student, oracle.draw(rng, 2, 4, 3, 5), name, layout)


@advice(CELL, probe="STY-A7")
def pixels_in_another_order_in_memory(student: Student, rng: Generator) -> None:
    """Features whose pixels lie column by column in memory: reshape can do what view cannot."""
    _expect_with_layout(student, oracle.draw(rng, 2, 4, 3, 5), "transposed", oracle.TRANSPOSED)


@check(CELL, probe="STY-A2", condition=True)
def features_are_left_alone(student: Student, rng: Generator) -> None:
    """The features are as before after the call."""
    features = oracle.draw(rng, 2, 4, 3, 5)
    kept = student.put(features)
    student.call(FUNCTION, kept)
    expect_unchanged(student.fetch(kept), features.numpy(), "features")


def _expect_with_layout(student: Student, features: Tensor, name: str, layout: str) -> None:
    answer = student.call(FUNCTION, oracle.laid_out(student, features, layout))
    got = expect_shape(answer, (2, 4, 4), "the Gram matrices")
    expect_near(got, oracle.gram(features).numpy(), what=f"the Gram matrices ({name})")


def _expect_gram(answer: object, features: Tensor, normalize: bool) -> None:
    N, C, H, W = features.shape
    if isinstance(answer, Ref):
        raise Failed(f"gram_matrix returned an object of type {answer.type_name}, not a tensor")
    got = as_array(answer, "the Gram matrices")
    if H * W != C and got.shape[-2:] == (H * W, H * W):
        raise Failed("this compares pixels with pixels: compare channels with channels")
    how = "normalised" if normalize else "not normalised"
    expect_shape(got, (N, C, C), f"the Gram matrices of features {tuple(features.shape)}")
    want = oracle.gram(features, normalize).numpy()
    name_slip(got, want, _slips(features, normalize))
    expect_near(got, want, what=f"the Gram matrices ({how})")


def _slips(features: Tensor, normalize: bool) -> dict[str, np.ndarray]:
    """What usual mistakes lead to."""
    N, C, H, W = features.shape
    sums = oracle.gram(features, normalize=False).numpy()
    mixed = features.double().reshape(N, H * W, C)  # cut anew, where axes should be exchanged
    scrambled = (mixed.transpose(1, 2) @ mixed).numpy() / (C * H * W if normalize else 1)
    common = {"reshape cuts the numbers anew, it does not exchange axes: pixels are mixed with "
              "channels": scrambled}  # fmt: skip
    if not normalize:
        return common | {"with normalize=False nothing is divided": sums / (C * H * W)}
    return common | {
        "they are not normalised: divide by H * W * C": sums,
        "they are divided by H * W only: C belongs to it": sums / (H * W),
        "they are divided by C only: H * W belongs to it": sums / C,
        "they are divided by N too: each image has its own matrix": sums / (N * C * H * W),
        "they are divided twice": sums / (C * H * W) ** 2,
    }
