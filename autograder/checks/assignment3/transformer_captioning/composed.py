"""The layers and models as they should be put together, out of stand-ins.

What a state dict of these says is what is sent: the names of sub-layers are the notebook's.
Letters: N sequences, T tokens of D, E or W numbers; V words; images (N, C, side, side).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autograder.checks.assignment3.transformer_captioning import in_kernel
from cs231n_lib.transformer import FeedForwardNetwork, TransformerDecoder, TransformerEncoder


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
    """The parts of a CaptioningTransformer: V words, features (N, inputs), W numbers a word."""

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
