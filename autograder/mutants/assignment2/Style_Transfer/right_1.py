"""Right in the style of public solutions: view and bmm, pow, zeros(1) to begin with."""

import torch


# %% start from solutions
# %% definitions of content-loss
def content_loss(content_weight, content_current, content_original):
    _, C, H, W = content_current.shape
    current = content_current.view(C, H * W)
    original = content_original.view(C, H * W)
    loss = content_weight * torch.sum(torch.pow(current - original, 2))
    return loss


# %% definitions of gram-matrix
def gram_matrix(features, normalize=True):
    N, C, H, W = features.size()
    feats_reshape = features.view(N, C, H * W)
    gram = torch.bmm(feats_reshape, feats_reshape.permute(0, 2, 1))
    if normalize:
        gram /= H * W * C
    return gram


# %% definitions of style-loss
def style_loss(feats, style_layers, style_targets, style_weights):
    style_losses = torch.zeros(1).type(dtype)
    for i in range(len(style_layers)):
        style_feature_map = feats[style_layers[i]].clone()
        current_style_gram = gram_matrix(style_feature_map)
        style_losses += style_weights[i] * torch.sum(
            torch.pow(current_style_gram - style_targets[i], 2)
        )
    return style_losses


# %% definitions of tv-loss
def tv_loss(img, tv_weight):
    _, _, H, W = img.shape
    one = torch.sum(torch.pow(img[:, :, 1:, :] - img[:, :, : H - 1, :], 2))
    two = torch.sum(torch.pow(img[:, :, :, 1:] - img[:, :, :, : W - 1], 2))
    return tv_weight * (one + two)
