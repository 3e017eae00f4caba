"""Checks of ConvolutionalNetworks: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "ConvolutionalNetworks")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
CELLS = (
    "setup",
    "conv-forward-naive",
    "conv-backward-naive",
    "max-pool-forward-naive",
    "max-pool-backward-naive",
    "load-earlier",
    "three-layer-convnet",
    "load-normalization",
    "spatial-batchnorm-forward",
    "spatial-batchnorm-backward",
    "spatial-groupnorm-forward",
    "spatial-groupnorm-backward",
)
# What several published solutions get wrong, and the task does not settle: advice.
PAD_0 = {"gradients_without_padding", "gradients_of_one_by_one_filters"}
POOL = {"overlapping_windows_add_up", "ties_share_one_gradient"}


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    return TRIAL.student(zygote, sources, (sources[cell] for cell in CELLS))


def failed(found: CellVerdict, *, advice: bool = False) -> dict[str, str]:
    """Message by name of the checks that failed: those with points, or the advice."""
    return {c.name: c.message for c in found.checks if not c.passed and c.advice == advice}


def all_failed(student: Student, number: int = 0, *, advice: bool = False) -> dict[str, set[str]]:
    """Names of the failed checks of each cell that has some."""
    names = {
        grade_id: set(failed(verdict(student, grade_id, number), advice=advice))
        for grade_id in checks_for(*NOTEBOOK)
    }
    return {grade_id: some for grade_id, some in names.items() if some}


# -- right answers --------------------------------------------------------------------------------


def test_the_reference_passes_whatever_the_seed(zygote) -> None:
    with student_with(zygote, solved()) as student:
        for number in range(25):
            assert all_failed(student, number) == {}, number
        assert all_failed(student, advice=True) == {}


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_right_solutions_in_another_style_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in range(4):
            assert all_failed(student, number) == {}, number


def test_what_the_task_leaves_open_is_advice(zygote) -> None:
    """The published style: a slice [pad:-pad], and pooling that assigns to every maximum."""
    with student_with(zygote, solved(TRIAL.right[1])) as student:
        found = all_failed(student, advice=True)
    assert found == {"cnn-conv-backward": PAD_0, "cnn-pool-backward": POOL}


def test_a_net_may_use_the_loops_or_its_own_pair_of_layers(zygote) -> None:
    """The class is made again over right layers; its helpers come along."""
    sources = solved()
    helper = (
        "def three_in_one(x, w, b, conv_param, pool_param):\n"
        "    a, first = conv_forward_naive(x=x, w=w, b=b, conv_param=conv_param)\n"
        "    s, second = relu_forward(a)\n"
        "    out, third = max_pool_forward_naive(s, pool_param)\n"
        "    return out, (first, second, third)\n\n\n"
    )
    body = sources["three-layer-convnet"].replace("conv_relu_pool_forward(", "three_in_one(")
    with student_with(zygote, sources | {"three-layer-convnet": helper + body}) as student:
        assert all_failed(student) == {}


# -- wrong answers --------------------------------------------------------------------------------

# (cell, what is replaced, by what): a check that fails in which cell, and words of its message.
WRONG = {
    ("conv-forward-naive", "window * w[f]", "window * w[f, :, ::-1, ::-1]"): (
        ("cnn-conv-forward", "convolution_with_padding", "turned by 180 degrees"),
    ),
    ("conv-forward-naive", " + b[f]", ""): (
        ("cnn-conv-forward", "convolution_with_padding", "b is missing"),
    ),
    ("conv-forward-naive", "i * stride, j * stride", "i, j"): (
        ("cnn-conv-forward", "convolution_with_a_stride", "stride"),
    ),
    ("conv-backward-naive", "dw[f] +=", "dw[f] ="): (
        ("cnn-conv-backward", "dw_of_convolution", "dw"),
    ),
    ("conv-backward-naive", "pad : pad + H, pad : pad + W", ":H, :W"): (
        ("cnn-conv-backward", "dx_of_convolution", "dx"),
    ),
    ("max-pool-forward-naive", "window.max(axis=(2, 3))", "window.max(axis=(2, 3), initial=0)"): (
        ("cnn-pool-forward", "maximum_of_negative_numbers", "never below 0"),
    ),
    ("max-pool-backward-naive", "+= dout[n, c, i, j]", "+= 1"): (
        ("cnn-pool-backward", "gradient_goes_to_the_maximum", "upstream gradient is not used"),
    ),
    ("three-layer-convnet", "(H // 2) * (W // 2)", "(H // 2) ** 2"): (
        ("cnn-net-init", "parameters_have_their_shapes", "shape"),
    ),
    ("three-layer-convnet", " + np.sum(W3**2)", ""): (
        ("cnn-net-loss", "penalty_has_one_half", "W3 is not penalised"),
    ),
    ("spatial-batchnorm-forward", "x.transpose(0, 2, 3, 1).reshape", "x.reshape"): (
        ("cnn-sbn-forward", "channels_are_normalised", "one mean and one variance"),
    ),
    ("spatial-batchnorm-backward", "dout.transpose(0, 2, 3, 1).reshape", "dout.reshape"): (
        ("cnn-sbn-backward", "dx_of_spatial_batchnorm", "dx"),
    ),
    ("spatial-groupnorm-forward", "(len(x), G, -1)", "(len(x), x.shape[1] // G, -1)"): (
        ("cnn-gn-forward", "groups_of_several_channels", "C/G groups of G channels"),
    ),
    ("spatial-groupnorm-forward", 'gn_param.get("eps", 1e-5)', "1e-5"): (
        ("cnn-gn-forward", "eps_of_groupnorm_is_used", "differ"),
    ),
    ("spatial-groupnorm-backward", "(dout * gamma).reshape", "dout.reshape"): (
        ("cnn-gn-backward", "dx_of_groupnorm", "gamma differs inside a group"),
    ),
}


@pytest.mark.parametrize("mistake", WRONG, ids=lambda m: f"{m[0]}: {m[2] or 'nothing'}")
def test_a_wrong_solution_is_told_what_is_wrong(zygote, mistake) -> None:
    cell, find, put = mistake
    with student_with(zygote, changed(cell, (find, put))) as student:
        for grade_id, name, words in WRONG[mistake]:
            found = verdict(student, grade_id)
            assert found.score < 1
            assert words in failed(found)[name]


# A body that hands the work on: how much of the points is left, and why.
READY_MADE = {
    ("conv-forward-naive", "cnn-conv-forward"): "return conv_forward_fast(x, w, b, conv_param)",
    ("conv-backward-naive", "cnn-conv-backward"): (
        "x, w, b, conv_param = cache\n"
        "    return conv_backward_fast(dout, conv_forward_fast(x, w, b, conv_param)[1])"
    ),
    ("max-pool-forward-naive", "cnn-pool-forward"): "return max_pool_forward_fast(x, pool_param)",
    ("max-pool-backward-naive", "cnn-pool-backward"): (
        "return max_pool_backward_fast(dout, max_pool_forward_fast(*cache)[1])"
    ),
    ("spatial-groupnorm-forward", "cnn-gn-forward"): (
        "import torch\n"
        "    given = (torch.tensor(a) for a in (x, gamma.ravel(), beta.ravel()))\n"
        "    x, gamma, beta = given\n"
        "    eps = gn_param.get('eps', 1e-5)\n"
        "    return torch.nn.functional.group_norm(x, G, gamma, beta, eps).numpy(), None"
    ),
}


@pytest.mark.parametrize("cells", READY_MADE, ids=lambda cells: cells[0])
def test_what_is_ready_made_earns_nothing(zygote, cells) -> None:
    cell, grade_id = cells
    head = solved()[cell].partition(":\n")[0]
    source = f"{head}:\n    {READY_MADE[cells]}\n"
    with student_with(zygote, solved() | {cell: source}) as student:
        found = verdict(student, grade_id)
    assert found.score == 0
    assert "which is not allowed" in failed(found)["work_is_your_own"]
    answers = [c for c in found.checks if not c.advice and not c.name.endswith("_arguments")]
    assert all("which is not allowed" in c.message for c in answers), "the numbers are right"


def test_a_helper_may_be_called_like_a_function_of_a_package(zygote) -> None:
    """Not so where the package's function is in use somewhere."""
    cell = "conv-forward-naive"
    helper = "def correlate(window, filter):\n    return np.sum(window * filter)\n\n\n"
    source = helper + solved()[cell].replace("np.sum(window * w[f])", "correlate(window, w[f])")
    with student_with(zygote, solved() | {cell: source}) as student:
        assert failed(verdict(student, "cnn-conv-forward")) == {}
    source += "\n\nnp.correlate\n"
    with student_with(zygote, solved() | {cell: source}) as student:
        assert verdict(student, "cnn-conv-forward").score == 0


