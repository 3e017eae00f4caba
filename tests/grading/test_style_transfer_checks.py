"""Checks of the style transfer notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "Style_Transfer")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict = TRIAL.solved, TRIAL.verdict
failed, failed_cells = TRIAL.failed, TRIAL.failed_cells
SETUP = "import numpy as np\nimport torch\nfrom torch import nn\ndtype = torch.FloatTensor"
DEFINITIONS = ("content-loss", "gram-matrix", "style-loss", "tv-loss")


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the four functions, and no network."""
    return TRIAL.student(zygote, sources, (SETUP, *(sources[cell] for cell in DEFINITIONS)))


def changed(cell: str, find: str, put: str) -> dict[str, str]:
    """Our solution with one thing replaced."""
    return TRIAL.changed(cell, (find, put))


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(25 if path is None else 5):
            for grade_id in checks_for(*NOTEBOOK):
                found = verdict(student, grade_id, number)
                assert found.score == 1, (number, grade_id, failed(found))


def test_view_is_enough_for_the_points(zygote) -> None:
    """Public solutions flatten with view; some tensors, which networks do not make, refuse it."""
    with student_with(zygote, changed("gram-matrix", "reshape", "view")) as student:
        found = verdict(student, "st-gram-matrix")
    assert found.score == 1
    assert set(failed(found)) == {"transposed_pixels"}


def test_losses_may_have_one_axis(zygote) -> None:
    sources = changed("tv-loss", "(vertical + horizontal)", "(vertical + horizontal).view(1)")
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == set()


def test_a_function_need_not_be_written_with_def(zygote) -> None:
    source = (
        "style_loss = lambda feats, layers, targets, weights: sum(\n"
        "    w * (gram_matrix(feats[i]) - t).square().sum()"
        " for i, t, w in zip(layers, targets, weights))"
    )
    with student_with(zygote, solved() | {"style-loss": source}) as student:
        assert failed_cells(student) == set()


# -- nobody pays twice ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "put", ["gram / (H * W)", "gram.detach()", "gram[:, :1]", "print('oh')", "1 / 0"]
)
def test_a_wrong_gram_matrix_costs_one_cell(zygote, put) -> None:
    with student_with(zygote, changed("gram-matrix", "gram / (H * W * C)", put)) as student:
        assert failed_cells(student) == {"st-gram-matrix"}


def test_a_stub_of_the_gram_matrix_costs_one_cell(zygote) -> None:
    stub = "def gram_matrix(features, normalize=True):\n    raise NotImplementedError"
    with student_with(zygote, solved() | {"gram-matrix": stub}) as student:
        assert failed_cells(student) == {"st-gram-matrix"}


# -- wrong answers, and what they are told --------------------------------------------------------

