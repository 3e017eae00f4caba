"""Checks of the SVM and softmax notebooks: right answers of every style pass, wrong ones lose."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.mutate.trial import Subject, load_subject

ROOT = Path(__file__).parents[2]
CLASSES = {"svm": "LinearSVM", "softmax": "Softmax"}
DEFINITIONS = {
    "svm": ("svm-loss-naive", "svm-loss-vectorized", "linear-classifier", "linear-svm"),
    "softmax": ("softmax-loss-naive", "softmax-loss-vectorized", "load-svm", "softmax-class"),
}
IN_PLACE = {"best_svm_classifies_new_images", "best_softmax_classifies_new_images"}
SETUP = "import numpy as np\nfrom cs231n_lib.notebooks import load"


@cache
def subject(notebook: str) -> Subject:
    return load_subject(ROOT, "assignment1", notebook)


def solved(notebook: str) -> dict[str, str]:
    """Source by cell id, with solutions."""
    cells = subject(notebook).document["cells"]
    return {cell["id"]: cell["source"] for cell in cells if cell["cell_type"] == "code"}


@contextmanager
def student_with(zygote, notebook: str, changes: dict[str, str]) -> Iterator[Student]:
    """A student whose notebook has the definitions, some cells exchanged, and no data."""
    sources = solved(notebook) | changes
    files = subject(notebook).files
    kernel = Kernel(zygote.fork(files=files), KernelLimits(cell_seconds=30, call_seconds=10))
    try:
        for source in (SETUP, *(sources[cell] for cell in DEFINITIONS[notebook])):
            assert kernel.run_cell(source).ok
        yield Student(kernel, sources)
    finally:
        kernel.close()


def verdict(student: Student, notebook: str, grade_id: str, number: int = 0) -> CellVerdict:
    seed = Seed(number.to_bytes(4, "little"), "assignment1", notebook, "ann")
    checks = checks_for("assignment1", notebook)[grade_id]
    outcome = grade_cell(student, grade_id, 1.0, checks, seed)
    assert not outcome.broken
    return outcome.verdict


def failed(found: CellVerdict) -> dict[str, str]:
    """Message by name of the checks that failed, but for the one that needs a trained notebook."""
    return {c.name: c.message for c in found.checks if not c.passed and c.name not in IN_PLACE}


# -- losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("notebook", CLASSES)
def test_the_reference_passes_whatever_the_seed(zygote, notebook) -> None:
    with student_with(zygote, notebook, {}) as student:
        for number in range(25):
            for grade_id in checks_for("assignment1", notebook):
                assert failed(verdict(student, notebook, grade_id, number)) == {}, (
                    number,
                    grade_id,
                )


def halved(notebook: str) -> dict[str, str]:
    """The solution in the dialect of 2016: a penalty of reg / 2 times the squares."""
    cell = f"{notebook}-loss-vectorized"
    source = solved(notebook)[cell]
    old = source.replace("+ reg * np.sum(W * W)", "+ 0.5 * reg * np.sum(W * W)")
    return {cell: old.replace("+ 2 * reg * W", "+ reg * W")}


@pytest.mark.parametrize("notebook", CLASSES)
def test_half_the_penalty_is_one_failure_and_a_precise_one(zygote, notebook) -> None:
    with student_with(zygote, notebook, halved(notebook)) as student:
        messages = failed(verdict(student, notebook, f"{notebook}-vectorized"))
    assert list(messages) == ["penalty_is_reg_times_squares"]
    assert "half" in messages["penalty_is_reg_times_squares"]
    assert "1/2" in messages["penalty_is_reg_times_squares"]


SHIFTED_BY_ONE_MAXIMUM = '''
def softmax_loss_vectorized(W, X, y, reg):
    """As in some published solutions: the maximum of the whole batch is subtracted."""
    N = X.shape[0]
    scores = X.dot(W)
    scores -= np.max(scores)
    p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = -np.sum(np.log(p[np.arange(N), y])) / N + reg * np.sum(W * W)
    p[np.arange(N), y] -= 1
    return loss, X.T.dot(p) / N + 2 * reg * W
'''


def test_what_the_contract_leaves_open_is_advice(zygote) -> None:
    with student_with(
        zygote, "softmax", {"softmax-loss-vectorized": SHIFTED_BY_ONE_MAXIMUM}
    ) as student:
        found = verdict(student, "softmax", "softmax-vectorized")
    assert found.score == 1.0
    messages = failed(found)
    assert set(messages) == {
        "rows_may_differ_by_thousands",
        "a_hopeless_row_costs_a_finite_amount",
    }


def test_without_a_shift_large_scores_fail(zygote) -> None:
    source = SHIFTED_BY_ONE_MAXIMUM.replace("    scores -= np.max(scores)\n", "")
    with student_with(zygote, "softmax", {"softmax-loss-vectorized": source}) as student:
        messages = failed(verdict(student, "softmax", "softmax-vectorized"))
    assert {"loss_with_a_common_offset", "gradient_with_a_common_offset"} <= set(messages)
    assert "loss_is_the_mean_cross_entropy" not in messages


# -- searches -------------------------------------------------------------------------------------

PUBLIC_STYLE = """
results = {}
best_val = -1
best_CLASS = None
learning_rates = [1e-7, 5e-5]
regularization_strengths = [2.5e4, 5e4]
grid = [(lr, rg) for lr in learning_rates for rg in regularization_strengths]
for lr, rg in grid:
    model = CLASS()
    train_loss = model.train(X_train, y_train, learning_rate=lr, reg=rg,
                             num_iters=2000, batch_size=200, verbose=True)
    y_train_pred = model.predict(X_train)
    train_accuracy = np.mean(y_train_pred == y_train)
    y_val_pred = model.predict(X_val)
    val_accuracy = np.mean(y_val_pred == y_val)
    if best_val < val_accuracy:
        best_val = val_accuracy
        best_CLASS = model
    results[(lr, rg)] = (train_accuracy, val_accuracy)
