"""The checks of the features notebook: any right way of choosing passes, wrong ones lose a part.

Nothing is trained here: the checks bring their own stand-ins for classifiers, nets and solver.
"""

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.mutate.mutants import MUTANTS
from autograder.notebook.edits import read_sample
from tests.nightly import rounds

# The checks that ask what was really trained need the whole notebook; they are left to
# `python -m autograder mutate assignment1 features`.
NEED_TRAINING = {
    "best_val_can_be_reproduced",
    "linear_classifier_knows_new_images",
    "net_knows_new_images",
}
SETUP = "import numpy as np\ndef sgd(w, dw, config=None): raise RuntimeError('not to be called')"

SEARCH = """
results, best_val, best_svm = {}, -1.0, None
for lr in (1e-3, 1e-2):
    for reg in (0.1, 1.0, 3.0):
        one = LinearSVM()
        one.train(X_train_feats, y_train, learning_rate=lr, reg=reg, num_iters=10)
        pair = [np.mean(one.predict(X_train_feats) == y_train),
                np.mean(one.predict(X_val_feats) == y_val)]
        results[lr, reg] = pair
        if pair[1] > best_val:
            best_val, best_svm = pair[1], one
"""
NETS = """
data = {"X_train": X_train_feats, "y_train": y_train, "X_val": X_val_feats, "y_val": y_val}
best, best_net = -1.0, None
for rate in (0.1, 0.3, 1.0):
    net = TwoLayerNet(X_train_feats.shape[1], 500, 10)
    solver = Solver(net, data, update_rule=sgd, optim_config={"learning_rate": rate})
    solver.train()
    if solver.best_val_acc > best:
        best, best_net = solver.best_val_acc, net
"""
BY_HISTORY = NETS.replace("solver.best_val_acc", "max(solver.val_acc_history)")
BY_SCORES = NETS.replace(
    "solver.best_val_acc", "np.mean(net.loss(X_val_feats).argmax(axis=1) == y_val)"
)
ONE_NET = """
from cs231n_lib.solver import Solver
best_net = tln.TwoLayerNet(input_dim, hidden_dim, num_classes)
Solver(best_net, data, update_rule="sgd", optim_config={"learning_rate": 0.3}).train()
"""
COPIED_WEIGHTS = NETS.replace(
    "best, best_net = solver.best_val_acc, net",
    "best = solver.best_val_acc\n        best_net = TwoLayerNet(X_train_feats.shape[1], 500, 10)\n"
    "        best_net.params = {k: v.copy() for k, v in solver.best_params.items()}",
)
# A coarse search on few rows first: its nets are compared with one another only.
COARSE = (
    NETS.replace("(0.1, 0.3, 1.0)", "(0.01, 0.1, 1.0)")
    .replace('X_train_feats, "y_train": y_train', 'X_train_feats[:50], "y_train": y_train[:50]')
    .replace('X_val_feats, "y_val": y_val', 'X_val_feats[:40], "y_val": y_val[:40]')
)
KEEP = "best, best_net = solver.best_val_acc, net"

RIGHT_NETS = {
    "search": NETS,
    "coarse, then search": COARSE + NETS,
    "by the history": BY_HISTORY,
    "by scores": BY_SCORES,
    "one net, its own import": ONE_NET,
    "copied weights": COPIED_WEIGHTS,
}
# name: (source, share left of the weight of 8 that needs no training)
WRONG_NETS = {
    "last": (NETS.replace("if solver.best_val_acc > best:", "if True:"), 5 / 8),
    "first": (NETS.replace("best_val_acc > best", "best_val_acc > 2 * best + 1"), 5 / 8),
    "by training": (NETS.replace("solver.best_val_acc", "solver.train_acc_history[-1]"), 5 / 8),
    "by test": (BY_SCORES.replace("X_val_feats).arg", "X_test_feats).arg").replace(
        "== y_val", "== y_test"), 4 / 8),
    "validated on the test set": (NETS.replace('"X_val": X_val_feats, "y_val": y_val',
        '"X_val": X_test_feats, "y_val": y_test'), 6 / 8),
    "labels of the wrong set": (NETS.replace('"y_train": y_train', '"y_train": y_train[::-1]'),
        6 / 8),
    "part of the rows": (NETS.replace("X_train_feats, \"y_train\": y_train",
        "X_train_feats[:50], \"y_train\": y_train[:50]"), 5 / 8),
    "fresh net": (NETS.replace(KEEP, "best_net = TwoLayerNet(6, 500, 10)"), 3 / 8),
    "50 units": (NETS.replace("500", "50"), 7 / 8),
    "one net for all": (NETS.replace("\n    net = Two", "\n    net = globals().get('net') or Two"),
        7 / 8),
    "no training": (NETS.replace("solver.train()", "pass"), 0.0),
    "not written": ("raise NotImplementedError", 0.0),
}  # fmt: skip
# The same; the weights are new classifiers 2, table 3, the best 2, test set left alone 1.
WRONG_SEARCHES = {
    "swapped": (SEARCH.replace("results[lr, reg]", "results[reg, lr]"), 5 / 8),
    "by training": (SEARCH.replace("pair[1] > best_val", "pair[0] > best_val").replace(
        "best_val, best_svm = pair[1]", "best_val, best_svm = pair[0]"), 6 / 8),
    "by test": (SEARCH.replace("X_val_feats) == y_val", "X_test_feats) == y_test"), 2 / 8),
    "never new": (SEARCH.replace("one = LinearSVM()", "one = globals().setdefault('kept', "
        "LinearSVM())"), 4 / 8),
    "not written": ("raise NotImplementedError", 0.0),
}  # fmt: skip