# (cell, what is replaced, by what): (the check that fails, words of its message).
TOLD = {
    ("content-loss", ".sum()", ".mean()"): ("value_is_right", "take their sum"),
    ("content-loss", "content_weight * ", ""): ("value_is_right", "the weight is missing"),
    ("content-loss", ".sum()", ".sum().item()"): (
        "gradient_reaches_the_current_features", "no gradient flows back"
    ),
    ("content-loss", "content_current -", "content_current.detach() -"): (
        "gradient_reaches_the_current_features", "no gradient flows back"
    ),
    ("gram-matrix", "(H * W * C)", "(H * W)"): ("matrices_are_right", "divide by C as well"),
    ("gram-matrix", "(H * W * C)", "(N * H * W * C)"): ("matrices_are_right", "divided by N"),
    ("gram-matrix", " if normalize else gram", ""): (
        "normalization_can_be_turned_off", "nothing is divided"
    ),
    ("gram-matrix", "rows @ rows.transpose(1, 2)", "rows.transpose(1, 2) @ rows"): (
        "matrices_are_right", "compares pixels with pixels"
    ),
    ("gram-matrix", "reshape(N, C, H * W)", "reshape(N, H * W, C).mT"): (
        "matrices_are_right", "cuts the numbers anew"
    ),
    ("style-loss", "    return loss", "        return loss"): (
        "value_is_right", "only the first stage counts"
    ),
    ("style-loss", "gram_matrix(feats[layer])", "gram_matrix(feats[layer], False)"): (
        "value_is_right", "must be normalised"
    ),
    ("style-loss", "weight * (gram", "(gram"): ("value_is_right", "weights are missing"),
    ("tv-loss", "vertical + horizontal", "horizontal"): ("value_is_right", "vertical"),
    ("tv-loss", "tv_weight * (", "2 * tv_weight * ("): ("value_is_right", "counts once"),
    ("tv-loss", "tv_weight * (vertical", "sum(tv_weight * x for x in [1.0]) * (vertical"): (
        "there_is_no_loop", "Python loop"
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", TOLD, ids=lambda m: f"{m[0]}: {m[2].strip()}")
def test_a_mistake_is_explained(zygote, mistake) -> None:
    name, words = TOLD[mistake]
    with student_with(zygote, changed(*mistake)) as student:
        assert failed_cells(student) == {f"st-{mistake[0]}"}
        messages = failed(verdict(student, f"st-{mistake[0]}"))
    assert words in messages[name]
    assert not any("Error" in message for message in messages.values())  # no traceback for these


def test_stages_and_positions_are_told_apart(zygote) -> None:
    """The features of style stage i are feats[style_layers[i]], not feats[i]."""
    source = solved()["style-loss"].replace(
        "for layer, target, weight in zip(style_layers, style_targets, style_weights, strict=True)",
        "for layer, (target, weight) in enumerate(zip(style_targets, style_weights, strict=True))",
    )
    with student_with(zygote, solved() | {"style-loss": source}) as student:
        found = verdict(student, "st-style-loss")
    assert found.score == 0


# -- only what is asked, and only what is true ----------------------------------------------------

FACTORS = {
    ("content-loss", ".sum()", ".mean()"): {"value_is_right"},
    ("content-loss", "content_weight * ", ""): {"value_is_right"},
    ("gram-matrix", "(H * W * C)", "(H * W)"): {"matrices_are_right"},
    ("gram-matrix", "(H * W * C)", "(H * H * C)"): {"matrices_are_right"},
    ("style-loss", "    return loss", "    return loss / 2"): {"value_is_right"},
    ("tv-loss", "tv_weight * (", "2 * tv_weight * ("): {
        "value_is_right", "single_bright_pixels", "rows_are_compared", "columns_are_compared"
    },
}  # fmt: skip


@pytest.mark.parametrize("mistake", FACTORS, ids=lambda m: f"{m[0]}: {m[2].strip()}")
def test_a_wrong_factor_costs_the_value_and_not_the_gradient(zygote, mistake) -> None:
    with student_with(zygote, changed(*mistake)) as student:
        found = verdict(student, f"st-{mistake[0]}")
    assert set(failed(found, advice=False)) == FACTORS[mistake]


@pytest.mark.parametrize(
    ("mistake", "lost"),
    [
        (("content-loss", "content_current -", "content_current.detach() -"), 5 / 11),
        (("gram-matrix", "features.reshape", "features.detach().reshape"), 6 / 14),
        (("style-loss", "feats[layer]", "feats[layer].detach()"), 6 / 13),
        (("tv-loss", "vertical = (img", "img = img.detach()\n    vertical = (img"), 7 / 17),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_loss_that_nothing_flows_back_from_costs_nearly_half(zygote, mistake, lost) -> None:
    with student_with(zygote, changed(*mistake)) as student:
        found = verdict(student, f"st-{mistake[0]}")
    assert len(failed(found, advice=False)) == 1
    assert found.score == pytest.approx(1 - lost, abs=1e-4)


def test_one_direction_is_worth_a_little(zygote) -> None:
    with student_with(zygote, changed("tv-loss", "vertical + horizontal", "horizontal")) as student:
        found = verdict(student, "st-tv-loss")
    assert "columns_are_compared" not in failed(found)
    assert 0 < found.score < 0.25


def test_a_missing_axis_of_one_image_costs_the_shape_only(zygote) -> None:
    put = "gram.squeeze(0) / (H * W * C) if normalize else gram.squeeze(0)"
    sources = changed("gram-matrix", "gram / (H * W * C) if normalize else gram", put)
    with student_with(zygote, sources) as student:
        found = verdict(student, "st-gram-matrix")
    assert set(failed(found, advice=False)) == {"each_image_has_its_matrix"}
    assert found.score == pytest.approx(13 / 14, abs=1e-4)


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "double"])
def test_half_a_percent_is_wrong_whatever_the_dtype_of_the_answer(zygote, dtype) -> None:
    put = f".sum().{dtype}() * 1.005"
    with student_with(zygote, changed("content-loss", ".sum()", put)) as student:
        assert "value_is_right" in failed(verdict(student, "st-content-loss"))


def test_an_error_of_a_stand_in_is_said_once_and_placed_with_the_student(zygote) -> None:
    sources = changed("style-loss", "gram_matrix(feats[layer])", "gram_matrix(feats[layer][0])")
    line = 1 + next(
        number
        for number, text in enumerate(sources["style-loss"].split("\n"))
        if "feats[layer][0]" in text
    )
    with student_with(zygote, sources) as student:
        message = failed(verdict(student, "st-style-loss"))["value_is_right"]
    assert message.startswith(
        "the cell 'style-loss' raised ValueError: gram_matrix takes features of shape (N, C, H, W)"
        f" (line {line} of cell 'style-loss', in style_loss: `"
    )


@pytest.mark.parametrize("returned", ["None", "0", "torch.zeros(())", "'much'", "1 / 0"])
def test_nothing_is_worth_nothing(zygote, returned) -> None:
    """Stubs, and functions that always return the same."""
    sources = solved() | {
        "content-loss": f"def content_loss(w, a, b):\n    return {returned}",
        "gram-matrix": f"def gram_matrix(features, normalize=True):\n    return {returned}",
        "style-loss": f"def style_loss(feats, layers, targets, weights):\n    return {returned}",
        "tv-loss": f"def tv_loss(img, tv_weight):\n    return {returned}",
    }
    with student_with(zygote, sources) as student:
        scores = {grade_id: verdict(student, grade_id).score for grade_id in checks_for(*NOTEBOOK)}
    assert set(scores.values()) == {0}, scores
