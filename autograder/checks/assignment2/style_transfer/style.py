"""What is asked of style_loss(feats, style_layers, style_targets, style_weights).

The student's cell is executed again over a Gram matrix that the judge answers for, so a mistake in
their own costs its own points only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment2.style_transfer import in_kernel, oracle
from autograder.judge import Student, as_array, check, expect, expect_unchanged

CELL = "st-style-loss"
FUNCTION = "style_loss"
WHAT = "the style loss"


@dataclass(frozen=True)
class Case:
    """Features of all stages, and what style is wanted at some of them, in this order."""

    feats: list[Tensor]
    layers: list[int]
    targets: list[Tensor]
    weights: list[float]

    def want(self) -> Tensor:
        return oracle.style(self.feats, self.layers, self.targets, self.weights)


@check(CELL, probe="STY-A3", weight=4)
def value_is_right(student: Student, rng: Generator) -> None:
    """Stages that do not follow each other, each with a weight of its own; lists, then tuples."""
    for layers, kind in (([1, 3, 4], list), ([5, 2], tuple), ([0, 1, 3, 5], tuple)):
        case = _draw(rng, layers)
        got = _ask(student, case, kind=kind)["value"]
        oracle.expect_number(got, case.want(), f"{WHAT} at stages {layers}", _slips(case))


@check(CELL, probe="STY-A6", weight=6)
def gradients_reach_the_features(student: Student, rng: Generator) -> None:
    """The gradient with respect to the features of each stage; none for the other stages."""
    case = _draw(rng, [1, 4, 2])
    after = _ask(student, case, slopes=True)
    oracle.expect_differentiable(after["value"], WHAT)
    factor = oracle.one_number(after["value"], WHAT) / float(case.want())
    wanted = oracle.slopes(lambda *feats: replace(case, feats=list(feats)).want(), *case.feats)
    for stage, (got, want) in enumerate(zip(after["slopes"], wanted, strict=True)):
        what = f"the gradient at stage {stage}"
        if stage in case.layers:
            oracle.expect_slope(got, want, what, factor)
        elif got is not None:
            zero = not np.any(as_array(got, what))
            expect(zero, f"{what} should be zero: it is not among the style stages here")


@check(CELL, probe="STY-A4")
def only_what_differs_counts(student: Student, rng: Generator) -> None:
    """Equal Gram matrices cost nothing; twice the difference costs four times as much."""
    case = _draw(rng, [0, 2, 5])
    place, step = int(rng.integers(3)), float(rng.uniform(1.5, 3))
    losses = []
    for steps in (0, 1, 2):
        targets = [oracle.gram(case.feats[i]).float() for i in case.layers]
        targets[place][0, 1, 0] += steps * step
        losses.append(_ask(student, replace(case, targets=targets))["value"])
    oracle.expect_growth(losses, WHAT)


@check(CELL, probe="STY-A7", condition=True)
def any_order_in_memory(student: Student, rng: Generator) -> None:
    """Features that are not contiguous in memory: the loss is what it is of contiguous ones."""
    for layout in oracle.LAYOUTS:
        case = _draw(rng, [1, 3])
        want = oracle.one_number(_ask(student, case)["value"], WHAT)
        feats = [oracle.laid_out(student, features, layout) for features in case.feats]
        got = _ask(student, case, feats=feats)["value"]
        oracle.expect_number(got, want, f"{WHAT} ({layout})")


@check(CELL, probe="STY-A3", condition=True)
def arguments_are_left_alone(student: Student, rng: Generator) -> None:
    """Features and targets are unchanged after the call."""
    case = _draw(rng, [1, 3])
    after = _ask(student, case)
    for name, before in (("feats", case.feats), ("style_targets", case.targets)):
        now = after[name]
        expect(isinstance(now, list) and len(now) == len(before), f"{name} was modified")
        for position, (tensor, other) in enumerate(zip(now, before, strict=True)):
            expect_unchanged(tensor, other.numpy(), f"{name}[{position}]")


# -- asking ---------------------------------------------------------------------------------------


def _draw(rng: Generator, layers: list[int]) -> Case:
    """Six stages of different sizes; targets and weights that have nothing in common."""
    shapes = ((3, 6, 5), (4, 3, 6), (2, 4, 4), (5, 2, 3), (3, 3, 2), (6, 2, 2))
    feats = [oracle.draw(rng, 1, *shape) for shape in shapes]
    targets = [oracle.draw(rng, 1, shapes[i][0], shapes[i][0]) for i in layers]
    weights = [float(w) for w in rng.permutation(np.linspace(0.3, 2.0, len(layers)))]
    return Case(feats, layers, targets, weights)


def _ask(
    student: Student,
    case: Case,
    *,
    kind: type = list,
    feats: list[Any] | None = None,
    slopes: bool = False,
) -> dict[str, Any]:
    """Execute the student's cell over the judge's Gram matrices, and call style_loss."""
    found = student.definition(FUNCTION)  # where it is no def, it is taken as it is
    cells = [found[0]] if found else []
    grams = [student.stand_in(_gram, "_gram"), student.stand_in(_gram_backward, "_gram_backward")]
    feats = [x.clone() for x in case.feats] if feats is None else feats
    targets = kind(target.clone() for target in case.targets)
    arguments = [feats, kind(case.layers), targets, kind(case.weights)]
    ask = in_kernel.style_loss
    return student.apply(ask, cells, grams, arguments, cells=cells, slopes=slopes)


def _gram(features: Any, normalize: Any) -> Tensor:
    return oracle.gram(_four_axes(features), bool(normalize))


def _gram_backward(features: Any, normalize: Any, upstream: Any) -> Tensor:
    leaf = _four_axes(features).double().requires_grad_()
    value = oracle.gram(leaf, bool(normalize))
    return torch.autograd.grad(value, leaf, torch.as_tensor(upstream).double())[0]


def _four_axes(features: Any) -> Tensor:
    if not isinstance(features, Tensor) or features.ndim != 4:
        raise ValueError("gram_matrix takes features of shape (N, C, H, W)")
    return features.detach()


# -- usual slips ----------------------------------------------------------------------------------


def _slips(case: Case) -> oracle.Slips:
    grams = [oracle.gram(features) for features in case.feats]
    rows = list(zip(case.layers, case.targets, case.weights, strict=True))
    differences = [grams[i] - target.double() for i, target, _ in rows]
    squares = [float((d**2).sum()) for d in differences]
    sizes = [float(d.abs().sum()) for d in differences]
    pairs = list(zip(case.weights, squares, strict=True))
    raw = oracle.gram
    unnormalised = sum(
        w * float(((raw(case.feats[i], normalize=False) - target) ** 2).sum())
        for i, target, w in rows
    )
    means = sum(w * s / d.numel() for (w, s), d in zip(pairs, differences, strict=True))
    return {
        "the weights are missing": sum(squares),
        "only the last stage counts: add up the stages": pairs[-1][0] * pairs[-1][1],
        "only the first stage counts: add up the stages": pairs[0][0] * pairs[0][1],
        "these are means of the squares: take their sums": means,
        "the Gram matrices must be normalised": unnormalised,
        "there is no mean over the stages: add them up": (
            sum(w * s for w, s in pairs) / len(pairs)
        ),
        "these are absolute values: take squares": (
            sum(w * s for w, s in zip(case.weights, sizes, strict=True))
        ),
        "the weights are squared too: multiply each sum by its weight": (
            sum(w**2 * s for w, s in pairs)
        ),
        "there is no 1/2 in front of the sum": sum(w * s for w, s in pairs) / 2,
        "there is no root: take the sum of the squares": sum(w * s**0.5 for w, s in pairs),
    }
