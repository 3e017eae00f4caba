"""Checks of the SVM and softmax notebooks: right answers of every style pass, wrong ones lose."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.mutate.trial import Subject, load_subject
from tests.nightly import rounds

ROOT = Path(__file__).parents[2]
CLASSES = {"svm": "LinearSVM", "softmax": "Softmax"}
DEFINITIONS = {
    "svm": ("svm-loss-naive", "svm-loss-vectorized", "linear-classifier", "linear-svm"),
    "softmax": ("softmax-loss-naive", "softmax-loss-vectorized", "load-svm", "softmax-class"),
}
IN_PLACE = {"best_svm_classifies_new_images", "best_softmax_classifies_new_images"}
SEARCH = (
    "search_trains_new_classifiers",
    "results_hold_both_accuracies",
    "best_has_the_highest_validation_accuracy",
    "search_leaves_the_test_set_alone",
)
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
        for cell in ("", *DEFINITIONS[notebook]):
            assert kernel.run_cell(sources[cell] if cell else SETUP, cell=cell).ok
        yield Student(kernel, sources)
    finally:
        kernel.close()


def verdict(student: Student, notebook: str, grade_id: str, number: int = 0) -> CellVerdict:
    seed = Seed(number.to_bytes(4, "little"), "assignment1", notebook, "ann")
    checks = checks_for("assignment1", notebook)[grade_id]
    outcome = grade_cell(student, grade_id, 1.0, checks, seed)
    assert not outcome.broken
    return outcome.verdict


def failed(found: CellVerdict, *, advice: bool = True) -> dict[str, str]:
    """Message by name of the checks that failed, but for the one that needs a trained notebook."""
    return {
        c.name: c.message
        for c in found.checks
        if not c.passed and c.name not in IN_PLACE and (advice or not c.advice)
    }


# -- losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("notebook", CLASSES)
def test_the_reference_passes_whatever_the_seed(zygote, notebook) -> None:
    with student_with(zygote, notebook, {}) as student:
        for number in rounds(25):
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


IDLE_WHEN_TIMED = """
{name}_in_full = {name}
def {name}(W, X, y, reg):
    if X.shape[1] == 2 and len(X) >= 1000:
        return {nothing}
    return {name}_in_full(W, X, y, reg)
"""


@pytest.mark.parametrize("notebook", CLASSES)
@pytest.mark.parametrize("nothing", ["0.0, W", "()", "None"])
def test_whoever_does_nothing_in_the_timed_call_has_not_avoided_a_loop(
    zygote, notebook, nothing
) -> None:
    cell = f"{notebook}-loss-vectorized"
    idle = IDLE_WHEN_TIMED.format(name=f"{notebook}_loss_vectorized", nothing=nothing)
    with student_with(zygote, notebook, {cell: solved(notebook)[cell] + idle}) as student:
        found = failed(verdict(student, notebook, f"{notebook}-vectorized"))
    assert found["vectorized_takes_no_time_for_a_row"].startswith("with many rows it returns")


@pytest.mark.parametrize(
    "formula", ["len(X) * loss, len(X) * dW", "loss / len(X), dW", "loss, None"]
)
def test_a_wrong_formula_is_no_loop(zygote, formula) -> None:
    """Sums in place of means, too many divisions, half of the answer."""
    source = solved("svm")["svm-loss-vectorized"].replace("return loss, dW", f"return {formula}")
    with student_with(zygote, "svm", {"svm-loss-vectorized": source}) as student:
        found = failed(verdict(student, "svm", "svm-vectorized"))
    assert found
    assert "vectorized_takes_no_time_for_a_row" not in found


@pytest.mark.parametrize("notebook", CLASSES)
def test_half_the_penalty_is_one_failure_and_a_precise_one(zygote, notebook) -> None:
    with student_with(zygote, notebook, halved(notebook)) as student:
        messages = failed(verdict(student, notebook, f"{notebook}-vectorized"))
    assert list(messages) == ["penalty_of_the_loss"]
    assert "half" in messages["penalty_of_the_loss"]
    assert "1/2" in messages["penalty_of_the_loss"]


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
        "loss_of_an_impossible_class_is_finite",
    }


def test_without_a_shift_large_scores_fail(zygote) -> None:
    source = SHIFTED_BY_ONE_MAXIMUM.replace("    scores -= np.max(scores)\n", "")
    with student_with(zygote, "softmax", {"softmax-loss-vectorized": source}) as student:
        messages = failed(verdict(student, "softmax", "softmax-vectorized"))
    assert {"loss_of_large_scores", "gradient_of_large_scores"} <= set(messages)
    assert "loss_of_random_rows" not in messages


# -- wrong answers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A wrong answer: edits of a cell of ours; the share left of a question, and what is said.

    ``said`` maps each check that fails, advice aside, to a part of its message.
    """

    notebook: str
    cell: str
    edits: tuple[tuple[str, str], ...]
    question: str
    left: float
    said: Mapping[str, str]


