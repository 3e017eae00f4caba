"""How the networks are asked: their layers get numbers of the judge's, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.checks.assignment3.generative_adversarial_networks import in_kernel
from autograder.judge import Failed, Student, as_array, expect, name_slip

Shape = tuple[int, ...]
Forward = Callable[..., Tensor]  # of layers and the input
N = 5  # images
# Numbers that an answer's layers may have in all; the networks of the notebook have less.
LIMIT = 12_000_000


@dataclass(frozen=True)
class Network:
    """A function that builds a network, and what is known about the network.

    ``shapes``: of all parameters. ``mains``, ``norms``: how many layers have weights, how many
    normalise. ``right``: what it computes; ``slips``: what it computes with one mistake.
    """

    name: str
    arguments: tuple[int, ...]
    takes: Shape  # of one image, or one row of noise
    gives: Shape
    shapes: tuple[Shape, ...]
    mains: int
    right: Forward
    slips: Mapping[str, Forward]
    norms: int = 0

    @property
    def call(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"

    def changed(self, **options: Any) -> Network:
        return replace(self, **options)


@dataclass(frozen=True)
class Answer:
    """What a network answered (None: it raised), its layers as the judge filled them, its input."""

    output: Any
    layers: list[dict[str, Tensor]]
    x: Tensor


def answered(
    student: Student,
    rng: np.random.Generator,
    network: Network,
    *,
    rows: int = N,
    evaluating: bool = False,
    plain_norms: bool = False,
) -> Answer:
    """The network's answer to numbers uniform in (-1, 1). Failed where it gives none."""
    seed = int(rng.integers(1 << 30))
    options = {"evaluating": evaluating, "plain_norms": plain_norms}
    x, found = _asked(student, rng, network, rows, seed, **options)
    shapes = [[(str(key), tuple(shape)) for key, shape in layer] for layer in found["layers"]]
    # As floats, which do not overflow whatever the kernel says.
    count = sum(float(np.prod(shape, dtype=float)) for layer in shapes for _, shape in layer)
    expect(count < LIMIT, f"the network of {network.call} has {count:,.0f} parameters")
    layers = [
        {key: torch.from_numpy(value).double() for key, value in layer.items()}
        for layer in in_kernel.drawn(shapes, seed, plain_norms)
    ]
    return Answer(found["answer"], layers, x.double())


def answered_untouched(student: Student, rng: np.random.Generator, network: Network) -> Any:
    """What the network answers to three inputs with the parameters that it begins with."""
    return _asked(student, rng, network, 3, None)[1]["answer"]


def _asked(
    student: Student,
    rng: np.random.Generator,
    network: Network,
    rows: int,
    seed: int | None,
    **options: Any,
) -> tuple[Tensor, dict[str, Any]]:
    x = torch.from_numpy(rng.uniform(-1, 1, size=(rows, *network.takes)).astype(np.float32))
    arguments = list(network.arguments)
    found = student.apply(in_kernel.answer, network.name, arguments, x, seed, **options)
    expect_network(network.call, found)
    shape, raised = tuple(x.shape), found["raised"]
    expect(
        not raised,
        f"for input of shape {shape} the network of {network.call} {student.told(raised)}",
    )
    return x, found


def expect_network(call: str, found: Mapping[str, Any]) -> None:
    kind = found["type"]
    expect(not kind, f"{call} is of type {kind}, not a network (nn.Module)")


def expect_mains(network: Network, answer: Answer) -> None:
    """As many layers with weights as the task has, normalisations not counted."""
    known = all("weight" in layer for layer in answer.layers)
    expect(known, "the network has parameters that are no layer's weight or bias")
    mains = len(answer.layers) - _norms(answer)
    found = f"number of linear and convolutional layers: {mains}"
    expect(mains == network.mains, f"{found}; the task has {network.mains}")


def expect_norms(network: Network, answer: Answer) -> None:
    norms = _norms(answer)
    expect(
        norms == network.norms,
        f"number of normalisations (layers with a weight for each feature): {norms}; the task has "
        f"{network.norms or 'none'}",
    )


def _norms(answer: Answer) -> int:
    return sum("weight" in layer and layer["weight"].dim() == 1 for layer in answer.layers)


def computed(forward: Forward, answer: Answer) -> np.ndarray:
    """What the layers would compute in ``forward``. Failed where they do not fit."""
    shapes = ", ".join(str(tuple(layer["weight"].shape)) for layer in answer.layers)
    text = (
        f"the weights have the shapes {shapes}; the network of the task cannot be built from them"
    )
    with torch.no_grad():
        try:
            found = forward(answer.layers, answer.x).numpy()
        except (RuntimeError, ValueError):
            raise Failed(text) from None
    expect(found.size, text)
    return found


def expect_output(
    got: Any, want: np.ndarray, slips: Mapping[str, np.ndarray], what: str
) -> np.ndarray:
    """The numbers, whatever the shape: that is asked elsewhere. Failed names the mistake."""
    array = as_array(got, what)
    expect(
        array.size == want.size,
        f"{what} has shape {array.shape}; with parameters of these shapes the network of "
        "the task gives another one",
    )
    array = array.reshape(want.shape).astype(np.float64)
    name_slip(array, want, slips, atol=1e-4 * float(np.abs(want).max()))
    return array
