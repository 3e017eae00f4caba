"""What is asked of train: one epoch over a small model with two outputs, and the judge's own loss.

The model is `in_kernel.TwoHeads`, in float64; the optimiser is plain gradient descent.
Shapes: views (B, D); features (B, 5); projections (B, 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.self_supervised_learning import in_kernel, oracle, slips
from autograder.judge import Student, advice, as_array, check, expect, expect_near

QUESTION, CELL = "training", "train"
D, FEATURES, PROJECTIONS = 6, 5, 3
SIZES = (D, FEATURES, PROJECTIONS)
TAU = 0.5  # train's own default
Batch = tuple[Tensor, Tensor, Tensor]
Objective = Callable[[in_kernel.TwoHeads, Batch], Tensor]


@dataclass(frozen=True)
class Epoch:
    """A model's weights, and batches of two views and a label each."""

    state: dict[str, Tensor]
    batches: list[Batch]
    taus: list[float] = field(default_factory=list)  # that the loss was called with

    def model(self) -> in_kernel.TwoHeads:
        net = in_kernel.TwoHeads(*SIZES).double()
        net.load_state_dict(self.state)
        return net

    def run(self, student: Student, lr: float = 0.0, temperature: float = TAU) -> dict[str, Any]:
        """The student's epoch."""

        def ask(name: str, arguments: list[Any], upstream: Tensor | None) -> Any:
            if upstream is None:
                self.taus.append(arguments[-1])
            return oracle.answer(name, arguments, upstream)

        cell = student.cell_defining("train") or CELL
        return student.apply(
            in_kernel.trained, cell, list(SIZES), self.state, [list(b) for b in self.batches], lr,
            temperature, student.stand_in(ask), cells=(cell,),
        )  # fmt: skip


@check(QUESTION, probe="SSL-A11", weight=4)
def loss_is_that_of_projections(student: Student, rng: Generator) -> None:
    """One batch: the loss of both branches' projections."""
    epoch = _draw(rng, (4,))
    net, batch = epoch.model(), epoch.batches[0]
    got = epoch.run(student)["returned"]
    (feature_i, z_i), (feature_j, z_j) = (net(x) for x in batch[:2])
    want = oracle.loss(z_i, z_j, TAU)
    wrong = {
        "the features are compared, the first of the model's two outputs": oracle.loss(
            feature_i, feature_j, TAU
        ),
        "both branches see the first view": oracle.loss(z_i, z_i, TAU),
        "both branches see the second view": oracle.loss(z_j, z_j, TAU),
    }
    named = slips.arrays(wrong | _mean_slips([want], [4]))
    what = "the average loss of one batch"
    expect_near(got, want.detach().numpy(), what=what, slips=named, squeeze=True)


@check(QUESTION, probe="SSL-A11", weight=2)
def temperature_reaches_the_loss(student: Student, rng: Generator) -> None:
    """Other temperatures than 0.5 are handed on to the loss."""
    for temperature in (0.2, 2.0):
        epoch = _draw(rng, (3,))
        got = as_array(epoch.run(student, temperature=temperature)["returned"], "the average loss")
        net, batch = epoch.model(), epoch.batches[0]
        want = _loss(net, batch, temperature).item()
        if got.size == 1 and np.isclose(float(got.reshape(())), want):
            return
        expect(epoch.taus, "train never calls simclr_loss_vectorized")
        found = f"with temperature = {temperature}, the loss is called with tau = {epoch.taus[0]:g}"
        expect(np.allclose(epoch.taus, temperature), found)


@check(QUESTION, probe="SSL-A11", weight=3)
def each_batch_is_a_step_down(student: Student, rng: Generator) -> None:
    """Two batches: two steps of gradient descent from the weights that it is given."""
    epoch, lr = _draw(rng, (4, 4)), 0.4
    got = epoch.run(student, lr=lr)["weights"]

    def cut(which: int) -> Objective:
        def objective(net: in_kernel.TwoHeads, batch: Batch) -> Tensor:
            sides = [net(x)[1] for x in batch[:2]]
            sides[which] = sides[which].detach()
            return oracle.loss(sides[0], sides[1], TAU)

        return objective

    def features(net: in_kernel.TwoHeads, batch: Batch) -> Tensor:
        return oracle.loss(net(batch[0])[0], net(batch[1])[0], TAU)

    wrong = {
        "the weights are as they were": _descended(epoch, 0.0),
        "the gradients of the first batch are still there in the second: clear them": (
            _descended(epoch, lr, clear=False)
        ),
        "the weights go up the slope": _descended(epoch, -lr),
        "only the right branch gets a gradient": _descended(epoch, lr, cut(0)),
        "only the left branch gets a gradient": _descended(epoch, lr, cut(1)),
        "the weights follow the loss of the features, not of the projections": (
            _descended(epoch, lr, features)
        ),
        "only the first batch is a step": _descended(epoch, lr, batches=1),
    }
    what = "the weights after two batches"
    want = _descended(epoch, lr)
    expect_near(got, want.numpy(), what=what, slips=slips.arrays(wrong))


