"""Right answers that take their arguments along to the notebook's device."""

import torch


# %% start from solutions
# %% definitions of content-loss
def content_loss(content_weight, content_current, content_original):
    current, original = content_current.to(device), content_original.to(device)
    return content_weight * torch.sum((current - original) ** 2)


# %% definitions of gram-matrix
def gram_matrix(features, normalize=True):
    N, C, H, W = features.shape
    rows = features.to(device).reshape(N, C, H * W)
    gram = torch.bmm(rows, rows.transpose(1, 2))
    return gram / (H * W * C) if normalize else gram


# %% definitions of style-loss
def style_loss(feats, style_layers, style_targets, style_weights):
    loss = torch.zeros((), device=device)
    for i, layer in enumerate(style_layers):
        difference = gram_matrix(feats[layer].to(device)) - style_targets[i].to(device)
        loss = loss + style_weights[i] * (difference**2).sum()
    return loss


# %% definitions of tv-loss
def tv_loss(img, tv_weight):
    img = img.to(device)
    down = img[:, :, 1:] - img[:, :, :-1]
    right = img[..., 1:] - img[..., :-1]
    return tv_weight * ((down**2).sum() + (right**2).sum())