def test_a_penalty_without_the_half_is_one_failure_and_a_precise_one(zygote) -> None:
    edits = [("0.5 * self.reg", "self.reg")]
    for name in ("W1", "W2", "W3"):
        edits += [(f"d{name} + self.reg * {name}", f"d{name} + 2 * self.reg * {name}")]
    with student_with(zygote, changed("three-layer-convnet", *edits)) as student:
        messages = failed(verdict(student, "cnn-net-loss"))
    assert list(messages) == ["penalty_has_one_half"]
    assert "with 0.5" in messages["penalty_has_one_half"]


# -- nobody pays twice ----------------------------------------------------------------------------

ONE_MISTAKE = {
    ("conv-forward-naive", " + b[f]", " - b[f]"): {"cnn-conv-forward"},
    ("conv-backward-naive", "dw[f] +=", "dw[f] -="): {"cnn-conv-backward"},
    ("max-pool-forward-naive", "window.max(", "window.min("): {"cnn-pool-forward"},
    ("max-pool-backward-naive", "np.argmax(", "np.argmin("): {"cnn-pool-backward"},
    ("three-layer-convnet", "C, H, W = input_dim", "raise ValueError"): {"cnn-net-init"},
    ("three-layer-convnet", '"b1": db1', '"b1": -db1'): {"cnn-net-loss"},
}


@pytest.mark.parametrize("mistake", ONE_MISTAKE, ids=lambda m: f"{m[0]}: {m[2]}")
def test_a_mistake_costs_one_cell(zygote, mistake) -> None:
    cell, find, put = mistake
    with student_with(zygote, changed(cell, (find, put))) as student:
        assert set(all_failed(student)) == ONE_MISTAKE[mistake]
