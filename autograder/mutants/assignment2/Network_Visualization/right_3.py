"""Right by descending: the negative score as a loss, an optimiser, NumPy for what is returned."""

import torch


# %% start from solutions
# %% definitions of saliency
def compute_saliency_maps(X, y, model):
    X.requires_grad = True
    own = torch.nn.functional.one_hot(y, model(X).shape[1]).to(X.dtype)
    loss = -(model(X) * own).sum()
    loss.backward()
    return X.grad.pow(2).max(dim=1).values.sqrt()


# %% definitions of fooling
def make_fooling_image(X, target_y, model):
    X_fooling = X.detach().clone().requires_grad_()
    optimizer = torch.optim.SGD([X_fooling], lr=1.0)
    for _ in range(1000):
        optimizer.zero_grad()
        scores = model(X_fooling)
        if int(torch.argmax(scores)) == target_y:
            break
        (-scores[0, target_y]).backward()
        X_fooling.grad /= torch.sqrt((X_fooling.grad**2).sum())
        optimizer.step()
    return X_fooling


# %% definitions of class-step
def class_visualization_update_step(img, model, target_y, l2_reg, learning_rate):
    if img.grad is not None:
        img.grad.zero_()
    loss = l2_reg * torch.sum(img * img) - model(img).squeeze()[target_y]
    loss.backward()
    g = img.grad
    img.data = img.data - learning_rate * g / (g.std() + 1e-8)
