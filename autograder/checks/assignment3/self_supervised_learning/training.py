"""What is asked of train: one epoch over a small model with two outputs, and the judge's own loss.

The model is `in_kernel.TwoHeads`, in float64; the optimiser is plain gradient descent.
Shapes: views (B, D); features (B, 5); projections (B, 3).
Weights: without the right loss, or without a step along its gradient, nothing is learned.
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
    # What the judge's loss was asked for, and what it answered.
    taus: list[float] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)

    def model(self) -> in_kernel.TwoHeads:
        net = in_kernel.TwoHeads(*SIZES).double()
        net.load_state_dict(self.state)
        return net

    def run(self, student: Student, lr: float = 0.0, temperature: float = TAU) -> dict[str, Any]:
        """The student's epoch."""

        def ask(name: str, arguments: list[Any], upstream: Tensor | None) -> Any:
            answered = oracle.answering("loss")(name, arguments, upstream)
            if upstream is None:
                self.taus.append(arguments[-1])
                self.losses.append(answered.double())
            return answered

        cell = student.cell_defining("train") or CELL
        return student.apply(
            in_kernel.trained, cell, list(SIZES), self.state, [list(b) for b in self.batches], lr,
            temperature, student.stand_in(ask), cells=(cell,),
        )  # fmt: skip

    def tau(self) -> float:
        """That the loss was called with; which it should be is asked by a check of its own."""
        return self.taus[0] if self.taus and 0.01 < self.taus[0] < 100 else TAU

    def each(self) -> Tensor:
        """The loss of each batch: what the loss answered, where it was called once for each."""
        if len(self.losses) == len(self.batches):
            return torch.stack(self.losses)
        net = self.model()
        return torch.stack([_loss(net, batch, TAU) for batch in self.batches]).detach()


@check(QUESTION, probe="SSL-A11", weight=4)
def loss_is_that_of_projections(student: Student, rng: Generator) -> None:
    """One batch: the loss of both branches' projections."""
    epoch = _draw(rng, (4,))
    net, batch = epoch.model(), epoch.batches[0]
    returned = epoch.run(student)["returned"]
    got = epoch.losses[0] if epoch.losses else returned
    tau = epoch.tau()
    (feature_i, z_i), (feature_j, z_j) = (net(x) for x in batch[:2])
    want = oracle.loss(z_i, z_j, tau)
    wrong = {
        "the features are compared, the first of the model's two outputs": oracle.loss(
            feature_i, feature_j, tau
        ),
        "both branches see the first view": oracle.loss(z_i, z_i, tau),
        "both branches see the second view": oracle.loss(z_j, z_j, tau),
    }
    what = "the loss of one batch"
    expect_near(got, want.detach().numpy(), what=what, slips=slips.arrays(wrong), squeeze=True)


@check(QUESTION, probe="SSL-A11", weight=2)
def temperature_reaches_the_loss(student: Student, rng: Generator) -> None:
    """Other temperatures than 0.5 are handed on to the loss."""
    for temperature in (0.2, 2.0):
        epoch = _draw(rng, (3,))
        returned = epoch.run(student, temperature=temperature)["returned"]
        if epoch.taus:
            found = f"with temperature = {temperature}, the loss is called with tau = "
            expect(np.allclose(epoch.taus, temperature), f"{found}{epoch.taus[0]:g}")
            continue
        # The loss is computed in another way: by what comes out.
        want = _loss(epoch.model(), epoch.batches[0], temperature).detach().numpy()
        what = f"the loss of one batch with temperature = {temperature}"
        expect_near(returned, want, what=what, squeeze=True)


@check(QUESTION, probe="SSL-A11", weight=5)
def each_batch_is_a_step_down(student: Student, rng: Generator) -> None:
    """Two batches: two steps of gradient descent from the weights that it is given."""
    epoch, lr = _draw(rng, (4, 4)), 0.4
    got = epoch.run(student, lr=lr)["weights"]
    tau = epoch.tau()

    def cut(which: int) -> Objective:
        def objective(net: in_kernel.TwoHeads, batch: Batch) -> Tensor:
            sides = [net(x)[1] for x in batch[:2]]
            sides[which] = sides[which].detach()
            return oracle.loss(sides[0], sides[1], tau)

        return objective

    def features(net: in_kernel.TwoHeads, batch: Batch) -> Tensor:
        return oracle.loss(net(batch[0])[0], net(batch[1])[0], tau)

    def right(net: in_kernel.TwoHeads, batch: Batch) -> Tensor:
        return _loss(net, batch, tau)

    wrong = {
        "the weights have not changed": _descended(epoch, 0.0, right),
        "the gradients of the first batch are still there in the second: clear them": (
            _descended(epoch, lr, right, clear=False)
        ),
        "the weights move uphill": _descended(epoch, -lr, right),
        "only the right branch gets a gradient": _descended(epoch, lr, cut(0)),
        "only the left branch gets a gradient": _descended(epoch, lr, cut(1)),
        "the weights follow the loss of the features, not of the projections": (
            _descended(epoch, lr, features)
        ),
        "only the first batch is a step": _descended(epoch, lr, right, batches=1),
    }
    what = "the weights after two batches"
    want = _descended(epoch, lr, right)
    expect_near(got, want.numpy(), what=what, slips=slips.arrays(wrong))


@check(QUESTION, probe="SSL-A11")
def average_over_the_epoch_is_returned(student: Student, rng: Generator) -> None:
    """Three batches, the last one smaller: the mean over batches, or over images."""
    sizes = (4, 4, 2)
    epoch = _draw(rng, sizes)
    got = epoch.run(student)["returned"]
    each = epoch.each()
    by_image = (each * torch.tensor(sizes)).sum() / sum(sizes)
    array = as_array(got, "the average loss")
    if array.size == 1 and np.isclose(float(array.reshape(())), by_image):
        return
    what = "the average loss of three batches"
    named = slips.arrays(_mean_slips(each, sizes))
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


def _loss(net: in_kernel.TwoHeads, batch: Batch, tau: float) -> Tensor:
    return oracle.loss(net(batch[0])[1], net(batch[1])[1], tau)


def _descended(
    epoch: Epoch, lr: float, objective: Objective, *, clear: bool = True,
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


def _mean_slips(each: Tensor, sizes: tuple[int, ...]) -> dict[str, Tensor]:
    """What else is made of the losses of batches of these sizes."""
    return {
        "the losses of the batches are added up, not averaged": each.sum(),
        "the losses, each times the size of its batch, are added up, and not divided": (
            (each * torch.tensor(sizes)).sum()
        ),
        "the losses, each times batch_size, are added up, and not divided": sizes[0] * each.sum(),
        "the sum of the losses is divided by the number of images; they are means already": (
            each.sum() / sum(sizes)
        ),
        "this is the loss of the last batch": each[-1],
        "this is the loss of the first batch: does the loop end early?": each[0],
    }
