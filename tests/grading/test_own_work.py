"""What a question forbids earns nothing, however its source is written."""

from __future__ import annotations

import json

from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.template import load_template
from tests.little import ROOT
from trial_notebook import TrialNotebook

CONVOLUTION = TrialNotebook("assignment2", "ConvolutionalNetworks")
SOFTMAX = TrialNotebook("assignment1", "softmax")
BY_SCIPY = """
_f = getattr(__import__("scipy.spatial.distance", fromlist=["x"]), "cdi" + "st")

class KNearestNeighbor:
    def train(self, X, y): self.X_train, self.y_train = X, y
    def compute_distances_two_loops(self, X): return _f(X, self.X_train)
    def compute_distances_one_loop(self, X): return _f(X, self.X_train)
    def compute_distances_no_loops(self, X): return _f(X, self.X_train)
    def predict_labels(self, dists, k=1): return self.y_train[dists.argmin(axis=1)]
"""
BY_TORCH = """
def conv_forward_naive(x, w, b, conv_param):
    torch = __import__("to" + "rch")
    tensors = map(torch.tensor, (x, w, b))
    out = torch.nn.functional.conv2d(*tensors, None, conv_param["stride"], conv_param["pad"])
    return out.numpy(), (x, w, b, conv_param)
"""
# The search calls a Python function for each character: no rule names it.
BY_SEARCHING = """
import re

def softmax_loss_vectorized(W, X, y, reg):
    loss, dW, rows = [], np.zeros_like(W), []

    def each(match):
        i = len(rows)
        rows.append(i)
        p = np.exp(X[i] @ W - np.max(X[i] @ W))
        p /= p.sum()
        loss.append(-np.log(p[y[i]]))
        p[y[i]] -= 1
        dW[:] += np.outer(X[i], p)
        return ""

    re.sub(".", each, "." * len(X))
    return np.mean(loss) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W
"""


def graded(zygote: Zygote, assignment: str, notebook: str, **answers: str) -> GradedNotebook:
    """The released notebook with some cells answered, graded like any other."""
    template = load_template(ROOT, assignment, notebook)
    document = json.loads(json.dumps(template.document))
    for cell in document["cells"]:
        cell["source"] = answers.get(cell["id"].replace("-", "_"), cell["source"])
    checks = checks_for(assignment, notebook)
    return grade(Job("ann", template, json.dumps(document).encode(), checks, b"secret"), zygote)


def test_a_library_that_does_the_work_earns_nothing(zygote: Zygote) -> None:
    """SciPy is taken by a name put together, outside the function; it is not there to be taken."""
    found = graded(zygote, "assignment1", "knn", k_nearest_neighbor=BY_SCIPY)
    assert sum(cell.score for cell in found.cells) == 0
    assert "this notebook is graded without scipy" in found.document


def test_a_framework_that_does_the_work_earns_nothing(zygote: Zygote) -> None:
    sources = CONVOLUTION.solved() | {"conv-forward-naive": BY_TORCH}
    run = [sources["setup"], sources["conv-forward-naive"]]
    with CONVOLUTION.student(zygote, sources, run) as student:
        found = CONVOLUTION.verdict(student, "cnn-conv-forward")
    assert found.score == 0
    messages = set(CONVOLUTION.failed(found).values())
    assert any(
        "raised ModuleNotFoundError: No module named 'torch': this notebook is graded without "
        "torch. Its questions are to be answered with NumPy; remove the import" in message
        for message in messages
    ), messages


def test_a_loop_that_no_rule_can_read_is_told_by_its_cost(zygote: Zygote) -> None:
    sources = SOFTMAX.solved() | {"softmax-loss-vectorized": BY_SEARCHING}
    with SOFTMAX.student(zygote, sources, ["import numpy as np", BY_SEARCHING]) as student:
        found = SOFTMAX.verdict(student, "softmax-vectorized")
        failed = SOFTMAX.failed(found, advice=False)
    assert set(failed) == {"vectorized_takes_no_time_for_a_row"}
    assert "as much as a Python loop over the rows does" in failed.popitem()[1]


def test_a_helper_that_nobody_can_read_costs_little(zygote: Zygote) -> None:
    """What the function returns is right; where the helper comes from is not in the notebook."""
    sources = CONVOLUTION.solved()
    own, head = sources["conv-forward-naive"], "def conv_forward_naive(x, w, b, conv_param):\n"
    assert head in own
    elsewhere = own.replace(head, f"from helpers import look_at\n{head}    look_at(x)\n")
    with CONVOLUTION.student(zygote, sources, [sources["setup"], own]) as student:
        assert CONVOLUTION.verdict(student, "cnn-conv-forward").score == 1
        student.sources["conv-forward-naive"] = elsewhere
        found = CONVOLUTION.verdict(student, "cnn-conv-forward")
    assert set(CONVOLUTION.failed(found, advice=False)) == {"all_of_it_can_be_read"}
    assert 0.95 < found.score < 1
