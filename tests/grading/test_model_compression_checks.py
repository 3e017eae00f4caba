"""Checks of the notebook on small networks: right answers pass, wrong ones lose."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from autograder.checks.assignment4.model_compression import (
    challenge,
    codebooks,
    counting,
    quantization,
)
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from cs231n_lib.compression import accuracy, trained_convnet
from tests.nightly import rounds
from trial_notebook import TrialNotebook

QUESTIONS = {
    "mask-code": "magnitude-mask",
    "global-code": "global-masks",
    "step-code": "masked-training",
    "schedule-code": "prune-schedule",
    "kmeans-code": "kmeans-codebook",
    "share-code": "shared-weights",
    "quantize-code": "affine-quantization",
    "relative-code": "relative-index",
    "count-code": "compressed-bits",
}
MASK, GLOBAL, STEP, SCHEDULE, KMEANS, SHARE, QUANTIZE, RELATIVE, COUNT = QUESTIONS
TRIAL = TrialNotebook("assignment4", "Model_Compression", answers=tuple(QUESTIONS))
student_with = TRIAL.with_answers


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_the_judges_k_means_cannot_be_improved_by_a_step() -> None:
    """At its end each value is the mean of what is nearest, and the sum of squares has fallen."""
    rng = np.random.default_rng(0)
    weights = codebooks._draw(rng, 400)
    start = codebooks.linear(weights, 8)
    found = codebooks.lloyd(weights, start, 300)
    np.testing.assert_allclose(codebooks.lloyd(weights, found, 1), found, atol=1e-12)

    def squares(codebook: np.ndarray) -> float:
        return float((np.abs(weights[:, None] - codebook).min(axis=1) ** 2).sum())

    assert squares(found) < squares(start)


@pytest.mark.parametrize("gap_bits", [1, 2, 3, 5])
def test_the_judges_entries_can_be_decoded(gap_bits: int) -> None:
    rng = np.random.default_rng(gap_bits)
    index = counting._draw(rng, (9, 31), 0.1)
    gaps, symbols = map(np.array, counting.entries(index, gap_bits))
    assert gaps.max() < 2**gap_bits
    flat = np.zeros(index.size, int)
    flat[np.cumsum(gaps + 1) - 1] = symbols
    np.testing.assert_array_equal(flat, index.ravel())


def test_the_judges_quantisation_is_torchs() -> None:
    rng = np.random.default_rng(3)
    x = quantization._draw(rng, 60)
    ours = quantization.right(x, 8)
    torchs = torch.fake_quantize_per_tensor_affine(
        torch.from_numpy(x).float(), float(ours.scale), int(ours.zero), -128, 127
    )
    np.testing.assert_allclose(torchs.numpy(), ours.scale * (ours.q - ours.zero), atol=1e-6)


# -- wrong answers --------------------------------------------------------------------------------

#: What: cell, edit, the most that is earned, and what is said.
WRONG = {
    "values in place of magnitudes": (
        MASK, ("weight.flatten().abs().argsort()", "weight.flatten().argsort()"), 0.4,
        "values are compared, not magnitudes: large negative weights are pruned",
    ),
    "a threshold that prunes all ties": (
        MASK,
        ("mask = mask.reshape(weight.shape)",
         "mask = weight.abs() > weight.abs().flatten().sort().values[max(pruned - 1, 0)]"),
        0.85, "With a threshold, equal weights are pruned together",
    ),
    "each layer by itself": (
        GLOBAL, ("masks[name] = part.reshape(weight.shape)",
                 "masks[name] = magnitude_mask(weight, sparsity)"), 0.6,
        "every layer is pruned by itself: rank the weights of all layers together",
    ),
    "masks before the step": (
        STEP, ("    optimizer.step()\n    apply_masks(model, masks)",
               "    apply_masks(model, masks)\n    optimizer.step()"), 0.8,
        "with plain gradient descent, a pruned weight is",
    ),
    "masked gradients": (
        STEP, ("    optimizer.step()\n    apply_masks(model, masks)",
               "    for name in masks:\n        model.get_parameter(name).grad.mul_(masks[name])\n"
               "    optimizer.step()"), 0.8,
        "a pruned weight is",
    ),
    "gradients add up": (
        STEP, ("    optimizer.zero_grad()\n", ""), 0.8,
        "gradients from before are added: clear them",
    ),
    "a straight ramp": (
        SCHEDULE, ("final * (1 - (1 - progress) ** 3)", "final * progress"), 0.4,
        "the sparsity rises along a straight line",
    ),
    "a ramp without an end": (
        SCHEDULE, ("min(max((step - begin) / (end - begin), 0.0), 1.0)",
                   "(step - begin) / (end - begin)"), 0.7,
        "the sparsity before the ramp is wrong",
    ),
    "NaN for empty groups": (
        KMEANS, ("torch.where(count > 0, total / count.clamp(min=1), codebook)", "total / count"),
        0.95, "the codebook holds NaN: the mean of an empty group?",
    ),
    "assigned once": (
        KMEANS, ("    for _ in range(rounds):\n        index = nearest(codebook)\n",
                 "    index = nearest(codebook)\n    for _ in range(rounds):\n"), 0.8,
        "the weights are assigned once and not again",
    ),
    "zeros take part": (
        SHARE, ("codebook, members = kmeans_codebook(weight[mask], bits, init)",
                "codebook, members = kmeans_codebook((weight * mask).flatten(), bits, init)\n"
                "    members = members[mask.flatten()]"), 0.8,
        "the pruned weights take part in k-means as zeros",
    ),
    "means of gradients": (
        SHARE, ("total = sums[1:]",
                "total = sums[1:] / torch.bincount(index.flatten(), minlength=k + 1)[1:]"), 0.75,
        "these are means over the members; a shared weight has the sum",
    ),
    "rounded down": (
        QUANTIZE, ("q = (torch.round(x / scale)", "q = (torch.floor(x / scale)"), 0.6,
        "numbers are rounded down, not to the nearest integer",
    ),
    "the wrong axis": (
        QUANTIZE, ("if other != axis % x.ndim", "if other == axis % x.ndim"), 0.9, "for shape",
    ),
    "integers that wrap around": (
        QUANTIZE, ("+ zero_point).clamp(smallest, largest).to(torch.int8)",
                   "+ zero_point).to(torch.int64).to(torch.int8)"), 0.96,
        "8 bits: the largest of three numbers has become -128",
    ),
    "no fillers": (
        RELATIVE, ("while zeros > farthest:", "while False:"), 0.7,
        "no gap may need more bits than there are: fillers are missing",
    ),
    "a filler that is no zero": (
        RELATIVE, ("zeros -= farthest + 1", "zeros -= farthest"), 0.7,
        "a filler is an entry itself: it stands for 2**gap_bits zeros",
    ),
    "nats": (
        COUNT, ("shares.log2()", "shares.log()"), 0.7,
        "this is measured in nats: take logarithms to base 2",
    ),
    "no code for the filler": (
        COUNT, ("math.log2(codebook_size + 1)", "math.log2(codebook_size)"), 0.7,
        "there are K + 1 symbols, the filler is one of them",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_typical_mistake_loses_points_and_is_named(shared: Student, what: str) -> None:
    cell, edit, at_most, said = WRONG[what]
    source = TRIAL.changed(cell, edit)[cell]
    student = TRIAL.with_source(shared, cell, source)
    found = TRIAL.verdict(student, QUESTIONS[cell])
    messages = TRIAL.failed(found, advice=False)
    assert any(said in message for message in messages.values()), messages
    assert found.score <= at_most, messages


def test_nobody_pays_twice_for_k_means(shared: Student) -> None:
    """share_weights is asked over the judge's k-means: another one costs nothing."""
    source = TRIAL.changed(KMEANS, ("total / count.clamp(min=1)", "total"))[KMEANS]
    student = TRIAL.with_source(shared, KMEANS, source)
    assert TRIAL.verdict(student, "kmeans-codebook").score < 0.6
    assert TRIAL.failed(TRIAL.verdict(student, "shared-weights"), advice=False) == {}


