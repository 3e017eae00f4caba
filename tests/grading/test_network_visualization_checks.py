"""Checks of Network_Visualization: right answers pass, wrong ones lose and are explained."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.score import NO_ANSWER
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "Network_Visualization")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
failed = partial(TRIAL.failed, advice=False)
SETUP = "import torch\nfrom torch import nn"  # no photographs, no large network
SALIENCY, FOOLING, STEP = "saliency", "fooling", "class-step"
CELLS = {SALIENCY: "nv-saliency", FOOLING: "nv-fooling", STEP: "nv-class-step"}


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the three functions, and nothing else."""
    own = set(sources) - set(solved())  # cells of an alternative's own
    run = (SETUP, *(text for cell, text in sources.items() if cell in {*CELLS, *own}))
    return TRIAL.student(zygote, sources, run)


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda p: p.stem if p else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in range(2 if path else 3):
            for grade_id in CELLS.values():
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


# As in a published solution: with a single image, squeeze() takes away the axis of the images.
SQUEEZED = """
def compute_saliency_maps(X, y, model):
    X.requires_grad_()
    scores = model(X).gather(1, y.view(-1, 1)).squeeze()
    scores.backward(torch.ones(len(y)))
    saliency, _ = torch.max(X.grad.abs(), dim=1)
    return saliency
"""


def test_a_single_image_is_advice(zygote) -> None:
    with student_with(zygote, solved() | {SALIENCY: SQUEEZED}) as student:
        found = verdict(student, "nv-saliency")
    assert found.score == 1.0
    assert [check.name for check in found.checks if not check.passed] == ["a_single_image"]


def test_an_upstream_gradient_for_five_images_is_noticed(zygote) -> None:
    """One of the published solutions: right in the notebook, where there are five photographs."""
    source = SQUEEZED.replace("torch.ones(len(y))", "torch.FloatTensor([1.0, 1.0, 1.0, 1.0, 1.0])")
    with student_with(zygote, solved() | {SALIENCY: source}) as student:
        messages = failed(verdict(student, "nv-saliency"))
    assert "maps_of_other_sizes" in messages
    assert "maps_of_five_images" not in messages


@pytest.mark.parametrize("rate", ["learning_rate", "learning_rate / img.grad.abs().mean()"])
def test_how_a_step_is_normalised_is_free(zygote, rate) -> None:
    sources = changed(STEP, ("learning_rate * img.grad / img.grad.norm()", f"{rate} * img.grad"))
    with student_with(zygote, sources) as student:
        for number in rounds(25):
            assert failed(verdict(student, "nv-class-step", number)) == {}


def test_a_fooling_image_may_go_on_requiring_a_gradient(zygote) -> None:
    sources = changed(FOOLING, ("return X_fooling.detach()", "return X_fooling"))
    with student_with(zygote, sources) as student:
        assert failed(verdict(student, "nv-fooling")) == {}


# -- wrong answers, and what they are told --------------------------------------------------------

OWN_SCORE = "model(X).gather(1, y.view(-1, 1))"
UNIT = "X_fooling.grad / X_fooling.grad.norm()"
LIMIT = ("while True:", "for _ in range(30):")  # whoever never arrives must not hang
GIVE_UP = ("X_fooling.grad.zero_()", "X_fooling.grad.zero_()\n    return X_fooling.detach()")
PENALTY = "- l2_reg * (img**2).sum()"

