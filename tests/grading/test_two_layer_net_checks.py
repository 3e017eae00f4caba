"""Checks of the two-layer net notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.score import NO_ANSWER
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment1", "two_layer_net")
TRIAL = TrialNotebook(
    *NOTEBOOK,
    in_place=frozenset({"solver_learned", "solver_model_classifies", "best_model_classifies"}),
)
solved, verdict = TRIAL.solved, TRIAL.verdict
failed, failed_cells = TRIAL.failed, TRIAL.failed_cells
SETUP = "import numpy as np\nfrom cs231n_lib.seeding import seed_everything"
DEFINITIONS = (
    "affine-forward",
    "affine-backward",
    "relu-forward",
    "relu-backward",
    "affine-relu",
    "softmax-loss",
    "svm-loss",
    "two-layer-net",
    "sgd",
)


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    return TRIAL.student(zygote, sources, (SETUP, *(sources[cell] for cell in DEFINITIONS)))


def changed(cell: str, find: str, put: str) -> dict[str, str]:
    """Our solution with one thing replaced."""
    return TRIAL.changed(cell, (find, put))


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


def test_a_helper_beside_the_class_may_call_the_layers(zygote) -> None:
    """The class is made again over right layers; its helpers come along."""
    sources = solved()
    body = sources["two-layer-net"].replace("affine_relu_forward(", "my_pair(")
    helper = (
        "def my_pair(x, w, b):\n"
        "    a, first = affine_forward(b=b, w=w, x=x)\n"
        "    out, second = relu_forward(x=a)\n"
        "    out[out < 0.5] += 0.0  # what the layers return may be changed in place\n"
        "    return out, (first, second)\n\n\n"
    )
    with student_with(zygote, sources | {"two-layer-net": helper + body}) as student:
        assert failed_cells(student) == set()


SHIFTED_BY_ONE_MAXIMUM = '''
def softmax_loss(x, y):
    """As in some published solutions: the maximum of the whole batch is subtracted."""
    p = np.exp(x - np.max(x))
    p /= np.sum(p, axis=1, keepdims=True)
    loss = -np.sum(np.log(p[np.arange(x.shape[0]), y])) / x.shape[0]
    p[np.arange(x.shape[0]), y] -= 1
    return loss, p / x.shape[0]
'''


def test_what_the_contract_leaves_open_is_advice(zygote) -> None:
    with student_with(zygote, solved() | {"softmax-loss": SHIFTED_BY_ONE_MAXIMUM}) as student:
        found = verdict(student, "tln-softmax-loss")
    assert found.score == 1.0
    assert set(failed(found)) == {"offsets_of_rows_change_nothing", "hopeless_scores_stay_finite"}


def test_without_a_shift_large_scores_fail(zygote) -> None:
    source = SHIFTED_BY_ONE_MAXIMUM.replace(" - np.max(x)", "")
    with student_with(zygote, solved() | {"softmax-loss": source}) as student:
        messages = failed(verdict(student, "tln-softmax-loss"))
    assert "large_scores" in messages
    assert "loss_is_right" not in messages


# -- nobody pays twice ----------------------------------------------------------------------------

# (cell, what is replaced, by what): the cells that may lose points.
ONE_MISTAKE = {
    ("affine-backward", ".T @ dout", ".T @ dout / len(x)"): {"tln-affine-backward"},
    ("affine-forward", "@ w + b", "@ w - b"): {"tln-affine-forward"},
    ("relu-backward", "(x > 0)", "(x < 0)"): {"tln-relu-backward"},
    ("softmax-loss", "dx / len(x)", "dx"): {"tln-softmax-loss"},
    ("svm-loss", "+ 1)", "+ 2)"): {"tln-svm-loss"},
    ("sgd", "w - config", "w + config"): {"tln-sgd"},
    ("two-layer-net", "np.zeros(hidden_dim)", "np.ones(hidden_dim)"): {"tln-net-init"},
    ("two-layer-net", "self.reg = reg", "raise ValueError"): {"tln-net-init"},
    ("two-layer-net", '"b1": db1', '"b1": -db1'): {"tln-net-loss"},
}


@pytest.mark.parametrize("mistake", ONE_MISTAKE, ids=lambda m: f"{m[0]}: {m[2]}")
def test_a_mistake_costs_one_cell(zygote, mistake) -> None:
    with student_with(zygote, changed(*mistake)) as student:
        assert failed_cells(student) == ONE_MISTAKE[mistake]


def test_a_penalty_without_the_half_is_one_failure_and_a_precise_one(zygote) -> None:
    sources = changed("two-layer-net", "0.5 * self.reg", "self.reg")
    for name in ("W1", "W2"):  # as in the notebooks svm and softmax, loss and gradient agreeing
        old, new = f"d{name} + self.reg * {name}", f"d{name} + 2 * self.reg * {name}"
        sources["two-layer-net"] = sources["two-layer-net"].replace(old, new)
    with student_with(zygote, sources) as student:
        messages = failed(verdict(student, "tln-net-loss"))
    assert list(messages) == ["penalty_is_right"]
    assert "with 0.5" in messages["penalty_is_right"]


# -- wrong answers: what each costs, and what is said about it ------------------------------------

PROBABILITIES = """
def softmax_loss(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(len(x)), y]))
    p[np.arange(len(x)), y] -= 1
    return loss, p / len(x)