def graded(kernel, cell: str, grade_id: str, source: str, seed: int = 0):
    """The verdict of the checks that need no training."""
    assert kernel.run_cell(SETUP).ok
    checks = [
        check
        for check in checks_for("assignment1", "features")[grade_id]
        if check.name not in NEED_TRAINING and not check.advice
    ]
    student = Student(kernel, {cell: source})
    drawn = Seed(seed.to_bytes(4, "little"), "assignment1", "features", "ann")
    outcome = grade_cell(student, grade_id, 1.0, checks, drawn)
    assert not outcome.broken
    return outcome.verdict


def messages(verdict) -> list[str]:
    return [check.message for check in verdict.checks if not check.passed]


@pytest.mark.parametrize("name", RIGHT_NETS)
def test_a_right_choice_of_nets_passes_in_any_style(kernel, name) -> None:
    for seed in rounds(8):
        verdict = graded(kernel, "train-net", "features-net", RIGHT_NETS[name], seed)
        assert messages(verdict) == [], (name, seed)


@pytest.mark.parametrize("name", WRONG_NETS)
def test_a_wrong_choice_of_nets_loses_what_is_wrong(kernel, name) -> None:
    source, left = WRONG_NETS[name]
    verdict = graded(kernel, "train-net", "features-net", source)
    assert verdict.score == pytest.approx(left, abs=1e-3), messages(verdict)


@pytest.mark.parametrize("name", ["svm", "softmax"])
def test_a_right_search_passes_with_either_classifier(kernel, name) -> None:
    source = SEARCH
    if name == "softmax":
        source = source.replace("LinearSVM", "Softmax").replace("best_svm", "best_softmax")
    for seed in rounds(8):
        verdict = graded(kernel, "tune-svm", "features-tuning", source, seed)
        assert messages(verdict) == [], seed


@pytest.mark.parametrize("name", WRONG_SEARCHES)
def test_a_wrong_search_loses_what_is_wrong(kernel, name) -> None:
    source, left = WRONG_SEARCHES[name]
    verdict = graded(kernel, "tune-svm", "features-tuning", source)
    assert verdict.score == pytest.approx(left, abs=1e-3), messages(verdict)


@pytest.mark.parametrize("path", sorted((MUTANTS / "assignment1" / "features").glob("right_*.py")))
def test_every_alternative_chooses_rightly(kernel, path) -> None:
    grade_ids = {"tune-svm": "features-tuning", "train-net": "features-net"}
    cells = {one.target: one.text for one in read_sample(path) if one.action == "cell"}
    assert set(cells) == set(grade_ids)
    for cell, source in cells.items():
        assert messages(graded(kernel, cell, grade_ids[cell], source)) == [], cell


AGAIN = """
from cs231n_lib.solver import Solver
from cs231n_lib.notebooks import load
net_of_earlier = load("two_layer_net")
TwoLayerNet = net_of_earlier.TwoLayerNet
"""


def test_what_is_imported_once_more_is_the_stand_in_too(kernel) -> None:
    verdict = graded(kernel, "train-net", "features-net", AGAIN + NETS)
    assert messages(verdict) == []
    assert kernel.run_cell("import cs231n_lib.solver\nassert cs231n_lib.solver.Solver.__doc__").ok


@pytest.mark.parametrize(
    ("cell", "grade_id", "source"),
    [
        ("tune-svm", "features-tuning", SEARCH.replace("y_val)]", "y_wal)]")),
        ("train-net", "features-net", NETS.replace("best_val_acc > best", "best_wal_acc > best")),
    ],
)
def test_a_cell_that_raises_is_named_with_the_line(kernel, cell, grade_id, source) -> None:
    verdict = graded(kernel, cell, grade_id, source)
    assert verdict.score == 0
    for message in messages(verdict):
        assert message.startswith(f"the cell {cell!r} raised ")
        assert f"(line 8 of cell {cell!r}" in message
