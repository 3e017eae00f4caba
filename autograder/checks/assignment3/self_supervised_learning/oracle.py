"""Right answers in float64: cosines, NT-Xent, their gradients.

Letters: N pairs of vectors of D numbers; out_left and out_right (N, D), row k of both belongs to
image k; out (2N, D) has the right ones below the left ones. NT-Xent: Chen et al., A Simple
Framework for Contrastive Learning of Visual Representations, 2020, equation 1 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from autograder.judge import Refused

Array = NDArray[np.float64]


def draw(rng: Generator, *shape: int) -> Tensor:
    """Vectors along the last axis, with lengths from 0.5 to 3."""
    directions = torch.from_numpy(rng.normal(size=shape))
    lengths = torch.from_numpy(rng.uniform(0.5, 3.0, size=(*shape[:-1], 1)))
    return lengths * directions / directions.norm(dim=-1, keepdim=True)


def unit(vectors: Tensor) -> Tensor:
    """Of length 1, along the last axis."""
    return vectors / vectors.norm(dim=-1, keepdim=True)


# -- right answers --------------------------------------------------------------------------------


def sim(z_i: Tensor, z_j: Tensor) -> Tensor:
    return (unit(z_i) * unit(z_j)).sum()


def sim_positive_pairs(out_left: Tensor, out_right: Tensor) -> Tensor:
    return (unit(out_left) * unit(out_right)).sum(dim=1, keepdim=True)


def compute_sim_matrix(out: Tensor) -> Tensor:
    return unit(out) @ unit(out).T


def itself(matrix: Tensor) -> Tensor:
    return torch.eye(len(matrix), dtype=torch.bool)


def partner(matrix: Tensor) -> Tensor:
    """(2N,): the row of the same image's other view."""
    return torch.arange(len(matrix)).roll(len(matrix) // 2)


def terms(out_left: Tensor, out_right: Tensor, tau: float) -> Tensor:
    """The loss of each of the 2N vectors: -log of its partner's share among the other vectors."""
    scores = compute_sim_matrix(torch.cat([out_left, out_right])) / tau
    others = torch.logsumexp(scores.masked_fill(itself(scores), -torch.inf), dim=1)
    return others - scores.gather(1, partner(scores)[:, None])[:, 0]


def loss(out_left: Tensor, out_right: Tensor, tau: float) -> Tensor:
    return terms(out_left, out_right, tau).mean()


def gradients(
    function: Callable[..., Tensor], arguments: Sequence[Any], upstream: Tensor | None = None
) -> list[Tensor]:
    """Of sum(upstream * function(arguments)), for each argument that is a tensor."""
    sent = [a.double().requires_grad_() if isinstance(a, Tensor) else a for a in arguments]
    with torch.enable_grad():  # off where a backward pass asks
        value = function(*sent)
        upstream = torch.ones_like(value) if upstream is None else upstream.double()
        (value * upstream.reshape(value.shape)).sum().backward()
    return [a.grad for a in sent if isinstance(a, Tensor) and a.grad is not None]


# -- as the kernel asks for them ------------------------------------------------------------------

SIMILARITIES = ("sim", "sim_positive_pairs", "compute_sim_matrix")
ANSWERED: dict[str, Callable[..., Tensor]] = {
    f.__name__: f for f in (sim, sim_positive_pairs, compute_sim_matrix, loss)
}


def answering(*names: str) -> Callable[[str, list[Any], Tensor | None], Any]:
    """Answers for these functions, and not for one that a question asks for."""

    def ask(name: str, arguments: list[Any], upstream: Tensor | None) -> Any:
        if name not in names:
            raise Refused("a stand-in does not answer what is asked for")
        return answer(name, arguments, upstream)

    return ask


def answer(name: str, arguments: list[Any], upstream: Tensor | None) -> Any:
    """Value or gradients, in the type of the first argument. Raises ValueError for odd shapes."""
    tensors = [torch.as_tensor(a).detach() for a in arguments if not isinstance(a, float)]
    _check_shapes(name, [tuple(tensor.shape) for tensor in tensors])
    wide = [tensor.double() for tensor in tensors]
    if name == "sim":
        wide = [tensor.flatten() for tensor in wide]
    call = [*wide, *(a for a in arguments if isinstance(a, float))]
    dtype = tensors[0].dtype
    if upstream is None:
        return ANSWERED[name](*call).to(dtype)
    found = gradients(ANSWERED[name], call, upstream)
    return [
        grad.reshape(tensor.shape).to(dtype) for grad, tensor in zip(found, tensors, strict=True)
    ]


def _check_shapes(name: str, shapes: list[tuple[int, ...]]) -> None:
    wanted = {"sim": "two vectors (D,)", "compute_sim_matrix": "one matrix (2N, D)"}
    same = len(set(shapes)) == 1
    if name == "sim":
        fits = same and max(shapes[0], default=0) == np.prod(shapes[0])
    else:
        fits = same and len(shapes[0]) == 2
    if not fits:
        needs = wanted.get(name, "two matrices (N, D)")
        label = "the loss" if name == "loss" else name
        raise ValueError(f"{label} takes {needs}; found shapes {' and '.join(map(str, shapes))}")
