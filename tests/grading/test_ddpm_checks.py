"""Checks of the diffusion notebook: right answers of every style pass, wrong ones lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autograder.checks.assignment4.ddpm import in_kernel, oracle
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from cs231n_lib.ddpm import get_beta_schedule
from tests.nightly import rounds
from trial_notebook import TrialNotebook

PROCESS, DIFFUSION = "forward-process", "gaussian-diffusion"
NETWORK, GUIDED = "conditional-unet", "unet"
CLASSES = (PROCESS, DIFFUSION, NETWORK, GUIDED)
QUESTIONS = {
    PROCESS: ("noising", "inverses"),
    DIFFUSION: ("loss", "step-back"),
    NETWORK: ("unet-parts", "unet-forward"),
    GUIDED: ("guidance",),
}
ALL = [grade_id for grade_ids in QUESTIONS.values() for grade_id in grade_ids]
TRIAL = TrialNotebook("assignment4", "DDPM", answers=CLASSES)
student_with = TRIAL.with_answers


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, ALL, rounds(25))


@pytest.mark.parametrize("name", oracle.SCHEDULES)
def test_the_librarys_schedules_are_the_oracles(name: str) -> None:
    for T in (10, 100, 1000):
        assert np.allclose(get_beta_schedule(name, T), oracle.levels(name, T).betas.clip(0, 0.999))


def test_the_librarys_parts_compute_what_the_oracle_computes() -> None:
    """A block with a shortcut of its own and one without."""
    rng = np.random.default_rng(0)
    sizes = 4, 5, (1, 2)
    shapes = oracle.shapes(*sizes)
    assert sum(int(np.prod(shape)) for shape in oracle.shapes(2, 4, (1, 2, 4)).values()) == 6499
    spec = oracle.specification(*sizes)
    built = torch.nn.ModuleDict({name: in_kernel.built(part) for name, part in spec.items()})
    assert {name: tuple(value.shape) for name, value in built.state_dict().items()} == shapes
    state = oracle.drawn_state(rng, shapes)
    built.load_state_dict(state)
    built.eval()
    x, t = torch.from_numpy(rng.normal(size=(2, 3, 8, 4))).float(), torch.tensor([0, 70])
    with torch.no_grad():
        context = built["time_mlp"](t)
        h = built["init_conv"](x)
        skips = []
        for block1, block2, down in built["downs"]:  # pyright: ignore
            skips.append(block1(h, context))
            skips.append(block2(skips[-1], context))
            h = down(skips[-1])
        h = built["mid_block2"](built["mid_block1"](h, context), context)
        for up, block1, block2 in built["ups"]:  # pyright: ignore
            h = block1(torch.cat([up(h), skips.pop()], dim=1), context)
            h = block2(torch.cat([h, skips.pop()], dim=1), context)
        want = built["final_conv"](h)
    assert torch.allclose(oracle.unet(state, x, t, None).float(), want, rtol=1e-4, atol=1e-5)


# -- wrong answers: (cell, edits): question, check, what is said ----------------------------------

POP, COPY = 'cfg_scale = model_kwargs.pop("cfg_scale")', "model_kwargs = copy.copy(model_kwargs)"
WRONG = {
    "the scale is forgotten": (
        GUIDED,
        [(COPY, "pass")],
        {"guidance": {"scale_is_kept": "the second call with the same dictionary is not guided"}},
    ),
    "the scale counts from 1": (
        GUIDED,
        [("(cfg_scale + 1) *", "cfg_scale *"), ("- cfg_scale *", "- (cfg_scale - 1) *")],
        {"guidance": {"answers_are_combined": "the scale counts from 1 here"}},
    ),
    "t as an integer": (
        DIFFUSION,
        [("self.model(x_t, times, model_kwargs)", "self.model(x_t, t, model_kwargs)")],
        {"step-back": {"network_is_told_level_and_text": "have shape (), not one for each image"}},
    ),
    "no clamp": (
        DIFFUSION,
        [("x_start = x_start.clamp(-1, 1)", "pass")],
        {"step-back": {"images_are_clamped": "the predicted image is not clamped to [-1, 1]"}},
    ),
    "x0 for the network": (
        DIFFUSION,
        [
            (
                "prediction = self.model(x_t, t, model_kwargs)",
                "prediction = self.model(x_start, t, model_kwargs)",
            )
        ],
        {"loss": {"network_sees_noisy_images": "the network sees the images themselves"}},
    ),
    "no weight": (
        DIFFUSION,
        [("(loss_weight * (prediction - target) ** 2)", "((prediction - target) ** 2)")],
        {"loss": {"image_is_the_target": "the weights of the levels, loss_weight, are missing"}},
    ),
    "not normalised": (
        DIFFUSION,
        [("self.q_sample(x_start, t, noise)", "self.q_sample((x_start + 1) / 2, t, noise)")],
        {"loss": {"network_sees_noisy_images": "the network sees noised images from 0 to 1"}},
    ),
    "no condition": (
        DIFFUSION,
        [("prediction = self.model(x_t, t, model_kwargs)", "prediction = self.model(x_t, t)")],
        {"loss": {"network_is_told_level_and_text": "the network is not given model_kwargs"}},
    ),
    "levels counted from 1": (
        PROCESS,
        [("x_t = None", "x_t, t = None, (t - 1).clamp(min=0)")],
        {"noising": {"images_are_noised": "the levels are counted from 1 here"}},
    ),
    "skip order": (
        NETWORK,
        [("block1(torch.cat([x, skips.pop()]", "block1(torch.cat([x, skips.pop(-2)]")],
        {"unet-forward": {"two_levels_are_right": "the one saved first is used first"}},
    ),
    "concat order": (
        NETWORK,
        [
            ("block1(torch.cat([x, skips.pop()]", "block1(torch.cat([skips.pop(), x]"),
            ("block2(torch.cat([x, skips.pop()]", "block2(torch.cat([skips.pop(), x]"),
        ],
        {"unet-forward": {"two_levels_are_right": "concatenated with the skip first"}},
    ),
    "no text": (
        NETWORK,
        [("context = context + condition", "pass")],
        {"unet-forward": {"two_levels_are_right": "the text has no effect"}},
    ),
    "ups not reversed": (
        NETWORK,
        [("reversed(in_out)", "in_out")],
        {"unet-parts": {"way_up_has_its_blocks": "the largest images come first"}},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_named_and_cost_their_own_question(shared: Student, name: str) -> None:
    """The message fits, and no other question loses."""
    cell, edits, expected = WRONG[name]
    source = TRIAL.changed(cell, *edits)[cell]
    student = TRIAL.with_source(shared, cell, source)
    for grade_id in ALL:
        found = TRIAL.verdict(student, grade_id)
        said = TRIAL.failed(found, advice=False)
        assert bool(said) == (grade_id in expected), (grade_id, said)
        for check, message in expected.get(grade_id, {}).items():
            assert message in said[check]
            assert found.score < 1


def test_a_wrong_noising_costs_its_own_question_only(shared: Student) -> None:
    source = TRIAL.changed(PROCESS, ("x_t = None", "return noise"))[PROCESS]
    student = TRIAL.with_source(shared, PROCESS, source)
    lost = {name for name in ALL if TRIAL.failed(TRIAL.verdict(student, name), advice=False)}
    assert lost == {"noising"}
