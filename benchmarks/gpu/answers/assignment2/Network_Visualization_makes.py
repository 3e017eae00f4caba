"""Right answers that make new tensors on the notebook's device, where their arguments are."""

import torch


# %% start from solutions
# %% definitions of saliency
def compute_saliency_maps(X, y, model):
    X.requires_grad_()
    chosen = model(X)[torch.arange(len(y), device=device), y]
    chosen.backward(torch.ones(len(y), device=device))
    return X.grad.abs().max(dim=1).values


# %% definitions of fooling
def make_fooling_image(X, target_y, model):
    image = X.clone().requires_grad_()
    target = torch.tensor([[int(target_y)]], device=device)
    while True:
        scores = model(image)
        if int(scores.argmax()) == target_y:
            return image.detach()
        (slope,) = torch.autograd.grad(scores.gather(1, target).sum(), image)
        image = (image + slope / slope.norm()).detach().requires_grad_()


# %% definitions of class-step
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    target = torch.tensor([[int(target_y)]], device=device)
    objective = model(img).gather(1, target).sum() - l2_reg * (img**2).sum()
    objective.backward()
    with torch.no_grad():
        img += learning_rate * img.grad / img.grad.norm()
    img.grad = None