# -- the open challenge ----------------------------------------------------------------------------

BEGIN = """
def data_of(change):
    net, found = trained_convnet(), {}
    for name in LAYERS:
        weight = net.get_submodule(name).weight.detach().flatten()
        codebook = torch.linspace(weight.min(), weight.max(), 64)
        symbols = (weight[:, None] - codebook).abs().argmin(1) + 1
        found[name] = change({
            "codebook": codebook.numpy(), "gaps": np.zeros(len(weight), int),
            "symbols": symbols.numpy(), "bias": net.get_submodule(name).bias.detach().numpy(),
        }, weight)
    return found
"""
SIX_BITS = "compressed = data_of(lambda layer, weight: layer)"
NO_WEIGHTS = """
compressed = data_of(lambda layer, weight: layer | {"gaps": [], "symbols": []})
"""


def judged(shared: Student, source: str) -> tuple[float, set[str]]:
    assert shared._kernel.run_cell(BEGIN + source).ok
    found = TRIAL.verdict(shared, "small-network")
    return found.score, set(TRIAL.failed(found, advice=False).values())


def test_a_network_that_is_as_good_and_too_large(shared: Student) -> None:
    """Six bits for each weight: the size is that of the file, and the judge's."""
    score, messages = judged(shared, SIX_BITS)
    assert score == 0
    assert len(messages) == 4
    for message in messages:
        assert message.startswith("the file has ")
        assert 60_000 < int(message.split()[3].replace(",", "")) < 120_000


