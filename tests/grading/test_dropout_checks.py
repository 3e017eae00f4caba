"""Checks of the dropout notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
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
        for number in rounds(3 if path else 25):
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
    assert [c.name for c in found.checks if not c.passed] == ["x_is_unchanged"]


# -- wrong answers, and what they are told --------------------------------------------------------

# (cell, what is replaced, by what): the cell that loses, a check of it, and a part of its message.
WRONG = {
    (FORWARD, "< p", "> p"): ("do-forward", "share_that_is_kept", "probability to keep"),
    (FORWARD, "mask / p", "mask"): ("do-forward", "scale_of_what_is_kept", "not scaled"),
    (FORWARD, "out = x\n", "out = x * p\n"): (
        "do-forward",
        "test_mode_changes_nothing",
        "multiplied by p",
    ),
    (FORWARD, "rand(*x.shape)", "rand(*x.shape[:1], *[1] * (x.ndim - 1))"): (
        "do-forward",
        "each_number_has_its_own_coin",
        "differ only in axis 1",
    ),
    (BACKWARD, "dout * mask / dropout_param", "dout + 0 * mask / dropout_param"): (
        "do-backward",
        "dx_has_the_mask_of_out",
        "nothing dropped",
    ),
    (BACKWARD, ' / dropout_param["p"]', ""): (
        "do-backward",
        "dx_has_the_mask_of_out",
        "lacks the scaling",
    ),
    (NET, "hidden, dropout_cache = dropout", "_, dropout_cache = dropout"): (
        "do-net",
        "training_loss",
        "without dropout",
    ),
    (
        NET,
        "forward(hidden, self.dropout_param)",
        "forward(hidden, self.dropout_param | {'p': .25})",
    ): (
        "do-net",
        "training_loss",
        "ratio to drop",
    ),
    (NET, "dhidden = dropout_backward(dhidden, dropout_cache)", "pass"): (
        "do-net",
        "gradients",
        "before the ReLU of its layer",
    ),
    (
        NET,
        "if y is None:\n            return scores",
        "if y is None:\n            return scores + 1",
    ): (
        "do-net",
        "scores_without_dropout",
        "loss(X)",
    ),
    (
        NET,
        "loss, dscores = softmax_loss(scores, y)",
        "scores, _ = dropout_forward(scores, self.dropout_param)\n"
        "        loss, dscores = softmax_loss(scores, y)",
    ): ("do-net", "training_loss", "applied to the scores"),
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
        assert "training_loss_with_a_seed" in failed(verdict(student, "do-net"))


# -- faults that wrong solutions have shown -------------------------------------------------------

PENALTY = '            grads[f"W{layer}"] += self.reg * W\n'
# What is replaced by what: the question, the share of the points that is left, what each check that
# fails says.
FAULTS = {
    (FORWARD, "        mask = np", "        np.random.seed(0)\n        mask = np"): (
        "do-forward",
        8 / 17,
        {
            "mean_over_many_calls": "each call must draw a new mask",
            "each_number_has_its_own_coin": "in two calls without a seed, the same numbers",
            "masks_differ_from_call_to_call": "two calls without a seed dropped the same numbers",
            "seed_makes_a_mask_repeatable": "two seeds gave the same mask",
        },
    ),
    (FORWARD, "np.random.rand(*x.shape)", "np.random.default_rng().random(x.shape)"): (
        "do-forward",
        16 / 17,
        {"seed_makes_a_mask_repeatable": "out for the same seed again"},
    ),
    (FORWARD, "< p", "> p"): (
        "do-forward",
        8 / 17,
        {
            "share_that_is_kept": "p is the probability to keep a number",
            "scale_of_what_is_kept": "everything was dropped, although p = 1",
            "mean_over_many_calls": "on average",
        },
    ),
    (BACKWARD, "    return dx", "    return (1.0003 * dx).astype(np.float16)"): (
        "do-backward",
        0.0,
        {
            "dx_has_the_mask_of_out": "dx in train mode",
            "dx_where_x_is_zero": "dx in train mode",
            "dx_of_several_calls": "dx in train mode",
            "dx_in_test_mode": "dx in test mode",
        },
    ),
    (
        NET,
        "dropout_forward(hidden, self.dropout_param)",
        'dropout_forward(hidden, self.dropout_param | {"seed": 0})',
    ): ("do-net", 19 / 23, {"training_loss_varies_without_seed": "gave the same loss"}),
    (NET, PENALTY, ""): ("do-net", 22 / 23, {"penalty": "reg adds nothing to grads['W1']"}),
    (
        NET,
        PENALTY,
        PENALTY + '            loss += 0.5 * self.reg * np.sum(self.params[f"b{layer}"] ** 2)\n',
    ): ("do-net", 22 / 23, {"penalty": "the biases are penalised too"}),
    (NET, "= dW, db", "= dW, db[None]"): (
        "do-net",
        22 / 23,
        {"shapes_of_gradients": "grads['b1'] has shape (1, 7); expected (7,)"},
    ),
}


@pytest.mark.parametrize("mistake", FAULTS, ids=lambda mistake: mistake[2][:30])
def test_a_fault_is_named_and_costs_what_it_breaks(zygote, mistake) -> None:
    grade_id, left, said = FAULTS[mistake]
    with student_with(zygote, changed(*mistake)) as student:
        assert failed_cells(student) == {grade_id}
        found = verdict(student, grade_id)
    messages = failed(found)
    assert set(messages) == set(said)
    for check, part in said.items():
        assert part in messages[check]
    assert found.score == pytest.approx(left, abs=1e-3)


def test_an_error_is_placed_in_the_students_own_line(zygote) -> None:
    without_mode = "dropout_forward(hidden, {'p': 0.5})"
    sources = changed(NET, "dropout_forward(hidden, self.dropout_param)", without_mode)
    with student_with(zygote, sources) as student:
        said = failed(verdict(student, "do-net"))["training_loss"]
    assert "of cell 'fully-connected-net', in loss: `hidden, dropout_cache = drop" in said
