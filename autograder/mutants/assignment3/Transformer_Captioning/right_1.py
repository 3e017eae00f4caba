"""Right in another style: torch's fused attention, unfold, masks of bool, rearranged by hand."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


# %% start from solutions
# %% definitions of multi-head-attention
def forward(self, query, key, value, attn_mask=None):
    N, S, E = query.shape

    def heads(x):
        return x.view(N, x.size(1), self.n_head, -1).permute(0, 2, 1, 3)

    allowed = None if attn_mask is None else attn_mask.to(torch.bool)
    p = self.attn_drop.p if self.training else 0.0
    out = F.scaled_dot_product_attention(
        heads(self.query(query)),
        heads(self.key(key)),
        heads(self.value(value)),
        attn_mask=allowed,
        dropout_p=p,
    )
    return self.proj(out.permute(0, 2, 1, 3).contiguous().view(N, S, E))


# %% definitions of positional-encoding
def __init__(self, embed_dim, dropout=0.1, max_len=5000):
    super().__init__()
    self.dropout = nn.Dropout(p=dropout)
    i = torch.arange(max_len, dtype=torch.float64).unsqueeze(1)
    rate = torch.exp(torch.arange(0, embed_dim, 2).double() * (-math.log(10000.0) / embed_dim))
    pe = torch.stack([torch.sin(i * rate), torch.cos(i * rate)], dim=-1).flatten(1)
    self.register_buffer("pe", pe.unsqueeze(0).float())


def forward(self, x):
    return self.dropout(x + self.pe[:, : x.size(1), :])


# %% definitions of decoder-layer
def forward(self, tgt, memory, tgt_mask=None):
    attended = self.self_attn(tgt, tgt, tgt, tgt_mask)
    x = self.norm_self(tgt + self.dropout_self(attended))
    x = self.norm_cross(x + self.dropout_cross(self.cross_attn(x, memory, memory)))
    return self.norm_ffn(x + self.dropout_ffn(self.ffn(x)))


# %% definitions of captioning-transformer
def forward(self, features, captions):
    T = captions.shape[1]
    places = torch.arange(T, device=captions.device)
    mask = places[:, None] >= places[None, :]
    memory = self.visual_projection(features.unsqueeze(1))
    x = self.embedding(captions)
    x = self.positional_encoding(x)
    x = self.transformer(tgt=x, memory=memory, tgt_mask=mask)
    return self.output(x)


# %% definitions of patch-embedding
def forward(self, x):
    windows = F.unfold(x, kernel_size=self.patch_size, stride=self.patch_size)
    return self.proj(windows.transpose(1, 2))


# %% definitions of encoder-layer
def forward(self, src, src_mask=None):
    residual = src
    x = self.dropout_self(self.self_attn(src, src, src, src_mask))
    x = self.norm_self(x + residual)
    residual = x
    x = self.dropout_ffn(self.ffn(x))
    return self.norm_ffn(x + residual)


# %% definitions of vision-transformer
def forward(self, x):
    x = self.transformer(self.positional_encoding(self.patch_embed(x)))
    return self.head(x).mean(dim=-2)