def test_a_network_that_is_small_and_useless(shared: Student) -> None:
    score, (message, *others) = judged(shared, NO_WEIGHTS)
    assert (score, others) == (0, [])
    assert message.startswith("on 8000 new images, ")
    assert "points fewer are right than with the original; at most 3 are forgiven" in message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("compressed = None", "compressed is None: the cell has left no network in it"),
        ("compressed = {'bytes': 9, 'accuracy': 99.0}", "there must be an entry for each of conv1"),
        ("compressed = trained_convnet()", "a compressed network is a dict, not Ref"),
        (
            "compressed = data_of(lambda layer, weight: layer | {'codebook': [np.nan]})",
            "conv1: codebook holds a number that is NaN or beyond 65504",
        ),
        (
            "compressed = data_of(lambda layer, weight: layer | {'weight': weight.numpy()})",
            "conv1: it must be a dict with codebook, gaps, symbols, bias, and nothing else",
        ),
        (
            "compressed = data_of(lambda layer, weight: layer | {'gaps': layer['gaps'] + 1})",
            "conv1: the gaps lead to weight 2400 of 1200",
        ),
    ],
)
def test_what_is_not_in_the_format(shared: Student, source: str, said: str) -> None:
    score, (message, *others) = judged(shared, source)
    assert (score, others) == (0, [])
    assert said in message


def test_what_the_notebook_claims_is_not_read(shared: Student) -> None:
    """Functions of the library that were exchanged in the kernel do not reach the judge."""
    cheat = SIX_BITS + "\npack = lambda data: b''\naccuracy = lambda net, data: 99.0\n"
    cheat += "import cs231n_lib.compression as library\nlibrary.pack = pack"
    score, messages = judged(shared, cheat)
    assert score == 0
    assert all(message.startswith("the file has ") for message in messages)


def test_the_visible_check_counts_the_sizes_of_the_judge() -> None:
    named = re.search(r"for size in \(([\d_, ]+)\)", TRIAL.solved()["small-network"])
    assert named
    assert tuple(int(size) for size in named[1].split(", ")) == challenge.SIZES


def test_hidden_images_are_fresh_and_as_hard_as_the_test_images() -> None:
    first, again, other = (
        challenge.hidden_images(np.random.default_rng(seed), 500) for seed in (0, 0, 1)
    )
    assert torch.equal(first.X, again.X)
    assert not torch.equal(first.X, other.X)
    assert first.X.shape == (500, 3, 32, 32)
    assert 55 < accuracy(trained_convnet(), first) < 75