@check(QUESTION, probe="SSL-A11")
def average_over_the_epoch_is_returned(student: Student, rng: Generator) -> None:
    """Three batches, the last one smaller: the mean over batches, or over images."""
    sizes = (4, 4, 2)
    epoch = _draw(rng, sizes)
    got = epoch.run(student)["returned"]
    net = epoch.model()
    each = torch.stack([_loss(net, batch, TAU) for batch in epoch.batches]).detach()
    by_image = (each * torch.tensor(sizes)).sum() / sum(sizes)
    array = as_array(got, "the average loss")
    if array.size == 1 and np.isclose(float(array.reshape(())), by_image):
        return
    what = "the average loss of three batches"
    named = slips.arrays(_mean_slips(list(each), list(sizes)))
    expect_near(array, each.mean().numpy(), what=what, slips=named, squeeze=True)


@advice(QUESTION, probe="SSL-A11")
def device_reaches_the_loss(student: Student, rng: Generator) -> None:
    """The device is handed on to the vectorised loss."""
    devices = _draw(rng, (3,)).run(student)["devices"]
    found = "simclr_loss_vectorized is called without train's device: its own default is used then"
    expect(all(device == "cpu" for device in devices), found)


# -- what should come out -------------------------------------------------------------------------


def _draw(rng: Generator, sizes: tuple[int, ...]) -> Epoch:
    """Batches of these sizes; the second view resembles the first."""
    shapes = {
        name: tuple(value.shape) for name, value in in_kernel.TwoHeads(*SIZES).state_dict().items()
    }
    state = {name: torch.from_numpy(rng.normal(size=shape)) / 2 for name, shape in shapes.items()}
    batches = []
    for B in sizes:
        first = torch.from_numpy(rng.normal(size=(B, D)))
        second = first + torch.from_numpy(rng.normal(size=(B, D))) / 2
        batches.append((first, second, torch.from_numpy(rng.integers(10, size=B))))
    return Epoch(state, batches)


def _loss(net: in_kernel.TwoHeads, batch: Batch, tau: float = TAU) -> Tensor:
    return oracle.loss(net(batch[0])[1], net(batch[1])[1], tau)


def _descended(
    epoch: Epoch, lr: float, objective: Objective = _loss, *, clear: bool = True,
    batches: int | None = None,
) -> Tensor:  # fmt: skip
    """All weights after steps along the objective's gradients, one for each batch."""
    net = epoch.model()
    params = list(net.parameters())
    total = [torch.zeros_like(param) for param in params]
    for batch in epoch.batches[:batches]:
        grads = torch.autograd.grad(objective(net, batch), params, allow_unused=True)
        with torch.no_grad():
            for number, (param, grad) in enumerate(zip(params, grads, strict=True)):
                grad = torch.zeros_like(param) if grad is None else grad
                total[number] = grad if clear else total[number] + grad
                param.sub_(total[number], alpha=lr)
    return torch.cat([param.detach().flatten() for param in params])


def _mean_slips(losses: list[Tensor], sizes: list[int]) -> dict[str, Tensor]:
    """What else is made of the losses of batches of these sizes."""
    each = torch.stack(losses)
    by_size = (each * torch.tensor(sizes)).sum()
    B, many = sizes[0], len(sizes) > 1
    sums = {
        "the losses are added up over the images, and not divided by their number": by_size,
        "the sum over batches, each times the batch size, is returned": B * each.sum(),
        "the loss is divided by the batch size once more: it is a mean already": each.mean() / B,
        "the sum of the losses is divided by the number of images": each.sum() / sum(sizes),
    }
    several = {
        "the losses of the batches are added up, not averaged": each.sum(),
        "this is the loss of the last batch": each[-1],
        "this is the loss of the first batch: is the loop left early?": each[0],
    }
    return sums | (several if many else {})
