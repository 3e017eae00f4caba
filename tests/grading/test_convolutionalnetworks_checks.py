"""Checks of ConvolutionalNetworks: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import NO_ANSWER
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
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


def and_readable(found: CellVerdict, share: float) -> float:
    """A share of what a question asks beside the condition that it can be read, and that."""
    total = sum(c.weight for c in found.checks if not c.advice)
    readable = sum(c.weight for c in found.checks if c.name == "all_of_it_can_be_read")
    return (share * (total - readable) + readable) / total if share else 0


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
        for number in rounds(25):
            assert all_failed(student, number) == {}, number
        assert all_failed(student, advice=True) == {}


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_right_solutions_in_another_style_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(4):
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
    ("conv-forward-naive", "(pad, pad), (pad, pad)))", '(pad, pad), (pad, pad)), mode="edge")'): (
        ("cnn-conv-forward", "convolution_with_padding", "repeats its border; it holds zeros"),
    ),
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
        (
            "cnn-conv-backward",
            "dw_of_convolution",
            "dw is that of the last window of the last image",
        ),
    ),
    ("conv-backward-naive", "pad : pad + H, pad : pad + W", ":H, :W"): (
        ("cnn-conv-backward", "dx_of_convolution", "dx for x 5x5"),
    ),
    ("max-pool-forward-naive", "window.max(axis=(2, 3))", "window.max(axis=(2, 3), initial=0)"): (
        ("cnn-pool-forward", "maximum_of_negative_numbers", "never below 0"),
    ),
    ("max-pool-backward-naive", "+= dout[n, c, i, j]", "+= 1"): (
        ("cnn-pool-backward", "gradient_goes_to_the_maximum", "dout is not used"),
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
        ("cnn-sbn-backward", "dx_of_spatial_batchnorm", "dx for x of shape (4, 3, 5, 2)"),
    ),
    ("spatial-groupnorm-forward", "(len(x), G, -1)", "(len(x), x.shape[1] // G, -1)"): (
        ("cnn-gn-forward", "groups_of_several_channels", "C/G groups of G channels"),
    ),
    ("spatial-groupnorm-forward", 'gn_param.get("eps", 1e-5)', "1e-5"): (
        ("cnn-gn-forward", "eps_of_groupnorm_is_used", "the eps that is given makes no difference"),
    ),
    ("spatial-groupnorm-backward", "(dout * gamma).reshape", "dout.reshape"): (
        ("cnn-gn-backward", "dx_of_groupnorm", "gamma is forgotten"),
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


# A whole spatial batch normalisation of one's own, of which single lines can be changed.
OWN_BATCHNORM = {
    "spatial-batchnorm-forward": """
def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    C = x.shape[1]
    mean = bn_param.get("running_mean", np.zeros(C))
    var = bn_param.get("running_var", np.zeros(C))
    along = (1, C, 1, 1)
    if bn_param["mode"] == "test":
        hat = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + eps)
        return gamma.reshape(along) * hat + beta.reshape(along), None
    new_mean, new_var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    bn_param["running_mean"] = momentum * mean + (1 - momentum) * new_mean
    bn_param["running_var"] = momentum * var + (1 - momentum) * new_var
    std = np.sqrt(new_var + eps).reshape(along)
    hat = (x - new_mean.reshape(along)) / std
    return gamma.reshape(along) * hat + beta.reshape(along), (hat, std, gamma.reshape(along))
""",
    "spatial-batchnorm-backward": """
def spatial_batchnorm_backward(dout, cache):
    hat, std, gamma = cache
    pixels, dhat = (0, 2, 3), dout * gamma
    means = dhat.mean(axis=pixels, keepdims=True), (dhat * hat).mean(axis=pixels, keepdims=True)
    dx = (dhat - means[0] - hat * means[1]) / std
    return dx, (dout * hat).sum(axis=pixels), dout.sum(axis=pixels)
