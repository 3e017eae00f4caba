"""What the modules of the notebook should compute, in float64, and what usual slips lead to.

Attention is torch's own; layers and models are put together from the stand-ins that the student's
class is given, or from the library's parts.
Letters: N sequences, S queries or tokens, T keys, E features, H heads; images (N, C, side, side).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from autograder.checks.assignment3.transformer_captioning import in_kernel
from cs231n_lib.transformer import FeedForwardNetwork, TransformerDecoder, TransformerEncoder

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
        value.data = draw(rng, *value.shape) / math.sqrt(max(value.shape[-1], 4))
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

    usual = torch.softmax(scores / math.sqrt(D), dim=-1)
    slips = {
        "the last linear layer, proj, is missing": finished(usual, project=False),
        "the scores are not divided by the root of a head's number of features": finished(
            torch.softmax(scores, dim=-1)
        ),
        "the scores are divided by a head's number of features, not by its root": finished(
            torch.softmax(scores / D, dim=-1)
        ),
        "the scores are multiplied by the root, not divided by it": finished(
            torch.softmax(scores * math.sqrt(D), dim=-1)
        ),
        "the softmax runs over the queries: a query's weights over all keys sum to 1": finished(
            torch.softmax(scores / math.sqrt(D), dim=-2)
        ),
        "the softmax is missing": finished(scores / math.sqrt(D)),
        "the weights meet the keys, not the values": finished(usual, values=k),
        "values did not go through their linear layer": finished(
            usual, values=value.unflatten(-1, (H, D)).transpose(1, 2)
        ),
    }
    if H == 1:
        return slips
    slips["the scores are divided by the root of E; a head has E / H features"] = finished(
        torch.softmax(scores / math.sqrt(E), dim=-1)
    )
    slips["a head's features are neighbours, E / H in a row; here they are H apart"] = _interleaved(
        layer, query, key, value
    )
    stacked = layer.linear("proj", (usual @ v).reshape(query.shape))
    slips["the heads' results are joined without bringing the heads back beside the features"] = (
        stacked
    )
    return slips


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
        "sine and cosine have changed places: even columns are sines": np.where(
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
        "all sines stand before all cosines; they alternate": np.concatenate(
            [np.sin(usual[:, ::2]), np.cos(usual[:, ::2])], axis=1
        ),
        "positions are not multiplied in: all tokens get the same numbers": waves(
            np.broadcast_to(10000.0 ** (-pair / D), usual.shape)
        ),
    }


# -- layers and models over stand-ins ---------------------------------------------------------------


class DecoderLayer(nn.Module):
    """The parts of a decoder layer; ``without`` is the dropout layer that drops everything."""

    def __init__(self, D: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = in_kernel.MultiHeadAttention(D, 2)
        self.cross_attn = in_kernel.MultiHeadAttention(D, 2)
        self.ffn = FeedForwardNetwork(D, hidden)
        self.norm_self, self.norm_cross = nn.LayerNorm(D), nn.LayerNorm(D)
        self.norm_ffn = nn.LayerNorm(D)

    def forward(
        self, tgt: Tensor, memory: Tensor, mask: Tensor | None = None, without: str = ""
    ) -> Tensor:
        keep = {name: float(without != f"dropout_{name}") for name in ("self", "cross", "ffn")}
        x = self.norm_self(tgt + keep["self"] * self.self_attn(tgt, tgt, tgt, mask))
        x = self.norm_cross(x + keep["cross"] * self.cross_attn(x, memory, memory))
        return self.norm_ffn(x + keep["ffn"] * self.ffn(x))


class EncoderLayer(nn.Module):
    """The parts of an encoder layer."""

    def __init__(self, D: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = in_kernel.MultiHeadAttention(D, 2)
        self.ffn = FeedForwardNetwork(D, hidden)
        self.norm_self, self.norm_ffn = nn.LayerNorm(D), nn.LayerNorm(D)

    def forward(self, src: Tensor, mask: Tensor | None = None, without: str = "") -> Tensor:
        keep = {name: float(without != f"dropout_{name}") for name in ("self", "ffn")}
        x = self.norm_self(src + keep["self"] * self.self_attn(src, src, src, mask))
        return self.norm_ffn(x + keep["ffn"] * self.ffn(x))


class Captioner(nn.Module):
    """The parts of a CaptioningTransformer for V words, features (N, inputs) and W numbers a word."""

    def __init__(self, V: int, inputs: int, W: int, layers: int, longest: int) -> None:
        super().__init__()
        self.visual_projection = nn.Linear(inputs, W)
        self.embedding = nn.Embedding(V, W)
        self.positional_encoding = in_kernel.PositionalEncoding(W, max_len=longest)
        self.transformer = TransformerDecoder(in_kernel.TransformerDecoderLayer(W, 1), layers)
        self.output = nn.Linear(W, V)

    def forward(self, features: Tensor, captions: Tensor) -> Tensor:
        words = self.positional_encoding(self.embedding(captions))
        return self.scored(words, self.visual_projection(features)[:, None])

    def scored(self, words: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Through the decoder and the output layer; each word sees those before it and itself."""
        own = causal(words.shape[1]) if mask is None else mask
        return self.output(self.transformer(words, memory, tgt_mask=own))

    def greedy(self, features: Tensor, start: int, length: int) -> NDArray:
        """Captions (N, length), the likeliest word after the likeliest words."""
        words = torch.full((len(features), 1), start)
        for _ in range(length):
            best = self(features, words)[:, -1].argmax(dim=-1)
            words = torch.cat([words, best[:, None]], dim=1)
        return words[:, 1:].numpy()


