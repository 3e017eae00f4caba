"""Checks of the dropout notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "Dropout")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict = TRIAL.solved, TRIAL.verdict
failed, failed_cells = partial(TRIAL.failed, advice=False), TRIAL.failed_cells
SETUP = "import numpy as np\nfrom cs231n_lib.notebooks import load"
FORWARD, BACKWARD, NET = "dropout-forward", "dropout-backward", "fully-connected-net"
NEEDS_EARLIER = "load-earlier"  # run before the cells that come after it


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    own = set(sources) - set(solved())  # cells of an alternative's own
    wanted = {FORWARD, BACKWARD, NET, NEEDS_EARLIER} | own
    run = (SETUP, *(text for cell, text in sources.items() if cell in wanted))
    return TRIAL.student(zygote, sources, run)


def changed(cell: str, find: str, put: str) -> dict[str, str]:
    """Our solution with one thing replaced."""
    return TRIAL.changed(cell, (find, put))


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right)
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in range(3 if path else 25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


DROPS_BY_ITSELF = """
            if self.use_dropout:
                if "seed" in self.dropout_param:
                    np.random.seed(self.dropout_param["seed"])
                p, mode = self.dropout_param["p"], self.dropout_param["mode"]
                dropout_cache = (np.random.rand(*hidden.shape) < p) / p if mode == "train" else 1
                hidden = hidden * dropout_cache
"""


def test_a_net_may_drop_without_calling_the_layer(zygote) -> None:
    """Its masks are then those which the layer draws with the same seed."""
    calls = """
            if self.use_dropout:
                hidden, dropout_cache = dropout_forward(hidden, self.dropout_param)
"""
    sources = changed(NET, calls, DROPS_BY_ITSELF)
    back = "dropout_backward(dhidden, dropout_cache)"
    sources[NET] = sources[NET].replace(back, "dhidden * dropout_cache")
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == set()


def test_changing_x_is_advice(zygote) -> None:
    with student_with(zygote, changed(FORWARD, "x * mask / p", "x")) as student:
        assert "do-forward" in failed_cells(student)
    in_place = "np.multiply(x, mask / p, out=x, casting='unsafe')"
    with student_with(zygote, changed(FORWARD, "x * mask / p", in_place)) as student:
        found = verdict(student, "do-forward")
    assert found.score == 1.0
    assert [c.name for c in found.checks if not c.passed] == ["x_is_left_alone"]


# -- wrong answers, and what they are told --------------------------------------------------------

# (cell, what is replaced, by what): the cell that loses, a check of it, and a part of its message.
WRONG = {
    (FORWARD, "< p", "> p"): ("do-forward", "the_right_share_is_kept", "probability to keep"),
    (FORWARD, "mask / p", "mask"): ("do-forward", "what_is_kept_is_scaled", "not scaled"),
    (FORWARD, "out = x\n", "out = x * p\n"): (
        "do-forward",
        "test_mode_changes_nothing",
        "multiplied by p",
    ),
    (FORWARD, "rand(*x.shape)", "rand(*x.shape[:1], *[1] * (x.ndim - 1))"): (
        "do-forward",
        "each_number_is_dropped_by_itself",
        "differ only in axis 1",
    ),
    (BACKWARD, "dout * mask / dropout_param", "dout + 0 * mask / dropout_param"): (
        "do-backward",
        "the_gradient_passes_the_same_mask",
        "nothing dropped",
    ),
    (BACKWARD, ' / dropout_param["p"]', ""): (
        "do-backward",
        "the_gradient_passes_the_same_mask",
        "lacks the scaling",
    ),
    (NET, "hidden, dropout_cache = dropout", "_, dropout_cache = dropout"): (
        "do-net",
        "training_loss_is_right",
        "without dropout",
    ),
    (
        NET,
        "forward(hidden, self.dropout_param)",
        "forward(hidden, self.dropout_param | {'p': .25})",
    ): (
        "do-net",
        "training_loss_is_right",
        "ratio to drop",
    ),
    (NET, "dhidden = dropout_backward(dhidden, dropout_cache)", "pass"): (
        "do-net",
        "gradients_are_right",
        "before the ReLU of its layer",
    ),
    (
        NET,
        "if y is None:\n            return scores",
        "if y is None:\n            return scores + 1",
    ): (
        "do-net",
        "scores_do_not_drop",
        "loss(X)",
    ),
    (
        NET,
        "loss, dscores = softmax_loss(scores, y)",
        "scores, _ = dropout_forward(scores, self.dropout_param)\n"
        "        loss, dscores = softmax_loss(scores, y)",
    ): ("do-net", "training_loss_is_right", "applied to the scores"),
}


@pytest.mark.parametrize("mistake", WRONG, ids=lambda mistake: mistake[2])
def test_a_mistake_costs_one_cell_and_is_explained(zygote, mistake) -> None:
    grade_id, name, part = WRONG[mistake]
    with student_with(zygote, changed(*mistake)) as student:
        assert failed_cells(student) == {grade_id}
        assert part in failed(verdict(student, grade_id))[name]


def test_a_seed_that_is_not_handed_on_is_noticed(zygote) -> None:
    without = "dropout_forward(hidden, {**self.dropout_param, 'seed': None})"
    sources = changed(NET, "dropout_forward(hidden, self.dropout_param)", without)
    with student_with(zygote, sources) as student:
        assert "a_seed_makes_the_loss_repeatable" in failed(verdict(student, "do-net"))
