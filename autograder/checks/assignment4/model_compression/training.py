"""What is asked of apply_masks and masked_step, with a toy network in float64.

Weights: pruned weights that come back make all of it useless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from autograder.checks.assignment4.model_compression import in_kernel
from autograder.judge import Student, check, expect, expect_close, expect_near

QUESTION, CELL = "masked-training", "step-code"
NAMES = ("first.weight", "second.weight")
SHAPES = {"first.weight": (8, 6), "first.bias": (8,), "second.weight": (3, 8), "second.bias": (3,)}


@dataclass(frozen=True)
class Case:
    """A toy network, masks, and batches."""

    state: dict[str, Tensor]
    masks: dict[str, Tensor]
    batches: list[tuple[Tensor, Tensor]]

    def step(self, student: Student, **options: Any) -> dict[str, Any]:
        """What in_kernel.stepped says of the student's steps."""
        given = {"before": 0, "kind": "plain", **options}
        return student.apply(
            in_kernel.stepped, self.state, self.masks, [list(batch) for batch in self.batches],
            cells=(student.cell_defining("masked_step") or CELL,), **given,
        )  # fmt: skip

    def right(
        self, before: int, kind: str, *, stale: float = 0.0, reduction: str = "mean"
    ) -> tuple[list[float], np.ndarray]:
        """The losses and all parameters, in a row, after torch's steps and the masks."""
        model = in_kernel.Toy(self.state)
        optimizer = in_kernel.optimizer_of(model, kind)
        losses = []
        for number in range(len(self.batches) + 1):
            if number >= before:
                with torch.no_grad():
                    for name, mask in self.masks.items():
                        model.get_parameter(name).mul_(mask)
            if number == len(self.batches):
                break
            optimizer.zero_grad()
            if number == before and stale:
                for parameter in model.parameters():
                    parameter.grad = torch.full_like(parameter, stale)
            x, y = self.batches[number]
            loss = functional.cross_entropy(model(x), y, reduction=reduction)
            loss.backward()
            optimizer.step()
            if number >= before:
                losses.append(loss.item())
        return losses, _row({name: p.detach() for name, p in model.named_parameters()})

    def kept(self) -> np.ndarray:
        """Of all parameters in a row, those that are not pruned."""
        everything = {name: np.ones(shape, bool) for name, shape in SHAPES.items()}
        return _row(everything | {name: mask.numpy() for name, mask in self.masks.items()}) > 0


def _row(state: Any) -> np.ndarray:
    return np.concatenate([np.asarray(state[name], float).ravel() for name in SHAPES])


def _draw(rng: Generator, batches: int) -> Case:
    state = {name: torch.from_numpy(rng.normal(size=shape) * 0.5) for name, shape in SHAPES.items()}
    masks = {}
    for name in NAMES:
        n = int(np.prod(SHAPES[name]))
        keeps = rng.permutation(np.arange(n) % 2 == 0)
        masks[name] = torch.from_numpy(keeps.reshape(SHAPES[name]))
    drawn = [
        (torch.from_numpy(rng.normal(size=(10, 6))), torch.from_numpy(rng.permutation(10) % 3))
        for _ in range(batches)
    ]
    return Case(state, masks, drawn)


@check(QUESTION, probe="MC-A4", weight=3)
def masks_are_applied(student: Student, rng: Generator) -> None:
    """apply_masks: pruned weights are 0, all others as they were."""
    case = _draw(rng, 0)
    del case.masks["second.weight"]
    cell = student.cell_defining("apply_masks") or CELL
    found = student.apply(in_kernel.masked, case.state, case.masks, cells=(cell,))
    mask, before = case.masks["first.weight"], case.state["first.weight"]
    after = torch.as_tensor(np.asarray(found["state"]["first.weight"]))
    come_back = int((after[~mask] != 0).sum())
    expect(come_back == 0, f"{come_back} of {int((~mask).sum())} pruned weights are not 0")
    expect(bool((after[mask] == before[mask]).all()), "a weight that is not pruned has changed")
    for name in ("first.bias", "second.weight", "second.bias"):
        same = np.array_equal(np.asarray(found["state"][name]), case.state[name].numpy())
        expect(same, f"{name} has no mask, and has changed")


@check(QUESTION, probe="MC-A4", weight=1)
def parameters_stay_the_same_objects(student: Student, rng: Generator) -> None:
    """apply_masks changes parameters in place: the optimiser knows them."""
    case = _draw(rng, 0)
    cell = student.cell_defining("apply_masks") or CELL
    found = student.apply(in_kernel.masked, case.state, case.masks, cells=(cell,))
    expect(found["same"], "a parameter was replaced by another one: change it in place")
    expect(found["trainable"], "a parameter needs no gradient any more")


@check(QUESTION, probe="MC-A4", weight=5)
def pruned_weights_stay_at_zero(student: Student, rng: Generator) -> None:
    """After each step every pruned weight is 0, whatever the optimiser remembers."""
    for kind in ("plain", "momentum", "adam"):
        found = _draw(rng, 7).step(student, before=4, kind=kind)
        largest = float(found["largest"])
        name = {"plain": "plain gradient descent", "momentum": "momentum", "adam": "AdamW"}[kind]
        expect(largest == 0, f"with {name}, a pruned weight is {largest:.1e} after a step")


@check(QUESTION, probe="MC-A4", weight=4)
def other_weights_take_the_step(student: Student, rng: Generator) -> None:
    """Two steps: all other parameters go where the optimiser puts them."""
    for kind in ("plain", "momentum", "adam"):
        case = _draw(rng, 4)
        found = case.step(student, before=2, kind=kind)
        _, want = case.right(2, kind)
        kept = case.kept()
        slips = {}
        if kind == "plain":
            slips = {
                "the gradients are those of a sum over the batch; take the mean": (
                    case.right(2, kind, reduction="sum")[1][kept]
                )
            }
        got = _row(found["state"])[kept]
        expect_near(got, want[kept], what="the parameters after two steps", slips=slips)


@check(QUESTION, probe="MC-A4", weight=2)
def old_gradients_do_not_count(student: Student, rng: Generator) -> None:
    """Gradients that are left over do not count."""
    case = _draw(rng, 1)
    found = case.step(student, stale=3.0)
    kept = case.kept()  # what the others do is asked above
    want, stale = (case.right(0, "plain", stale=old)[1][kept] for old in (0.0, 3.0))
    slips = {"gradients from before are added: clear them": stale}
    got = _row(found["state"])[kept]
    expect_near(got, want, what="the parameters after a step", slips=slips)


@check(QUESTION, probe="MC-A4", weight=2)
def loss_is_returned(student: Student, rng: Generator) -> None:
    """The mean cross-entropy before the step, as a float."""
    case = _draw(rng, 1)
    found = case.step(student)
    want = case.right(0, "plain")[0]
    losses = found["losses"]
    expect(losses[0] is not None, "masked_step returns None: is a return statement missing?")
    slips = {"this is the sum over the batch; take the mean": np.array(want) * 10}
    expect_close(losses, want, what="the loss", slips=slips)
    expect(found["types"] == ["float"], f"the loss is of type {found['types'][0]}, not float")


@check(QUESTION, probe="MC-A4", weight=1, condition=True)
def mode_is_left_alone(student: Student, rng: Generator) -> None:
    """The model stays in training mode, or in evaluation mode."""
    for mode in ("train", "eval"):
        found = _draw(rng, 1).step(student, mode=mode)
        expect(
            found["training"] == (mode == "train"),
            f"a model in {'training' if mode == 'train' else 'evaluation'} mode is in the other "
            "one afterwards",
        )