# name: (cell, what is replaced by what), (a check that notices it, a part of its message)
WRONG = {
    "signed": (
        (SALIENCY, (".abs()", "")),
        ("falling_scores_count_too", "the absolute value is missing"),
    ),
    "absolute too late": (
        (SALIENCY, ("X.grad.abs().amax(dim=1)", "X.grad.amax(dim=1).abs()")),
        ("falling_scores_count_too", "before the maximum"),
    ),
    "colours added": (
        (SALIENCY, (".amax(dim=1)", ".sum(dim=1)")),
        ("maps_of_five_images", "take their maximum"),
    ),
    "colours kept": (
        (SALIENCY, (".amax(dim=1)", "")),
        ("maps_of_five_images", "still have three colours"),
    ),
    "mean over the batch": (
        (SALIENCY, ("correct.sum()", "correct.mean()")),
        ("images_do_not_disturb_each_other", "do not average"),
    ),
    "probabilities": (
        (SALIENCY, (OWN_SCORE, "model(X).softmax(dim=1).gather(1, y.view(-1, 1))")),
        ("maps_of_five_images", "gradients of probabilities"),
    ),
    "loss": (
        (SALIENCY, (OWN_SCORE, "nn.functional.cross_entropy(model(X), y, reduction='sum')")),
        ("maps_of_five_images", "gradients of a loss"),
    ),
    "training mode": (
        (SALIENCY, ("X.requires_grad_()", "X.requires_grad_(), model.train()")),
        ("evaluation_mode_is_kept", "the model was called in training mode"),
    ),
    "descent": (
        (FOOLING, ("X_fooling += ", "X_fooling -= "), LIMIT, GIVE_UP),
        ("every_step_is_a_unit_gradient", "the steps go down"),
    ),
    "long steps": (
        (FOOLING, (UNIT, "X_fooling.grad")),
        ("every_step_is_a_unit_gradient", "divide the gradient by its length"),
    ),
    "short steps": (
        (FOOLING, (UNIT, f"{UNIT}**2")),
        ("every_step_is_a_unit_gradient", "divided by the square of its length"),
    ),
    "gradients that pile up": (
        (FOOLING, ("X_fooling.grad.zero_()", "pass")),
        ("every_step_is_a_unit_gradient", "the sum of all gradients so far"),
    ),
    "the photograph itself": (
        (FOOLING, ("X.clone().requires_grad_()", "X.requires_grad_()")),
        ("original_is_left_alone", "X was modified"),
    ),
    "one step too many": (
        (
            FOOLING,
            ("if scores[0].argmax() == target_y:\n            return X_fooling.detach()", "pass"),
            ("X_fooling.grad.zero_()", "X_fooling.grad.zero_()\n            "
             "if scores[0].argmax() == target_y: return X_fooling.detach()"),
        ),
        ("nothing_to_do", "predicts the target for it already"),
    ),
    "given up": (
        (FOOLING, ("while True:", "for _ in range(1):"), GIVE_UP),
        ("linear_network_is_fooled", "does not predict the target"),
    ),
    "the original returned": (
        (FOOLING, ("return X_fooling.detach()", "return X")),
        ("linear_network_is_fooled", "came back unchanged"),
    ),
    "down": (
        (STEP, ("img += ", "img -= ")),
        ("step_climbs_the_score", "the step goes down"),
    ),
    "a reward for large pixels": (
        (STEP, (PENALTY, PENALTY.replace("-", "+"))),
        ("penalty_pulls_to_grey", "wrong sign"),
    ),
    "length, not squared": (
        (STEP, ("(img**2).sum()", "img.norm()")),
        ("penalty_pulls_to_grey", "not the square"),
    ),
    "half the penalty": (
        (STEP, (PENALTY, PENALTY.replace("-", "- 0.5 *"))),
        ("penalty_pulls_to_grey", "half of the penalty"),
    ),
    "the mean of the squares": (
        (STEP, ("(img**2).sum()", "(img**2).mean()")),
        ("penalty_pulls_to_grey", "the penalty is the sum of the squares, not their mean"),
    ),
    "no penalty": (
        (STEP, (PENALTY, "")),
        ("penalty_pulls_to_grey", "the penalty is missing"),
    ),
    "a gradient that stays": (
        (STEP, ("img.grad = None", "pass")),
        ("gradients_do_not_pile_up", "clear it"),
    ),
    "a new image": (
        (STEP, ("img += learning_rate", "img = img + learning_rate"), ("img.grad = None", "pass")),
        ("image_is_changed_in_place", "in place"),
    ),
    "an image returned": (
        (STEP, ("img.grad = None", "img.grad = None\n    return img")),
        ("image_is_changed_in_place", "something was returned"),
    ),
    "a fixed length": (
        (STEP, ("learning_rate * img.grad", "img.grad")),
        ("learning_rate_sets_the_length", "twice the learning rate"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_explained_and_costs_one_cell(zygote, name) -> None:
    (cell, *edits), (notices, part) = WRONG[name]
    with student_with(zygote, changed(cell, *edits)) as student:
        messages = {own: failed(verdict(student, grade)) for own, grade in CELLS.items()}
    assert {own for own, found in messages.items() if found} == {cell}
    assert part in messages[cell][notices]


# -- only what is asked, and only what is true ----------------------------------------------------

# name: (cell, what is replaced by what), the checks that fail, what none of them may say
NOT_SAID = {
    "cleared, but down": (
        (STEP, ("img += ", "img -= ")),
        {
            "step_climbs_the_score", "penalty_pulls_to_grey", "gradients_do_not_pile_up",
            "twenty_steps_climb",
        },
        "still in img.grad",
    ),
    "cleared, but with another penalty": (
        (STEP, (PENALTY, PENALTY.replace("- l2_reg", "+ 100 * l2_reg"))),
        {"step_climbs_the_score", "penalty_pulls_to_grey", "twenty_steps_climb"},
        "still in img.grad",
    ),
    "a mean is no missing penalty": (
        (STEP, ("(img**2).sum()", "(img**2).mean()")),
        {"penalty_pulls_to_grey"},
        "missing",
    ),
    "cleared, but only signs": (
        (FOOLING, (UNIT, "X_fooling.grad.sign() / X_fooling.grad.sign().norm()")),
        {"linear_network_is_fooled", "every_step_is_a_unit_gradient"},
        "clear",
    ),
    "no length of its own": (
        (FOOLING, (UNIT, "X_fooling.grad / X_fooling.grad.abs().max()")),
        {
            "linear_network_is_fooled", "every_step_is_a_unit_gradient",
            "trained_network_is_fooled",
        },
        "square of its length",
    ),
    "not averaged": (
        (SALIENCY, ("X.grad.abs().amax", "(X.grad * X).detach().abs().amax")),
        {
            "maps_of_five_images", "maps_of_other_sizes", "scores_and_no_probabilities",
            "evaluation_mode_is_kept", "falling_scores_count_too",
        },
        "training mode",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_SAID)
def test_nothing_false_is_said(zygote, name) -> None:
    (cell, *edits), expected, false = NOT_SAID[name]
    with student_with(zygote, changed(cell, *edits)) as student:
        messages = failed(verdict(student, CELLS[cell]))
    wrong = {check for check, message in messages.items() if message != NO_ANSWER}
    assert wrong
    assert expected >= wrong
    assert not any(false in message for message in messages.values()), messages


@pytest.mark.parametrize(
    ("cell", "edit", "lost", "share"),
    [
        (SALIENCY, (".amax(dim=1)", ".amax(dim=1, keepdim=True)"), "maps_have_two_axes_each", 13),
        (FOOLING, ("return X_fooling.detach()", "return X_fooling.detach()[0]"),
         "image_has_the_shape_of_x", 12),
    ],
)  # fmt: skip
def test_an_axis_too_many_costs_the_shape_only(zygote, cell, edit, lost, share) -> None:
    with student_with(zygote, changed(cell, edit)) as student:
        found = verdict(student, CELLS[cell])
    assert set(failed(found)) == {lost}
    assert found.score == pytest.approx(1 - 1 / share, abs=1e-4)


@pytest.mark.parametrize("stub", ["X", "X.clone()", "torch.zeros_like(X)"])
def test_the_image_itself_is_worth_nothing(zygote, stub) -> None:
    source = f"def make_fooling_image(X, target_y, model):\n    return {stub}"
    with student_with(zygote, solved() | {FOOLING: source}) as student:
        assert verdict(student, "nv-fooling").score == 0


def test_the_place_of_an_error_is_the_students(zygote) -> None:
    """Not a line of torch's, nor one of the model's, which is the judge's."""
    sources = changed(SALIENCY, ("model(X)", "model(X[:, :1])"))
    line = 1 + next(
        number
        for number, text in enumerate(sources[SALIENCY].split("\n"))
        if "model(X[:, :1])" in text
    )
    with student_with(zygote, sources) as student:
        message = failed(verdict(student, "nv-saliency"))["maps_of_five_images"]
    assert message.startswith("compute_saliency_maps() raised RuntimeError: Given groups=1")
    assert f"(line {line}, in compute_saliency_maps: `" in message
