"""Dropout in the student's FullyConnectedNet, with masks that the judge has drawn.

Where the class calls ``dropout_forward``, the judge answers with a mask of its own and writes down
what it was asked. So the masks are known without knowing the student's generator, and the loss can
be compared with torch's. Where the class never asks (it may call a helper of another cell, or drop
by itself), the masks are those which the student's own layer draws with the same seed.

Shapes: X (N, d_1, ..., d_k), hidden outputs and masks (N, H_l), scores (N, C).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.fully_connected import NET, SEED, Case
from autograder.checks.shared.layers import Array, unpack
from autograder.checks.shared.normalization_stand_ins import NORMS, UPDATING
from autograder.checks.shared.student_net import StudentNet
from autograder.judge import Failed, Student, StudentError, as_array, expect_shape


@dataclass
class Dropping:
    """The judge's dropout layer for one case: it answers, and keeps a record."""

    case: Case
    rng: Generator
    trained: list[int] = field(default_factory=list)  # the layers that it was called after
    elsewhere: set[tuple[int, ...]] = field(default_factory=set)  # other shapes it was called with

    def forward(self, x: Any, dropout_param: Any) -> tuple[Array, tuple]:
        """The case's mask where the seed is handed on, and a new one otherwise."""
        x, p = as_array(x, "x"), float(dropout_param["p"])
        if dropout_param["mode"] == "test":
            return x, (dropout_param, None)
        if dropout_param["mode"] != "train":
            raise ValueError("the mode of dropout_forward is neither train nor test")
        mask = self._mask(x, p, dropout_param.get("seed") == SEED)
        return (x * mask).astype(x.dtype), (dropout_param, mask)

    def backward(self, dout: Any, cache: Any) -> Array:
        dout, mask = as_array(dout, "dout"), cache[1]
        return dout if mask is None else dout * as_array(mask, "mask")

    def _mask(self, x: Array, p: float, seeded: bool) -> Array:
        hidden = self.case.sizes[1:-1]  # all different, so a width tells which layer it is
        wide = x.shape[-1] if x.ndim else 0
        if x.ndim != 2 or wide not in hidden:
            self.elsewhere.add(x.shape)
            return np.ones(x.shape)
        layer = hidden.index(wide)
        self.trained.append(layer + 1)
        if p == 1:
            return np.ones(x.shape)
        known = seeded and self.case.masks and self.case.masks[layer].shape == x.shape
        kept = self.case.masks[layer] > 0 if known else self.rng.random(x.shape) < p
        return kept / p

    @property
    def layers(self) -> dict[str, Callable[..., Any]]:
        """All the layers that the class may call, besides those of two_layer_net."""
        return NORMS | {"dropout_forward": self.forward, "dropout_backward": self.backward}


def answers(
    student: Student, rng: Generator, case: Case, *batches: tuple[Array, ...], net: StudentNet = NET
) -> tuple[list[Any], Case]:
    """What loss returns for batches (X,) or (X, y) of one network, and the case with its masks."""
    dropping = Dropping(case, rng)
    found = net.with_layers(dropping.layers, UPDATING).answers(student, case, *batches)
    _expect_hidden_only(dropping)
    return found, _with_masks_used(student, dropping)


def without_seed(net: StudentNet = NET) -> StudentNet:
    """The same networks, made without a seed."""

    def settings(case: Case) -> dict[str, Any]:
        made = net.settings(case)
        made["kwargs"] = {**made["kwargs"], "seed": None}
        param = dict(made["attributes"]["dropout_param"])
        param.pop("seed", None)
        made["attributes"] = {**made["attributes"], "dropout_param": param}
        return made

    return replace(net, settings=settings)


def _expect_hidden_only(dropping: Dropping) -> None:
    case = dropping.case
    for shape in sorted(dropping.elsewhere):
        scores = shape == (len(case.X), case.sizes[-1])
        what = "the scores" if scores else f"an array of shape {shape}"
        raise Failed(
            f"dropout was applied to {what}, in a net with {len(case.X)} examples and hidden "
            f"layers of the sizes {case.sizes[1:-1]}: it belongs after the ReLU of each hidden "
            "layer, and nowhere else"
        )


def _with_masks_used(student: Student, dropping: Dropping) -> Case:
    """The case as it was, or with the masks of the student's own layer where that was used."""
    case = dropping.case
    if dropping.trained or not case.masks:
        return case
    return replace(case, masks=_own_masks(student, case) or case.masks)


def _own_masks(student: Student, case: Case) -> tuple[Array, ...]:
    """What the student's own layer makes of ones (N, H_l), with the seed of the network."""
    masks = []
    for units in case.sizes[1:-1]:
        ones = np.ones((len(case.X), units))
        param = {"mode": "train", "p": case.keep, "seed": SEED}
        try:
            answer = student.call("dropout_forward", ones, param, keep=(1,))
        except StudentError:
            return ()  # a layer that does not work, so it cannot have been used
        out, _ = unpack("dropout_forward", answer, "out, cache")
        masks.append(expect_shape(out, ones.shape, "out").astype(np.float64))
    return tuple(masks)
