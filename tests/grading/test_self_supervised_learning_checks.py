"""Checks of the notebook on contrastive learning: right answers pass, wrong ones lose."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch

from autograder.checks.assignment3.self_supervised_learning import in_kernel, oracle, slips
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

QUESTIONS = {
    "train-transform": "transform",
    "pair-dataset": "pairs",
    "sim": "cosine",
    "loss-naive": "ntxent-loop",
    "sim-positive-pairs": "positive-pairs",
    "sim-matrix": "all-pairs",
    "loss-vectorized": "ntxent-vectorized",
    "train": "training",
}
TRANSFORM, PAIR, SIM, NAIVE, POSITIVES, MATRIX, VECTORIZED, TRAIN = QUESTIONS
TRIAL = TrialNotebook("assignment3", "Self_Supervised_Learning", answers=tuple(QUESTIONS))
student_with = TRIAL.with_answers


def changed_cell(shared: Student, cell: str, *edits: tuple[str, str]) -> Student:
    return TRIAL.with_source(shared, cell, TRIAL.changed(cell, *edits)[cell])


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_the_oracle_is_the_formula_of_the_paper() -> None:
    """l(i, j) = -log(exp(s_ij / tau) / sum over m other than i of exp(s_im / tau)), by hand."""
    rng = np.random.default_rng(0)
    for N, D, tau in ((1, 3, 0.5), (2, 5, 0.1), (4, 3, 5.0)):
        left, right = oracle.draw(rng, N, D), oracle.draw(rng, N, D)
        z = [[float(x) for x in row] for row in torch.cat([left, right])]

        def s(i: int, j: int, z: list[list[float]] = z) -> float:
            return math.fsum(a * b for a, b in zip(z[i], z[j], strict=True)) / (
                math.hypot(*z[i]) * math.hypot(*z[j])
            )

        def ell(i: int, j: int, tau: float = tau, many: int = 2 * N) -> float:
            rest = (m for m in range(many) if m != i)
            return math.log(math.fsum(math.exp(s(i, m) / tau) for m in rest)) - s(i, j) / tau

        want = math.fsum(ell(k, k + N) + ell(k + N, k) for k in range(N)) / (2 * N)
        assert oracle.loss(left, right, tau).item() == pytest.approx(want, abs=1e-12)


def losses_of(calls: list) -> dict[str, np.ndarray]:
    each = [slips.of_loss(*call) for call in calls]
    return {message: np.array([one[message] for one in each]) for message in each[0]}


def test_no_two_slips_give_the_same_answer() -> None:
    """Otherwise a message might name the wrong one; and none is right."""
    rng = np.random.default_rng(1)
    left, right = oracle.draw(rng, 4, 6), oracle.draw(rng, 4, 6)
    calls = [(left, right, tau) for tau in (0.5, 0.1, 5.0)]
    wrong = [
        (slips.of_sim(left[0], -right[0]), oracle.sim(left[0], -right[0])),  # negative
        (slips.of_pairs(left, right), oracle.sim_positive_pairs(left, right)),
        (slips.of_matrix(left), oracle.compute_sim_matrix(left)),
        (losses_of(calls), torch.stack([oracle.loss(*call) for call in calls])),
    ]
    for named, want in wrong:
        answers = list((named | {"right": want.numpy()}).items())
        for (one, a), (other, b) in combinations(answers, 2):
            assert not np.allclose(a, b, rtol=1e-3), (one, other)


def test_the_judges_answers_carry_their_gradients() -> None:
    """What a notebook gets in place of its own functions is differentiable, and exactly so."""
    rng = np.random.default_rng(2)
    given = in_kernel.similarities(oracle.answer)
    z_i, z_j = oracle.draw(rng, 5).requires_grad_(), oracle.draw(rng, 5).requires_grad_()
    left, right = (oracle.draw(rng, 3, 4).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(given["sim"], (z_i, z_j))
    assert torch.autograd.gradcheck(given["sim_positive_pairs"], (left, right))
    assert torch.autograd.gradcheck(given["compute_sim_matrix"], (left,))
    loss = in_kernel.losses(oracle.answer, [])["simclr_loss_naive"]
    assert torch.autograd.gradcheck(lambda a, b: loss(a, b, 0.5), (left, right))


@pytest.mark.parametrize(
    ("name", "shapes", "message"),
    [
        ("sim", [(3,), (4,)], r"sim takes two vectors \(D,\); found shapes \(3,\) and \(4,\)"),
        ("sim", [(2, 3), (2, 3)], "sim takes two vectors"),
        ("compute_sim_matrix", [(3,)], "compute_sim_matrix takes one matrix"),
        ("loss", [(2, 3), (2, 4)], "the loss takes two matrices"),
    ],
)
def test_the_judge_says_which_shapes_it_answers(name: str, shapes: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        oracle.answer(name, [torch.ones(shape) for shape in shapes], None)


# -- wrong answers: (cell, edits): question's points, what is said --------------------------------

MEAN_STD = "(0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)"
DOT = "torch.dot(z_i, z_j) / lengths"
SEED = "torch.manual_seed(0)"
JITTER = "transforms.RandomApply([color_jitter], p=0.8)"
WRONG = {
    "no jitter": (
        TRANSFORM,
        [(f"{JITTER},", "")],
        4 / 8,
        {
            "steps_are_in_order": "no step is a RandomApply; the steps are RandomResizedCrop, ",
            "colours_are_set": "no step is a RandomApply",
        },
    ),
    "jitter always": (
        TRANSFORM,
        [(JITTER, "color_jitter")],
        4 / 8,
        {"steps_are_in_order": "ColorJitter is applied to every image: put it into a RandomApply"},
    ),
    "jitter half of the time": (
        TRANSFORM,
        [("p=0.8", "p=0.5")],
        6 / 8,
        {"colours_are_set": "RandomApply: p is 0.5, which is not what the task says"},
    ),
    "jitter and flip together": (
        TRANSFORM,
        [("[color_jitter]", "[color_jitter, transforms.RandomHorizontalFlip()]")],
        6 / 8,
        {"colours_are_set": "RandomApply applies ColorJitter, RandomHorizontalFlip"},
    ),
    "large crop": (
        TRANSFORM,
        [("RandomResizedCrop(32)", "RandomResizedCrop(64)")],
        4 / 8,
        {
            "crop_and_flip_are_set": "RandomResizedCrop: size is 64, 64, which is not",
            "views_are_normalised_tensors": "a view has shape (3, 64, 64); expected (3, 32, 32)",
        },
    ),
    "a step twice": (
        TRANSFORM,
        [("transforms.ToTensor(),", "transforms.RandomGrayscale(p=0.2), transforms.ToTensor(),")],
        6 / 8,
        {"steps_are_in_order": "a step comes twice: "},
    ),
    "not normalised": (
        TRANSFORM,
        [(f"transforms.Normalize({MEAN_STD}),", "")],
        4 / 8,
        {"views_are_normalised_tensors": "black and white are not normalised"},
    ),
    "ImageNet's numbers": (
        TRANSFORM,
        [(MEAN_STD, "(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)")],
        6 / 8,
        {"views_are_normalised_tensors": "black and white are normalised with ImageNet's"},
    ),
    "no Compose": (
        TRANSFORM,
        [("return train_transform", "return train_transform.transforms[0]")],
        0,
        {
            "steps_are_in_order": (
                "compute_train_transform returns an object of type RandomResizedCrop, "
                "which is not a Compose of steps"
            ),
        },
    ),
    "nothing returned": (
        TRANSFORM,
        [("return train_transform", "pass")],
        0,
        {"steps_are_in_order": "compute_train_transform returns None, which is not a Compose"},
    ),
    "one draw": (
        PAIR,
        [("x_j = self.transform(img)", "x_j = x_i")],
        4 / 10,
        {
            "views_are_two_draws_of_one_image": "both views are the same draw",
            "transform_is_called_twice": "the transform is called once for an item",
        },
    ),
    "a view of a view": (
        PAIR,
        [("x_j = self.transform(img)", "x_j = self.transform(x_i)")],
        5 / 10,
        {"views_are_two_draws_of_one_image": "the transform is applied to a view"},
    ),
    "another image": (
        PAIR,
        [("x_j = self.transform(img)", "x_j = self.transform(self.data[index - 1])")],
        5 / 10,
        {"views_are_two_draws_of_one_image": "a view is made of an image with another index"},
    ),
    "the same random numbers": (
        PAIR,
        [
            (f"{side} = self.transform(img)", f"{SEED}\n            {side} = self.transform(img)")
            for side in ("x_i", "x_j")
        ],
        5 / 10,
        {"views_are_two_draws_of_one_image": "both views were drawn with the same random numbers"},
    ),
    "three draws": (
        PAIR,
        [("x_i = self.transform(img)", "x_i = self.transform(img), self.transform(img)\n"
          "            x_i = x_i[1]")],
        9 / 10,
        {"transform_is_called_twice": "the transform is called 3 times for an item"},
    ),
    "index for label": (
        PAIR,
        [("return x_i, x_j, target", "return x_i, x_j, index")],
        6 / 10,
        {"target_is_the_label": "the target is the image's index; it should be the label"},
    ),
    "no target": (
        PAIR,
        [("return x_i, x_j, target", "return x_i, x_j")],
        0,
        {"target_is_the_label": "an item consists of 2 values; it should be x_i, x_j and target"},
    ),
    "target_transform unused": (
        PAIR,
        [("target = self.target_transform(target)", "pass")],
        9 / 10,
        {"target_transform_is_used": "target_transform has no effect on the target"},
    ),
    "dot product": (
        SIM,
        [(DOT, "torch.dot(z_i, z_j)")],
        1 / 9,
        {"similarities_are_cosines": "this is the dot product: divide it by both lengths"},
    ),
    "0 to 1": (
        SIM,
        [(DOT, f"(1 + {DOT}) / 2")],
        4 / 9,
        {"similarities_are_cosines": "rescaled to 0..1; the similarity is the cosine, from -1"},
    ),
    "not summed": (
        SIM,
        [(DOT, "z_i * z_j / lengths")],
        0,
        {"gradients_reach_the_vectors": "the result has shape (5,); expected ()"},
    ),
    "detached": (
        SIM,
        [(DOT, f"{DOT}.detach()")],
        6 / 9,
        {"gradients_reach_the_vectors": "with respect to z_i points in another direction"},
    ),
    "an item": (
        SIM,
        [("return norm_dot_product", "return norm_dot_product.item()")],
        6 / 9,
        {"gradients_reach_the_vectors": "sim returns nothing that a gradient can flow"},
    ),
    "a flat column": (
        POSITIVES,
        [("return pos_pairs", "return pos_pairs.squeeze(1)")],
        8 / 9,
        {"shape_is_right": "the result has shape (5,); expected (5, 1)"},
    ),
    "norm of the matrix": (
        POSITIVES,
        [
            (
                "out_left.norm(dim=1, keepdim=True) * out_right.norm(dim=1, keepdim=True)",
                "out_left.norm() * out_right.norm()",
            )
        ],
        1 / 9,
        {"similarities_are_cosines": "divided by the norm of a whole matrix"},
    ),
    "columns": (
        MATRIX,
        [("out.norm(dim=1, keepdim=True)", "out.norm(dim=0)")],
        0,
        {"similarities_are_cosines": "columns are normalised here, not rows"},
    ),
    "features": (
        TRAIN,
        [("_, out_left", "out_left, _"), ("_, out_right", "out_right, _")],
        3 / 12,
        {
            "loss_is_that_of_projections": "the features are compared",
            "each_batch_is_a_step_down": "the weights follow the loss of the features",
        },
    ),
    "one view": (
        TRAIN,
        [("_, out_right = model(x_j)", "_, out_right = model(x_i)")],
        3 / 12,
        {"loss_is_that_of_projections": "both branches see the first view"},
    ),
    "own temperature": (
        TRAIN,
        [("out_right, temperature,", "out_right, 1.0,")],
        10 / 12,
        {
            "temperature_reaches_the_loss": (
                "with temperature = 0.2, the loss is called with tau = 1"
            ),
        },
    ),
    "no zero_grad": (
        TRAIN,
        [("train_optimizer.zero_grad()", "pass")],
        7 / 12,
        {"each_batch_is_a_step_down": "the gradients of the first batch are still there"},
    ),
    "no step": (
        TRAIN,
        [("train_optimizer.step()", "pass")],
        7 / 12,
        {"each_batch_is_a_step_down": "the weights have not changed"},
    ),
    "one side": (
        TRAIN,
        [("_, out_left = model(x_i)", "out_left = model(x_i)[1].detach()")],
        7 / 12,
        {"each_batch_is_a_step_down": "only the right branch gets a gradient"},
    ),
    "a sum": (
        TRAIN,
        [("return total_loss / total_num", "return total_loss")],
        11 / 12,
        {"average_over_the_epoch_is_returned": "each times batch_size, are added up"},
    ),
    "the last batch": (
        TRAIN,
        [("return total_loss / total_num", "return loss.item()")],
        11 / 12,
        {"average_over_the_epoch_is_returned": "this is the loss of the last batch"},
    ),
    "no return": (
        TRAIN,
        [("return total_loss / total_num", "pass")],
        11 / 12,
        {"average_over_the_epoch_is_returned": "the average loss is None: is a return"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_slip_is_named_and_costs_what_it_breaks(shared: Student, what: str) -> None:
    cell, edits, points, messages = WRONG[what]
    found = TRIAL.verdict(changed_cell(shared, cell, *edits), QUESTIONS[cell])
    said = TRIAL.failed(found, advice=False)
    for name, message in messages.items():
        assert message in said.get(name, ""), said
    assert found.score == pytest.approx(points, abs=1e-3), said


# The loss by hand, with exp; {} are what is changed.
BY_HAND = """
def simclr_loss_naive(out_left, out_right, tau):
    N, out, total = len(out_left), torch.cat([out_left, out_right]), 0
    for i in range(2 * N):
        j = (i + N) % (2 * N)
        share = torch.exp(sim(out[i], out[j]) / tau) / sum(
            torch.exp(sim(out[i], out[m]) / tau) for m in range(2 * N) if m != i
        )
        total = total - torch.log(share)
    return total / (2 * N)
