"""Hidden checks of the k-nearest-neighbour notebook; oracle: SciPy's pairwise distances.

Shapes: Nte test rows, Ntr training rows, D pixels each; distances are (Nte, Ntr).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from autograder.checks.assignment1.knn_oracle import (
    FOLDS,
    choose_k,
    cross_validate,
    majority,
    typed_in,
)
from autograder.judge import (
    Failed,
    Instance,
    Student,
    advice,
    as_array,
    check,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_unchanged,
    forbid_loops,
    forbid_names,
    forbid_nested_loops,
)

TWO, ONE, NONE = (f"compute_distances_{n}" for n in ("two_loops", "one_loop", "no_loops"))
VERSIONS = {"knn-two-loops": TWO, "knn-one-loop": ONE, "knn-no-loops": NONE}
READY_MADE = ("norm", "cdist", "pdist", "scipy", "sklearn", "euclidean_distances")
LAYOUT = "dists[i, j] is the distance from test row i to training row j"
K_CHOICES = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)


def trained(student: Student, X: np.ndarray, y: np.ndarray | None = None) -> Instance:
    """The student's classifier, holding this training set."""
    knn = student.new("KNearestNeighbor")
    knn.call("train", X, np.zeros(len(X), dtype=np.int64) if y is None else y)
    return knn


# -- distances: the same probes for all three versions --------------------------------------------


def every_version(
    *, probe: str, weight: float = 1.0, condition: bool = False
) -> Callable[[Callable], Callable]:
    """Declare one check for each of the three distance functions."""

    def register(function: Callable) -> Callable:
        for grade_id, method in VERSIONS.items():

            @check(grade_id, probe=probe, weight=weight, condition=condition)
            @wraps(function)
            def run(student: Student, rng: Generator, method: str = method) -> None:
                function(student, rng, method)

        return function

    return register


@every_version(probe="KNN-A1", weight=4)
def distances_are_euclidean(student: Student, rng: Generator, method: str) -> None:
    """Euclidean distances, more training rows than test rows."""
    train, test = rng.normal(size=(7, 5)), rng.normal(size=(4, 5))
    got = trained(student, train).call(method, test)
    expect_shape(got, (4, 7), "dists")
    squared = cdist(test, train, "sqeuclidean")
    if np.allclose(as_array(got), squared, rtol=1e-6):
        raise Failed("these are squared distances: take the square root")
    if np.allclose(as_array(got), cdist(test, train, "cityblock"), rtol=1e-6):
        raise Failed("these are L1 distances; the notebook asks for the Euclidean (L2) distance")
    expect_close(got, np.sqrt(squared), what="dists", hint=LAYOUT)


@every_version(probe="KNN-A2")
def single_rows_work(student: Student, rng: Generator, method: str) -> None:
    """One test row, one training row, one pixel."""
    for n_test, n_train, width in ((1, 1, 4), (1, 6, 1), (5, 1, 3)):
        train, test = rng.normal(size=(n_train, width)), rng.normal(size=(n_test, width))
        got = trained(student, train).call(method, test)
        what = f"dists for {n_test} test row(s), {n_train} training row(s), D = {width}"
        expect_close(got, cdist(test, train), what=what, hint=LAYOUT)


@every_version(probe="KNN-A3")
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


@every_version(probe="KNN-A7", condition=True)
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


# -- voting ---------------------------------------------------------------------------------------