for lr, reg in sorted(results):
    train_accuracy, val_accuracy = results[(lr, reg)]
    print('lr %e reg %e train accuracy: %f val accuracy: %f' % (
        lr, reg, train_accuracy, val_accuracy))
print('best validation accuracy achieved during cross-validation: %f' % best_val)
"""
TRAINED_ONCE_MORE = """
results, best_val, best_pair = {}, 0, None
for _ in range(5):
    pair = (10 ** np.random.uniform(-8, -6), 10 ** np.random.uniform(3, 5))
    model = CLASS()
    model.train(X_train, y_train, *pair, 200)
    accuracies = [(model.predict(X) == y).mean() for X, y in ((X_train, y_train), (X_val, y_val))]
    results[pair] = accuracies
    if accuracies[1] > best_val:
        best_val, best_pair = accuracies[1], pair
best_CLASS = CLASS()
best_CLASS.train(X_train, y_train, learning_rate=best_pair[0], reg=best_pair[1], num_iters=3000)
"""
WEIGHTS_BY_HAND = """
import copy
learning_rates, regularization_strengths = np.logspace(-8, -6, 3), np.logspace(3, 5, 3)
results, best_val, best_CLASS, keep = dict(), -np.inf, None, CLASS()
for lr in learning_rates:
    for reg in regularization_strengths:
        keep.W = None
        keep.train(X_train, y_train, lr, reg, num_iters=100)
        train_acc = np.mean(np.argmax(X_train @ keep.W, axis=1) == y_train)
        val_acc = np.mean(np.argmax(X_val @ keep.W, axis=1) == y_val)
        results[lr, reg] = (train_acc, val_acc)
        if val_acc >= best_val:
            best_val, best_CLASS = val_acc, copy.deepcopy(keep)