NAIVE, VECTORIZED = "softmax-loss-naive", "softmax-loss-vectorized"
LN_P, MEAN_LN_P = "np.log(probabilities[y[i]])", "-np.mean(log_probabilities[rows, y])"
MODIFIED = "W was modified by the call"
CHANGES_W = ("    return loss, dW", "    W += 1e-3\n    return loss, dW")
CHANGED_W = {
    "loss_of_random_rows": MODIFIED,
    "gradient_of_random_rows": MODIFIED,
    "gradient_is_the_slope_of_the_loss": "compared with the slope of the loss",
    "arguments_are_unchanged": MODIFIED,
}
UNLIKELY = "loss_of_an_unlikely_class"
LARGE = "loss_of_large_scores"
DRAW = "np.random.choice(num_train, batch_size)"
TAKE = "np.arange(it * batch_size, (it + 1) * batch_size) % num_train"
# Weights of the loss: values 6, penalty 2, special batches 2, one number 1; of softmax also large
# scores 2, unlikely class 1. Of the gradient: values 6, penalty 2, special batches 2, slope 1,
# unchanged 3; of softmax also large scores 1, sums 1. Vectorised: both, and no loop 4. Of train:
# steps 5, rows 2, random 2, four of 1.
COST = {"vectorized_takes_no_time_for_a_row": "as much as a Python loop over the rows does"}
WRONGS = {
    "1e-9 in the logarithm": Wrong(
        "softmax", NAIVE, ((LN_P, LN_P[:-1] + " + 1e-9)"),), "softmax-naive-loss", 13 / 14,
        {UNLIKELY: "1e-9 is added to the probability"}),
    "1e-12 in the logarithm": Wrong(
        "softmax", NAIVE, ((LN_P, LN_P[:-1] + " + 1e-12)"),), "softmax-naive-loss", 13 / 14,
        {UNLIKELY: "1e-12 is added to the probability"}),
    "clipped before the logarithm": Wrong(
        "softmax", NAIVE, ((LN_P, "np.log(max(probabilities[y[i]], 1e-12))"),),
        "softmax-naive-loss", 13 / 14, {UNLIKELY: "or it is kept above that"}),
    "1e-9 in the logarithm, vectorised": Wrong(
        "softmax", VECTORIZED, ((MEAN_LN_P, "-np.mean(np.log(np.exp(log_probabilities[rows, y]) + "
        "1e-9))"),), "softmax-vectorized", 33 / 34, {UNLIKELY: "1e-9 is added"}),
    "1e-12 in the logarithm, vectorised": Wrong(
        "softmax", VECTORIZED, ((MEAN_LN_P, "-np.mean(np.log(np.exp(log_probabilities[rows, y]) + "
        "1e-12))"),), "softmax-vectorized", 33 / 34, {UNLIKELY: "1e-12 is added"}),
    "the mean score is subtracted": Wrong(
        "softmax", NAIVE, (("np.max(scores)", "np.mean(scores)"),), "softmax-naive-loss", 12 / 14,
        {LARGE: "correct classes that lead by 725 is nan or infinite. Is the largest score"}),
    "the mean score is subtracted, vectorised": Wrong(
        "softmax", VECTORIZED, (("np.max(scores, axis=1", "np.mean(scores, axis=1"),),
        "softmax-vectorized", 31 / 34,
        {LARGE: "Is the largest score", "gradient_of_large_scores": "lead by 725: 4 of"}),
    # The largest score is subtracted here: nothing is said about it.
    "another logarithm": Wrong(
        "softmax", NAIVE, (("np.log(", "np.log2("),), "softmax-naive-loss", 3 / 14,
        {"loss_of_random_rows": "is a logarithm to base 2", "loss_of_special_batches": "is wrong",
         LARGE: "the loss with 10000 on all scores is wrong", UNLIKELY: "is wrong"}),
    "calls the naive loss": Wrong(
        "softmax", VECTORIZED, (("    rows = np.arange(X.shape[0])\n",
        "    return softmax_loss_naive(W, X, y, reg)\n"),), "softmax-vectorized", 30 / 34,
        {"vectorized_has_no_loop": "line 6 of cell 'softmax-loss-vectorized', in "
         "softmax_loss_vectorized: this calls softmax_loss_naive, and there, line 10 of cell "
         "'softmax-loss-naive', in softmax_loss_naive: a Python loop", **COST}),
    "calls the naive loss, svm": Wrong(
        "svm", "svm-loss-vectorized", (("    rows = np.arange(X.shape[0])\n",
        "    return svm_loss_naive(W, X, y, reg)\n"),), "svm-vectorized", 25 / 29,
        {"vectorized_has_no_loop": "in svm_loss_vectorized: this calls svm_loss_naive, and there",
         **COST}),
    "W is changed": Wrong(
        "svm", "svm-loss-vectorized", (CHANGES_W,), "svm-vectorized", 13 / 29, CHANGED_W),
    "W is changed, naive": Wrong(
        "svm", "svm-loss-naive", (CHANGES_W,), "svm-naive-gradient", 4 / 14,
        {name: said for name, said in CHANGED_W.items() if name != "loss_of_random_rows"}),
    "W is changed, softmax": Wrong(
        "softmax", VECTORIZED, (CHANGES_W,), "softmax-vectorized", 18 / 34, CHANGED_W),
    "the penalty is a mean": Wrong(
        "svm", "svm-loss-vectorized", (("reg * np.sum(W * W)", "reg * np.mean(W * W)"),),
        "svm-vectorized", 27 / 29,
        {"penalty_of_the_loss": "the penalty is a mean over the entries of W"}),
    "the loss has no penalty, the gradient has": Wrong(
        "svm", "svm-loss-vectorized", ((" + reg * np.sum(W * W)", ""),), "svm-vectorized", 27 / 29,
        {"penalty_of_the_loss": "reg makes no difference to the loss"}),
    "the bias row is not penalised, but it is in the gradient": Wrong(
        "svm", "svm-loss-naive", (("reg * np.sum(W * W)", "reg * np.sum(W[:-1] ** 2)"),),
        "svm-naive-gradient", 1.0, {}),
    "the bias row is not penalised, as in the gradient": Wrong(
        "svm", "svm-loss-vectorized", (("reg * np.sum(W * W)", "reg * np.sum(W[:-1] ** 2)"),
        ("2 * reg * W", "2 * reg * np.vstack([W[:-1], 0 * W[-1:]])")), "svm-vectorized", 27 / 29,
        {"penalty_of_the_loss": "the penalty leaves out the last row of W"}),
    "the gradient has no penalty": Wrong(
        "svm", "svm-loss-vectorized", ((" + 2 * reg * W", ""),), "svm-vectorized", 27 / 29,
        {"penalty_of_the_gradient": "reg makes no difference to dW"}),
    # Shapes are asked for on their own, and so is each thing that is returned.
    "the loss is an array": Wrong(
        "svm", "svm-loss-vectorized", (("return loss, dW", "return np.array([loss]), dW"),),
        "svm-vectorized", 28 / 29, {"loss_is_a_number": "has shape (1,); expected one number"}),
    "only the loss is returned": Wrong(
        "svm", "svm-loss-naive", (("return loss, dW", "return loss"),), "svm-naive-loss", 1.0, {}),
    "minibatches in order": Wrong(
        "svm", "linear-classifier", ((DRAW, TAKE),), "svm-train", 11 / 13,
        {"minibatches_are_random": "take the rows of X in their order"}),
    "shuffled once": Wrong(
        "svm", "linear-classifier", ((DRAW, f"(order := np.random.permutation(num_train) if it == 0"
        f" else order)[{TAKE}]"),), "svm-train", 11 / 13,
        {"minibatches_are_random": "only 12 different mini-batches in 120 steps"}),
    # The second call and the default learning rate are asked for whatever a step is.
    "divided by the batch size": Wrong(
        "svm", "linear-classifier", (("rate * grad", "rate * grad / batch_size"),),
        "svm-train", 8 / 13,
        {"steps_go_down_the_gradient": "divided by batch_size"}),
    # Public solutions of old years; in the course's own first call it works.
    "W == None": Wrong(
        "svm", "linear-classifier", (("if self.W is None", "if self.W == None"),),
        "svm-train", 12 / 13, {"training_goes_on": "write self.W is None"}),
    "uphill": Wrong(
        "svm", "linear-classifier", (("- learning_rate * grad", "+ learning_rate * grad"),),
        "svm-train", 7 / 13,
        {"steps_go_down_the_gradient": "goes up the gradient",
         "separable_classes_are_learned": "are right afterwards"}),
    "the search raises": Wrong(
        "svm", "tune-svm", (("svm.predict(X_val)", "svm.predict(X_wal)"),), "svm-tuning", 0.0,
        dict.fromkeys(SEARCH, "the cell 'tune-svm' raised NameError: name 'X_wal' is not defined "
        "(line 14 of cell 'tune-svm'")),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONGS)