def labels_of(student: Student, dists: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """The student's labels for a distance matrix; y are the labels of its columns."""
    knn = trained(student, np.zeros((len(y), 2)), y)
    return as_array(knn.call("predict_labels", dists, k=k), "the predicted labels")


def distinct_distances(rng: Generator, rows: int, columns: int) -> np.ndarray:
    """No two distances in a row are equal, so that the k nearest are never in doubt."""
    return rng.permuted(np.tile(np.arange(1.0, columns + 1), (rows, 1)), axis=1)


def clear_votes(rng: Generator, y: np.ndarray, rows: int, ks: tuple[int, ...]) -> np.ndarray:
    """Distances under which no vote among the k nearest is tied, for any k in ``ks``.

    The nearest column is never the first.
    """
    found: list[np.ndarray] = []
    while len(found) < rows:
        row = rng.permutation(len(y)) + 1.0
        nearest = y[np.argsort(row)]
        counts = [np.sort(np.unique(nearest[:k], return_counts=True)[1]) for k in ks]
        if row[0] > 1 and not any(len(c) > 1 and c[-1] == c[-2] for c in counts):
            found.append(row)
    return np.array(found)


@check("knn-predict-labels", probe="KNN-A6", weight=3)
def majority_of_the_k_nearest_wins(student: Student, rng: Generator) -> None:
    """Majority vote for several k; fewer test rows than training rows."""
    # So many columns that np.argpartition, told the wrong place, does not sort them all the same.
    y = rng.permutation(np.arange(1501) % 4)
    dists = clear_votes(rng, y, 9, (1, 3, 7))
    for k in (1, 3, 7):
        got = labels_of(student, dists, y, k)
        expect_shape(got, (9,), f"the result for k = {k}")
        hint = "vote among the labels of the k smallest distances in each row"
        expect_equal(got, majority(dists, y, k), what=f"the labels for k = {k}", hint=hint)


@check("knn-predict-labels", probe="KNN-A4", weight=2)
def a_tie_goes_to_the_smallest_label(student: Student, rng: Generator) -> None:
    """Ties, also where the smaller label sits on the farther neighbours."""
    cases = (
        ([3, 1, 1, 3], 4, 1),
        ([3, 1, 1, 3], 2, 1),
        ([2, 2, 0, 0, 1], 4, 0),
        ([5, 4, 3], 3, 3),
        ([7, 2, 9, 9, 2, 7], 6, 2),
    )
    for by_distance, k, want in cases:
        order = rng.permutation(len(by_distance))
        y, dists = np.array(by_distance)[order], np.arange(1.0, len(order) + 1)[order][None]
        got = labels_of(student, dists, y, k)
        hint = "when labels have equally many votes, the smallest label wins"
        expect_equal(got, [want], what=f"the label of a vote among {k} with a tie", hint=hint)


@check("knn-predict-labels", probe="KNN-A5", weight=2)
def labels_may_be_any_numbers(student: Student, rng: Generator) -> None:
    """Labels that are not 0, 1, 2, ...; the nearest column is not the first."""
    y = rng.permutation(np.array([1, 5, 9] * 4 + [5]))
    dists = clear_votes(rng, y, 6, (1, 5))
    for k in (1, 5):
        got = labels_of(student, dists, y, k)
        hint = "return labels from self.y_train, not column numbers"
        expect_equal(got, majority(dists, y, k), what=f"the labels for k = {k}", hint=hint)


@check("knn-predict-labels", probe="KNN-A7", condition=True)
def voting_leaves_the_distances_alone(student: Student, rng: Generator) -> None:
    """The distance matrix and the labels are not modified."""
    dists, y = distinct_distances(rng, 4, 9), rng.integers(0, 3, size=9)
    knn, kept = trained(student, np.zeros((9, 2)), y), student.put(dists)
    knn.call("predict_labels", kept, k=3)
    expect_unchanged(student.fetch(kept), dists, "dists")
    expect_unchanged(knn.get("y_train"), y, "self.y_train")


@advice("knn-predict-labels", probe="KNN-B2")
def k_may_be_the_whole_training_set(student: Student, rng: Generator) -> None:
    """k equal to the number of training rows."""
    dists, y = distinct_distances(rng, 3, 11), rng.integers(0, 3, size=11)
    got = labels_of(student, dists, y, 11)
    expect_equal(got, majority(dists, y, 11), what="the labels for k = Ntr")


# -- cross-validation -----------------------------------------------------------------------------


def _accuracies(table: dict, k: int) -> np.ndarray:
    expect(k in table, f"k_to_accuracies has no entry for k = {k}")
    return expect_shape(table[k], (FOLDS,), f"k_to_accuracies[{k}]")


@check("knn-cross-validation", probe="KNN-A9", weight=2)
def folds_cover_every_row_once(student: Student, rng: Generator) -> None:
    """Five folds that hold every training row once, also when 5 does not divide their number."""
    run = cross_validate(student, rng)
    X, y, X_folds, y_folds, rows = run.X, run.y, run.X_folds, run.y_folds, len(run.X)
    hint = "np.array_split also splits numbers of rows that 5 does not divide"
    lengths = [len(fold) for fold in X_folds]
    expect(sum(lengths) == rows, f"{sum(lengths)} of {rows} rows are in the folds: {hint}")
    expect(max(lengths) - min(lengths) <= 1, f"folds of {lengths} rows are uneven: {hint}")
    expect([len(f) for f in y_folds] == lengths, "X and y folds differ in length")
    expect(all(f.ndim == 2 and f.shape[1] == 3 for f in X_folds), "X folds are not (rows, D)")
    label_of = {row.tobytes(): label for row, label in zip(X, y, strict=True)}
    joined, labels = np.concatenate(X_folds), np.concatenate([f.ravel() for f in y_folds])
    found = [label_of.pop(row.tobytes(), None) for row in joined.astype(np.float64)]
    expect(None not in found, "a row stands in two folds, or is no training row")
    expect(found == labels.tolist(), "labels and rows do not belong together in the folds")


@check("knn-cross-validation", probe="KNN-A9", weight=2)
def every_fold_validates_once(student: Student, rng: Generator) -> None:
    """Training on four folds, validation on the fifth, each fold in turn."""
    run = cross_validate(student, rng)
    X, seen, table = run.X, run.seen, run.table
    expect(bool(seen), "the classifier was never trained in this cell")
    whole = {row.tobytes() for row in X}
    left_out = set()
    for rows, _ in seen:
        used = [row.tobytes() for row in rows.astype(np.float64)]
        expect(len(used) < len(X), "the validation fold is in the training part")
        expect(len(set(used)) == len(used), "a fold is twice in the training part")
        left_out.add(frozenset(whole - set(used)))
    expect(len(left_out) == FOLDS, f"{len(left_out)} different folds were left out, not {FOLDS}")
    expect(sum(map(len, left_out)) == len(X), "the folds left out do not make the whole set")
    expect(set(K_CHOICES) <= set(table), f"k_to_accuracies has the keys {sorted(table)[:12]}")


@check("knn-cross-validation", probe="KNN-A9", weight=4)
def accuracies_are_right(student: Student, rng: Generator) -> None:
    """Five accuracies for each k, each the share of right labels in its validation fold."""
    run = cross_validate(student, rng)
    X_folds, y_folds = run.X_folds, run.y_folds
    for k in K_CHOICES:
        got = _accuracies(run.table, k)
        inside = ((got >= 0) & (got <= 1)).all()
        expect(inside, f"k_to_accuracies[{k}] holds numbers outside [0, 1]")
        want = []
        for i in range(FOLDS):
            rest = [j for j in range(FOLDS) if j != i]
            train = np.concatenate([X_folds[j] for j in rest])
            labels = np.concatenate([y_folds[j].ravel() for j in rest])
            predicted = majority(cdist(X_folds[i], train), labels, k)
            want.append(np.mean(predicted == y_folds[i].ravel()))
        hint = "divide the number of right labels by the size of the validation fold"
        expect_close(np.sort(got), np.sort(want), what=f"the accuracies for k = {k}", hint=hint)


@check("knn-best-k", probe="KNN-A9")
def best_k_is_among_the_best(student: Student, rng: Generator) -> None:
    """best_k is one of the k tried, and its mean accuracy among the best."""
    best = as_array(student.get("best_k"), "best_k")
    known = best.shape == () and best.item() in K_CHOICES
    expect(known, "best_k is none of the values in k_choices")
    table = student.get("k_to_accuracies")
    expect(isinstance(table, dict), "k_to_accuracies is not a dict")
    means = {k: float(_accuracies(table, k).mean()) for k in K_CHOICES}
    other = cross_validate(student, rng).table
    moved = any(means[k] != _accuracies(other, k).mean() for k in K_CHOICES)
    expect(moved, "k_to_accuracies is the same for any data: it was typed in")
    top = max(means, key=lambda k: means[k])
    # A person reading the plot may take any k that the folds cannot tell from the best. A fold of
    # 1000 images measures an accuracy of 0.3 to within 0.03, two standard errors.
    spread = max(float(np.std(_accuracies(table, top))), 0.03)
    hint = "look at the mean over the folds for each k"
    expect(means[int(best)] >= means[top] - spread, f"another k does clearly better: {hint}")


@check("knn-best-k", probe="KNN-A9", condition=True)
def the_choice_follows_the_table(student: Student, rng: Generator) -> None:
    """A program that chooses finds the best k of other tables too."""
    asked, found = choose_k(student, rng, K_CHOICES)
    if typed_in(student, "best-k", "best_k") or found == asked:
        return
    # It may look at something that the student computed elsewhere, from the real table.
    table = student.get("k_to_accuracies")
    top = max(K_CHOICES, key=lambda k: _accuracies(table, k).mean())
    elsewhere = len(set(found)) == 1 and found[0] == top
    expect(elsewhere, "with another table k_to_accuracies, the cell takes a k that is not the best")
