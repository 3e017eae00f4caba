"""Right with autograd.grad: nothing collects in .grad; one image at a time."""

import torch
from torch import nn


# %% start from solutions
# %% definitions of saliency
def compute_saliency_maps(X, y, model):
    maps = []
    for image, label in zip(X, y, strict=True):
        leaf = image.detach()[None].clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(model(leaf)[0][int(label)], leaf)
        red, green, blue = slope[0].abs()
        maps.append(torch.maximum(red, torch.maximum(green, blue)))
    return torch.stack(maps)


# %% definitions of fooling
def predicted(image, model):
    with torch.no_grad():
        return model(image).argmax(dim=1).item()


def make_fooling_image(X, target_y, model):
    X_fooling = X.clone().detach()
    while predicted(X_fooling, model) != target_y:
        X_fooling.requires_grad_(True)
        (g,) = torch.autograd.grad(model(X_fooling)[:, target_y].sum(), X_fooling)
        X_fooling = X_fooling.detach() + nn.functional.normalize(g.flatten(), dim=0).view_as(g)
    return X_fooling


# %% definitions of class-step
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    (slope,) = torch.autograd.grad(model(img)[0, target_y], img)
    with torch.no_grad():
        img.add_(slope - 2 * l2_reg * img, alpha=learning_rate)