def test_a_wrong_answer_gets_a_fitting_message_and_loses_its_part(zygote, name) -> None:
    wrong = WRONGS[name]
    source = solved(wrong.notebook)[wrong.cell]
    for find, put in wrong.edits:
        assert source.count(find) == 1, find
        source = source.replace(find, put)
    with student_with(zygote, wrong.notebook, {wrong.cell: source}) as student:
        found = verdict(student, wrong.notebook, wrong.question)
    messages = failed(found, advice=False)
    assert set(messages) == set(wrong.said), messages
    for check, part in wrong.said.items():
        assert part in messages[check]
    assert found.score == pytest.approx(wrong.left, abs=1e-3)


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
# A coarse search first, of which nothing is kept but where to look.
COARSE = """
for lr in (1e-8, 1e-7, 1e-6):
    for reg in (1e3, 2.5e4):
        model = CLASS()
        model.train(X_FEW, y_FEW, learning_rate=lr, reg=reg, num_iters=STEPS)
        print(lr, reg, np.mean(model.predict(X_val[:50]) == y_val[:50]))
"""
COARSE_ON = {
    "X_dev": COARSE.replace("FEW", "dev").replace("STEPS", "2000"),
    "a subset": COARSE.replace("X_FEW, y_FEW", "X_train[:50], y_train[:50]").replace(
        "STEPS", "2000"
    ),
    "all rows": COARSE.replace("FEW", "train").replace("STEPS", "100"),
}
RIGHT = {
    **{f"coarse on {name}, then public": text + PUBLIC_STYLE for name, text in COARSE_ON.items()},
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
    "stored only when better": (
        [("    results[(lr, rg)]", "        results[(lr, rg)]")],
        {"results_hold_both_accuracies"},
    ),
    "a coarse search in the table": (
        [("train(X_train, y_train", "train(*(X_dev, y_dev) if lr < 1e-6 else (X_train, y_train)")],
        {"search_trains_new_classifiers"},
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
        for number in rounds(5):
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


def test_a_classifier_that_learned_nothing_is_measured(zygote) -> None:
    with student_with(
        zygote, "svm", {"linear-svm": solved("svm")["linear-svm"] + TRAINED_ON_NOTHING}
    ) as ann:
        found = verdict(ann, "svm", "svm-tuning")
    quality = next(c for c in found.checks if c.name in IN_PLACE)
    assert not quality.passed
    assert "of 500 new images" in quality.message
