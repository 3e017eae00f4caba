"""What is asked of magnitude_mask and global_masks.

Weights: masks of other weights than the smallest are useless; an inexact number is a smaller fault.
Dimension letter: n weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.random import Generator

from autograder.judge import (
    Failed,
    Student,
    as_array,
    check,
    expect,
    expect_shape,
    expect_unchanged,
)

ONE, MANY = "magnitude-mask", "global-masks"
MASK, MASKS = "magnitude_mask", "global_masks"
Weights = dict[str, torch.Tensor]


def _draw(rng: Generator, *shape: int) -> torch.Tensor:
    """Weights of both signs, no two of the same magnitude."""
    n = int(np.prod(shape))
    magnitudes = rng.permutation(np.linspace(0.05, 2, n)) * rng.uniform(0.99, 1.01, size=n)
    signs = rng.permutation(np.where(np.arange(n) % 2, 1.0, -1.0))
    return torch.from_numpy((magnitudes * signs).reshape(shape))


def _smallest(values: np.ndarray, pruned: int) -> np.ndarray:
    """False for the ``pruned`` smallest values, True for the others: the shape of values."""
    kept = np.ones(values.size, bool)
    kept[np.argsort(values, axis=None, kind="stable")[:pruned]] = False
    return kept.reshape(values.shape)


def _expect_mask(got: np.ndarray, want: np.ndarray, wrong: Mapping[str, np.ndarray]) -> None:
    """The mask is this one; a slip is named where it leads to exactly this mask."""
    if np.array_equal(got, want):
        return
    for message, slip in wrong.items():
        if np.array_equal(got, slip) and not np.array_equal(slip, want):
            raise Failed(message)
    pruned, right = int(np.sum(~got)), int(np.sum(~want))
    expect(pruned == right, f"{pruned} of {got.size} weights are pruned; {right} should be")
    raise Failed("the right number is pruned, but not the weights with the smallest magnitudes")


@check(ONE, probe="MC-A1", weight=5)
def smallest_magnitudes_go(student: Student, rng: Generator) -> None:
    """Weights of both signs, and of different magnitudes."""
    for shape, pruned in (((4, 5), 6), ((3, 2, 3, 3), 40)):
        weight = _draw(rng, *shape)
        n, values = weight.numel(), weight.numpy()
        got = as_array(student.call(MASK, weight, pruned / n), "the mask").astype(bool)
        got = expect_shape(got, shape, "the mask")
        magnitudes = np.abs(values)
        slips = {
            "the mask is the wrong way round: True stays, False is pruned": (
                ~_smallest(magnitudes, pruned)
            ),
            "the largest magnitudes are pruned": _smallest(-magnitudes, pruned),
            "values are compared, not magnitudes: large negative weights are pruned": (
                _smallest(values, pruned)
            ),
            "sparsity is the share that is pruned, not the share that stays": (
                _smallest(magnitudes, n - pruned)
            ),
            "weights below sparsity are pruned: it is a share, not a threshold": (
                magnitudes >= pruned / n
            ),
        }
        _expect_mask(got, _smallest(magnitudes, pruned), slips)


@check(ONE, probe="MC-A1", weight=2)
def number_is_rounded(student: Student, rng: Generator) -> None:
    """Exactly round(sparsity * n) weights are pruned."""
    for n, sparsity in ((10, 0.27), (10, 0.33), (7, 0.5), (9, 0.94), (30, 0.01)):
        got = as_array(student.call(MASK, _draw(rng, n), sparsity), "the mask").astype(bool)
        pruned, right = int(np.sum(~got)), round(sparsity * n)
        expect(
            pruned == right, f"n = {n}, sparsity = {sparsity}: {pruned} pruned; {right} should be"
        )


@check(ONE, probe="MC-A2", weight=2)
def equal_magnitudes_are_counted(student: Student, rng: Generator) -> None:
    """Many equal magnitudes: still the exact number, and none that should stay."""
    weight = torch.from_numpy(rng.permutation(np.repeat([0.0, 0.5, -0.5, 2.0], [12, 6, 6, 6])))
    for pruned in (5, 12, 17, 25):
        got = as_array(student.call(MASK, weight, pruned / 30), "the mask").astype(bool)
        found = int(np.sum(~got))
        expect(
            found == pruned,
            f"30 weights of three magnitudes, {pruned} are to be pruned, and {found} are. With a "
            "threshold, equal weights are pruned together",
        )
        magnitudes = np.abs(weight.numpy())
        cut = np.sort(magnitudes)[pruned - 1]
        fair = not got[magnitudes < cut].any() and got[magnitudes > cut].all()
        expect(fair, "a weight is pruned that is larger than one that stays")


@check(ONE, probe="MC-A1", weight=1, rare=True)
def nothing_or_everything(student: Student, rng: Generator) -> None:
    """Sparsity 0 prunes nothing, and 1 everything; a single weight."""
    for n in (1, 6):
        for sparsity, left in ((0.0, n), (1.0, 0)):
            got = as_array(student.call(MASK, _draw(rng, n), sparsity), "the mask")
            found = int(np.sum(got.astype(bool)))
            expect(found == left, f"n = {n}, sparsity = {sparsity}: {found} weights stay")


@check(ONE, probe="MC-A2", weight=1, condition=True)
def weight_stays_as_it_was(student: Student, rng: Generator) -> None:
    """The weights are not changed, and the mask is boolean."""
    weight = _draw(rng, 3, 4)
    kept = student.put(weight)
    got = as_array(student.call(MASK, kept, 0.5), "the mask")
    expect_unchanged(student.fetch(kept), weight.numpy(), "weight")
    expect(got.dtype == np.bool_, f"the mask is of type {got.dtype}, not bool")


# -- several layers -------------------------------------------------------------------------------


def _layers(rng: Generator) -> Weights:
    """Two layers of small weights between two of large ones."""
    shapes = {"first": (3, 4), "second": (2, 2, 3, 3), "third": (10,), "fourth": (5, 3)}
    scales = {"first": 1.0, "second": 0.1, "third": 0.3, "fourth": 2.0}
    return {name: _draw(rng, *shape) * scales[name] for name, shape in shapes.items()}


def _together(weights: Weights) -> np.ndarray:
    return np.concatenate([weight.numpy().ravel() for weight in weights.values()])


def _flat(got: object, weights: Weights) -> np.ndarray:
    """The masks of a dict in one row, in the order of ``weights``, whose shapes they must have."""
    expect(isinstance(got, Mapping), f"the answer is of type {type(got).__name__}, not a dict")
    assert isinstance(got, Mapping)
    expect(set(got) == set(weights), "the masks do not have the names of the weights")
    parts = [
        expect_shape(got[name], tuple(weight.shape), "a mask").astype(bool).ravel()
        for name, weight in weights.items()
    ]
    return np.concatenate(parts)


@check(MANY, probe="MC-A3", weight=4)
def all_layers_have_one_ranking(student: Student, rng: Generator) -> None:
    """Four layers of different shapes and scales: the smallest magnitudes of all go."""
    weights = _layers(rng)
    values = _together(weights)
    pruned, n = 31, values.size
    got = _flat(student.call(MASKS, weights, pruned / n), weights)
    magnitudes = np.abs(values)
    each = np.concatenate(
        [
            _smallest(np.abs(weight.numpy()), round(pruned / n * weight.numel())).ravel()
            for weight in weights.values()
        ]
    )
    slips = {
        "every layer is pruned by itself: rank the weights of all layers together": each,
        "the masks are the wrong way round: True stays": ~_smallest(magnitudes, pruned),
        "values are compared, not magnitudes": _smallest(values, pruned),
    }
    _expect_mask(got, _smallest(magnitudes, pruned), slips)


@check(MANY, probe="MC-A3", weight=2)
def number_of_all_is_exact(student: Student, rng: Generator) -> None:
    """Exactly round(sparsity * n) of all weights, also where many are zero already."""
    weights = _layers(rng)
    weights["second"][:, 0] = 0.0
    weights["third"][:4] = 0.0
    n = _together(weights).size
    for pruned in (9, 50):
        got = _flat(student.call(MASKS, weights, pruned / n), weights)
        found = int(np.sum(~got))
        expect(found == pruned, f"{found} of {n} weights are pruned; {pruned} should be")
        magnitudes = np.abs(_together(weights))
        fair = magnitudes[~got].max() <= magnitudes[got].min()
        expect(fair, "a weight is pruned that is larger than one that stays")


@check(MANY, probe="MC-A3", weight=1, rare=True)
def one_layer_is_enough(student: Student, rng: Generator) -> None:
    """A dict with one layer; a layer that goes as a whole."""
    weights = {"only": _draw(rng, 4, 3)}
    got = _flat(student.call(MASKS, weights, 0.25), weights)
    _expect_mask(got, _smallest(np.abs(_together(weights)), 3), {})
    weights = {"small": _draw(rng, 2, 3) / 100, "large": _draw(rng, 6)}
    got = _flat(student.call(MASKS, weights, 0.5), weights)
    _expect_mask(got, np.repeat([False, True], 6), {})


@check(MANY, probe="MC-A3", weight=1, condition=True)
def weights_stay_as_they_were(student: Student, rng: Generator) -> None:
    """The weights are not changed."""
    weights = _layers(rng)
    kept = {name: student.put(weight) for name, weight in weights.items()}
    student.call(MASKS, kept, 0.5)
    for name, reference in kept.items():
        expect_unchanged(student.fetch(reference), weights[name].numpy(), "a weight tensor")
