"""The student's functions beside networks of ours; the kernel gets this file as source.

Letters: n weights, k values of a codebook, B rows of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Toy(nn.Module):
    """Two linear layers with a ReLU between them: (B, 6) -> (B, 3) scores, in float64.

    With dropout after the ReLU it computes something else in training mode.
    """

    def __init__(self, state: Mapping[str, Tensor], dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.second = nn.Linear(8, 3)
        self.dropout = nn.Dropout(dropout)
        self.double()
        self.load_state_dict({name: value.clone() for name, value in state.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.dropout(torch.relu(self.first(x))))


def optimizer_of(model: nn.Module, kind: str) -> Any:
    """An optimiser with a memory, by name."""
    if kind == "momentum":
        return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.05)
    if kind == "adam":
        return torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    return torch.optim.SGD(model.parameters(), lr=0.1)


def defined(notebook: Any, name: str) -> Any:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]


def masked(notebook: Any, state: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Any:
    """The parameters after apply_masks, and whether they are the same objects."""
    model = Toy(state)
    before = dict(model.named_parameters())
    defined(notebook, "apply_masks")(model, dict(masks))
    after = dict(model.named_parameters())
    return {
        "state": {name: value.detach().clone() for name, value in after.items()},
        "same": all(after.get(name) is value for name, value in before.items()),
        "trainable": all(value.requires_grad for value in after.values()),
        "graph": any(value.grad_fn is not None for value in after.values()),
    }


def stepped(
    notebook: Any, state: Mapping[str, Tensor], masks: Mapping[str, Tensor],
    batches: Sequence[tuple[Tensor, Tensor]], before: int, kind: str, mode: str = "eval",
    stale: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """Some steps of torch's own without masks, then the student's: losses and parameters.

    The first ``before`` batches are torch's steps, so that the optimiser has a memory; then the
    network is pruned. ``stale``: gradients that are left over from elsewhere.
    """
    model = Toy(state).train(mode == "train")
    optimizer = optimizer_of(model, kind)
    for x, y in batches[:before]:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        for name, mask in masks.items():
            model.get_parameter(name).mul_(mask)
    if stale:
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, stale)
    losses, largest = [], 0.0
    for x, y in batches[before:]:
        losses.append(defined(notebook, "masked_step")(model, dict(masks), optimizer, x, y))
        for name, mask in masks.items():
            pruned = model.get_parameter(name).detach()[~mask]
            if pruned.numel():
                largest = max(largest, float(pruned.abs().max()))
    return {
        "losses": losses,
        "types": sorted({type(loss).__name__ for loss in losses}),
        "state": {name: value.detach().clone() for name, value in model.named_parameters()},
        "largest": largest,
        "training": model.training,
    }


def from_random(
    notebook: Any, weights: Tensor, bits: int, seed: int, rounds: int
) -> Any:  # fmt: skip
    """The codebook from a random beginning by a generator of this seed."""
    generator = torch.Generator().manual_seed(seed)
    answer = defined(notebook, "kmeans_codebook")(
        weights.clone(), bits, init="random", rounds=rounds, generator=generator
    )
    return answer[0]


def shared(
    notebook: Any, cell: str, kmeans: Any, weight: Tensor, mask: Tensor, bits: int, init: str | None
) -> Any:  # fmt: skip
    """What the student's share_weights makes of the judge's k-means."""

    def kmeans_codebook(
        weights: Tensor, bits: int, init: str = "linear", rounds: int = 30, generator: Any = None
    ) -> Any:
        answer = kmeans(weights.detach(), int(bits), init)
        return answer[0], answer[1]

    notebook["kmeans_codebook"] = kmeans_codebook
    notebook.run(cell)
    options = {} if init is None else {"init": init}
    return defined(notebook, "share_weights")(weight.clone(), mask.clone(), bits, **options)
