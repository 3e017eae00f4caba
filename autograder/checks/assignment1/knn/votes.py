"""The vote among the nearest neighbours: majority, ties, labels of any numbers.

Shapes: Nte test rows, Ntr training rows, D pixels each; distances are (Nte, Ntr).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.knn.oracle import majority, trained
from autograder.judge import (
    Student,
    advice,
    as_array,
    check,
    expect_equal,
    expect_shape,
    expect_unchanged,
    name_slip,
)


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
        what = f"the labels for k = {k}"
        got = expect_shape(labels_of(student, dists, y, k), (9,), what)
        want, nearest = majority(dists, y, k), np.argsort(dists, axis=1)[:, :k]
        slips = {
            "these are column numbers: the labels of the columns are in self.y_train": nearest[
                :, 0
            ],
            "the k farthest columns vote; it should be the k nearest": majority(-dists, y, k),
            "k + 1 columns vote": majority(dists, y, k + 1),
            "the first k columns vote, whatever their distances": majority(
                np.tile(np.arange(len(y)), (9, 1)), y, k
            ),
            "these are means of labels; the label with the most votes wins": y[nearest].mean(
                axis=1
            ),
        }
        name_slip(got, want, slips)
        expect_equal(got, want, what=what)


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
        what = f"the label of a tied vote among {k}, won by the smallest label"
        expect_equal(labels_of(student, dists, y, k), [want], what=what)


@check("knn-predict-labels", probe="KNN-A5", weight=2, rare=True)
def labels_may_be_any_numbers(student: Student, rng: Generator) -> None:
    """Labels that are not 0, 1, 2, ...; the nearest column is not the first."""
    y = rng.permutation(np.array([1, 5, 9] * 4 + [5]))
    dists = clear_votes(rng, y, 6, (1, 5))
    for k in (1, 5):
        what = f"the labels for k = {k}, self.y_train holding 1, 5 and 9"
        expect_equal(labels_of(student, dists, y, k), majority(dists, y, k), what=what)


@check("knn-predict-labels", probe="KNN-A7", condition=True)
def distances_and_labels_are_unchanged(student: Student, rng: Generator) -> None:
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
