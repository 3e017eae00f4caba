"""Right in another style: einsum, -1e9 in place of minus infinity, loops over positions, tril."""

import math

import torch
import torch.nn as nn


# %% start from solutions
# %% definitions of multi-head-attention
def forward(self, query, key, value, attn_mask=None):
    N, S, E = query.shape
    N, T, E = value.shape
    output = torch.empty((N, S, E))
    H, D = self.n_head, E // self.n_head
    Q = self.query(query).view(N, S, H, D)
    K = self.key(key).view(N, T, H, D)
    V = self.value(value).view(N, T, H, D)
    scores = torch.einsum("nshd,nthd->nhst", Q, K) * D**-0.5
    if attn_mask is not None:
        scores = scores.masked_fill(torch.logical_not(attn_mask), -1e9)
    A = self.attn_drop(torch.softmax(scores, dim=3))
    output = torch.einsum("nhst,nthd->nshd", A, V).reshape(N, S, E)
    output = self.proj(output)
    return output


# %% definitions of positional-encoding
def __init__(self, embed_dim, dropout=0.1, max_len=5000):
    super().__init__()
    self.dropout = nn.Dropout(p=dropout)
    assert embed_dim % 2 == 0
    pe = torch.zeros(1, max_len, embed_dim)
    i = torch.arange(max_len, dtype=torch.float32)
    for j in range(embed_dim):
        if j % 2 == 0:
            pe[0, :, j] = torch.sin(i * math.pow(10000, -j / embed_dim))
        else:
            pe[0, :, j] = torch.cos(i * math.pow(10000, -(j - 1) / embed_dim))
    self.register_buffer("pe", pe)


def forward(self, x):
    N, S, D = x.shape
    output = torch.empty((N, S, D))
    output = x + self.pe[0, :S].expand(N, S, D)
    output = self.dropout(output)
    return output


# %% definitions of decoder-layer
def forward(self, tgt, memory, tgt_mask=None):
    shortcut = tgt
    tgt = self.self_attn(query=tgt, key=tgt, value=tgt, attn_mask=tgt_mask)
    tgt = self.dropout_self(tgt)
    tgt = tgt + shortcut
    tgt = self.norm_self(tgt)

    shortcut = tgt
    tgt = self.cross_attn(query=tgt, key=memory, value=memory, attn_mask=None)
    tgt = self.dropout_cross(tgt)
    tgt = tgt + shortcut
    tgt = self.norm_cross(tgt)

    shortcut = tgt
    tgt = self.ffn(tgt)
    tgt = self.dropout_ffn(tgt)
    tgt = tgt + shortcut
    tgt = self.norm_ffn(tgt)
    return tgt


# %% definitions of captioning-transformer
def forward(self, features, captions):
    N, T = captions.shape
    scores = torch.empty((N, T, self.output.out_features))
    embedded = self.positional_encoding(self.embedding(captions))
    projected = self.visual_projection(features).unsqueeze(1)
    tgt_mask = torch.tril(torch.ones((T, T), dtype=torch.int64))
    tgt_mask = tgt_mask.to(features.device)
    out = self.transformer(embedded, projected, tgt_mask)
    scores = self.output(out)
    return scores


# %% definitions of patch-embedding
def forward(self, x):
    N, C, H, W = x.shape
    P = self.patch_size
    x = x.unfold(2, P, P).unfold(3, P, P)
    x = x.permute(0, 2, 3, 1, 4, 5).contiguous().view(N, -1, C * P * P)
    return self.proj(x)


# %% definitions of encoder-layer
def forward(self, src, src_mask=None):
    shortcut = src
    src = self.self_attn(query=src, key=src, value=src, attn_mask=src_mask)
    src = self.norm_self(self.dropout_self(src) + shortcut)
    shortcut = src
    src = self.norm_ffn(self.dropout_ffn(self.ffn(src)) + shortcut)
    return src


# %% definitions of vision-transformer
def forward(self, x):
    N = x.size(0)
    logits = torch.zeros(N, self.head.out_features, device=x.device)
    patches = self.patch_embed(x)
    tokens = self.positional_encoding(patches)
    encoded = self.transformer(src=tokens, src_mask=None)
    pooled = torch.einsum("nsd->nd", encoded) / encoded.shape[1]
    logits = self.head(pooled)
    return logits


# %% cell vit-overfit-cell
learning_rate = 2e-3
weight_decay = 1e-5

overfit_model, overfit_losses = overfit_one_batch(learning_rate, weight_decay)