"""
RIGHT = {
    "public": PUBLIC_STYLE,
    "trained once more": TRAINED_ONCE_MORE,
    "weights by hand": WEIGHTS_BY_HAND,
}

# name: (edits of the public style, the checks that notice)
WRONG = {
    "accuracies exchanged": (
        [("(train_accuracy, val_accuracy)\nfor", "(val_accuracy, train_accuracy)\nfor")],
        {"results_hold_both_accuracies"},
    ),
    "on the test set": (
        [("predict(X_val)", "predict(X_test)"), ("== y_val)", "== y_test)")],
        {
            "results_hold_both_accuracies",
            "best_has_the_highest_validation_accuracy",
            "search_leaves_the_test_set_alone",
        },
    ),
    "one object for all": (
        [
            ("    model = CLASS()\n", ""),
            ("for lr, rg in grid", "model = CLASS()\nfor lr, rg in grid"),
        ],
        {"search_trains_new_classifiers", "best_has_the_highest_validation_accuracy"},
    ),
    "the last one kept": (
        [("        best_CLASS = model\n", "    best_CLASS = model\n")],
        {"best_has_the_highest_validation_accuracy"},
    ),
    "numbers, not shares": (
        [("np.mean(y_train_pred", "np.sum(y_train_pred")],
        {"results_hold_both_accuracies"},
    ),
    "half of the rows": (
        [("train(X_train, y_train", "train(X_train[::2], y_train[::2]")],
        {"search_trains_new_classifiers"},
    ),
    "no attempt": (
        [(PUBLIC_STYLE, "raise NotImplementedError('tune: write your code here')")],
        {
            "search_trains_new_classifiers",
            "results_hold_both_accuracies",
            "best_has_the_highest_validation_accuracy",
            "search_leaves_the_test_set_alone",
        },
    ),
}


def named(source: str, notebook: str) -> str:
    return source.replace("best_CLASS", f"best_{notebook}").replace("CLASS", CLASSES[notebook])


@pytest.mark.parametrize("notebook", CLASSES)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_search_passes_in_any_style(zygote, notebook, name) -> None:
    with student_with(zygote, notebook, {f"tune-{notebook}": named(RIGHT[name], notebook)}) as ann:
        for number in range(5):
            ann.forget()
            assert failed(verdict(ann, notebook, f"{notebook}-tuning", number)) == {}


@pytest.mark.parametrize("notebook", CLASSES)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_search_loses_what_is_wrong(zygote, notebook, name) -> None:
    edits, noticed_by = WRONG[name]
    source = PUBLIC_STYLE
    for find, put in edits:
        assert find in source
        source = source.replace(find, put)
    with student_with(zygote, notebook, {f"tune-{notebook}": named(source, notebook)}) as ann:
        found = verdict(ann, notebook, f"{notebook}-tuning")
    assert set(failed(found)) == noticed_by


def test_a_wrong_loss_costs_nothing_in_the_search(zygote) -> None:
    """The stand-in learns without the student's loss; only the trained result suffers."""
    no_loss = "def svm_loss_vectorized(W, X, y, reg):\n    raise ZeroDivisionError"
    with student_with(zygote, "svm", {"svm-loss-vectorized": no_loss}) as student:
        assert failed(verdict(student, "svm", "svm-tuning")) == {}
        assert failed(verdict(student, "svm", "svm-train")) == {}


TRAINED_ON_NOTHING = """
mean_image = np.zeros((32, 32, 3))
best_svm = LinearSVM()
best_svm.W = np.random.default_rng(0).normal(size=(3073, 10))
"""


def test_a_classifier_that_learned_nothing_is_told_so(zygote) -> None:
    with student_with(
        zygote, "svm", {"linear-svm": solved("svm")["linear-svm"] + TRAINED_ON_NOTHING}
    ) as ann:
        found = verdict(ann, "svm", "svm-tuning")
    quality = next(c for c in found.checks if c.name in IN_PLACE)
    assert not quality.passed
    assert "of 500 new images" in quality.message
