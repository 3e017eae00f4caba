"""Checks of the notebook of fully connected nets: right answers of every style pass, wrong lose."""

from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch

from autograder.checks.assignment2.fullyconnectednets import rules as optim
from autograder.checks.shared import fully_connected as net
from autograder.judge.registry import checks_for
from autograder.judge.score import NO_ANSWER
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "FullyConnectedNets")
TRIAL = TrialNotebook(*NOTEBOOK, in_place=frozenset({"best_model_classifies"}))
solved, verdict = TRIAL.solved, TRIAL.verdict
failed, failed_cells = TRIAL.failed, TRIAL.failed_cells
SETUP = """
import matplotlib.pyplot as plt
import numpy as np
from cs231n_lib.notebooks import load
from cs231n_lib.seeding import seed_everything
"""
DEFINITIONS = ("load-layers", "fully-connected-net", "sgd-momentum", "rmsprop", "adam")
SEARCH = "fcn-best-model"


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    return TRIAL.student(zygote, sources, (SETUP, *(sources[cell] for cell in DEFINITIONS)))


def changed(cell: str, find: str, put: str) -> dict[str, str]:
    """Our solution with one thing replaced."""
    return TRIAL.changed(cell, (find, put))


# -- the oracles ----------------------------------------------------------------------------------


def test_right_steps_are_those_of_torch() -> None:
    rng = np.random.default_rng(0)
    for rule, make in (
        (optim.MOMENTUM, lambda w, c: torch.optim.SGD([w], c["learning_rate"], c["momentum"])),
        (optim.RMSPROP, lambda w, c: torch.optim.RMSprop([w], c["learning_rate"], c["decay_rate"])),
        (
            optim.ADAM,
            lambda w, c: torch.optim.Adam([w], c["learning_rate"], (c["beta1"], c["beta2"])),
        ),
    ):
        for settings in ({}, *rule.others):
            w, config = rng.normal(size=4), optim.fresh(rule, (4,), **settings)
            leaf = torch.tensor(w)
            torchs = make(leaf, config)
            for _ in range(6):
                dw = optim.draw_gradient(rng, (4,))
                leaf.grad = torch.tensor(dw)
                torchs.step()
                w, config = optim.right_step(rule, w, dw, config)
                np.testing.assert_allclose(w, leaf.numpy(), rtol=1e-12)


@pytest.mark.parametrize("normalization", [None, "batchnorm", "layernorm"])
@pytest.mark.parametrize("keep", [1, 0.6])
def test_right_gradients_are_slopes_of_the_right_loss(normalization, keep) -> None:
    case = net.draw_case(np.random.default_rng(1), normalization=normalization, keep=keep)
    _, grads = net.right_loss(case)
    assert set(grads) == set(case.params)
    for name, value in case.params.items():
        at = np.unravel_index(np.argmax(np.abs(grads[name])), value.shape)
        step = np.zeros_like(value)
        step[at] = 1e-6
        upper, lower = (
            net.right_loss(case.with_params({**case.params, name: value + sign * step}))[0]
            for sign in (1, -1)
        )
        assert np.isclose((upper - lower) / 2e-6, grads[name][at], rtol=1e-6, atol=1e-8), name


def test_in_test_mode_nothing_is_dropped_and_running_averages_count() -> None:
    rng = np.random.default_rng(2)
    plain = net.draw_case(rng, keep=0.5)
    assert np.allclose(net.right_scores(plain), net.right_scores(net.Case(plain.params, plain.X,
                                                                          plain.y)))  # fmt: skip
    case = net.draw_case(rng, normalization="batchnorm")
    zero_mean_unit_variance = tuple((np.zeros(H), np.ones(H)) for H in case.sizes[1:-1])
    running = net.Case(case.params, case.X, case.y, normalization="batchnorm",
                       running=zero_mean_unit_variance)  # fmt: skip
    h = case.X
    for layer in (1, 2):
        a = h @ case.params[f"W{layer}"] + case.params[f"b{layer}"]
        a = a / np.sqrt(1 + net.EPS)
        h = np.maximum(0, case.params[f"gamma{layer}"] * a + case.params[f"beta{layer}"])
    want = h @ case.params["W3"] + case.params["b3"]
    np.testing.assert_allclose(net.right_scores(running), want, rtol=1e-12)


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(10):
            for grade_id in checks_for(*NOTEBOOK):
                found = verdict(student, grade_id, number)
                counted = {c.name for c in found.checks if not c.advice}
                messages = {name: m for name, m in failed(found).items() if name in counted}
                assert messages == {}, (number, grade_id)


