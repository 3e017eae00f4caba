"""What features are worth, measured without training the encoder any further.

Dimension letters: N training images, M others, F features, C classes, k neighbours.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.simclr.model import device_of
from cs231n_lib.simclr.views import Images, as_batch
from cs231n_lib.torch_data import CIFAR10_MEAN, CIFAR10_STD

Labels = Tensor | NDArray[np.integer]
AT_ONCE = 500  # rows of a similarity matrix in memory


def normalized(images: Images) -> Tensor:
    """uint8 images (N, H, W, 3) as the encoder takes them: (N, 3, H, W), CIFAR-10's statistics."""
    x = as_batch(images)
    mean, std = (
        torch.tensor(v, dtype=x.dtype, device=x.device) for v in (CIFAR10_MEAN, CIFAR10_STD)
    )
    return (x - mean[:, None, None]) / std[:, None, None]


def unnormalized(x: Tensor) -> Tensor:
    """Normalised images (N, 3, H, W) to be drawn again: (N, H, W, 3), from 0 to 1, on the CPU."""
    x = x.detach().float().cpu()
    mean, std = torch.tensor(CIFAR10_MEAN), torch.tensor(CIFAR10_STD)
    return (x.permute(0, 2, 3, 1) * std + mean).clamp(0, 1)


def features_of(model: nn.Module, images: Images, batch_size: int = 250) -> Tensor:
    """What the encoder ``model.f`` says of each image: (N, F) float32, on the model's device.

    images: uint8 (N, H, W, 3), which are normalised here, or floats (N, 3, H, W) that are already.
    Without gradients, in evaluation mode; the model's own mode is restored. A model without ``f``
    is taken for the encoder itself. Raises ValueError for images of another shape.
    """
    as_batch(images[:1])  # or say what is wrong with the shape
    encoder, device = getattr(model, "f", model), device_of(model)
    whole = torch.as_tensor(images)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            parts = [
                encoder((part if part.is_floating_point() else normalized(part)).to(device)).float()
                for part in whole.split(batch_size)
            ]
    finally:
        for module, mode in modes.items():
            module.training = mode
    return torch.cat(parts).clone()


def knn_scores(
    features: Tensor,
    labels: Labels,
    queries: Tensor,
    num_classes: int,
    k: int = 200,
    temperature: float = 0.5,
) -> Tensor:
    """Votes of the k nearest training images for each class: (M, C).

    Near is what has a large cosine s, and a neighbour's vote weighs exp(s / temperature) (Wu et
    al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination, 2018, section
    3.4). features (N, F), labels (N,), queries (M, F). Of fewer than k, all vote.
    """
    known = functional.normalize(features, dim=1)
    classes = torch.as_tensor(labels, device=known.device).long()
    votes = []
    for part in functional.normalize(queries.to(known), dim=1).split(AT_ONCE):
        nearness, rows = (part @ known.T).topk(min(k, len(known)), dim=1)
        empty = known.new_zeros(len(part), num_classes)
        votes.append(empty.scatter_add_(1, classes[rows], (nearness / temperature).exp()))
    return torch.cat(votes)


def knn_accuracy(
    features: Tensor,
    labels: Labels,
    test_features: Tensor,
    test_labels: Labels,
    k: int = 200,
    temperature: float = 0.5,
) -> float:
    """The share of test images whose k nearest training images vote for the correct class.

    features (N, F), labels (N,), test_features (M, F), test_labels (M,). See ``knn_scores``.
    """
    truth = torch.as_tensor(test_labels).to(features.device)
    num_classes = int(torch.as_tensor(labels).max()) + 1
    scores = knn_scores(features, labels, test_features, num_classes, k, temperature)
    return (scores.argmax(1) == truth).float().mean().item()


def linear_probe(
    features: Tensor,
    labels: Labels,
    test_features: Tensor,
    test_labels: Labels,
    *,
    l2: float = 0.1,
    max_iter: int = 100,
) -> float:
    """Fit a linear classifier to frozen features; return its accuracy on the others.

    Softmax regression on features of mean 0 and standard deviation 1, with l2 / 2 times the squared
    weights added to the loss, by L-BFGS: the problem is convex, so nothing depends on a seed.
    features (N, F), labels (N,), test_features (M, F), test_labels (M,).
    """
    mean, std = features.mean(0), features.std(0, correction=0).clamp(min=1e-5)
    x, other = (features - mean) / std, (test_features.to(features) - mean) / std
    y = torch.as_tensor(labels, device=x.device).long()
    truth = torch.as_tensor(test_labels, device=x.device)
    W = x.new_zeros(x.shape[1], int(y.max()) + 1, requires_grad=True)
    b = x.new_zeros(W.shape[1], requires_grad=True)
    solver = torch.optim.LBFGS([W, b], max_iter=max_iter, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = functional.cross_entropy(x @ W + b, y) + l2 / 2 * W.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        solver.step(closure)
    with torch.no_grad():
        return ((other @ W + b).argmax(1) == truth).float().mean().item()
