"""What the modules of the notebook should compute, in float64, and what usual slips lead to.

Attention is torch's own.
Letters: N sequences, S queries or tokens, T keys, E features, H heads; images (N, C, side, side).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]
State = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)


def rounded(values: NDArray) -> Tensor:
    """As float64, the numbers nearest to these that float32 has: that is what students get."""
    return torch.from_numpy(np.asarray(values, np.float32)).double()


def draw(rng: Generator, *shape: int) -> Tensor:
    """Standard normal numbers."""
    return rounded(rng.normal(size=shape))


def filled(net: Net, rng: Generator) -> Net:
    """The same module in evaluation mode and float64, every number of it drawn anew."""
    net = net.double().eval()
    for value in [*net.parameters(), *net.buffers()]:
        value.data = draw(rng, *value.shape) / np.sqrt(max(value.shape[-1], 4))
        value.data = value.data.float().double()
    return net.requires_grad_(False)


def state(net: nn.Module) -> State:
    """The numbers of a module as they are sent."""
    return {name: value.float() for name, value in net.state_dict().items()}


# -- attention ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attention:
    """Weights and biases of the four linear layers, and the number of heads."""

    params: State
    heads: int

    def linear(self, layer: str, x: Tensor) -> Tensor:
        return F.linear(x, self.params[f"{layer}.weight"], self.params[f"{layer}.bias"])


def draw_attention(rng: Generator, E: int, heads: int) -> Attention:
    """Scores are spread widely enough that every factor in front of them matters."""
    params = {}
    for layer in ("key", "query", "value", "proj"):
        params[f"{layer}.weight"] = rounded(1.5 * rng.normal(size=(E, E)) / np.sqrt(E))
        params[f"{layer}.bias"] = rounded(0.5 * rng.normal(size=E))
    return Attention(params, heads)


def attend(
    layer: Attention, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """torch's own attention over heads of neighbouring features."""
    weights = [layer.params[f"{name}.weight"] for name in ("query", "key", "value")]
    biases = [layer.params[f"{name}.bias"] for name in ("query", "key", "value")]
    forbidden = None if mask is None else mask == 0
    out, _ = F.multi_head_attention_forward(
        query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), query.shape[-1],
        layer.heads, torch.cat(weights), torch.cat(biases), None, None, False, 0.0,
        layer.params["proj.weight"], layer.params["proj.bias"], training=False,
        attn_mask=forbidden, need_weights=False,
    )  # fmt: skip
    return out.transpose(0, 1)


def attention_slips(
    layer: Attention, query: Tensor, key: Tensor, value: Tensor
) -> dict[str, Tensor]:
    """What usual mistakes lead to, without a mask."""
    E, H = query.shape[-1], layer.heads
    D = E // H
    q, k, v = (
        layer.linear(name, x).unflatten(-1, (H, D)).transpose(1, 2)
        for name, x in (("query", query), ("key", key), ("value", value))
    )  # (N, H, S or T, D)
    scores = q @ k.mT  # (N, H, S, T)

    def finished(weights: Tensor, values: Tensor = v, project: bool = True) -> Tensor:
        joined = (weights @ values).transpose(1, 2).flatten(2)
        return layer.linear("proj", joined) if project else joined

    usual = torch.softmax(scores / np.sqrt(D), dim=-1)
    slips = {
        "the last linear layer, proj, is missing": finished(usual, project=False),
        "the scores are not divided by the square root of a head's number of features": finished(
            torch.softmax(scores, dim=-1)
        ),
        "the scores are divided by a head's number of features, not by its square root": finished(
            torch.softmax(scores / D, dim=-1)
        ),
        "the scores are multiplied by the square root, not divided by it": finished(
            torch.softmax(scores * np.sqrt(D), dim=-1)
        ),
        "the softmax runs over the queries: a query's weights over all keys sum to 1": finished(
            torch.softmax(scores / np.sqrt(D), dim=-2)
        ),
        "the softmax is missing": finished(scores / np.sqrt(D)),
        "the softmax runs over the heads; it should run over the keys": finished(
            torch.softmax(scores / np.sqrt(D), dim=1)
        ),
        "the layers called query and key are exchanged": _swapped(layer, query, key, v),
        "the weights are multiplied by the keys, not by the values": finished(usual, values=k),
        "the values did not go through their linear layer": finished(
            usual, values=value.unflatten(-1, (H, D)).transpose(1, 2)
        ),
    }
    if H == 1:
        return slips
    slips["the scores are divided by the square root of E; a head has E / H features"] = finished(
        torch.softmax(scores / np.sqrt(E), dim=-1)
    )
    slips["a head's features are neighbours, E / H in a row; here they are H apart"] = _interleaved(
        layer, query, key, value
    )
    slips["there is only one head, for any num_heads"] = attend(
        Attention(layer.params, 1), query, key, value
    )
    joined = "the heads are joined without moving the axis of heads back beside the features"
    slips[joined] = layer.linear("proj", (usual @ v).reshape(query.shape))
    qs, ks, vs = (
        layer.linear(name, x).reshape(len(x), H, -1, D)
        for name, x in (("query", query), ("key", key), ("value", value))
    )
    split = "the features must be split before the axes of heads and tokens are exchanged"
    out = F.scaled_dot_product_attention(qs, ks, vs)
    slips[split] = layer.linear("proj", out.transpose(1, 2).flatten(2))
    return slips


