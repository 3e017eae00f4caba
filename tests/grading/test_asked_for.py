"""Points only for what was asked: the judge's right answers are no oracle, its inputs no news.

Notebooks of the course, cut down to the cells at hand, graded as a submission is.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.mutate.trial import load_subject
from autograder.notebook.template import Template
from tests.little import ROOT

pytestmark = pytest.mark.sandbox
CODE = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
TELLS = "print(repr(asked))"


def graded(
    zygote: Zygote, assignment: str, notebook: str, keep: tuple[str, ...], **changed: str
) -> GradedNotebook:
    """The cells ``keep`` of the solutions, some ``changed``, and one that tells ``asked``."""
    subject = load_subject(ROOT, assignment, notebook)
    cells = [cell for cell in subject.document["cells"] if cell["id"] in keep]
    document = {**subject.document, "cells": cells}
    template = Template(assignment, notebook, document)
    sources = {name.replace("_", "-"): source for name, source in changed.items()}
    own = [{**cell, "source": sources.get(cell["id"], cell["source"])} for cell in cells]
    own.append({**CODE, "id": "tells", "source": TELLS})
    submission = json.dumps({**document, "cells": own}).encode()
    checks = checks_for(assignment, notebook)
    found = grade(Job("ann", template, submission, checks, b"secret"), zygote)
    assert not found.needs_human, found.needs_human
    return found


def asked(found: GradedNotebook) -> list:
    """What the student's code noted in ``asked``."""
    last = json.loads(found.document)["cells"][-1]
    return ast.literal_eval(last["outputs"][0]["text"])


NOTES = """
asked = []
def try_(name, ask):
    try:
        ask()
        asked.append(f"{name}: answered")
    except Exception as error:
        asked.append(f"{name}: {error}")
"""
# The right cell, in front of it questions that a cross-validation has not.
OTHER_ROWS = """
judge = KNearestNeighbor()
if not hasattr(judge, "X_train"):
    mine = np.ones((4, X_train.shape[1]))
    try_("train", lambda: judge.train(mine, np.zeros(4)))
    judge.train(X_train[:9], y_train[:9])
    try_("known", lambda: judge.compute_distances_no_loops(X_train[7:3:-1].astype(np.float32)))
    for name in ("two_loops", "one_loop", "no_loops"):
        ask = getattr(judge, f"compute_distances_{name}")
        try_(name, lambda: ask(mine))
    try_("predict", lambda: judge.predict(mine))
    try_("nothing wide", lambda: judge.train(np.zeros((11000, 0)), np.zeros(11000)))
"""


def test_a_right_classifier_answers_for_rows_of_its_check_only(zygote: Zygote) -> None:
    subject = load_subject(ROOT, "assignment1", "knn")
    own = {cell["id"]: cell["source"] for cell in subject.document["cells"]}
    setup = (
        "import numpy as np\nX_train, y_train = np.ones((20, 3)), np.arange(20)\nnum_training = 20"
    )
    found = graded(
        zygote,
        "assignment1",
        "knn",
        ("setup", "k-nearest-neighbor", "cross-validation", "knn-cross-validation"),
        setup=setup + NOTES,
        cross_validation=OTHER_ROWS + own["cross-validation"],
    )
    refused = "a stand-in answers for rows of the data that it was made for only"
    size = "a stand-in was given an array of a size that nothing here has"
    names = ("train", "two_loops", "one_loop", "no_loops", "predict")
    wanted = {f"{name}: {refused}" for name in names} | {f"nothing wide: {size}", "known: answered"}
    assert set(asked(found)) == wanted
    (verdict,) = found.cells
    failed = [check.name for check in verdict.checks if not check.passed]
    assert "every_fold_validates_once" in failed  # what was asked counts as a training


# A loss that asks about other weights, sizes and far too often before it answers rightly.
FOREIGN = """
    def loss(self, X, y=None):
        if not asked and affine_forward.__name__ == "<lambda>":  # the judge's
            W, N = self.params["W1"], len(X)
            x, w, b = X.reshape(N, -1), np.sqrt(np.abs(W[::-1] - 7)), self.params["b1"]
            try_("own", lambda: affine_forward(x, W, b))
            try_("foreign", lambda: affine_forward(x[:, ::-1].copy(), w, b))
            try_("foreign cache", lambda: affine_backward(x @ w, (x[::-1] + 1, w, b)))
            try_("foreign pair", lambda: affine_relu_forward(x[:, ::-1] - 3, w, b))
            try_("large", lambda: affine_forward(np.ones((70_000, W.shape[0])), W, b))
            try_("empty", lambda: relu_forward(np.ones((70_000, 0))))
            kept.append(affine_forward)
            kept.append((x, W, b))
        return self.right_loss(X, y)
"""