""",
}


# (cell, what is replaced, by what): question, share of its points that is left, and of each check
# that fails, advice included, all of what the student reads, or how it begins.
MISTAKES = {
    ("conv-backward-naive", "dw[f] += dout", "dw[f] += 0 * dout"): (
        "cnn-conv-backward",
        11 / 20,  # no filter ever learns
        {
            "dw_of_convolution": "dw for x 5x5, filter 3x3, stride 1, pad 1: 54 of 54 entries",
            "dw_of_convolution_with_a_stride": "dw for x 4x4",
            "gradients_without_padding": "dw for x 6x9",
            "gradients_of_one_by_one_filters": "dw for x 5x3",
        },
    ),
    ("conv-backward-naive", "axis=(0, 2, 3)", "axis=(0, 2)"): (
        "cnn-conv-backward",
        18 / 20,
        {
            "db_of_convolution": "db for x 5x5, filter 3x3, stride 1, pad 1 has shape (2, 5)",
            "gradients_without_padding": "db for x 6x9",
            "gradients_of_one_by_one_filters": "db for x 5x3",
        },
    ),
    ("conv-backward-naive", "axis=(0, 2, 3)", "axis=(0, 2, 3), keepdims=True"): (
        "cnn-conv-backward",
        19 / 20,
        {"conv_gradients_have_no_stray_axes": "db has shape (1, 4, 1, 1); expected (4,)"},
    ),
    ("conv-backward-naive", "dpadded[:, :, pad : pad + H, pad : pad + W]", "dpadded"): (
        "cnn-conv-backward",
        15 / 20,
        {
            "dx_of_convolution": "dx for x 5x5, filter 3x3, stride 1, pad 1 has shape (3, 3, 7, 7)",
            "dx_of_convolution_with_a_stride": "dx for x 4x4",
        },
    ),
    ("conv-forward-naive", "    return out, (x,", "    w *= 0.5\n    return out, (x,"): (
        "cnn-conv-forward",
        0.5,  # no net can be trained with it
        {
            "convolution_with_padding": "out of a second call, with the same x, w and b,",
            "convolution_with_a_stride": "out of a second call, with the same x, w and b,",
            "convolution_leaves_its_arguments": "w was modified by the call",
        },
    ),
    ("max-pool-forward-naive", "window.max(axis=(2, 3))", "window.max(axis=(2, 3), initial=0)"): (
        "cnn-pool-forward",
        3 / 7,
        {
            "maximum_of_tiles": "the maximum is never below 0 here",
            "maximum_of_negative_numbers": "the maximum is never below 0 here",
        },
    ),
    ("max-pool-backward-naive", "+= dout", "= dout"): (
        "cnn-pool-backward",
        1,
        {
            "overlapping_windows_add_up": "a number that is the maximum of several windows gets "
            "the gradient of the last one only",
        },
    ),
    (
        "max-pool-backward-naive",
        "dx[n, c, top + row, left + column] += dout[n, c, i, j]",
        "dx[n, c, top : top + height, left : left + width] += "
        "(window == window.max()) * dout[n, c, i, j]",
    ): (
        "cnn-pool-backward",
        1,
        {
            "ties_share_one_gradient": "where several numbers of a window are its maximum, each "
            "gets the whole gradient",
        },
    ),
    ("spatial-groupnorm-backward", "shape), dgamma, dbeta", "shape), dgamma.ravel(), dbeta"): (
        "cnn-gn-backward",
        15 / 16,
        {"groupnorm_gradients_have_no_stray_axes": "dgamma has shape (6,); expected (1, 6, 1, 1)"},
    ),
    ("spatial-groupnorm-forward", "groups.var(axis=2, ", "groups.var(axis=2, ddof=1, "): (
        "cnn-gn-forward",
        0,
        dict.fromkeys(
            (
                "groups_of_several_channels",
                "one_group_and_a_group_for_each_channel",
                "channels_of_a_group_keep_their_factors",
                "eps_of_groupnorm_is_used",
                "groupnorm_treats_each_image_alone",
            ),
            "the variance is divided by C/G * H * W - 1, not by C/G * H * W",
        )
        | dict.fromkeys(
            ("default_eps_of_groupnorm", "all_of_it_can_be_read"),
            "counts as soon as a check of the answer itself passes",
        ),
    ),
    ("three-layer-convnet", "W3**2))", "W3**2) + np.sum(b1**2 + 0) + np.sum(b2**2) + b3 @ b3)"): (
        "cnn-net-loss",
        18 / 20,
        {"penalty_has_one_half": "the biases are penalised too"},
    ),
    ("three-layer-convnet", '"W3": dW3 + self.reg * W3', '"W3": dW3'): (
        "cnn-net-loss",
        18 / 20,
        {"penalty_gradients_are_right": "reg adds nothing to grads['W3']"},
    ),
    ("three-layer-convnet", '"b1": db1', '"b1": db1[None]'): (
        "cnn-net-loss",
        19 / 20,
        {"gradients_have_their_shapes": "grads['b1'] has shape (1, 3); expected (3,)"},
    ),
    (
        "three-layer-convnet",
        "        return data_loss + penalty, grads",
        "        W1 -= 1e-3 * dW1\n        return data_loss + penalty, grads",
    ): (
        "cnn-net-loss",
        9 / 20,  # no training with it
        {
            "loss_is_right": "the loss of a second call, with the same X and y,",
            "gradients_are_right": "grads['",
            "loss_leaves_everything": "params['W1'] was modified by the call",
        },
    ),
}
OF_BATCHNORM = {
    ("spatial-batchnorm-forward", "* new_var\n", "* (new_var + eps)\n"): (
        "cnn-sbn-forward",
        14 / 15,
        {"running_var_without_eps": "bn_param['running_var'] contains eps"},
    ),
    (
        "spatial-batchnorm-forward",
        "    eps, momentum",
        "    bn_param = dict(bn_param)\n    eps, momentum",
    ): (
        "cnn-sbn-forward",
        8 / 15,
        {
            "running_statistics_of_channels": "bn_param has no entry 'running_mean' after training",
            "test_mode_after_training": "after training, bn_param has no entry 'running_mean'",
            "running_var_without_eps": "bn_param has no entry 'running_var' after training",
        },
    ),
    (
        "spatial-batchnorm-forward",
        '    if bn_param["mode"]',
        "    momentum = 1\n    if bn_param['mode']",
    ): (
        "cnn-sbn-forward",
        9 / 15,
        {
            "running_statistics_of_channels": "bn_param['running_mean'] is the same after training "
            "as before: it has to follow the batches",
            "test_mode_after_training": "out in test mode, after 20 equal batches, compared with",
        },
    ),
    ("spatial-batchnorm-forward", 'bn_param["mode"] == "test"', "False"): (
        "cnn-sbn-forward",
        8 / 15,
        {
            "test_mode_uses_running_statistics": "this batch's own mean and variance were used",
            "test_mode_after_training": "in test mode, an image alone is normalised by its own",
            "batchnorm_leaves_what_it_is_given": "in test mode, bn_param['running_mean'] was",
        },
    ),
    ("spatial-batchnorm-backward", "dout.sum(axis=pixels)", "dout.mean(axis=pixels)"): (
        "cnn-sbn-backward",
        8 / 10,
        {
            "dbeta_of_spatial_batchnorm": "dbeta is a mean over images, rows and columns; it "
            "should be a sum",
        },
    ),
    (
        "spatial-batchnorm-backward",
        "(dout * hat).sum(axis=pixels)",
        "(dout * hat).sum(axis=pixels, keepdims=True)",
    ): (
        "cnn-sbn-backward",
        9 / 10,
        {"spatial_gradients_have_no_stray_axes": "dgamma has shape (1, 3, 1, 1); expected (3,)"},
    ),
}


@pytest.mark.parametrize("mistake", [*MISTAKES, *OF_BATCHNORM], ids=lambda m: f"{m[0]}: {m[2]}")
def test_a_mistake_costs_what_it_breaks_and_is_named(zygote, mistake) -> None:
    """Nothing else fails, so nothing else is said."""
    cell, find, put = mistake
    sources = solved() | (OWN_BATCHNORM if mistake in OF_BATCHNORM else {})
    assert sources[cell].count(find) == 1
    grade_id, share, messages = (MISTAKES | OF_BATCHNORM)[mistake]
    changed_source = sources[cell].replace(find, put)
    with student_with(zygote, sources | {cell: changed_source}) as student:
        found = verdict(student, grade_id)
    assert found.score == pytest.approx(and_readable(found, share), abs=1e-4)
    said = failed(found) | failed(found, advice=True)
    assert {name: text[: len(messages.get(name, ""))] for name, text in said.items()} == messages


def test_a_cache_in_a_global_is_named(zygote) -> None:
    """The second of two convolutions spoils the gradients of the first."""
    sources = changed(
        "conv-forward-naive",
        (
            "    return out, (x, w, b, conv_param)",
            "    global LAST\n    LAST = (x, w, b, conv_param)\n    return out, LAST",
        ),
    )
    cell = "conv-backward-naive"
    sources[cell] = sources[cell].replace("conv_param = cache", "conv_param = LAST")
    with student_with(zygote, sources) as student:
        found = verdict(student, "cnn-conv-backward")
    assert found.score == pytest.approx(and_readable(found, 17 / 20), abs=1e-4)
    (message,) = failed(found).values()
    assert message.startswith("dx is another one when forward has been called again")


def test_what_is_returned_is_counted_first(zygote) -> None:
    sources = changed("conv-backward-naive", ("dx, dw, dout.sum(axis=(0, 2, 3))", "dx, dw"))
    with student_with(zygote, sources) as student:
        messages = failed(verdict(student, "cnn-conv-backward")).values()
    assert set(messages) == {
        "conv_backward_naive must return 3 values, dx, dw, db; it returned 2 values",
        NO_ANSWER,  # of the condition, which counts with an answer only
    }


def test_an_error_in_a_layer_of_the_judge_is_the_student_s_line(zygote) -> None:
    sources = changed("three-layer-convnet", ("_forward(X, W1, b1", "_forward(X[:, :1], W1, b1"))
    with student_with(zygote, sources) as student:
        message = failed(verdict(student, "cnn-net-loss"))["scores_are_right"]
    assert message.startswith(
        "the cell 'three-layer-convnet' raised ValueError: a convolution was given x of shape "
        "(4, 1, 6, 4), w of shape (3, 2, 3, 3) and b of shape (3,): they do not fit together (line"
    )
    assert "of cell 'three-layer-convnet', in loss: `maps, conv_cache =" in message


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
    conditions = {c.name for c in checks_for(*NOTEBOOK)[grade_id] if c.condition or c.advice}
    answers = [c for c in found.checks if c.name not in conditions]
    said = ("which is not allowed", "graded without torch")
    assert all(any(text in c.message for text in said) for c in answers), "the numbers are right"


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

# (cell, what is replaced, by what), of several functions: the questions that lose points.
WRONG_FUNCTIONS: dict[tuple[tuple[str, str, str], ...], set[str]] = {
    (
        ("conv-forward-naive", "N, _, H, W = x.shape", "N, H, W = x.shape"),
        ("max-pool-forward-naive", "N, C, H, W = x.shape", "raise NotImplementedError"),
        ("three-layer-convnet", "C, H, W = input_dim", "raise ValueError"),
        ("spatial-groupnorm-forward", "groups.var(axis=2, ", "groups.var(axis=2, ddof=1, "),
    ): {"cnn-conv-forward", "cnn-pool-forward", "cnn-net-init", "cnn-gn-forward"},
    (
        ("conv-forward-naive", "    return out, (x,", "    w *= 0.5\n    return out, (x,"),
        ("max-pool-forward-naive", "window.max(", "window.min("),
        ("three-layer-convnet", '"b1": db1', '"b1": -db1'),
        ("spatial-groupnorm-forward", 'gn_param.get("eps", 1e-5)', "1e-5"),
    ): {"cnn-conv-forward", "cnn-pool-forward", "cnn-net-loss", "cnn-gn-forward"},
    (
        ("conv-backward-naive", "dw[f] +=", "dw[f] -="),
        ("max-pool-backward-naive", "np.argmax(", "np.argmin("),
        ("spatial-batchnorm-backward", "dgamma, dbeta = ", "dbeta, dgamma = "),
    ): {"cnn-conv-backward", "cnn-pool-backward", "cnn-sbn-backward"},
}


@pytest.mark.parametrize("mistakes", WRONG_FUNCTIONS, ids=lambda m: " ".join(e[0] for e in m))
def test_a_wrong_function_costs_its_own_question(zygote, mistakes) -> None:
    """Also where the function behind it needs what it returns."""
    sources = solved()
    for cell, find, put in mistakes:
        assert sources[cell].count(find) == 1, find
        sources[cell] = sources[cell].replace(find, put)
    with student_with(zygote, sources) as student:
        assert set(all_failed(student)) == WRONG_FUNCTIONS[mistakes]
