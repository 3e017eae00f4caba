"""Right answers that make new tensors on the notebook's device, where their arguments are."""

import torch


# %% start from solutions
# %% definitions of content-loss
def content_loss(content_weight, content_current, content_original):
    weight = torch.full(content_current.shape, float(content_weight), device=device)
    return (weight * (content_current - content_original) ** 2).sum()


# %% definitions of gram-matrix
def gram_matrix(features, normalize=True):
    N, C, H, W = features.shape
    rows = features.reshape(N, C, H * W)
    gram = torch.zeros(N, C, C, device=device, dtype=features.dtype)
    gram = gram + rows @ rows.transpose(1, 2)
    return gram / (H * W * C) if normalize else gram


# %% definitions of style-loss
def style_loss(feats, style_layers, style_targets, style_weights):
    distances = [
        (gram_matrix(feats[layer]) - target).square().sum()
        for layer, target in zip(style_layers, style_targets, strict=True)
    ]
    weights = torch.tensor(list(style_weights), device=device, dtype=distances[0].dtype)
    return (torch.stack(distances) * weights).sum()


# %% definitions of tv-loss
def tv_loss(img, tv_weight):
    step = torch.tensor([-1.0, 1.0], device=device, dtype=img.dtype)
    single = img.transpose(0, 1)
    down = torch.nn.functional.conv2d(single, step.view(1, 1, 2, 1))
    right = torch.nn.functional.conv2d(single, step.view(1, 1, 1, 2))
    return tv_weight * (down.square().sum() + right.square().sum())
