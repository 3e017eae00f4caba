"""Recurrent layers by torch's cells and autograd, in float64: what the student's should compute.

The course's weights stand on the right of what they multiply, and an LSTM's blocks come in the
order input, forget, output, candidate; torch has them on the left, and the candidate before the
output gate.

Shapes: x (N, D) at a step, (N, T, D) in a sequence; h, c (N, H); Wx (D, k H), Wh (H, k H),
b (k H,), with k = 1 for the vanilla RNN and k = 4 for the LSTM. Words are integers (N, T) below V.
"""

from __future__ import annotations

import torch
from torch.nn import functional

Tensor = torch.Tensor


def rnn_step(x: Tensor, prev_h: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """next_h (N, H)."""
    return torch.rnn_tanh_cell(x, prev_h, Wx.T, Wh.T, b, torch.zeros_like(b))


def lstm_step(
    x: Tensor, prev_h: Tensor, prev_c: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor
) -> Tensor:
    """next_h and next_c, (2, N, H)."""
    Wx, Wh, b = (_candidate_third(blocks) for blocks in (Wx, Wh, b))
    states = torch.lstm_cell(x, (prev_h, prev_c), Wx.T, Wh.T, b, torch.zeros_like(b))
    return torch.stack(states)


def rnn(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """h (N, T, H), without h0."""
    h, steps = h0, []
    for x_t in x.unbind(1):
        h = rnn_step(x_t, h, Wx, Wh, b)
        steps.append(h)
    return torch.stack(steps, dim=1)


def lstm(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """h (N, T, H), without h0; the cell starts at zero."""
    h, c, steps = h0, torch.zeros_like(h0), []
    for x_t in x.unbind(1):
        h, c = lstm_step(x_t, h, c, Wx, Wh, b)
        steps.append(h)
    return torch.stack(steps, dim=1)


def embedding(words: Tensor, W: Tensor) -> Tensor:
    """The row of W (V, D) for each word."""
    return functional.embedding(words, W)


def temporal_affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """x (N, T, H), w (H, V), b (V,): scores (N, T, V)."""
    return x @ w + b


def temporal_loss(scores: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy: the sum over the places in the mask (N, T), divided by N."""
    each = functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")
    return (each * mask).sum() / len(scores)


def _candidate_third(blocks: Tensor) -> Tensor:
    """The course's blocks i, f, o, g along the last axis, in torch's order i, f, g, o."""
    i, f, o, g = blocks.chunk(4, dim=-1)
    return torch.cat((i, f, g, o), dim=-1)
