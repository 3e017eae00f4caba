"""Right in a third style: NumPy where it is shorter, thresholds with ties broken by hand."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812


# %% start from solutions
# %% definitions of mask-code
def magnitude_mask(weight, sparsity):
    n = weight.numel()
    pruned = round(sparsity * n)
    magnitude = weight.abs()
    if pruned == 0:
        return torch.ones_like(weight, dtype=torch.bool)
    cut = magnitude.flatten().kthvalue(pruned).values
    mask = magnitude > cut
    missing = n - pruned - int(mask.sum())  # of those that are equal to the threshold, so many stay
    ties = (magnitude == cut).flatten().nonzero()[:missing]
    mask.view(-1)[ties] = True
    return mask


# %% definitions of global-code
def global_masks(weights, sparsity):
    vector = torch.nn.utils.parameters_to_vector(list(weights.values()))
    mask = magnitude_mask(vector, sparsity)
    masks = {}
    for name in weights:
        masks[name] = mask[: weights[name].numel()].reshape(weights[name].shape)
        mask = mask[weights[name].numel() :]
    return masks


# %% definitions of step-code
def apply_masks(model, masks):
    params = dict(model.named_parameters())
    for name in masks:
        params[name].data *= masks[name]


def masked_step(model, masks, optimizer, x, y):
    optimizer.zero_grad(set_to_none=False)
    log_probs = F.log_softmax(model(x), dim=1)
    loss = -log_probs[torch.arange(len(y), device=y.device), y].mean()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for name, mask in masks.items():
            param = model.get_parameter(name)
            param.copy_(torch.where(mask, param, torch.zeros_like(param)))
    return loss.detach().cpu().numpy().item()


# %% definitions of schedule-code
def prune_schedule(step, begin, end, final):
    t = float(np.clip(step, begin, end))
    return float(final - final * (1 - (t - begin) / (end - begin)) ** 3)


# %% definitions of kmeans-code
def kmeans_codebook(weights, bits, init="linear", rounds=30, generator=None):
    k = 2**bits
    w = weights.detach().cpu().numpy().astype(np.float64)
    if init == "linear":
        c = np.linspace(w.min(), w.max(), k)
    elif init == "density":
        c = np.quantile(w, (np.arange(k) + 0.5) / k)
    else:
        c = np.sort(w[torch.randperm(len(w), generator=generator).numpy()[:k]])
    for _ in range(rounds):
        i = np.searchsorted((c[1:] + c[:-1]) / 2, w)
        n = np.bincount(i, minlength=k)
        s = np.bincount(i, weights=w, minlength=k)
        c[n > 0] = s[n > 0] / n[n > 0]
    i = np.searchsorted((c[1:] + c[:-1]) / 2, w)
    codebook = torch.as_tensor(c, dtype=weights.dtype, device=weights.device)
    return codebook, torch.as_tensor(i, device=weights.device)


# %% definitions of share-code
def share_weights(weight, mask, bits, init="linear"):
    codebook, member = kmeans_codebook(torch.masked_select(weight, mask), bits, init)
    index = torch.zeros_like(weight, dtype=torch.int64).masked_scatter(mask, member + 1)
    return codebook, index


def shared_gradient(grad, index, k):
    one_hot = F.one_hot(index.flatten(), k + 1).to(grad.dtype)
    return (grad.flatten() @ one_hot)[1:]


# %% definitions of quantize-code
def quantize(x, bits=8, axis=None):
    levels = 2**bits
    dims = tuple(range(x.ndim)) if axis is None else tuple(d for d in range(x.ndim) if d != axis)
    low = torch.amin(x, dims, keepdim=axis is not None).clamp_max(0)
    high = torch.amax(x, dims, keepdim=axis is not None).clamp_min(0)
    step = (high - low) / (levels - 1)
    step = step + (step == 0).to(step.dtype)
    unsigned_zero = torch.round(-low / step).clamp(0, levels - 1)
    unsigned = (torch.round(x / step) + unsigned_zero).clamp(0, levels - 1)
    half = levels // 2
    return (unsigned - half).to(torch.int8), step, (unsigned_zero - half).to(torch.int32)


def dequantize(q, scale, zero_point):
    return q.to(scale.dtype).sub(zero_point.to(scale.dtype)).mul(scale)


# %% definitions of relative-code
def relative_index(index, gap_bits):
    flat = index.flatten().tolist()
    entries, gap = [], 0
    last = max((place for place, symbol in enumerate(flat) if symbol != 0), default=-1)
    for symbol in flat[: last + 1]:
        if symbol != 0 or gap == 2**gap_bits - 1:
            entries.append((gap, symbol))
            gap = 0
        else:
            gap += 1
    pairs = torch.tensor(entries, dtype=torch.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


# %% definitions of count-code
def compressed_bits(gaps, symbols, codebook_size, gap_bits, value_bits=16, coding="fixed"):
    E = len(gaps)
    per_gap, per_symbol = gap_bits, int(np.ceil(np.log2(codebook_size + 1)))
    if coding == "entropy" and E > 0:
        per_gap, per_symbol = (
            torch.distributions.Categorical(
                probs=torch.unique(values, return_counts=True)[1].double()
            )
            .entropy()
            .item()
            / math.log(2)
            for values in (gaps, symbols)
        )
    return {
        "positions": E * per_gap,
        "values": E * per_symbol,
        "codebook": codebook_size * value_bits,
    }