def test_the_reference_follows_all_advice(zygote) -> None:
    with student_with(zygote, solved()) as student:
        assert [failed(verdict(student, grade_id)) for grade_id in checks_for(*NOTEBOOK)] == (
            [{}] * len(checks_for(*NOTEBOOK))
        )


def test_another_place_of_epsilon_is_advice(zygote) -> None:
    with student_with(zygote, changed("rmsprop", "np.sqrt(cache) + config", "np.sqrt(cache) * 1 + "
                                      "0 * config")) as student:  # fmt: skip
        assert "zero_gradients_are_safe" in failed(verdict(student, "fcn-rmsprop"))
    inside = changed("adam", '(np.sqrt(v_hat) + config["epsilon"])',
                     'np.sqrt(v_hat + config["epsilon"] ** 2)')  # fmt: skip
    with student_with(zygote, inside) as student:
        found = verdict(student, "fcn-adam")
    assert found.score == 1.0
    assert set(failed(found)) == {"epsilon_is_added_to_the_root"}


# -- one mistake, one cell ------------------------------------------------------------------------

# (cell, what is replaced, by what): the cells that may lose points.
ONE_MISTAKE = {
    ("fully-connected-net", "np.zeros(sizes[layer])", "np.ones(sizes[layer])"): {"fcn-init"},
    ("fully-connected-net", "sizes = [input_dim", "raise ValueError\n        sizes = [input_dim"): {
        "fcn-init"
    },
    ("fully-connected-net", "caches[layer - 1]", "caches[0]"): {"fcn-loss"},
    ("sgd-momentum", "return w + velocity", "return w - velocity"): {"fcn-momentum"},
    ("rmsprop", "np.sqrt(cache)", "cache"): {"fcn-rmsprop"},
    ("adam", 'config["t"] + 1', 'config["t"] + 2'): {"fcn-adam"},
    ("overfit-three-layers", "2e-3", "2e-6"): {"fcn-three-layers"},
    ("overfit-five-layers", "8e-2", "8e-4"): {"fcn-five-layers"},
    ("best-model", "final.train()", "pass"): {SEARCH},
}


@pytest.mark.parametrize("mistake", ONE_MISTAKE, ids=lambda m: f"{m[0]}: {m[2]}")
def test_a_mistake_costs_one_cell(zygote, mistake) -> None:
    with student_with(zygote, changed(*mistake)) as student:
        assert failed_cells(student) == ONE_MISTAKE[mistake]


def test_wrong_layers_cost_nothing_here(zygote) -> None:
    broken = "\naffine_backward = affine_relu_backward = lambda dout, cache: (0, 0, 0)"
    sources = solved()
    sources["load-layers"] += broken
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == set()


# -- what students are told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "find", "put", "grade_id", "check", "says"),
    [
        ("fully-connected-net", "0.5 * self.reg", "self.reg", "fcn-loss",
         "penalty_is_right", "with 0.5"),
        ("fully-connected-net", "range(1, last + 1)", "range(1, last)", "fcn-loss",
         "penalty_is_right", "W4 is not penalised"),
        ("sgd-momentum", '- config["learning_rate"]', '+ config["learning_rate"]', "fcn-momentum",
         "one_step_from_a_given_state", "uphill"),
        ("sgd-momentum", '["velocity"] = velocity', '["v"] = velocity', "fcn-momentum",
         "memory_is_stored", "store the new one"),
        ("rmsprop", "np.sqrt(cache)", "cache", "fcn-rmsprop",
         "one_step_from_a_given_state", "the root is missing"),
        ("adam", "v / (1 - beta2**t)", "v", "fcn-adam",
         "one_step_from_a_given_state", "the bias correction of v is missing"),
        ("adam", ', config["t"] = m, v, t', " = m, v", "fcn-adam",
         "memory_is_stored", "config['t'] must count this step"),
        ("overfit-five-layers", "8e-2", "1e-2", "fcn-five-layers",
         "settings_learn_few_images", "with weight_scale = 0.01 and learning_rate = 0.0015"),
    ],
)  # fmt: skip
def test_a_usual_slip_is_named(zygote, cell, find, put, grade_id, check, says) -> None:
    with student_with(zygote, changed(cell, find, put)) as student:
        assert says in failed(verdict(student, grade_id))[check]


NET = "fully-connected-net"

