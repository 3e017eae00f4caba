"""What every search over (learning rate, reg) is asked: declared by each notebook that has one.

Shapes: rows (N, D); W (D, C).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.held_out import held_out_images
from autograder.checks.shared.search import Search, TuningCell, run_search
from autograder.judge import (
    Failed,
    Instance,
    Ref,
    Student,
    as_array,
    check,
    expect,
    expect_close,
)


def declare_search_checks(
    module: str,
    grade_id: str,
    cell_of: Callable[[Student], TuningCell],
    probes: tuple[str, str, str],
) -> None:
    """The checks of a search; ``probes``: of its training and table, its choice, its test set."""
    table_probe, best_probe, test_probe = probes

    @check(grade_id, probe=table_probe, weight=2, module=module)
    def search_trains_new_classifiers(student: Student, rng: Generator) -> None:
        """Two settings or more; a new classifier for each; trained on all training rows."""
        cell = cell_of(student)
        _expect_trained_on_training_rows(_searched(student, rng, cell), cell)

    @check(grade_id, probe=table_probe, weight=3, module=module)
    def results_hold_both_accuracies(student: Student, rng: Generator) -> None:
        """For each setting, the accuracies of its classifier on training and validation rows."""
        cell = cell_of(student)
        search = _searched(student, rng, cell)
        table = _table(search, cell)
        for setting in search.judged:
            _expect_accuracies(search, setting, table[setting], f"{cell.results}[{setting}]")

    @check(grade_id, probe=best_probe, weight=2, module=module)
    def best_has_the_highest_validation_accuracy(student: Student, rng: Generator) -> None:
        """best_val is the highest validation accuracy; the classifier kept is who reached it."""
        cell = cell_of(student)
        _expect_best(_searched(student, rng, cell), cell)

    @check(grade_id, probe=test_probe, condition=True, module=module)
    def search_leaves_the_test_set_alone(student: Student, rng: Generator) -> None:
        """No prediction for a row of the test set."""
        search = run_search(student, rng, cell_of(student))
        forbidden = {row.tobytes() for row in search.X["test"]}
        asked = {row.tobytes() for rows in search.asked for row in np.atleast_2d(rows)}
        expect(not asked & forbidden, "the search uses the test set: leave it for the very end")


def expect_right_on_new_images(
    student: Student, rng: Generator, best: str, threshold: float, images: int = 500
) -> None:
    """The notebook's own best classifier, on images it cannot have been trained on."""
    value = student.get(best)
    expect(value is not None, f"{best} is None: no classifier was kept")
    if not isinstance(value, Ref):
        raise Failed(f"{best} is not a classifier")
    W = as_array(Instance(student, value, best).get("W"), f"the weights of {best}")
    mean = as_array(student.get("mean_image"), "mean_image").astype(np.float64).ravel()
    pictures, labels = held_out_images(rng, images)
    rows = pictures.reshape(images, -1)
    width = rows.shape[1]
    expect(mean.size == width, f"mean_image has {mean.size} numbers, not {width}")
    fits = W.ndim == 2 and W.shape[0] in (width, width + 1)
    expect(fits, f"the weights of {best} have shape {W.shape}")
    rows = np.hstack([rows - mean, np.ones((images, 1))])[:, : W.shape[0]]
    accuracy = float(np.mean(np.argmax(rows @ W.astype(np.float64), axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{best} classifies {accuracy:.1%} of {images} new images correctly; at least "
        f"{threshold:.0%} were expected. Are the settings within a useful range? "
        "Do its loss and training work?",
    )


def _searched(student: Student, rng: Generator, cell: TuningCell) -> Search:
    """The search, in which something must have been trained."""
    search = run_search(student, rng, cell)
    expect(bool(search.weights), f"no {cell.classifier} was trained in this cell")
    return search


def _expect_trained_on_training_rows(search: Search, cell: TuningCell) -> None:
    judged = search.judged
    expect(len(judged) > 1, "only one pair of learning rate and reg was tried")
    again = any(training.again for training in judged.values())
    expect(
        not again, f"a {cell.classifier} that was trained before is trained further: make a new one"
    )
    label_of = {
        row.tobytes(): c for row, c in zip(search.X["train"], search.y["train"], strict=True)
    }
    for X, y in ((training.X, training.y) for training in judged.values()):
        shapes = f"train was called with X of shape {X.shape} and y of shape {y.shape}"
        expect(X.ndim == 2 and y.shape == X.shape[:1], shapes)
        found = [label_of.get(row.tobytes()) for row in X.astype(np.float64)]
        expect(None not in found, f"trained on rows that are not in {cell.rows[0]}")
        wrong = f"trained on labels that do not belong to the rows of {cell.rows[0]}"
        expect(found == y.tolist(), wrong)
        complete = len({row.tobytes() for row in X}) == len(label_of)
        expect(complete, f"trained on {len(X)} of the {len(label_of)} rows of {cell.rows[0]}")


def _table(search: Search, cell: TuningCell) -> dict:
    table = search.results
    if not isinstance(table, dict):
        raise Failed(f"{cell.results} is not a dict")
    for setting in search.judged:
        expect(setting in table, f"{cell.results} has no entry for (lr, reg) = {setting}")
    extra = [key for key in table if key not in search.weights]
    expect(not extra, f"{cell.results} has {len(extra)} entries for pairs that were not trained")
    return table


def _expect_accuracies(
    search: Search, setting: tuple[float, float], value: object, what: str
) -> None:
    """The pair of accuracies stored for one setting."""
    got = as_array(value, what)
    expect(got.shape == (2,), f"{what} is not a pair of numbers")
    train, val, test = (search.accuracy(setting, part) for part in ("train", "val", "test"))
    slips = {
        "training and validation accuracy are in the wrong order": np.array([val, train]),
        "the accuracy stored as validation accuracy is that on the test set": [train, test],
        "the training accuracy is stored as validation accuracy too": [train, train],
        "these are percentages; an accuracy is a share, from 0 to 1": np.array(
            [100 * train, 100 * val]
        ),
        "these are counts of correct answers; an accuracy is their share, 0 to 1": np.array(
            [train * len(search.y["train"]), val * len(search.y["val"])]
        ),
    }
    wrong = {message: np.array(answer) for message, answer in slips.items()}
    of = "its classifier's shares of right training and validation rows"
    expect_close(got, [train, val], what=f"{what}, {of}", slips=wrong)


def _expect_best(search: Search, cell: TuningCell) -> None:
    reached = {setting: search.accuracy(setting, "val") for setting in search.judged}
    highest = max(reached.values())
    expect(search.best_val is not None, f"the variable {cell.best_val} does not exist or is None")
    what = f"{cell.best_val}, the highest validation accuracy of all pairs,"
    expect_close(search.best_val, highest, what=what)
    expect(search.has_best, f"{cell.best} does not exist or is None: keep the best classifier")
    expect(search.best_weights is not None, f"{cell.best} is not a trained {cell.classifier}")
    winners = [search.weights[s] for s, value in reached.items() if value == highest]
    W = as_array(search.best_weights, f"the weights of {cell.best}")
    expect(
        any(W.shape == w.shape and np.allclose(W, w) for w in winners),
        f"{cell.best} is not the classifier that reached the highest validation accuracy",
    )
