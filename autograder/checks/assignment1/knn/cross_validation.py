"""Cross-validation and the choice of k.

Shapes: Nte test rows, Ntr training rows, D pixels each; distances are (Nte, Ntr).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from autograder.checks.assignment1.knn.oracle import (
    FOLDS,
    NARROW,
    UNEVEN,
    WIDTH,
    CrossValidation,
    choose_k,
    cross_validate,
    majority,
    near_columns,
    typed_in,
)
from autograder.judge import (
    TIME_OUT,
    Failed,
    Student,
    StudentError,
    as_array,
    check,
    expect,
    expect_close,
    expect_shape,
    named,
)

K_CHOICES = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)


def _accuracies(table: dict, k: int) -> np.ndarray:
    expect(k in table, f"k_to_accuracies has no entry for k = {k}")
    return expect_shape(table[k], (FOLDS,), f"k_to_accuracies[{k}]")


@check("knn-cross-validation", probe="KNN-A9", weight=2)
def folds_cover_every_row_once(student: Student, rng: Generator) -> None:
    """Five folds that hold every training row and its label once."""
    _expect_folds(cross_validate(student, rng))


@check("knn-cross-validation", probe="KNN-A9", weight=2)
def every_fold_validates_once(student: Student, rng: Generator) -> None:
    """Training on four folds, validation on the fifth, each fold in turn."""
    _expect_turns(cross_validate(student, rng))


@check("knn-cross-validation", probe="KNN-A9", weight=3)
def accuracies_are_right(student: Student, rng: Generator) -> None:
    """Five accuracies for each k, each the share of right labels in its validation fold."""
    _expect_accuracies(cross_validate(student, rng))


@check("knn-cross-validation", probe="KNN-A9", weight=0.5)
def folds_may_be_uneven(student: Student, rng: Generator) -> None:
    """The same for a number of training rows that 5 does not divide."""
    about = f"with {UNEVEN} training rows, which {FOLDS} does not divide, "
    hint = "np.array_split makes folds that differ by one row; np.split cannot"
    _expect_the_same(student, rng, about, hint, rows=UNEVEN)


@check("knn-cross-validation", probe="KNN-A9", weight=0.5)
def rows_may_have_any_width(student: Student, rng: Generator) -> None:
    """The same for rows of 3 numbers in place of 3072."""
    about = f"with rows of {NARROW} numbers in place of {WIDTH}, "
    hint = "X_train.shape says how many there are"
    _expect_the_same(student, rng, about, hint, width=NARROW)


def _expect_the_same(student: Student, rng: Generator, about: str, hint: str, **sizes: int) -> None:
    """All that is right for even folds of whole images must be so for these sizes, too.

    ``about`` them: what a message begins with.
    """
    expectations = (_expect_folds, _expect_turns, _expect_accuracies)
    usual = cross_validate(student, rng)
    right = all(_met(expectation, usual) for expectation in expectations)
    expect(
        right, f"this counts once everything is right with {len(usual.X)} rows of {WIDTH} numbers"
    )
    try:
        run = cross_validate(student, rng, **sizes)
        for expectation in expectations:
            expectation(run)
    except Failed as failure:
        raise Failed(about + failure.message, hint) from None
    except StudentError as error:
        if error.type_name == TIME_OUT:
            raise
        raise Failed(about + str(error), hint) from None


def _met(expectation: Callable[[CrossValidation], None], run: CrossValidation) -> bool:
    try:
        expectation(run)
    except Failed:
        return False
    return True


def _expect_folds(run: CrossValidation) -> None:
    X, y, X_folds, y_folds, rows = run.X, run.y, run.X_folds, run.y_folds, len(run.X)
    lengths = [len(fold) for fold in X_folds]
    expect(sum(lengths) == rows, f"{sum(lengths)} of {rows} rows are in the folds")
    expect(max(lengths) - min(lengths) <= 1, f"folds of {lengths} rows are uneven")
    expect([len(f) for f in y_folds] == lengths, "X and y folds differ in length")
    width = X.shape[1]
    expect(all(f.ndim == 2 and f.shape[1] == width for f in X_folds), "X folds are not (rows, D)")
    label_of = {row.tobytes(): label for row, label in zip(near_columns(X), y, strict=True)}
    joined = np.concatenate([near_columns(fold) for fold in X_folds]).astype(np.float64)
    labels = np.concatenate([f.ravel() for f in y_folds])
    found = [label_of.pop(row.tobytes(), None) for row in joined]
    expect(None not in found, "a row is in two folds, or is not a training row")
    expect(found == labels.tolist(), "labels and rows do not belong together in the folds")


def _expect_turns(run: CrossValidation) -> None:
    X, seen, table = run.X, run.seen, run.table
    expect(bool(seen), "the classifier was never trained in this cell")
    whole = {row.tobytes() for row in near_columns(X)}
    left_out = set()
    for rows, _ in seen:
        used = [row.tobytes() for row in rows.astype(np.float64)]
        expect(len(used) < len(X), "the validation fold is in the training part")
        expect(len(set(used)) == len(used), "a fold is twice in the training part")
        left_out.add(frozenset(whole - set(used)))
    expect(len(left_out) == FOLDS, f"{len(left_out)} different folds were left out, not {FOLDS}")
    expect(sum(map(len, left_out)) == len(X), "the folds left out do not make the whole set")
    expect(set(K_CHOICES) <= set(table), f"k_to_accuracies has the keys {named(table, 12)}")


def _expect_accuracies(run: CrossValidation) -> None:
    X_folds, y_folds = [near_columns(fold) for fold in run.X_folds], run.y_folds
    predicted = []  # for each fold, by k
    for i in range(FOLDS):
        rest = [j for j in range(FOLDS) if j != i]
        labels = np.concatenate([y_folds[j].ravel() for j in rest])
        dists = cdist(X_folds[i], np.concatenate([X_folds[j] for j in rest]))
        predicted.append({k: majority(dists, labels, k) for k in K_CHOICES})
    for k in K_CHOICES:
        got = _accuracies(run.table, k)
        inside = ((got >= 0) & (got <= 1)).all()
        expect(inside, f"k_to_accuracies[{k}] holds numbers outside [0, 1]: an accuracy is a share")
        want = [np.mean(predicted[i][k] == y_folds[i].ravel()) for i in range(FOLDS)]
        what = f"the shares of right labels in the validation folds for k = {k}"
        expect_close(np.sort(got), np.sort(want), what=what)


@check("knn-best-k", probe="KNN-A9")
def best_k_is_among_the_best(student: Student, rng: Generator) -> None:
    """best_k is one of the k tried, and its mean accuracy among the best."""
    best = as_array(student.get("best_k"), "best_k")
    known = best.shape == () and best.item() in K_CHOICES
    expect(known, "best_k is not one of the values in k_choices")
    table = student.get("k_to_accuracies")
    expect(isinstance(table, dict), "k_to_accuracies is not a dict")
    typed = False
    means = {k: float(_accuracies(table, k).mean()) for k in K_CHOICES}
    with suppress(Failed, StudentError):  # a cell that fails with other data has lost its points
        other = cross_validate(student, rng).table
        moved = any(means[k] != _accuracies(other, k).mean() for k in K_CHOICES)
        typed = not moved
    expect(not typed, "k_to_accuracies is the same for any data: it was typed in")
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
