"""Distances: the same probes for all three versions, and the loops that each may have.

Shapes: Nte test rows, Ntr training rows, D pixels each; distances are (Nte, Ntr).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from autograder.checks.assignment1.knn.oracle import majority, trained
from autograder.judge import (
    Failed,
    Student,
    StudentError,
    advice,
    as_array,
    check,
    check_each,
    expect,
    expect_close,
    expect_equal,
    expect_same_of_few,
    expect_shape,
    expect_unchanged,
    forbid_growth,
    forbid_loops,
    forbid_names,
    forbid_nested_loops,
)

TWO, ONE, NONE = (f"compute_distances_{n}" for n in ("two_loops", "one_loop", "no_loops"))
VERSIONS = {"knn-two-loops": TWO, "knn-one-loop": ONE, "knn-no-loops": NONE}
READY_MADE = ("norm", "cdist", "pdist", "scipy", "sklearn", "euclidean_distances")
ROOM = 384 << 20  # bytes; the answer without loops takes a few million
ROUNDING = float(np.finfo(np.float32).eps) / 2  # relative, of one float32 number


# Numbers around 100, as pixels are: their squares are large beside the distances, and in float32
# digits are lost that matter. So float32 costs this and what pixels are asked, half of a question.
@check_each(VERSIONS, probe="KNN-A1", weight=7)
def distances_are_euclidean(student: Student, rng: Generator, method: str) -> None:
    """Euclidean distances of numbers around 100, more training rows than test rows."""
    train, test = 100 + rng.normal(size=(7, 5)), 100 + rng.normal(size=(4, 5))
    got = as_array(trained(student, train).call(method, test), "dists")
    squared = cdist(test, train, "sqeuclidean")
    want, product = np.sqrt(squared), test @ train.T
    if got.shape == (7, 4) and np.allclose(got.T, want, rtol=1e-4):
        raise Failed(
            "dists is transposed: dists[i, j] is the distance from test row i to training row j"
        )
    squares = np.add.outer(np.sum(test**2, axis=1), np.sum(train**2, axis=1))
    slips = {
        "these are squared distances: take the square root": squared,
        "these are L1 distances; the notebook asks for Euclidean (L2) distances": cdist(
            test, train, "cityblock"
        ),
        "these are roots of mean squares; a distance is the root of a sum": np.sqrt(squared / 5),
        "the product of test and training rows is added; it should be subtracted": np.sqrt(
            squares + 2 * product
        ),
        "the product of test and training rows is subtracted once; it should be twice": np.sqrt(
            squares - product
        ),
    }
    _expect_float64(got, want, squares, "dists", roundings=8)
    expect_close(got, want, what="dists", slips=slips)


@check_each(VERSIONS, probe="KNN-A2", rare=True)
def single_rows_work(student: Student, rng: Generator, method: str) -> None:
    """One test row, one training row, one pixel."""
    for n_test, n_train, width in ((1, 1, 4), (1, 6, 1), (5, 1, 3)):
        train, test = rng.normal(size=(n_train, width)), rng.normal(size=(n_test, width))
        got = trained(student, train).call(method, test)
        what = f"dists for {n_test} test row(s), {n_train} training row(s), D = {width}"
        expect_close(got, cdist(test, train), what=what)


@check_each(VERSIONS, probe="KNN-A3", weight=2)
def pixels_are_exact(student: Student, rng: Generator, method: str) -> None:
    """Pixel values: equal images are at distance 0, one grey level apart at 1."""
    train = rng.integers(0, 256, size=(12, 3072)).astype(np.float64)
    same = [3, 11, 0, 7]
    test = train[same].copy()
    test[3, rng.integers(3072)] += 1.0
    got = expect_shape(trained(student, train).call(method, test), (4, 12), "dists of pixel rows")
    want = cdist(test, train)
    squares = np.add.outer(np.sum(test**2, axis=1), np.sum(train**2, axis=1))
    _expect_float64(got, want, squares, "dists of pixel rows", roundings=64)
    apart = want > 1
    expect_close(got[apart], want[apart], what="dists of different pixel rows")
    what = "the distances of equal images and of images one grey level apart"
    expect_equal(got[range(4), same], [0, 0, 0, 1], what=what)


@check_each(VERSIONS, probe="KNN-A3")
def nearest_neighbour_of_a_training_image_is_itself(
    student: Student, rng: Generator, method: str
) -> None:
    """Each training image is nearest to itself. Distances that are wrong may have this order."""
    train = rng.integers(0, 256, size=(15, 3072)).astype(np.float64)
    got = expect_shape(trained(student, train).call(method, train[4:11]), (7, 15), "dists")
    others = int(np.sum(majority(got, np.arange(15), k=1) != np.arange(4, 11)))
    expect(
        not others, f"for {others} of 7 training images, another image is at the smallest distance"
    )


@check_each(VERSIONS, probe="KNN-A7", condition=True)
def images_are_unchanged(student: Student, rng: Generator, method: str) -> None:
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


@check("knn-one-loop", probe="KNN-A8", weight=3, condition=True)
def one_loop_has_one_loop_and_no_norm(student: Student, rng: Generator) -> None:
    """One loop over the test rows; no ready-made norm or distance function."""
    forbid_nested_loops(student, ONE, "Let broadcasting treat all training rows at once.")
    forbid_names(student, ONE, READY_MADE, "Write the distance out: differences, squares, root.")


@check("knn-no-loops", probe="KNN-A8", weight=4, condition=True)
def no_loops_has_no_loop_and_no_norm(student: Student, rng: Generator) -> None:
    """No Python loop of any kind; no ready-made norm or distance function."""
    forbid_loops(student, NONE, "Expand the square: ||a||^2 - 2 a.b + ||b||^2.")
    forbid_names(student, NONE, READY_MADE, "Write the distance out with sums and one product.")


@check("knn-no-loops", probe="KNN-A8", condition=True)
def no_loops_takes_no_time_for_a_row(student: Student, rng: Generator) -> None:
    """Test rows that are short, few of them and then many: no loop, however it is written."""
    knn = trained(student, rng.normal(size=(2, 2)))

    def prepare(rows: int) -> Callable[[], object]:
        X = rng.normal(size=(rows, 2))
        test, some = student.put(X), rng.integers(rows, size=20)

        def call() -> None:
            many, few = knn.call(NONE, test), knn.call(NONE, X[some])
            if isinstance(many, np.ndarray) and rows in many.shape:  # transposed is no loop
                many = many.take(some, axis=many.shape.index(rows))
            expect_same_of_few(many, few)

        return call

    forbid_growth(student, prepare, "Expand the square: ||a||^2 - 2 a.b + ||b||^2.")


@check("knn-no-loops", probe="KNN-A8", weight=2)
def no_loops_is_a_matrix_product(student: Student, rng: Generator) -> None:
    """Many rows at once, and without the memory that all differences take."""
    n_test, n_train, width, looked_at = 250, 320, 1500, 20
    seeds = rng.integers(1 << 32, size=2)
    train, test = student.draw(seeds[0], (n_train, width)), student.draw(seeds[1], (n_test, width))
    knn = student.new("KNearestNeighbor")
    knn.call("train", train, np.zeros(n_train, dtype=np.int64))
    try:
        dists = knn.call(NONE, test, keep=True, room=ROOM)
    except StudentError as error:
        if not error.out_of_memory:
            raise
        differences = n_test * n_train * width * 8
        raise Failed(
            f"{error}. With {n_test} test rows, {n_train} training rows and {width} numbers in "
            f"each it may take {ROOM >> 20} MB of memory; all differences at once take "
            f"{differences >> 20} MB. Expand the square: ||a||^2 - 2 a.b + ||b||^2."
        ) from None
    got = as_array(student.fetch(dists, rows=looked_at), "dists")
    expect_shape(got, (looked_at, n_train), "the first rows of dists")
    columns, rows = (np.random.default_rng(s).uniform(-1, 1, (looked_at, width)) for s in seeds)
    expect_close(got[:, :looked_at], cdist(rows, columns), what="dists of many rows")


@advice("knn-no-loops", probe="KNN-B1")
def equal_rows_stay_finite(student: Student, rng: Generator) -> None:
    """Equal rows of arbitrary numbers: rounding must not put a negative number under the root."""
    train = rng.normal(size=(40, 300)) * 100
    got = as_array(trained(student, train).call(NONE, train.copy()), "dists")
    hint = "clip the squared distances at 0 before the square root"
    expect(np.isfinite(got).all(), "some distances between equal rows are nan", hint)
    expect_close(got, cdist(train, train), what="dists of equal rows", atol=1e-3)


def _expect_float64(
    got: np.ndarray, want: np.ndarray, squares: np.ndarray, what: str, *, roundings: int
) -> None:
    """Name float32 where distances are wrong by what it rounds off ``squares``, |a|^2 + |b|^2.

    Some ``roundings`` in float32 are far less than any other mistake makes, and far more than
    float64 does.
    """
    if got.shape != want.shape or np.allclose(got, want, rtol=1e-6, atol=1e-8):
        return
    error = np.abs(got.astype(np.float64) ** 2 - want**2) / squares
    if (error < roundings * ROUNDING).all() and error.max() > ROUNDING / 100:
        raise Failed(
            f"{what} are right only to the seven digits of float32: X and X_train are float64, "
            "compute in that (no astype, no dtype=np.float32)"
        )