# (cell, what is replaced, by what, question): the share earned, and what is said by each check that
# fails. No other check may fail.
WRONG = {
    (NET, "+= self.reg * W", "+= self.reg * W * (layer != 1)", "fcn-loss"): (
        16 / 18,
        {"penalty_gradients_are_right": "reg adds nothing to grads['W1']"},
    ),
    (NET, "0.5 * self.reg", "0.5 * self.reg * (layer != 1)", "fcn-loss"): (
        16 / 18,
        {"penalty_is_right": "W1 is not penalised"},
    ),
    (NET, "return loss, grads", "return loss, {n: g[None] for n, g in grads.items()}",
     "fcn-loss"): (
        17 / 18,
        {"gradients_have_their_shapes": "grads['W1'] has shape (1, 5, 7); expected (5, 7)"},
    ),
    ("sgd-momentum", '- config["learning_rate"] * dw', "- 1e-2 * dw", "fcn-momentum"): (
        0.0,
        {
            "one_step_from_a_given_state": "config['learning_rate'] makes no difference",
            "memory_is_stored": "config['velocity']: 12 of 12 entries differ",
            "five_steps_feed_back_their_config": "w after step 1 of 5",
            "missing_settings_have_defaults": "begun with config = {'learning_rate': 0.25}",
            "zero_gradients_are_safe": "config['learning_rate'] makes no difference",
            "other_settings_count": "config['learning_rate'] makes no difference",
            "two_parameters_are_independent": "w of parameter 1 of two",
            "float32_and_images_are_accepted": "after step 1",
        },
    ),
    ("sgd-momentum", '["velocity"] = velocity', '["velocity"] = 0 * velocity', "fcn-momentum"): (
        5 / 11,
        {
            "memory_is_stored": "config['velocity']: 12 of 12 entries differ",
            "five_steps_feed_back_their_config": "as if config held nothing of the step before",
            "missing_settings_have_defaults": "w after step 2",
            "two_parameters_are_independent": "w of parameter 1 of two",
            "float32_and_images_are_accepted": "after step 2",
        },
    ),
    ("rmsprop", '(np.sqrt(cache) + config["epsilon"])', 'np.sqrt(cache + config["epsilon"])',
     "fcn-rmsprop"): (
        1.0,
        {
            "epsilon_is_added_to_the_root": "epsilon is added to the cache, under the root; it "
            "belongs beside the root: sqrt(cache) + epsilon"
        },
    ),
    ("adam", '(np.sqrt(v_hat) + config["epsilon"])', 'np.sqrt(v_hat + config["epsilon"])',
     "fcn-adam"): (
        1.0,
        {
            "epsilon_is_added_to_the_root": "epsilon is added to v_hat, under the root; it "
            "belongs beside the root: sqrt(v_hat) + epsilon"
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}: {wrong[2]}")
def test_what_a_wrong_answer_costs_and_is_said(zygote, wrong) -> None:
    *edit, grade_id = wrong
    share, says = WRONG[wrong]
    with student_with(zygote, changed(*edit)) as student:
        found = verdict(student, grade_id)
    messages = {name: m for name, m in failed(found).items() if m != NO_ANSWER}
    assert set(messages) == set(says)
    for name, message in says.items():
        assert message in messages[name], name
    assert found.score == pytest.approx(share, abs=1e-4)


def test_the_combined_step_of_adam_is_advice_that_says_where_epsilon_is(zygote) -> None:
    step = 'config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])'
    combined = (
        'config["learning_rate"] * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m '
        '/ (np.sqrt(v) + config["epsilon"])'
    )
    with student_with(zygote, changed("adam", step, combined)) as student:
        found = verdict(student, "fcn-adam")
    assert found.score == 1.0
    assert list(failed(found)) == ["epsilon_is_added_to_the_root"]
    message = failed(found)["epsilon_is_added_to_the_root"]
    assert "epsilon is added to the root of v before the bias correction" in message


def test_a_penalty_without_the_half_is_one_failure(zygote) -> None:
    sources = changed("fully-connected-net", "0.5 * self.reg", "self.reg")
    cell = sources["fully-connected-net"]
    sources["fully-connected-net"] = cell.replace("+= self.reg * W", "+= 2 * self.reg * W")
    with student_with(zygote, sources) as student:
        assert list(failed(verdict(student, "fcn-loss"))) == ["penalty_is_right"]


# -- settings for 50 images -----------------------------------------------------------------------

SEARCHED = """
for weight_scale in (1e-3, 8e-2):
    for learning_rate in (1e-5, 1.5e-3):
        solver = learn_few([100] * 4, weight_scale, learning_rate)
        if max(solver.train_acc_history) == 1:
            break
"""
OWN_SEARCH = """
best = -1
for scale, rate in ((1e-3, 1e-5), (8e-2, 1.5e-3)):
    model = FullyConnectedNet([100] * 4, weight_scale=scale)
    solver = Solver(model, few, optim_config={"learning_rate": rate}, num_epochs=20, batch_size=25)
    solver.train()
    if solver.best_val_acc > best:
        best, weight_scale, learning_rate = solver.best_val_acc, scale, rate
"""


@pytest.mark.parametrize("source", [SEARCHED, OWN_SEARCH], ids=["learn_few", "own Solver"])
def test_settings_may_be_searched_for(zygote, source) -> None:
    """In the judge every training succeeds: then what the notebook found counts."""
    with student_with(zygote, solved() | {"overfit-five-layers": source}) as student:
        assert failed_cells(student) == {"fcn-five-layers"}
        student.set("weight_scale", 8e-2)
        student.set("learning_rate", 1.5e-3)
        assert failed(verdict(student, "fcn-five-layers")) == {}


def test_settings_left_over_from_the_cell_before_do_not_count(zygote) -> None:
    blank = "raise NotImplementedError"
    with student_with(zygote, solved() | {"overfit-five-layers": blank}) as student:
        student.set("weight_scale", 8e-2)
        student.set("learning_rate", 1.5e-3)
        assert failed_cells(student) == {"fcn-five-layers"}


# -- searches -------------------------------------------------------------------------------------

BY_RULE = """
best = -1
for rule, rate in ((sgd, 1e-3), (sgd_momentum, 2e-3), (rmsprop, 1e-4), ("adam", 1e-3)):
    net = FullyConnectedNet([100, 100])
    run = Solver(net, data, update_rule=rule, optim_config={"learning_rate": rate}, num_epochs=5)
    run.train()
    if run.best_val_acc > best:
        best, best_model = run.best_val_acc, net
"""
OWN_START = """
best_model = FullyConnectedNet([300, 100], reg=0.01, dtype=np.float64)
for layer in range(1, best_model.num_layers + 1):
    W = best_model.params[f"W{layer}"]
    best_model.params[f"W{layer}"] = np.random.randn(*W.shape) * np.sqrt(2 / W.shape[0])
solver = Solver(best_model, data, update_rule="adam", optim_config={"learning_rate": 1e-3})
solver.train()
print(np.mean(best_model.loss(data["X_val"]).argmax(axis=1) == data["y_val"]))
"""
SHORT_RUNS_FIRST = """
reached = {}
for rate in (3e-4, 1e-3, 3e-3):
    start = {"learning_rate": rate}
    net = FullyConnectedNet([100, 100])
    run = Solver(net, few_thousand, update_rule=adam, optim_config=start, num_epochs=2)
    run.train()
    reached[rate] = run.best_val_acc
best_model = FullyConnectedNet([100, 100])
start = {"learning_rate": max(reached, key=reached.get)}
Solver(best_model, data, update_rule=adam, optim_config=start, lr_decay=0.9).train()
"""
WRONG_SEARCHES = {
    "the worst rule": ([("best = -1", "best = 2"), ("> best", "< best")], "search_keeps_the_best"),
    "the last": ([("if run.best_val_acc > best", "if True")], "search_keeps_the_best"),
    "by the test set": (
        [("run.best_val_acc", "run.check_accuracy(data['X_test'], data['y_test'])")],
        "search_leaves_the_test_set",
    ),
    "never trained": ([("run.train()", "pass")], "search_trains_on_training_images"),
    "on and on": ([("    net = ", "    net = best_model or ")], "search_trains_on_training_images"),
}


@pytest.mark.parametrize("source", [BY_RULE, OWN_START, SHORT_RUNS_FIRST])
def test_a_right_search_passes_in_any_style(zygote, source) -> None:
    with student_with(zygote, solved() | {"best-model": source}) as student:
        assert failed(verdict(student, SEARCH)) == {}


@pytest.mark.parametrize("name", WRONG_SEARCHES)
def test_a_wrong_search_is_noticed(zygote, name) -> None:
    edits, notices = WRONG_SEARCHES[name]
    source = BY_RULE
    for find, put in edits:
        assert find in source
        source = source.replace(find, put)
    with student_with(zygote, solved() | {"best-model": source}) as student:
        assert notices in failed(verdict(student, SEARCH))
