"""Right answers that make masks and positions on the notebook's device, where the words are."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


# %% start from solutions
# %% definitions of multi-head-attention
def forward(self, query, key, value, attn_mask=None):
    N, S, E = query.shape
    T = key.shape[1]
    H, D = self.n_head, self.head_dim
    q = self.query(query).view(N, S, H, D).permute(0, 2, 1, 3)
    k = self.key(key).view(N, T, H, D).permute(0, 2, 3, 1)
    v = self.value(value).view(N, T, H, D).permute(0, 2, 1, 3)
    scores = q @ k / math.sqrt(D)
    if attn_mask is not None:
        forbidden = torch.full((S, T), -math.inf, device=device, dtype=scores.dtype)
        scores = torch.where(attn_mask.to(device) != 0, scores, forbidden)
    weights = self.attn_drop(F.softmax(scores, dim=-1))
    return self.proj((weights @ v).permute(0, 2, 1, 3).reshape(N, S, E))


# %% definitions of positional-encoding
def __init__(self, embed_dim, dropout=0.1, max_len=5000):
    super().__init__()
    self.dropout = nn.Dropout(p=dropout)
    assert embed_dim % 2 == 0, "sines and cosines come in pairs: embed_dim must be even"
    position = torch.arange(max_len, device=device)[:, None]
    angle = position * 10000 ** (-torch.arange(0, embed_dim, 2, device=device) / embed_dim)
    pe = torch.stack([angle.sin(), angle.cos()], dim=2).reshape(1, max_len, embed_dim)
    self.register_buffer("pe", pe)


def forward(self, x):
    return self.dropout(x + self.pe[:, : x.shape[1]])


# %% definitions of captioning-transformer
def forward(self, features, captions):
    N, T = captions.shape
    words = self.positional_encoding(self.embedding(captions))
    memory = self.visual_projection(features).unsqueeze(1)
    tgt_mask = torch.tril(torch.ones(T, T, device=device))
    return self.output(self.transformer(words, memory, tgt_mask=tgt_mask))