"""
NET = "two-layer-net"

# (cell, what is replaced, by what, question): the share earned, and what is said by each check that
# fails. No other check may fail.
WRONG = {
    ("affine-backward", "dout.sum(axis=0)", "dout.sum(axis=1)", "tln-affine-backward"): (
        9 / 12,
        {
            "db_is_right": "db for x of shape (4, 6) has shape (4,); expected (3,)",
            "gradients_have_their_shapes": "db for x of shape (4, 6) has shape (4,)",
        },
    ),
    ("affine-backward", "dout.sum(axis=0)", "dout.mean(axis=0)", "tln-affine-backward"): (
        10 / 12,
        {"db_is_right": "db is divided by N here"},
    ),
    (
        "affine-backward",
        "dout.sum(axis=0)",
        "dout.sum(axis=0, keepdims=True)",
        "tln-affine-backward",
    ): (11 / 12, {"gradients_have_their_shapes": "db for x of shape (4, 6) has shape (1, 3)"}),
    ("affine-backward", "x, w, _ = cache", "raise ValueError('no')", "tln-affine-backward"): (
        0.0,
        dict.fromkeys(
            (
                "dx_is_right",
                "dw_is_right",
                "db_is_right",
                "gradients_have_their_shapes",
                "gradients_for_x_in_fortran_order",
                "gradients_after_another_call",
            ),
            "raised ValueError: no (line 7, in affine_backward: `raise ValueError('no')`)",
        ),
    ),
    ("affine-forward", "-1) @ w + b", "-1) @ (w + b)", "tln-affine-forward"): (
        0.0,
        {"affine_is_right": "b is added to the rows of w; it belongs to the rows of x @ w"},
    ),
    ("affine-forward", "-1) @ w", '-1, order="A") @ w', "tln-affine-forward"): (
        5 / 6,
        {"x_in_fortran_order": "out, where x is not C-contiguous,"},
    ),
    ("relu-backward", "(x > 0)", "(dout > 0)", "tln-relu-backward"): (
        0.0,
        {"dx_is_right": "what counts is the sign of x, not the sign of dout"},
    ),
    ("softmax-loss", "x - x.max(axis=1", "x - x.mean(axis=1", "tln-softmax-loss"): (
        9 / 11,
        {
            "large_scores": "exp overflows above 709",
            "hopeless_scores_stay_finite": "nan or infinite",
        },
    ),
    (NET, '"b1": db1', '"b1": db1[None]', "tln-net-loss"): (
        16 / 17,
        {"gradients_have_their_shapes": "grads['b1'] has shape (1, 5); expected (5,)"},
    ),
    (NET, '"b1": db1, ', "", "tln-net-loss"): (
        12 / 17,
        {
            "gradients_are_right": "grads has no entry for b1",
            "images_and_single_examples_are_accepted": "grads has no entry for b1",
        },
    ),
    # The gradients are right: what is wrong in the loss is paid for once.
    (NET, "+ np.sum(W2**2)", "+ 0 * np.sum(W2**2)", "tln-net-loss"): (
        15 / 17,
        {"penalty_is_right": "W2 is not penalised"},
    ),
    (NET, "np.sum(W2**2))", "np.sum(W2**2) + np.sum(self.params['b1']**2))", "tln-net-loss"): (
        15 / 17,
        {"penalty_is_right": "the penalty, loss with reg minus loss without"},
    ),
    (NET, "(np.sum(W1**2) + np.sum(W2**2))", "(np.mean(W1**2) + np.mean(W2**2))", "tln-net-loss"): (
        15 / 17,
        {"penalty_is_right": "the penalty takes the mean of the squares of each W"},
    ),
    (NET, "dW1 + self.reg * W1", "dW1", "tln-net-loss"): (
        15 / 17,
        {"penalty_gradients_are_right": "reg adds nothing to grads['W1']"},
    ),
    (NET, "dW2 + self.reg * W2", "dW2 + 2 * self.reg * W2", "tln-net-loss"): (
        15 / 17,
        {"penalty_gradients_are_right": "what reg adds to grads['W2'] is twice too large"},
    ),
    (NET, '"b1": db1', '"b1": db1 + self.reg * self.params["b1"]', "tln-net-loss"): (
        15 / 17,
        {"penalty_gradients_are_right": "reg adds to grads['b1'], but the biases are not"},
    ),
    (NET, "return data_loss", "W1 *= 0.9\n        return data_loss", "tln-net-loss"): (
        7 / 17,
        {
            "scores_are_right": "loss(X) after loss(X, y)",
            "loss_is_right": "the loss of a second call, with the same X and y",
            "gradients_are_right": "of a second call, with the same X and y",
            "parameters_are_read_when_called": "after params changed",
            "arguments_are_unchanged": "params['W1'] was modified by the call",
        },
    ),
    ("sgd", 'config["learning_rate"] * dw', "1e-2 * dw", "tln-sgd"): (
        1 / 2,
        {"step_is_right": "the learning rate in config makes no difference"},
    ),
}


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


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("p[np.arange(len(x)), y] + 1e-9", "1e-09 is added to the probability, or is its floor"),
        ("p[np.arange(len(x)), y] + 1e-12", "1e-12 is added to the probability, or is its floor"),
        (
            "np.maximum(p[np.arange(len(x)), y], 1e-10)",
            "1e-10 is added to the probability, or is its floor",
        ),
    ],
)
def test_a_number_inside_the_logarithm_costs_and_is_named(zygote, inside, says) -> None:
    source = PROBABILITIES.replace("p[np.arange(len(x)), y]))", f"{inside}))")
    with student_with(zygote, solved() | {"softmax-loss": source}) as student:
        found = verdict(student, "tln-softmax-loss")
    messages = failed(found, advice=False)
    assert list(messages) == ["right_class_far_behind"]
    assert says in messages["right_class_far_behind"]
    assert found.score == pytest.approx(10 / 11, abs=1e-4)


# -- searches -------------------------------------------------------------------------------------

PUBLIC_STYLE = """
best_val = -1
for lr in [1e-3, 5e-4, 1e-4]:
    for reg in [0, 0.25, 0.5]:
        for hidden in [50, 100]:
            model = TwoLayerNet(input_size, hidden, num_classes, reg=reg)
            solver = Solver(model, data, update_rule='sgd', optim_config={'learning_rate': lr},
                            lr_decay=0.95, num_epochs=5, batch_size=200, verbose=False)
            solver.train()
            val = solver.best_val_acc
            if val > best_val:
                best_val, best_model = val, model