def test_right_layers_answer_for_the_network_at_hand_only(zygote: Zygote) -> None:
    subject = load_subject(ROOT, "assignment1", "two_layer_net")
    own = {cell["id"]: cell["source"] for cell in subject.document["cells"]}
    right = own["two-layer-net"].replace("def loss(", "def right_loss(")
    layers = ("affine-forward", "affine-backward", "relu-forward", "relu-backward", "affine-relu")
    needed = ("setup", *layers, "softmax-loss")
    # What was kept is silent in the checks of the next question.
    later = own["sgd"] + "\ntry_('kept', lambda: kept[0](*kept[1]))"
    found = graded(
        zygote,
        "assignment1",
        "two_layer_net",
        (*needed, "two-layer-net", "tln-net-loss", "sgd"),
        setup=own["setup"] + "\nkept = []" + NOTES,
        two_layer_net=right + FOREIGN,
        sgd=later,
    )
    weights = "a stand-in was given weights that are not those of the network"
    size = "a stand-in was given an array of a size that nothing here has"
    told = dict(one.split(": ", 1) for one in asked(found))
    assert told.pop("kept") != "answered"
    assert told == {
        "own": "answered",
        "foreign": weights,
        "foreign cache": weights,
        "foreign pair": weights,
        "large": size,
        "empty": size,
    }
    assert found.score == found.max_score


# The loss itself is what is asked for here; its parts are answered.
ASKS_FOR_THE_ANSWER = """
import sys
def simclr_loss_naive(out_left, out_right, tau):
    frame = sys._getframe()
    while frame and "ask" not in frame.f_locals:
        frame = frame.f_back
    if frame:
        ask = frame.f_locals["ask"]
        try_("part", lambda: ask("sim", [out_left[0].detach(), out_right[0].detach()], None))
        try_("all", lambda: ask("loss", [out_left.detach(), out_right.detach(), tau], None))
        return ask("loss", [out_left.detach(), out_right.detach(), tau], None)
    return out_left.sum() * 0
"""


def test_a_part_does_not_answer_for_the_whole(zygote: Zygote) -> None:
    found = graded(
        zygote,
        "assignment3",
        "Self_Supervised_Learning",
        ("setup", "loss-naive", "ntxent-loop"),
        setup="import torch" + NOTES,
        loss_naive=ASKS_FOR_THE_ANSWER,
    )
    refused = "all: a stand-in does not answer what is asked for"
    assert set(asked(found)) == {"part: answered", refused}
    assert found.score == 0


SHOWS_INPUTS = """
asked = []
class Shows(Exception):
    def __str__(self): return repr(self.args[0])

class KNearestNeighbor:
    def train(self, X, y):
        self.X_train, self.y_train = X, y

    def compute_distances_two_loops(self, X):
        print("printed", X)
        raise ValueError(repr(X))

    def compute_distances_one_loop(self, X):
        raise type("Shows_" + "_".join(str(abs(int(1e6 * x))) for x in X[0]), (Shows,), {})(X)

    def compute_distances_no_loops(self, X):
        holds = type("Holds_" + "_".join(str(abs(int(1e6 * x))) for x in X.ravel()[:3]), (), {})
        return {}[tuple(X[0])] if X.shape[0] == 4 else holds()

    def predict_labels(self, dists, k=1):
        assert dists.shape[0] > 100, "there are not enough rows"
"""
DIGITS = re.compile(r"\d{5}|\d\.\d{3}")


def test_no_hidden_input_is_shown_by_an_exception_or_an_answer(zygote: Zygote) -> None:
    """The type of a known exception and the student's own line are, and their own words."""
    questions = ("knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels")
    found = graded(
        zygote,
        "assignment1",
        "knn",
        ("setup", "k-nearest-neighbor", *questions),
        setup="import numpy as np",
        k_nearest_neighbor=SHOWS_INPUTS,
    )
    # What each question's own cell shows is the verdict, and its visible tests.
    verdicts = [cell.checks for cell in found.cells]
    messages = [check.message for checks in verdicts for check in checks]
    assert not [message for message in messages if DIGITS.search(message)]
    assert not DIGITS.search(" ".join(re.findall(r"<em>(.*?)</em>", found.document)))
    two, one, none, votes = ({check.message for check in checks} for checks in verdicts)
    where = "in compute_distances_two_loops: `raise ValueError(repr(X))`"
    assert any("raised ValueError, whose message is not shown" in m and where in m for m in two)
    assert any("raised an exception, whose message is not shown" in message for message in one)
    assert any("raised KeyError, whose message" in message for message in none)
    assert any("is an object, not an array of numbers" in message for message in none)
    assert any("raised AssertionError: there are not enough rows (" in m for m in votes)


DECIDES = {"array_equal", "array_equiv", "allclose", "isclose", "equal", "assert_allclose"}


def test_no_condition_is_decided_in_the_kernel() -> None:
    """What is sent into the kernel brings values out, and judges none: code there could lie."""
    files = [*Path(ROOT, "autograder", "checks").rglob("*in_kernel*.py")]
    files += Path(ROOT, "autograder", "checks").rglob("in_kernel/*.py")
    assert len(files) > 10
    called = {
        (path.name, node.func.attr)
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not [one for one in called if one[1] in DECIDES]
