"""Distances: the same probes for all three versions, and the loops that each may have.

Shapes: Nte test rows, Ntr training rows, D pixels each; distances are (Nte, Ntr).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from autograder.checks.assignment1.knn.oracle import trained
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    check_each,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_unchanged,
    forbid_loops,
    forbid_names,
    forbid_nested_loops,
    name_slip,
)

TWO, ONE, NONE = (f"compute_distances_{n}" for n in ("two_loops", "one_loop", "no_loops"))
VERSIONS = {"knn-two-loops": TWO, "knn-one-loop": ONE, "knn-no-loops": NONE}
READY_MADE = ("norm", "cdist", "pdist", "scipy", "sklearn", "euclidean_distances")
LAYOUT = "dists[i, j] is the distance from test row i to training row j"


@check_each(VERSIONS, probe="KNN-A1", weight=4)
def distances_are_euclidean(student: Student, rng: Generator, method: str) -> None:
    """Euclidean distances, more training rows than test rows."""
    train, test = rng.normal(size=(7, 5)), rng.normal(size=(4, 5))
    got = trained(student, train).call(method, test)
    expect_shape(got, (4, 7), "dists")
    squared = cdist(test, train, "sqeuclidean")
    cityblock = cdist(test, train, "cityblock")
    l1 = "these are L1 distances; the notebook asks for the Euclidean (L2) distance"
    slips = {"these are squared distances: take the square root": squared, l1: cityblock}
    name_slip(got, np.sqrt(squared), slips)
    expect_close(got, np.sqrt(squared), what="dists", hint=LAYOUT)


@check_each(VERSIONS, probe="KNN-A2")
def single_rows_work(student: Student, rng: Generator, method: str) -> None:
    """One test row, one training row, one pixel."""
    for n_test, n_train, width in ((1, 1, 4), (1, 6, 1), (5, 1, 3)):
        train, test = rng.normal(size=(n_train, width)), rng.normal(size=(n_test, width))
        got = trained(student, train).call(method, test)
        what = f"dists for {n_test} test row(s), {n_train} training row(s), D = {width}"
        expect_close(got, cdist(test, train), what=what, hint=LAYOUT)


@check_each(VERSIONS, probe="KNN-A3")
def pixels_are_exact(student: Student, rng: Generator, method: str) -> None:
    """Pixel values: equal images are at distance 0, one grey level apart at 1."""
    train = rng.integers(0, 256, size=(12, 3072)).astype(np.float64)
    test = train[[3, 11, 0, 7]].copy()
    test[3, rng.integers(3072)] += 1.0
    got = as_array(trained(student, train).call(method, test), "dists")
    expect_close(got, cdist(test, train), what="dists of pixel rows", hint=LAYOUT)
    hint = "whole numbers up to 255 are exact in float64; do not round or go through float32"
    pairs = ([0, 1, 2, 3], [3, 11, 0, 7])
    expect_equal(
        got[pairs], [0, 0, 0, 1], what="the distance between (almost) equal images", hint=hint
    )


@check_each(VERSIONS, probe="KNN-A7", condition=True)
def images_are_not_modified(student: Student, rng: Generator, method: str) -> None:
    """The images are as before after the call."""
    train, test = rng.normal(size=(6, 4)), rng.normal(size=(3, 4))
    knn, kept = trained(student, train), student.put(test)
    knn.call(method, kept)
    expect_unchanged(student.fetch(kept), test, "X")
    expect_unchanged(knn.get("X_train"), train, "self.X_train")


@check("knn-two-loops", probe="KNN-A8", condition=True)
def two_loops_computes_the_distance_itself(student: Student, rng: Generator) -> None:
    """No ready-made norm or distance function."""
    forbid_names(student, TWO, READY_MADE, "Write the distance out: differences, squares, root.")


@check("knn-one-loop", probe="KNN-A8", condition=True)
def one_loop_has_one_loop_and_no_norm(student: Student, rng: Generator) -> None:
    """One loop over the test rows; no ready-made norm or distance function."""
    forbid_nested_loops(student, ONE, "Let broadcasting treat all training rows at once.")
    forbid_names(student, ONE, READY_MADE, "Write the distance out: differences, squares, root.")


@check("knn-no-loops", probe="KNN-A3")
def nearest_neighbour_of_a_training_image_is_itself(student: Student, rng: Generator) -> None:
    """predict(k=1) on training images returns their own labels."""
    train = rng.integers(0, 256, size=(15, 3072)).astype(np.float64)
    labels = rng.permutation(15)
    got = trained(student, train, labels).call("predict", train[4:11], k=1)
    expect_equal(got, labels[4:11], what="the predicted labels", hint="the distances are at fault")


@check("knn-no-loops", probe="KNN-A8", weight=4, condition=True)
def no_loops_has_no_loop_and_no_norm(student: Student, rng: Generator) -> None:
    """No Python loop of any kind; no ready-made norm or distance function."""
    forbid_loops(student, NONE, "Expand the square: ||a||^2 - 2 a.b + ||b||^2.")
    forbid_names(student, NONE, READY_MADE, "Write the distance out with sums and one product.")


@check("knn-no-loops", probe="KNN-A8", weight=2)
def no_loops_is_a_matrix_product(student: Student, rng: Generator) -> None:
    """Many rows at once, in seconds and without gigabytes of differences."""
    n_test, n_train, width, looked_at = 600, 2000, 512, 20
    seeds = rng.integers(1 << 32, size=2)
    # All differences at once would take 4.9 GB, more than a kernel may have.
    train, test = student.draw(seeds[0], (n_train, width)), student.draw(seeds[1], (n_test, width))
    knn = student.new("KNearestNeighbor")
    knn.call("train", train, np.zeros(n_train, dtype=np.int64))
    got = as_array(student.fetch(knn.call(NONE, test, keep=True), rows=looked_at), "dists")
    expect_shape(got, (looked_at, n_train), "the first rows of dists")
    columns, rows = (np.random.default_rng(s).normal(size=(looked_at, width)) for s in seeds)
    expect_close(got[:, :looked_at], cdist(rows, columns), what="dists", hint=LAYOUT)


@advice("knn-no-loops", probe="KNN-B1")
def duplicates_of_any_value_stay_finite(student: Student, rng: Generator) -> None:
    """Equal rows of arbitrary numbers: rounding must not put a negative number under the root."""
    train = rng.normal(size=(40, 300)) * 100
    got = as_array(trained(student, train).call(NONE, train.copy()), "dists")
    hint = "clip the squared distances at 0 before the square root"
    expect(np.isfinite(got).all(), f"some distances between equal rows are nan: {hint}")
    expect_close(got, cdist(train, train), what="dists", atol=1e-3, hint=hint)
