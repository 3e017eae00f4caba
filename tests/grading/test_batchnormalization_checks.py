"""Checks of the normalisation notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
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
        for number in range(25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_other_right_solutions_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in range(5):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


# -- messages -------------------------------------------------------------------------------------

FORWARD, BACKWARD, ALT = "batchnorm-forward", "batchnorm-backward", "batchnorm-backward-alt"
SAID = [
    ("bn-train", FORWARD, [("x.var(axis=0)", "x.var(axis=0, ddof=1)")], "divided by N - 1"),
    ("bn-train", FORWARD, [("np.sqrt(var + eps)", "(np.sqrt(var) + eps)")], "outside the root"),
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
        "the last affine layer is not normalised",
    ),
    (
        "bn-net-loss",
        "fully-connected-net",
        [("self.bn_params[layer - 1]", "self.bn_params[0]")],
        "its own entry of bn_params",
    ),
]


@pytest.mark.parametrize(("grade_id", "cell", "edits", "said"), SAID, ids=lambda value: str(value))
def test_a_usual_slip_is_named(zygote, grade_id, cell, edits, said) -> None:
    assert said in messages_for(zygote, grade_id, cell, *edits)


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
        assert set(found) <= {"gradients_of_a_single_row", "float32_gradients_stay_finite"}
        assert failed(verdict(student, "bn-train"))
    trivial = UNBIASED.replace("x_hat = (x - mean) / np.sqrt(var + eps)", "x_hat = x")
    its_own = ITS_GRADIENT.replace("dx = (", "dx = g  # (")
    sources = solved() | {FORWARD: trivial, BACKWARD: its_own}
    with student_with(zygote, sources) as student:
        assert "dx_is_right" in failed(verdict(student, "bn-backward"))