class Classifier(nn.Module):
    """The parts of a VisionTransformer; ``sizes`` as its constructor takes them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        img_size, patch_size, channels, E, layers, heads, _, classes = sizes
        self.patch_embed = in_kernel.PatchEmbedding(img_size, patch_size, channels, E)
        self.positional_encoding = in_kernel.PositionalEncoding(E)
        layer = in_kernel.TransformerEncoderLayer(E, heads)
        self.transformer = TransformerEncoder(layer, layers)
        self.head = nn.Linear(E, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tokens(x).mean(dim=1))

    def tokens(self, x: Tensor) -> Tensor:
        return self.transformer(self.positional_encoding(self.patch_embed(x)))


def causal(T: int) -> Tensor:
    """1 where a word may look: at itself and at what is before it. (T, T)"""
    return torch.ones(T, T, dtype=torch.float64).tril()


# -- patches --------------------------------------------------------------------------------------


def cut(x: Tensor, P: int) -> Tensor:
    """Patches (N, patches, C*P*P) of images (N, C, side, side), row by row."""
    return F.unfold(x, P, stride=P).transpose(1, 2)


def cut_slips(x: Tensor, P: int) -> dict[str, Tensor]:
    """The same numbers in another order."""
    N, C, side, _ = x.shape
    n = side // P
    grid = x.reshape(N, C, n, P, n, P)  # image, channel, row of patches, row, column of them, column

    def flattened(*axes: int) -> Tensor:
        return grid.permute(0, *axes).reshape(N, n * n, C * P * P)

    wanted = "a patch is flattened as (channel, row, column)"
    slips = {
        f"{wanted}, not as (row, column, channel)": flattened(2, 4, 3, 5, 1),
        f"{wanted}, not as (channel, column, row)": flattened(2, 4, 1, 5, 3),
        "patches are numbered row by row, as one reads; here they go down the columns": flattened(
            4, 2, 1, 3, 5
        ),
        "patches and pixels are mixed up: reshape alone does not cut squares out of an image": (
            x.reshape(N, n * n, C * P * P)
        ),
    }
    windows = x.unfold(2, P, P).unfold(3, P, P)  # (N, C, n, n, P, P)
    slips["after cutting, the channels must be moved behind the patches' numbers"] = (
        windows.reshape(N, n * n, C * P * P)
    )
    return slips
