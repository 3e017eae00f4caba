"""Right with other algebra: dot products, a loop over the images, the Gram matrix written anew."""

import torch


# %% start from solutions
# %% definitions of content-loss
def content_loss(content_weight, content_current, content_original):
    difference = (content_current.double() - content_original.double()).reshape(-1)
    return (content_weight * torch.dot(difference, difference)).float().reshape(1)


# %% definitions of gram-matrix
def gram_matrix(features, normalize=True):
    matrices = []
    for image in features:
        rows = image.flatten(start_dim=1)
        matrices.append(torch.mm(rows, rows.t()) / (rows.numel() if normalize else 1))
    return torch.stack(matrices)


# %% definitions of style-loss
def style_loss(feats, style_layers, style_targets, style_weights):
    losses = []
    for i, layer in enumerate(style_layers):
        rows = feats[layer][0].flatten(1)
        gram = rows @ rows.T / rows.numel()
        losses.append(style_weights[i] * torch.dist(gram, style_targets[i][0]) ** 2)
    return sum(losses)


# %% definitions of tv-loss
def tv_loss(img, tv_weight):
    differences = [torch.diff(img, dim=2).flatten(), torch.diff(img, dim=-1).flatten()]
    everything = torch.cat(differences)
    return everything.dot(everything).mul(tv_weight)
