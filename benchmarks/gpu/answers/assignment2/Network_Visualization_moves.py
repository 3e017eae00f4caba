"""Right answers that take their arguments, and the network, along to the notebook's device."""

import torch


# %% start from solutions
# %% definitions of saliency
def compute_saliency_maps(X, y, model):
    X, y = X.detach().to(device).requires_grad_(), y.to(device)
    scores = model.to(device)(X)
    scores.gather(1, y.view(-1, 1)).sum().backward()
    return X.grad.abs().amax(dim=1)


# %% definitions of fooling
def make_fooling_image(X, target_y, model):
    image = X.detach().clone().to(device).requires_grad_()
    model = model.to(device)
    while True:
        scores = model(image)
        if int(scores.argmax()) == target_y:
            return image.detach()
        (slope,) = torch.autograd.grad(scores[0, target_y], image)
        image = (image + slope / slope.norm()).detach().requires_grad_()


# %% definitions of class-step
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    there = img.to(device)
    objective = model.to(device)(there)[0, target_y] - l2_reg * (there**2).sum()
    (slope,) = torch.autograd.grad(objective, img)
    img.data += learning_rate * slope / slope.norm()
