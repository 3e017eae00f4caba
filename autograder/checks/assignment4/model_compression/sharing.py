"""What is asked of share_weights, over the judge's k-means, and of shared_gradient.

Dimension letter: k values of a codebook.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.model_compression import in_kernel
from autograder.checks.assignment4.model_compression.codebooks import (
    density,
    linear,
    lloyd,
    nearest,
)
from autograder.judge import (
    Failed,
    Student,
    as_array,
    check,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_unchanged,
)

QUESTION, SHARE, GRADIENT = "shared-weights", "share_weights", "shared_gradient"
CELL = "share-code"


class Asked:
    """The judge's k-means, and what it was asked."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self.bits: list[int] = []
        self.inits: list[str] = []

    def kmeans_codebook(
        self, weights: Tensor, bits: int, init: str = "linear", rounds: int = 30,
        generator: Any = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        values = weights.detach().double().numpy()
        self.weights.append(values)
        self.bits.append(bits)
        self.inits.append(init)
        begin = density if init == "density" else linear
        codebook = lloyd(values.ravel(), begin(values.ravel(), 2 ** int(bits)), 30)
        index = nearest(values.ravel(), codebook)
        return torch.from_numpy(codebook).to(weights.dtype), torch.from_numpy(index)


def _share(
    student: Student, weight: Tensor, mask: Tensor, bits: int, init: str | None = None
) -> tuple[Asked, np.ndarray, np.ndarray]:
    asked = Asked()
    stand_in = student.stand_in(asked.kmeans_codebook)
    cell = student.cell_defining(SHARE) or CELL
    found = student.apply(
        in_kernel.shared, cell, stand_in, weight, mask, bits, init, cells=(cell,)
    )  # fmt: skip
    expect(isinstance(found, list | tuple) and len(found) == 2, "codebook and index are wanted")
    return asked, as_array(found[0], "the codebook"), as_array(found[1], "the index")


def _draw(rng: Generator, *shape: int) -> tuple[Tensor, Tensor]:
    weight = torch.from_numpy(rng.normal(size=shape))
    mask = torch.from_numpy(rng.permutation(np.arange(weight.numel()) % 3 > 0).reshape(shape))
    return weight, mask


@check(QUESTION, probe="MC-A8", weight=4)
def index_is_zero_where_pruned(student: Student, rng: Generator) -> None:
    """index: 0 where the mask is False, and j + 1 for codebook[j]."""
    weight, mask = _draw(rng, 4, 3, 2, 2)
    _, codebook, index = _share(student, weight, mask, 2)
    expect_shape(index, tuple(weight.shape), "index")
    kept = mask.numpy()
    pruned = int(np.sum(index[~kept] != 0))
    expect(
        pruned == 0, f"{pruned} of {int((~kept).sum())} pruned weights have an index other than 0"
    )
    values = codebook.ravel()
    expect(index[kept].min() > 0, "a weight that is left has index 0, which means pruned")
    expect(index[kept].max() <= len(values), f"an index is {index.max()}, for {len(values)} values")
    named = values[index[kept].astype(int) - 1]
    best = values[nearest(weight.numpy()[kept], values)]
    expect_close(named, best, what="the values that index names for the weights that are left")


@check(QUESTION, probe="MC-A8", weight=4)
def zeros_take_no_part(student: Student, rng: Generator) -> None:
    """The codebook is that of the weights that the mask leaves, whatever the others are."""
    for shape, bits in (((5, 8), 2), ((3, 4, 3, 3), 3)):
        weight, mask = _draw(rng, *shape)
        weight[~mask] *= 0.01
        _, codebook, _ = _share(student, weight, mask, bits)
        left, every = weight[mask].numpy(), weight.numpy().ravel()
        zeroed = (weight * mask).numpy().ravel()

        def end(values: np.ndarray, k: int = 2**bits) -> np.ndarray:
            return lloyd(values, linear(values, k), 30)

        slips = {
            "the pruned weights take part in k-means": end(every),
            "the pruned weights take part in k-means as zeros": end(zeroed),
        }
        expect_close(codebook, end(left), what="the codebook", slips=slips)


@check(QUESTION, probe="MC-A8", weight=1)
def beginning_is_handed_on(student: Student, rng: Generator) -> None:
    """bits and init reach k-means; linear where nothing is said."""
    weight, mask = _draw(rng, 6, 6)
    left = weight[mask].numpy()
    for init in ("density", None):
        _, codebook, _ = _share(student, weight, mask, 3, init)
        begin = density if init == "density" else linear
        said = f"init = {init!r}" if init else "nothing said about init"
        want = lloyd(left, begin(left, 8), 30)
        expect_close(codebook, want, what=f"the codebook, {said}")


@check(QUESTION, probe="MC-A8", weight=1, condition=True)
def arguments_stay_as_they_were(student: Student, rng: Generator) -> None:
    """weight and mask are not changed."""
    weight, mask = _draw(rng, 5, 5)
    kept = student.put(weight), student.put(mask)
    student.call(SHARE, *kept, 2)
    expect_unchanged(student.fetch(kept[0]), weight.numpy(), "weight")
    expect_unchanged(student.fetch(kept[1]), mask.numpy(), "mask")


@check(QUESTION, probe="MC-A9", weight=6)
def gradient_is_a_sum(student: Student, rng: Generator) -> None:
    """shared_gradient: what autograd gives for a codebook that is looked up."""
    for shape, k in (((4, 6), 3), ((3, 2, 3, 3), 8)):
        index = torch.from_numpy(rng.permutation(np.arange(np.prod(shape)) % (k + 1)))
        index = index.reshape(shape)
        grad = torch.from_numpy(rng.normal(size=shape) + 0.5)
        codebook = torch.zeros(k, dtype=torch.float64, requires_grad=True)
        looked_up = torch.cat([torch.zeros(1, dtype=torch.float64), codebook])[index]
        looked_up.backward(grad)
        assert codebook.grad is not None
        want = codebook.grad.numpy()
        count = np.bincount(index.numpy().ravel(), minlength=k + 1)
        sums = np.bincount(index.numpy().ravel(), grad.numpy().ravel(), minlength=k + 1)
        slips = {
            "these are means over the members; a shared weight has the sum": want / count[1:],
            "the values are one place off: index j + 1 says codebook[j], and 0 is pruned": sums[
                :-1
            ],
            "the sum of the absolute values": np.bincount(
                index.numpy().ravel(), np.abs(grad.numpy()).ravel(), minlength=k + 1
            )[1:],
        }
        got = as_array(student.call(GRADIENT, grad, index, k), "the gradient")
        if got.shape == sums.shape and np.allclose(got, sums):
            raise Failed("the pruned places have a sum, too: k numbers are wanted, not k + 1")
        expect_close(got, want, what="the gradient of the codebook", slips=slips)


@check(QUESTION, probe="MC-A9", weight=2)
def value_without_members(student: Student, rng: Generator) -> None:
    """Values that no weight uses have gradient 0, the last ones too; nothing but pruned weights."""
    grad = torch.from_numpy(rng.normal(size=(3, 4)).astype(np.float32))
    index = torch.tensor([[2, 0, 2, 0], [0, 4, 0, 0], [2, 0, 0, 4]])
    got = as_array(student.call(GRADIENT, grad, index, 6), "the gradient")
    want = np.zeros(6)
    for j in (2, 4):
        want[j - 1] = grad[index == j].double().sum()
    expect_close(got, want, what="the gradient of six values", precision="float32", atol=1e-6)
    expect(got.dtype == np.float32, f"gradients of float32, an answer of {got.dtype}")
    got = student.call(GRADIENT, grad, torch.zeros_like(index), 2)
    expect_equal(got, np.zeros(2), what="the gradient where everything is pruned")


@check(QUESTION, probe="MC-A9", weight=1, condition=True)
def gradients_stay_as_they_were(student: Student, rng: Generator) -> None:
    """grad and index are not changed."""
    grad, index = torch.from_numpy(rng.normal(size=(3, 4))), torch.arange(12).reshape(3, 4) % 5
    kept = student.put(grad), student.put(index)
    student.call(GRADIENT, *kept, 4)
    expect_unchanged(student.fetch(kept[0]), grad.numpy(), "grad")
    expect_unchanged(student.fetch(kept[1]), index.numpy(), "index")