def _swapped(layer: Attention, query: Tensor, key: Tensor, v: Tensor) -> Tensor:
    """The layer called key makes queries, and the reverse. v (N, H, T, D), values of all heads."""
    H, D = v.shape[1], v.shape[-1]
    q, k = (
        layer.linear(name, x).unflatten(-1, (H, D)).transpose(1, 2)
        for name, x in (("key", query), ("query", key))
    )
    return layer.linear("proj", F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def _interleaved(layer: Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Head h made of the features h, h + H, h + 2H ..."""
    E, H = query.shape[-1], layer.heads
    q, k, v = (
        layer.linear(name, x).unflatten(-1, (E // H, H)).movedim(-1, 1)
        for name, x in (("query", query), ("key", key), ("value", value))
    )
    out = F.scaled_dot_product_attention(q, k, v)  # (N, H, S, D)
    return layer.linear("proj", out.permute(0, 2, 3, 1).flatten(2))


# -- positions ------------------------------------------------------------------------------------


def table(length: int, D: int) -> Array:
    """Sines in even, cosines in odd columns: (length, D), as complex exponentials."""
    rates = np.exp(-np.log(10000.0) * np.arange(0, D, 2) / D)
    turns = np.exp(1j * np.outer(np.arange(length), rates))
    return np.stack([turns.imag, turns.real], axis=-1).reshape(length, D)


def table_slips(length: int, D: int) -> dict[str, Array]:
    """What usual mistakes lead to."""
    i, j = np.arange(length)[:, None], np.arange(D)[None]
    pair = j - j % 2  # the even column of each pair

    def waves(angle: Array) -> Array:
        return np.where(j % 2 == 0, np.sin(angle), np.cos(angle))

    usual = i * 10000.0 ** (-pair / D)
    return {
        "sine and cosine are exchanged: even columns should be sines": np.where(
            j % 2 == 0, np.cos(usual), np.sin(usual)
        ),
        "the exponent of an odd column is that of the column before it": waves(
            i * 10000.0 ** (-j / D)
        ),
        "the exponent of column j is -j / d, not -2j / d": waves(i * 10000.0 ** (-2 * pair / D)),
        "the exponent counts pairs of columns: it is -j / d, for column j": waves(
            i * 10000.0 ** (-(pair / 2) / D)
        ),
        "the exponent has the wrong sign": waves(i * 10000.0 ** (pair / D)),
        "positions are counted from 1; the first token is at 0": waves(
            (i + 1) * 10000.0 ** (-pair / D)
        ),
        "all sines come before all cosines; they should alternate": np.concatenate(
            [np.sin(usual[:, ::2]), np.cos(usual[:, ::2])], axis=1
        ),
        "the angle does not depend on the position: all tokens get the same numbers": waves(
            np.broadcast_to(10000.0 ** (-pair / D), usual.shape)
        ),
    }


# -- patches --------------------------------------------------------------------------------------


def cut(x: Tensor, P: int) -> Tensor:
    """Patches (N, patches, C*P*P) of images (N, C, side, side), row by row."""
    return F.unfold(x, P, stride=P).transpose(1, 2)
