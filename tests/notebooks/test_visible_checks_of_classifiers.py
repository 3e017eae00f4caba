"""Typical mistakes in kNN, SVM and softmax: the visible checks say in words what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

from cs231n_lib.feedback import CheckFailed

FOLDER = Path(__file__).parents[2] / "source" / "assignment1"
HOOK = re.compile(r"### BEGIN HIDDEN TESTS.*", re.DOTALL)
BEFORE = {
    "knn": ("setup", "load-data", "flatten", "worked-example"),
    "svm": ("setup", "worked-example", "worked-gradient"),
    "softmax": ("setup", "worked-example", "worked-gradient"),
}
LN_P, NOT_DIVIDED = "-np.mean(log_probabilities[rows, y])", "not divided by N"
FEWER = ("num_training, num_test = 5000, 500", "num_training, num_test = 200, 20")
KNN, SVM, SOFTMAX = "k-nearest-neighbor", "svm-loss-vectorized", "softmax-loss-vectorized"
ONE = "np.sum((self.X_train - test_row) ** 2, axis=1)"
ALL_FLOAT32 = [("len(self.X_train)))", "len(self.X_train)), np.float32)")]
PRODUCT_FLOAT32 = ("2 * X @ self.X_train.T", "2 * (np.float32(X) @ np.float32(self.X_train.T))")


@pytest.fixture(autouse=True)
def _style_of_a_notebook() -> Iterator[None]:
    """Its first cell sets the style of figures for the whole process."""
    with mpl.rc_context():
        yield


def run(name: str, cell: str, check: str, edits: Sequence[tuple[str, str]] = ()) -> None:
    """Run the solution with these edits, then the visible part of a cell that checks it."""
    sources = {c.id: c.source for c in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells}
    if name == "knn":
        assert FEWER[0] in sources["load-data"]
        sources["load-data"] = sources["load-data"].replace(*FEWER)
    for old, new in edits:
        assert old in sources[cell], f"{cell} has no {old!r}"
        sources[cell] = sources[cell].replace(old, new)
    notebook: dict[str, object] = {}
    for part in (*BEFORE[name], cell, check):
        exec(HOOK.sub("", sources[part]), notebook)


@pytest.mark.parametrize(
    ("name", "cell", "check"),
    [
        ("knn", KNN, "knn-two-loops"),
        ("knn", KNN, "knn-one-loop"),
        ("knn", KNN, "knn-no-loops"),
        ("knn", KNN, "knn-predict-labels"),
        ("svm", SVM, "svm-vectorized"),
        ("softmax", SOFTMAX, "softmax-vectorized"),
    ],
)
def test_right_answers_pass(name: str, cell: str, check: str) -> None:
    run(name, cell, check)


@pytest.mark.parametrize(
    ("check", "edits", "said"),
    [
        ("knn-one-loop", [(ONE, ONE.replace("test_row", "X"))], r"\(2,2\).*test row X\[i\] has"),
        ("knn-one-loop", [(ONE, ONE.replace("axis=1", "axis=0"))], "could not broadcast.*axis=1"),
        ("knn-one-loop", [("dists[i] =", "dists[:, i] =")], "could not broadcast.*row i of dists"),
        ("knn-two-loops", ALL_FLOAT32, "brighter.*float32"),
        ("knn-one-loop", ALL_FLOAT32, "brighter.*float32"),
        ("knn-no-loops", [PRODUCT_FLOAT32], "brighter.*float32"),
        ("knn-no-loops", [("np.maximum(squared, 0)", "squared")], "of 200 are nan.*Clip them"),
        ("knn-no-loops", [("axis=1, keepdims=True", "axis=1")], "as a column"),
        ("knn-no-loops", [("self.X_train.T", "self.X_train")], "transpose one factor"),
        ("knn-no-loops", [("- 2 * X", "- X")], "the worked example"),
        ("knn-two-loops", [("        return dists\n", "")], "is a `return` missing"),
        ("knn-two-loops", [("return dists\n", "return dists.T\n")], "Rows of dists are test"),
    ],
)
def test_knn(check: str, edits: Sequence[tuple[str, str]], said: str) -> None:
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        run("knn", KNN, check, edits)


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("svm", ("[rows, y][:, np.newaxis]", "[rows, y]"), r"Make it a column \(N, 1\)"),
        ("svm", ("X.T @ times", "X @ times"), r"mismatch.*dW \(D, C\)"),
        ("svm", ("    margins[rows, y] = 0 ", "    pass "), "compared with itself"),
        ("svm", ("-np.sum(times, axis=1)", "-1"), "for EACH class"),
        ("svm", ("/ len(rows) + reg", "+ reg"), "Divide it by N"),
        ("svm", ("[:, np.newaxis] + 1)", "[:, np.newaxis])"), "margin of 1 missing"),
        ("softmax", ("max(scores, axis=1, keepdims=True)", "max(scores, axis=1)"), "Keep the maxi"),
        ("softmax", ("(scores), axis=1, keepdims=True)", "(scores), axis=1)"), "keep the sums"),
        ("softmax", ("max(scores, axis=1, keepdims=True)", "max(scores)"), "its own largest"),
        ("softmax", ("pushes[rows, y] -= 1", "pass"), "Was the 1 of the correct class"),
        ("softmax", ("X.T @ pushes", "X @ pushes"), r"mismatch.*dW \(D, C\)"),
        (
            "softmax",
            ("(scores, axis=1, keep", "(scores, axis=0, keep"),
            "over the images, as axis=0",
        ),
        (
            "softmax",
            ("(np.exp(scores), axis=1, k", "(np.exp(scores), axis=0, k"),
            "over the images, as axis=0",
        ),
        ("softmax", (LN_P, "np.mean(-np.exp(log_probabilities)[rows, y])"), "logarithm missing"),
        ("softmax", (LN_P, "-np.mean(log_probabilities[:, y])"), "one entry of each row"),
        ("softmax", (LN_P, "-np.sum(log_probabilities[:, y]) / len(rows)"), "one entry of each"),
        ("softmax", (LN_P, "-np.mean(np.max(log_probabilities, 1))"), "the correct class.*likeli"),
        ("softmax", (LN_P, "-np.mean(np.log(np.exp(log_probabilities[rows, y]) - 1))"), "before 1"),
        ("softmax", (LN_P, "-np.mean(log_probabilities[rows, 0])"), "1/8, 2/8 and 5/8; if they"),
        ("softmax", ("+ reg * np.sum(W * W)", "+ reg * np.sum(W * W) / len(rows)"), NOT_DIVIDED),
        ("softmax", ("2 * reg * W", "2 * reg * W / len(rows)"), NOT_DIVIDED),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
def test_linear_losses(name: str, edit: tuple[str, str], said: str) -> None:
    cell, check = f"{name}-loss-vectorized", f"{name}-vectorized"
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        run(name, cell, check, [edit])


@pytest.mark.parametrize(
    ("name", "cell", "check", "loops", "body"),
    [
        ("svm", SVM, "svm-vectorized", "svm_loss_naive", "return svm_loss_naive(W, X, y, reg)"),
        (
            "softmax",
            SOFTMAX,
            "softmax-vectorized",
            "softmax_loss_naive",
            "return [softmax_loss_naive(W, X, y, reg) for _ in range(1)][0]",
        ),
        (
            "knn",
            KNN,
            "knn-no-loops",
            "compute_distances_one_loop",
            "return self.compute_distances_one_loop(X)",
        ),
    ],
)
def test_a_fast_version_that_calls_the_slow_one(
    name: str, cell: str, check: str, loops: str, body: str
) -> None:
    """Its numbers are right, so that only a look at the names in it tells."""
    first = {  # line of the solution, which then is never reached
        "svm": "    rows = np.arange(X.shape[0])\n",
        "softmax": "    rows = np.arange(X.shape[0])\n",
        "knn": "        test_squares = np.sum(X**2, axis=1, keepdims=True)  # (M, 1)\n",
    }[name]
    indent = first[: len(first) - len(first.lstrip())]
    with pytest.raises(CheckFailed, match=f"(?s)calls {loops}.*loops run all the same"):
        run(name, cell, check, [(first, f"{indent}{body}\n{first}")])
