"""What a Transformer is built of besides attention: feed-forward networks and stacks of layers.

The layers themselves, with attention inside, are the reader's. A stack copies the one it is given,
so that each copy starts from the same weights and then learns its own.
Dimension letters: N sequences, T tokens of the target, S tokens of the source or memory, E features
of a token.
"""

import copy

from torch import Tensor, nn

__all__ = ["FeedForwardNetwork", "TransformerDecoder", "TransformerEncoder", "clones"]


class FeedForwardNetwork(nn.Module):
    """Two linear layers with GELU between, the same for every token: linear, GELU, dropout, linear.

    ``ffn_dim`` is the width between them, usually a few times ``embed_dim`` (Vaswani et al., 2017,
    section 3.3, with ReLU; GELU is Hendrycks and Gimpel's, 2016).
    """

    def __init__(self, embed_dim: int, ffn_dim: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.fc1 = nn.Linear(embed_dim, ffn_dim)
        self.gelu = nn.GELU()
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(ffn_dim, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x (N, T, E); returns (N, T, E)."""
        return self.fc2(self.dropout(self.gelu(self.fc1(x))))


def clones(module: nn.Module, N: int) -> nn.ModuleList:
    """Return N copies of a layer that share no parameter. Raises ValueError when N < 1."""
    if N < 1:
        raise ValueError(f"N is {N}; a stack needs at least one layer")
    return nn.ModuleList(copy.deepcopy(module) for _ in range(N))


class TransformerDecoder(nn.Module):
    """``num_layers`` copies of a decoder layer, one after the other, all with one memory."""

    def __init__(self, layer: nn.Module, num_layers: int) -> None:
        super().__init__()
        self.layers = clones(layer, num_layers)
        self.num_layers = num_layers

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None) -> Tensor:
        """Shapes: tgt (N, T, E), memory (N, S, E), tgt_mask (T, T) or None; returns (N, T, E)."""
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask)
        return tgt


class TransformerEncoder(nn.Module):
    """``num_layers`` copies of an encoder layer, one after the other."""

    def __init__(self, layer: nn.Module, num_layers: int) -> None:
        super().__init__()
        self.layers = clones(layer, num_layers)
        self.num_layers = num_layers

    def forward(self, src: Tensor, src_mask: Tensor | None = None) -> Tensor:
        """Shapes: src (N, S, E), src_mask (S, S) or None; returns (N, S, E)."""
        for layer in self.layers:
            src = layer(src, src_mask=src_mask)
        return src
