"""The student's modules with numbers of the judge's; the kernel gets this file as source.

A class that is built of other questions' classes is executed again over the stand-ins below. They
depend on all that the real layers depend on, and on nothing else, but they are much simpler.

Shapes: query and tgt (N, S, E), key, value and memory (N, T, E), mask (S, T), x (N, S, E).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

Arguments = Sequence[Tensor | None]


# -- stand-ins ------------------------------------------------------------------------------------


def average(values: Tensor, mask: Tensor | None) -> Tensor:
    """Of the rows that the mask allows each query; of all rows where there is no mask."""
    if mask is None:
        return values.mean(dim=1, keepdim=True)
    shares = (mask != 0).to(values)
    blind = (shares.sum(dim=-1) == 0).nonzero()
    if len(blind):
        raise ValueError(f"the mask lets word {int(blind[0, -1])} look at no word, nor at itself")
    return (shares / shares.sum(dim=-1, keepdim=True)) @ values


class MultiHeadAttention(nn.Module):
    """Keys and values side by side, averaged, are added to the query."""

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None
    ) -> Tensor:
        if query.dim() != 3 or key.shape != value.shape or key.dim() != 3:
            shapes = f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
            raise ValueError(f"query, key and value have shapes {shapes}")
        pairs = torch.tanh(self.key(key)) * self.value(value)
        return torch.tanh(self.query(query)) + average(pairs, attn_mask)


class PositionalEncoding(nn.Module):
    """Adds other numbers to each token, all between -1 and 1."""

    def __init__(self, embed_dim: int, dropout: float = 0.1, max_len: int = 5000) -> None:
        super().__init__()
        self.max_len = max_len

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 3 or x.shape[1] > self.max_len:
            raise ValueError(f"x has shape {tuple(x.shape)}; max_len is {self.max_len}")
        places = 7 * torch.arange(x.shape[1])[:, None] + 3 * torch.arange(x.shape[2])
        return x + (places % 11).to(x) / 5 - 1


class TransformerDecoderLayer(nn.Module):
    """One word, the words that the mask allows, and the memory, through a linear layer each."""

    def __init__(
        self, input_dim: int, num_heads: int, dim_feedforward: int = 2048, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.word = nn.Linear(input_dim, input_dim)
        self.words = nn.Linear(input_dim, input_dim)
        self.image = nn.Linear(input_dim, input_dim)

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None) -> Tensor:
        wanted = (tgt.shape[0], tgt.shape[-1])
        if memory.dim() != 3 or (memory.shape[0], memory.shape[-1]) != wanted:
            found = f"found {tuple(memory.shape)} beside tgt {tuple(tgt.shape)}"
            raise ValueError(f"memory must have shape (N, tokens, W); {found}")
        seen = average(self.words(tgt), tgt_mask) + average(self.image(memory), None)
        return torch.tanh(self.word(tgt) + seen)


class TransformerEncoderLayer(nn.Module):
    """One token and the mean of all, through a linear layer each."""

    def __init__(
        self, input_dim: int, num_heads: int, dim_feedforward: int = 2048, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.token = nn.Linear(input_dim, input_dim)
        self.tokens = nn.Linear(input_dim, input_dim)

    def forward(self, src: Tensor, src_mask: Tensor | None = None) -> Tensor:
        return torch.tanh(self.token(src) + average(self.tokens(src), src_mask))


class PatchEmbedding(nn.Module):
    """The mean of each colour over each patch, through a linear layer."""

    def __init__(
        self, img_size: int, patch_size: int, in_channels: int = 3, embed_dim: int = 128
    ) -> None:
        super().__init__()
        self.patch_size, self.img_size = patch_size, img_size
        self.num_patches = (img_size // patch_size) ** 2
        self.proj = nn.Linear(in_channels, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        means = nn.functional.avg_pool2d(x, self.patch_size)  # (N, C, rows, columns)
        return self.proj(means.flatten(2).transpose(1, 2))


STAND_INS = {
    layer.__name__: layer
    for layer in (
        MultiHeadAttention,
        PositionalEncoding,
        TransformerDecoderLayer,
        TransformerEncoderLayer,
        PatchEmbedding,
    )
}


# -- asking ---------------------------------------------------------------------------------------


def answers(
    notebook: Any,
    name: str,
    sizes: Sequence[Any],
    state: dict[str, Tensor],
    calls: Sequence[Arguments],
    cell: str = "",
    training: bool = False,
    dropped: str = "",
) -> dict[str, Any]:
    """What the student's module answers to each of the calls.

    ``cell``: that defines the class, which is executed again over stand-ins. ``dropped``: the
    dropout layer that drops everything, while all others drop nothing.
    """
    net, missing = made(notebook, name, sizes, state, cell)
    net.train(training)
    if dropped:
        for layer in net.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        layer = dict(net.named_modules()).get(dropped)
        if isinstance(layer, nn.Dropout):
            layer.p = 1.0
        else:
            missing.append(dropped)
    with torch.no_grad():
        found = [net(*arguments) for arguments in calls]
    return {"missing": missing, "answers": found, "arguments": calls}


def gradients(
    notebook: Any,
    name: str,
    sizes: Sequence[Any],
    state: dict[str, Tensor],
    arguments: Sequence[Tensor],
    upstream: Tensor,
    cell: str = "",
) -> dict[str, Any]:
    """Of sum(upstream * answer), for each argument and each parameter: None where none arrives."""
    net, missing = made(notebook, name, sizes, state, cell)
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    out = net.eval()(*leaves)
    if isinstance(out, Tensor) and out.requires_grad and out.shape == upstream.shape:
        (out * upstream.to(out.device)).sum().backward()
    own = {parameter: value.grad for parameter, value in net.named_parameters()}
    return {
        "missing": missing,
        "answer": out,
        "parameters": own,
        "arguments": [leaf.grad for leaf in leaves],
    }


def sampled(
    notebook: Any,
    sizes: Sequence[Any],
    state: dict[str, Tensor],
    features: Any,
    max_length: int,
    cell: str,
) -> dict[str, Any]:
    """Captions that a CaptioningTransformer of the student's samples."""
    net, missing = made(notebook, "CaptioningTransformer", sizes, state, cell)
    sample: Any = net.eval().sample
    return {"missing": missing, "answers": [sample(features, max_length)]}


def own_tensors(notebook: Any, name: str, sizes: Sequence[Any]) -> dict[str, Any]:
    """Names and shapes of a module's parameters, and of its buffers."""
    net, _ = made(notebook, name, sizes, {}, "")
    shapes = [{name: list(value.shape) for name, value in found} for found in
              (net.named_parameters(), net.named_buffers())]  # fmt: skip
    return {"parameters": shapes[0], "buffers": shapes[1]}


def made(
    notebook: Any, name: str, sizes: Sequence[Any], state: dict[str, Tensor], cell: str
) -> tuple[nn.Module, list[str]]:
    """A module of the student's class with the numbers of ``state``, and what it has no place for.

    How the student's parameters start does not matter.
    """
    if cell:
        notebook.update(STAND_INS)
        notebook.run(cell)
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    net = notebook[name](*sizes)
    own = dict(net.named_parameters()) | dict(net.named_buffers())
    missing = []
    with torch.no_grad():
        for place, value in state.items():
            if place in own and own[place].shape == value.shape:
                own[place].copy_(value)
            else:
                missing.append(place)
    return net, missing
