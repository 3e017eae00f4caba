"""Right in another style: NumPy-like, with distances of all pairs, sort and plain loops."""

import torch
import torch.nn as nn


# %% start from solutions
# %% definitions of mask-code
def magnitude_mask(weight, sparsity):
    n = weight.numel()
    keep = n - round(sparsity * n)
    best = torch.topk(weight.reshape(-1).abs(), keep).indices
    mask = torch.zeros(n, dtype=torch.bool, device=weight.device)
    mask[best] = True
    return mask.view(weight.shape)


# %% definitions of global-code
def global_masks(weights, sparsity):
    names = list(weights)
    sizes = [weights[name].numel() for name in names]
    flat = torch.cat([weights[name].detach().reshape(-1).abs() for name in names])
    order = torch.argsort(flat, descending=True, stable=True)
    kept = torch.zeros_like(flat, dtype=torch.bool)
    kept[order[: len(flat) - round(sparsity * len(flat))]] = True
    masks, start = {}, 0
    for name, size in zip(names, sizes, strict=True):
        masks[name] = kept[start : start + size].clone().view_as(weights[name])
        start += size
    return masks


# %% definitions of step-code
def apply_masks(model, masks):
    with torch.no_grad():
        for name, param in model.named_parameters():
            if name in masks:
                param[~masks[name]] = 0.0


def masked_step(model, masks, optimizer, x, y):
    apply_masks(model, masks)
    model.zero_grad()
    criterion = nn.CrossEntropyLoss()
    loss = criterion(model(x), y)
    loss.backward()
    for name, param in model.named_parameters():
        if name in masks:
            param.grad[~masks[name]] = 0
    optimizer.step()
    apply_masks(model, masks)
    return float(loss.detach())


# %% definitions of schedule-code
def prune_schedule(step, begin, end, final):
    if step <= begin:
        return 0.0
    if step >= end:
        return float(final)
    left = (end - step) / (end - begin)
    return final - final * left**3


# %% definitions of kmeans-code
def kmeans_codebook(weights, bits, init="linear", rounds=30, generator=None):
    k = 2**bits
    low, high = weights.min(), weights.max()
    if init == "linear":
        codebook = low + (high - low) * torch.arange(k, dtype=weights.dtype) / (k - 1)
    elif init == "density":
        codebook = torch.stack([torch.quantile(weights, (j + 0.5) / k) for j in range(k)])
    elif init == "random":
        codebook, _ = torch.sort(weights[torch.randperm(len(weights), generator=generator)[:k]])
    else:
        raise ValueError(init)
    codebook = codebook.clone()

    def assign():
        return (weights[:, None] - codebook[None, :]).abs().argmin(dim=1)

    old = None
    for _ in range(rounds):
        index = assign()
        if old is not None and torch.equal(index, old):
            break
        for j in range(k):
            members = weights[index == j]
            if len(members) > 0:
                codebook[j] = members.mean()
        old = index
    return codebook, assign()


# %% definitions of share-code
def share_weights(weight, mask, bits, init="linear"):
    flat, kept = weight.reshape(-1), mask.reshape(-1)
    codebook, inner = kmeans_codebook(flat[kept], bits, init=init)
    index = torch.zeros(len(flat), dtype=torch.long)
    index[kept.nonzero()[:, 0]] = inner + 1
    return codebook, index.view(weight.shape)


def shared_gradient(grad, index, k):
    return torch.stack([grad[index == j + 1].sum() for j in range(k)])


# %% definitions of quantize-code
def quantize(x, bits=8, axis=None):
    qmin, qmax = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if axis is None:
        rows = x.reshape(1, -1)
        shape = ()
    else:
        rows = x.movedim(axis, 0).reshape(x.shape[axis], -1)
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
    low = torch.minimum(rows.min(dim=1).values, torch.zeros(1, dtype=x.dtype))
    high = torch.maximum(rows.max(dim=1).values, torch.zeros(1, dtype=x.dtype))
    scale = (high - low) / (qmax - qmin)
    scale[scale == 0] = 1.0
    scale = scale.reshape(shape)
    zero_point = (qmin - torch.round(low.reshape(shape) / scale)).clamp(qmin, qmax).int()
    q = torch.clamp(torch.round(x / scale) + zero_point, qmin, qmax)
    return q.to(torch.int8), scale, zero_point


def dequantize(q, scale, zero_point):
    return (q.int() - zero_point.int()).to(scale.dtype) * scale


# %% definitions of relative-code
def relative_index(index, gap_bits):
    flat = index.reshape(-1)
    size = 2**gap_bits
    places = flat.nonzero()[:, 0].tolist()
    gaps, symbols, previous = [], [], -1
    for place in places:
        fillers, rest = divmod(place - previous - 1, size)
        gaps.extend([size - 1] * fillers + [rest])
        symbols.extend([0] * fillers + [int(flat[place])])
        previous = place
    return torch.tensor(gaps, dtype=torch.long), torch.tensor(symbols, dtype=torch.long)


# %% definitions of count-code
def compressed_bits(gaps, symbols, codebook_size, gap_bits, value_bits=16, coding="fixed"):
    def bits_of(values, each):
        if coding == "fixed" or len(values) == 0:
            return len(values) * each
        p = torch.bincount(values).double() / len(values)
        p = p[p > 0]
        return float(-(p * torch.log2(p)).sum()) * len(values)

    return {
        "positions": bits_of(gaps, gap_bits),
        "values": bits_of(symbols, int(codebook_size).bit_length()),
        "codebook": codebook_size * value_bits,
    }