"""
BY_HAND = """
best_model = TwoLayerNet(reg=0.1)
solver = Solver(best_model, data, update_rule=sgd, optim_config={'learning_rate': 1e-3})
solver.train()
print(solver.val_acc_history[-1], solver.check_accuracy(data['X_val'], data['y_val']))
"""
TRAINED_ONCE_MORE = """
def run(lr, reg):
    net = TwoLayerNet(reg=reg)
    solver = Solver(net, data, update_rule=sgd, optim_config={"learning_rate": lr}, num_epochs=4)
    solver.train()
    return max(solver.val_acc_history), net
settings = [(lr, reg) for lr in np.logspace(-4, -2, 5) for reg in (0.0, 1.0)]
scores = {setting: run(*setting)[0] for setting in settings}
best_model = run(*max(scores, key=scores.get))[1]
"""
PARAMETERS_KEPT = """
best_val, best = -np.inf, None
small = {name: array[:40] if "train" in name else array for name, array in data.items()}
for lr in 10.0 ** np.random.uniform(-4, -2, size=7):
    net = TwoLayerNet(hidden_dim=60)
    Solver(net, small, optim_config={"learning_rate": lr}, num_epochs=3, verbose=False).train()
    val = np.mean(net.loss(data["X_val"]).argmax(axis=1) == data["y_val"])
    if val >= best_val:
        best_val, best = val, {name: value.copy() for name, value in net.params.items()}