"""
LOSSES = {
    "itself": ([(" if m != i", "")], 2, "the vector itself stays in the denominator"),
    "no positive": ([("m != i", "m not in (i, j)")], 2, "the positive is missing in the"),
    "one side": ([("range(2 * N):", "range(N):")], 1, "only the first N of the 2N losses"),
    "mean over N": ([("total / (2 * N)", "total / N")], 8, "divided by N, not by 2N"),
    "sum": ([("return total / (2 * N)", "return total")], 8, "added up, not averaged"),
    "one tau": ([("out[m]) / tau", "out[m])")], 2, "tau is used in the numerator only"),
    "neighbour": ([("(i + N)", "(i + 1)")], 2, "the positive of row i is row i + 1 here"),
    "no log": ([("torch.log(share)", "share")], 2, "the logarithm is missing"),
    "sign": ([("total - torch", "total + torch")], 2, "the sign is missing"),
    "detached": ([("total - torch.log(share)", "total - torch.log(share).detach()")], 8, ""),
    "last only": ([("total = total - ", "total = -")], 1, "only the last vector counts"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOSSES)
def test_a_wrong_loss_is_named(shared: Student, what: str) -> None:
    """Points out of 14: 5 for values, 6 for gradients, 1 each for three more checks."""
    edits, points, message = LOSSES[what]
    source = BY_HAND
    for find, put in edits:
        assert source.count(find) == 1, find
        source = source.replace(find, put)
    found = TRIAL.verdict(TRIAL.with_source(shared, NAIVE, source), "ntxent-loop")
    said = TRIAL.failed(found, advice=False)
    assert message in said.get("loss_is_nt_xent", ""), said
    assert found.score == pytest.approx(points / 14, abs=1e-3), said


def test_a_loss_without_a_gradient_is_told_so(shared: Student) -> None:
    cut = BY_HAND.replace("return total / (2 * N)", "return (total / (2 * N)).item()")
    found = TRIAL.verdict(TRIAL.with_source(shared, NAIVE, cut), "ntxent-loop")
    (message,) = TRIAL.failed(found, advice=False).values()
    assert message.startswith(
        "simclr_loss_naive returns nothing that a gradient can flow back through"
    )
    half = BY_HAND.replace("out_right])", "out_right.detach()])")
    found = TRIAL.verdict(TRIAL.with_source(shared, NAIVE, half), "ntxent-loop")
    (message,) = TRIAL.failed(found, advice=False).values()
    assert message.startswith("no gradient reaches out_right")


def test_loops_are_found_where_they_are(shared: Student) -> None:
    source = (
        'def simclr_loss_vectorized(out_left, out_right, tau, device="cpu"):\n'
        "    return simclr_loss_naive(out_left, out_right, tau)\n"
    )
    found = TRIAL.verdict(TRIAL.with_source(shared, VECTORIZED, source), "ntxent-vectorized")
    (message,) = TRIAL.failed(found, advice=False).values()
    assert message.startswith("line 2 of cell 'loss-vectorized'")
    assert "of cell 'loss-naive', in simclr_loss_naive: a Python loop" in message


# Answers to nothing: each earns at most this share of its question.
EMPTY = {
    "a constant": (SIM, "def sim(z_i, z_j):\n    return torch.ones(())"),
    "zeros": (POSITIVES, "def sim_positive_pairs(a, b):\n    return torch.zeros(len(a), 1)"),
    "ones": (MATRIX, "def compute_sim_matrix(out):\n    return torch.ones(len(out), len(out))"),
    "no loss": (NAIVE, "def simclr_loss_naive(a, b, tau):\n    return 0 * a.sum()"),
    "none": (VECTORIZED, "def simclr_loss_vectorized(a, b, tau, device='cpu'):\n    return None"),
    "no training": (TRAIN, "def train(*args, **more):\n    return 0.0"),
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_answer_earns_little(shared: Student, what: str) -> None:
    cell, source = EMPTY[what]
    found = TRIAL.verdict(TRIAL.with_source(shared, cell, source), QUESTIONS[cell])
    assert found.score <= 0.22, [c.name for c in found.checks if c.passed]


# -- nobody pays twice ----------------------------------------------------------------------------


def test_wrong_functions_cost_their_own_questions_only(zygote: Zygote) -> None:
    """Each of the functions that others build on raises, in turn."""
    names = {
        SIM: "sim",
        POSITIVES: "sim_positive_pairs",
        MATRIX: "compute_sim_matrix",
        NAIVE: "simclr_loss_naive",
        VECTORIZED: "simclr_loss_vectorized",
        TRANSFORM: "compute_train_transform",
    }
    for cell, name in names.items():
        broken = f"def {name}(*args, **more):\n    raise OSError"
        with student_with(zygote, TRIAL.solved() | {cell: broken}) as student:
            assert TRIAL.failed_cells(student) == {QUESTIONS[cell]}


# -- what may be written otherwise ----------------------------------------------------------------


def test_a_loss_of_ones_own_in_train_is_judged_by_what_comes_out(shared: Student) -> None:
    """Nobody has to call the loss by its name, if what comes out is right."""
    call = "simclr_loss_vectorized(out_left, out_right, temperature, device=device)"
    own = "own_loss(out_left, out_right, {})"
    helper = BY_HAND.replace("simclr_loss_naive", "own_loss").replace(
        "sim(", "F.cosine_similarity("
    ).replace(") / tau", ", dim=0) / tau")  # fmt: skip
    right = TRIAL.solved()[TRAIN].replace(call, own.format("temperature")) + helper
    found = TRIAL.verdict(TRIAL.with_source(shared, TRAIN, right), "training")
    assert TRIAL.failed(found, advice=False) == {}
    wrong = TRIAL.solved()[TRAIN].replace(call, own.format("0.5")) + helper
    found = TRIAL.verdict(TRIAL.with_source(shared, TRAIN, wrong), "training")
    assert set(TRIAL.failed(found, advice=False)) == {"temperature_reaches_the_loss"}


def test_what_the_task_leaves_open_is_advice(shared: Student) -> None:
    found = TRIAL.verdict(TRIAL.with_source(shared, NAIVE, BY_HAND), "ntxent-loop")
    assert found.score == 1
    said = TRIAL.failed(found)
    assert "with tau = 0.01 and float32 numbers the loss is nan" in said[
        "low_temperatures_do_not_overflow"
    ]  # fmt: skip
    edit = ("temperature, device=device)", "temperature)")
    found = TRIAL.verdict(changed_cell(shared, TRAIN, edit), "training")
    assert found.score == 1
    assert "called without train's device" in TRIAL.failed(found)["device_reaches_the_loss"]
