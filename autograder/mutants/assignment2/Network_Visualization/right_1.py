"""Right in the style of public solutions: gather and ones, a loop with an end, data and zero_."""

import torch


# %% start from solutions
# %% definitions of saliency
def compute_saliency_maps(X, y, model):
    model.eval()
    X.requires_grad_()
    saliency = None
    scores = model(X)
    scores = scores.gather(1, y.view(-1, 1)).squeeze(1)
    scores.backward(torch.FloatTensor([1.0] * X.shape[0]))
    saliency, _ = torch.max(torch.abs(X.grad.data), dim=1)
    return saliency


# %% definitions of fooling
def make_fooling_image(X, target_y, model):
    X_fooling = X.clone()
    X_fooling = X_fooling.requires_grad_()
    learning_rate = 1
    for _ in range(100):
        scores = model(X_fooling)
        index = scores.max(dim=1)[1]
        if index == target_y:
            break
        target_score = scores[0, target_y]
        target_score.backward()
        grad = X_fooling.grad.data
        dX = learning_rate * (grad / grad.norm())
        X_fooling.data += dX
        X_fooling.grad.zero_()
    return X_fooling


# %% definitions of class-step
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    scores = model(img)
    target_score = scores[:, target_y] - l2_reg * torch.norm(img) ** 2
    target_score.backward()
    img.data += learning_rate * img.grad.data / img.grad.data.norm()
    img.grad.zero_()