best_model = TwoLayerNet(hidden_dim=60)
best_model.params = best
"""
COARSE = """
few = {name: array[:40] if "train" in name else array for name, array in data.items()}
for lr in 10.0 ** np.arange(-5, -1):
    net = TwoLayerNet(hidden_dim=50)
    Solver(net, few, update_rule=sgd, optim_config={"learning_rate": lr}, num_epochs=5).train()
"""
SEARCHES = {
    "public": PUBLIC_STYLE,
    "coarse on a subset, then public": COARSE + PUBLIC_STYLE,
    "by hand": BY_HAND,
    "trained once more": TRAINED_ONCE_MORE,
    "parameters kept": PARAMETERS_KEPT,
}
WRONG_SEARCHES = {
    "the last": ([("if val > best_val:", "if True:")], "search_keeps_the_best"),
    "the first": ([("if val > best_val:", "if best_val < 0:")], "search_keeps_the_best"),
    "the worst": (
        [("best_val = -1", "best_val = 2"), ("val > best_val", "val < best_val")],
        "search_keeps_the_best",
    ),
    "by training accuracy": (
        [("solver.best_val_acc", "max(solver.train_acc_history)")],
        "search_keeps_the_best",
    ),
    "by the test set": (
        [("solver.best_val_acc", "solver.check_accuracy(data['X_test'], data['y_test'])")],
        "search_leaves_the_test_set",
    ),
    "never trained": ([("solver.train()", "pass")], "search_trains_on_training_images"),
    "a new net": ([("= val, model", "= val, TwoLayerNet()")], "search_keeps_the_best"),
    "on the test set": (
        [("data, update", "data | {'X_train': data['X_test']}, update")],
        "search_trains_on_training_images",
    ),
    "on and on": (
        [("            model = ", "            model = best_model or ")],
        "search_trains_on_training_images",
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_right_search_passes_in_any_style(zygote, name) -> None:
    with student_with(zygote, solved() | {"tuning": SEARCHES[name]}) as student:
        assert failed(verdict(student, "tln-tuning")) == {}


@pytest.mark.parametrize("name", WRONG_SEARCHES)
def test_a_wrong_search_is_noticed(zygote, name) -> None:
    edits, notices = WRONG_SEARCHES[name]
    source = PUBLIC_STYLE
    for find, put in edits:
        assert find in source
        source = source.replace(find, put)
    with student_with(zygote, solved() | {"tuning": source}) as student:
        assert notices in failed(verdict(student, "tln-tuning"))


@pytest.mark.parametrize(
    ("find", "put", "notices"),
    [
        ("solver.train()", "", "solver_trains_the_model"),
        ("hidden_size = 50", "hidden_size = 60", "solver_trains_the_model"),
        ("solver = Solver(", "other = Solver(", "solver_trains_the_model"),
    ],
)
def test_a_wrong_solver_cell_is_noticed(zygote, find, put, notices) -> None:
    with student_with(zygote, changed("train-with-solver", find, put)) as student:
        assert notices in failed(verdict(student, "tln-solver"))
