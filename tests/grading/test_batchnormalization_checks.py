"""Checks of the normalisation notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "BatchNormalization")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
failed, failed_cells = TRIAL.failed, partial(TRIAL.failed_cells, advice=True)
CELLS = (
    "load-layers",
    "batchnorm-forward",
    "batchnorm-backward",
    "batchnorm-backward-alt",
    "layernorm-forward",
    "layernorm-backward",
    "load-net",
    "fully-connected-net",
)
SETUP = "import numpy as np\nfrom cs231n_lib.notebooks import load"


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    return TRIAL.student(zygote, sources, (SETUP, *(sources[cell] for cell in CELLS)))


def messages_for(zygote, grade_id: str, cell: str, *edits: tuple[str, str]) -> str:
    """What the cell's checks say about our solution with some things replaced."""
    with student_with(zygote, changed(cell, *edits)) as student:
        return "\n".join(failed(verdict(student, grade_id)).values())


# -- right answers --------------------------------------------------------------------------------


def test_the_reference_passes_whatever_the_seed(zygote) -> None:
    with student_with(zygote, solved()) as student:
        for number in rounds(25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_other_right_solutions_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(5):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


# -- messages -------------------------------------------------------------------------------------

FORWARD, BACKWARD, ALT = "batchnorm-forward", "batchnorm-backward", "batchnorm-backward-alt"
SAID = [
    ("bn-train", FORWARD, [("x.var(axis=0)", "x.var(axis=0, ddof=1)")], "divided by N - 1"),
    (
        "bn-train",
        FORWARD,
        [("np.sqrt(var + eps)", "(np.sqrt(var) + eps)")],
        "outside the square root",
    ),
    ("bn-train", FORWARD, [("np.sqrt(var + eps)", "np.sqrt(var + 1e-5)")], "makes no difference"),
    (
        "bn-train",
        FORWARD,
        [
            (
                "running_var + (1 - momentum) * var",
                "running_var + (1 - momentum) * np.var(x, 0, ddof=1)",
            )
        ],
        "divided by N - 1",
    ),
    (
        "bn-test",
        FORWARD,
        [("(x - running_mean) / np.sqrt(running_var", "(x - x.mean(0)) / np.sqrt(x.var(0)")],
        "this batch's own mean",
    ),
    ("bn-backward", BACKWARD, [("dcentred + dmean / N", "dcentred")], "path through the mean"),
    ("bn-backward", BACKWARD, [("dcentred + dmean / N", "dx_hat / std")], "paths through mean and"),
    ("bn-backward", BACKWARD, [("dout * gamma", "dout")], "gamma is forgotten"),
    (
        "bn-backward-alt",
        ALT,
        [("- x_hat * np.mean(g * x_hat, axis=0)", "")],
        "through the variance",
    ),
    ("ln-forward", "layernorm-forward", [("gamma * x_hat + beta", "x_hat")], "are not used"),
    (
        "ln-backward",
        "layernorm-backward",
        [("g = gamma * dout", "g = dout"), ("along) / std", "along) / std * gamma")],
        "gamma multiplies at the end",
    ),
    (
        "bn-net-init",
        "fully-connected-net",
        [("if self.normalization and layer < self.num_layers", "if self.normalization")],
        "the last layer is not normalised",
    ),
    (
        "bn-net-loss",
        "fully-connected-net",
        [("self.bn_params[layer - 1]", "self.bn_params[0]")],
        "each layer has a dictionary of its own",
    ),
]


@pytest.mark.parametrize(("grade_id", "cell", "edits", "said"), SAID, ids=lambda value: str(value))
def test_a_usual_slip_is_named(zygote, grade_id, cell, edits, said) -> None:
    assert said in messages_for(zygote, grade_id, cell, *edits)


# -- faults that wrong solutions have shown -------------------------------------------------------

NET, LAYER_FORWARD, LAYER_BACKWARD = (
    "fully-connected-net",
    "layernorm-forward",
    "layernorm-backward",
)
NO_NEW_AVERAGES = [
    ("        running_mean = momentum *", "        new_mean = momentum *"),
    ("        running_var = momentum *", "        new_var = momentum *"),
]
ALWAYS = [
    (
        "hidden, caches = X, []",
        'for p in self.bn_params:\n            p["mode"] = "train"\n        hidden, caches = X, []',
    )
]
FOR_A_MODE = """def layernorm_forward(x, gamma, beta, ln_param):
    if ln_param.get("mode") == "test":
        return gamma * x + beta, None
    return in_training(x, gamma, beta, ln_param)


def in_training(x, gamma, beta, ln_param):"""
# What is wrong: the question, the cell, what is replaced, the share of the points that is left,
# what the checks say, and what none of them may say.
FAULTS = {
    "layer norm over D - 1": (
        ("ln-forward", LAYER_FORWARD),
        [("x.var(axis=1, keepdims=True)", "x.var(axis=1, keepdims=True, ddof=1)")],
        3 / 10,
        {"output": "divided by D - 1, not by D"},
        "N - 1",
    ),
    "running averages that never move": (
        ("bn-train", FORWARD),
        NO_NEW_AVERAGES,
        10 / 15,
        {"running_statistics": "is the same after training as before"},
        "momentum is the share",
    ),
    "running averages of the last batch": (
        ("bn-train", FORWARD),
        [
            ("momentum * running_mean + (1 - momentum) * mean", "mean"),
            ("momentum * running_var + (1 - momentum) * var", "var"),
        ],
        10 / 15,
        {"running_statistics": "is that of the last batch alone"},
        "momentum is the share",
    ),
    "momentum the wrong way round": (
        ("bn-train", FORWARD),
        [
            ("momentum * running_mean + (1", "(1 - momentum) * running_mean + (1"),
            ("(1 - momentum) * mean", "momentum * mean"),
        ],
        10 / 15,
        {"running_statistics": "running_mean: momentum is the share of what was there before"},
        "running_var",
    ),
    "eps accumulated": (
        ("bn-train", FORWARD),
        [("(1 - momentum) * var", "(1 - momentum) * (var + eps)")],
        14 / 15,
        {"running_var_without_eps": "'running_var'] contains eps"},
        "differ",
    ),
    "a net that is never in test mode": (
        ("bn-net-loss", NET),
        ALWAYS,
        14 / 27,
        {
            "test_mode_after_training": "the modes in bn_params are ['train', 'train', 'train']",
            "trained_net_classifies_single_images": "given to loss(X) by itself",
        },
        "gradients of",
    ),
    "dgamma with an axis too many": (
        ("bn-backward", BACKWARD),
        [("np.sum(dout * x_hat, axis=0)", "np.sum(dout * x_hat, axis=0, keepdims=True)")],
        10 / 11,
        {"shapes": "dgamma has shape (1, 5); expected (5,)"},
        "dx",
    ),
    "dbeta summed over the wrong axis": (
        ("bn-backward", BACKWARD),
        [("dbeta = dout.sum(axis=0)", "dbeta = dout.sum(axis=1)")],
        9 / 11,
        {"dbeta": "has shape (4,); expected (5,)", "shapes": "dbeta has shape"},
        "dgamma",
    ),
    "dgamma summed along rows": (
        ("ln-backward", LAYER_BACKWARD),
        [("np.sum(dout * x_hat, axis=0)", "np.sum(dout * x_hat, axis=1)")],
        8 / 11,
        {"dgamma": "has shape (4,); expected (5,)", "shapes": "dgamma has shape"},
        "dx",
    ),
    "gamma in the penalty": (
        ("bn-net-loss", NET),
        [
            (
                "        return loss, grads",
                "        for name in self.params:\n"
                '            if name.startswith("gamma"):\n'
                "                loss += 0.5 * self.reg * np.sum(self.params[name] ** 2)\n"
                "                grads[name] = grads[name] + self.reg * self.params[name]\n"
                "        return loss, grads",
            )
        ],
        26 / 27,
        {"penalty_without_gamma_and_beta": "gamma is penalised too"},
        "W1",
    ),
    "beta in the gradient of the penalty": (
        ("bn-net-loss", NET),
        [
            (
                "        return loss, grads",
                "        for name in self.params:\n"
                '            if name.startswith("beta"):\n'
                "                grads[name] = grads[name] + self.reg * self.params[name]\n"
                "        return loss, grads",
            )
        ],
        26 / 27,
        {"penalty_gradients_without_gamma_and_beta": "reg adds to grads['beta1'], but beta is not"},
        "W1",
    ),
    "gamma's gradient with an axis too many": (
        ("bn-net-loss", NET),
        [("= dgamma, dbeta", "= dgamma[None], dbeta")],
        26 / 27,
        {"shapes_of_gradients": "grads['gamma1'] has shape (1, 7); expected (7,)"},
        "differ",
    ),
    "a dictionary without mode": (
        ("bn-net-loss", NET),
        [("self.bn_params[layer - 1]", "{}")],
        None,
        {"loss_with_batchnorm": "of cell 'fully-connected-net', in loss: `a, norm_cache = norm_f"},
        "in batchnorm_forward",
    ),
    "float16": (
        ("bn-train", FORWARD),
        [("return out, cache", "return out.astype(np.float16), cache")],
        9 / 15,
        {"output": "20 of 20 entries differ"},
        "divided by",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_costs_what_it_breaks(zygote, name) -> None:
    (grade_id, cell), edits, left, said, never = FAULTS[name]
    with student_with(zygote, changed(cell, *edits)) as student:
        found = verdict(student, grade_id)
    messages = failed(found)
    for check, part in said.items():
        assert part in messages[check]
    assert never not in "\n".join(messages.values())
    if left is not None:
        assert found.score == pytest.approx(left, abs=1e-3)
    if left == 1 - 1 / 15 or left == 26 / 27:
        assert set(messages) == set(said)


@pytest.mark.parametrize("eps", ["1e-8", "1e-3"])
def test_a_wrong_default_of_eps_is_named_and_costs_little(zygote, eps) -> None:
    """One check of each forward function, of 28 points 0.57: eps is given everywhere else."""
    sources = changed(FORWARD, ('("eps", 1e-5)', f'("eps", {eps})'))
    sources |= {
        LAYER_FORWARD: changed(LAYER_FORWARD, ('("eps", 1e-5)', f'("eps", {eps})'))[LAYER_FORWARD]
    }
    left = {"bn-train": 14 / 15, "ln-forward": 9 / 10}
    named = f"where no eps is given, it is {float(eps):g} here; the default is 1e-05"
    with student_with(zygote, sources) as student:
        for grade_id in checks_for(*NOTEBOOK):
            found = verdict(student, grade_id)
            assert found.score == pytest.approx(left.get(grade_id, 1), abs=1e-3), grade_id
            said = failed(found)
            assert set(said) == ({"default_eps"} if grade_id in left else set())
            assert all(named in message for message in said.values())


def test_a_layer_norm_that_minds_a_mode_is_told_and_loses_nothing(zygote) -> None:
    """No contract says what the mode of a batch norm should do there."""
    as_batch_norm = ("def layernorm_forward(x, gamma, beta, ln_param):", FOR_A_MODE)
    with student_with(zygote, changed(LAYER_FORWARD, as_batch_norm)) as student:
        found = verdict(student, "ln-forward")
    assert found.score == 1
    assert set(failed(found)) == {"settings_of_batchnorm_are_ignored"}
    assert failed(found, advice=False) == {}


def test_a_cache_that_is_a_global_variable_is_named(zygote) -> None:
    """Backward then goes back through the last call, whichever it was asked for."""
    sources = changed(
        FORWARD, ("        cache = x_hat", "        global last\n        last = cache = x_hat")
    )
    sources |= changed(BACKWARD, ("= cache\n", "= last\n")) | {FORWARD: sources[FORWARD]}
    with student_with(zygote, sources) as student:
        said = failed(verdict(student, "bn-backward"))
    assert said == {
        "dx": "dx belongs to another call of batchnorm_forward: everything must be in the cache"
    }


def test_statistics_that_are_missing_cost_nothing_in_test_mode(zygote) -> None:
    stored = [
        (f'    bn_param["{name}"] = {name}\n', "") for name in ("running_mean", "running_var")
    ]
    with student_with(zygote, changed(FORWARD, *stored)) as student:
        assert "has no entry" in failed(verdict(student, "bn-train"))["running_statistics"]
        assert failed(verdict(student, "bn-test")) == {}


# -- nobody pays twice ----------------------------------------------------------------------------

# A mistake in one cell, and the cells that may lose points.
ONE_MISTAKE = {
    "unbiased variance": (
        [(FORWARD, "x.mean(axis=0), x.var(axis=0)", "x.mean(axis=0), x.var(axis=0, ddof=1)")],
        {"bn-train"},
    ),
    "eps outside": (
        [(FORWARD, "std = np.sqrt(var + eps)", "std = np.sqrt(var) + eps")],
        {"bn-train"},
    ),
    "unbiased rows": (
        [
            (
                "layernorm-forward",
                "axis=1, keepdims=True) + eps",
                "axis=1, keepdims=True, ddof=1) + eps",
            )
        ],
        {"ln-forward"},
    ),
    "test mode": ([(FORWARD, "(x - running_mean)", "(x + running_mean)")], {"bn-test"}),
    "plain backward": ([(BACKWARD, "dmean / N", "dmean")], {"bn-backward"}),
    "short backward": ([(ALT, "- g.mean(axis=0)", "")], {"bn-backward-alt"}),
    "layer norm": (
        [("layernorm-backward", "along) / std", "along)")],
        {"ln-backward"},
    ),
    "the net": ([("fully-connected-net", "0.5 * self.reg", "self.reg")], {"bn-net-loss"}),
}


@pytest.mark.parametrize("name", ONE_MISTAKE)
def test_a_mistake_costs_one_cell(zygote, name) -> None:
    edits, may_lose = ONE_MISTAKE[name]
    sources = solved()
    for cell, find, put in edits:
        sources |= changed(cell, (find, put))
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == may_lose


UNBIASED = """
def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, np.sqrt(var + eps), gamma)
"""
ITS_GRADIENT = '''
def batchnorm_backward(dout, cache):
    """The exact derivative of a forward function that divides the variance by N - 1."""
    x_hat, std, gamma = cache
    g, N = dout * gamma, len(dout)
    dx = (g - g.mean(axis=0) - x_hat * np.sum(g * x_hat, axis=0) / (N - 1)) / std
    return dx, np.sum(dout * x_hat, axis=0), dout.sum(axis=0)
'''


def test_a_gradient_that_fits_a_slip_in_forward_is_right(zygote) -> None:
    """It has differentiated what is there; but a trivial forward function buys nothing."""
    sources = solved() | {FORWARD: UNBIASED, BACKWARD: ITS_GRADIENT}
    with student_with(zygote, sources) as student:
        found = failed(verdict(student, "bn-backward"))
        assert set(found) <= {"dx_of_a_single_row"}
        assert failed(verdict(student, "bn-train"))
    trivial = UNBIASED.replace("x_hat = (x - mean) / np.sqrt(var + eps)", "x_hat = x")
    its_own = ITS_GRADIENT.replace("dx = (", "dx = g  # (")
    sources = solved() | {FORWARD: trivial, BACKWARD: its_own}
    with student_with(zygote, sources) as student:
        assert "dx" in failed(verdict(student, "bn-backward"))
