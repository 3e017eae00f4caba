"""An epoch of a classifier on frozen features, and the kNN monitor, as notebooks call them.

Dimension letters: B images in a batch, C classes.
"""

from collections.abc import Iterable, Sequence, Sized
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.progress import progress_bar
from cs231n_lib.simclr.evaluation import knn_scores
from cs231n_lib.simclr.image_transforms import Compose, Normalize, ToTensor
from cs231n_lib.simclr.model import device_of
from cs231n_lib.torch_data import CIFAR10_MEAN, CIFAR10_STD

Loader = Iterable[Sequence[Any]]
Device = str | torch.device | None


def compute_test_transform() -> Compose:
    """To a tensor, normalised; nothing random."""
    return Compose([ToTensor(), Normalize(CIFAR10_MEAN, CIFAR10_STD)])


def train_val(
    model: nn.Module,
    data_loader: Loader,
    train_optimizer: torch.optim.Optimizer | None,
    epoch: int,
    epochs: int,
    device: Device = None,
) -> tuple[float, float, float]:
    """One pass of a classifier: (mean loss, accuracy in %, how often among the best five in %).

    It learns where there is an optimiser, and is only measured where that is None. The loader
    gives (x, target), or views with the target last. device: None is where the model is.
    Raises ValueError when the loader gives nothing.
    """
    learns = train_optimizer is not None
    device = device_of(model) if device is None else device
    model.train(learns)
    loss_sum, first, fifth, total = 0.0, 0, 0, 0
    with torch.set_grad_enabled(learns):
        for x, target in _batches(data_loader, epoch, epochs, device):
            scores = model(x)
            loss = functional.cross_entropy(scores, target)
            if train_optimizer is not None:
                train_optimizer.zero_grad()
                loss.backward()
                train_optimizer.step()
            loss_sum += loss.item() * len(x)
            best, five = _hits(scores, target)
            first, fifth, total = first + best, fifth + five, total + len(x)
    _expect_images(total)
    return loss_sum / total, 100 * first / total, 100 * fifth / total


def test(
    model: nn.Module,
    memory_data_loader: Loader,
    test_data_loader: Loader,
    epoch: int,
    epochs: int,
    c: int,
    temperature: float = 0.5,
    k: int = 200,
    device: Device = None,
) -> tuple[float, float]:
    """The kNN monitor: (accuracy in %, how often among the best five in %).

    Test images are classified by the labels of the k nearest images of the memory, by the first
    thing that the model returns, its features. c: the number of classes. Loaders as in
    ``train_val``. See ``knn_scores``. Raises ValueError when a loader gives nothing.
    """
    device = device_of(model) if device is None else device
    model.eval()
    with torch.no_grad():
        known, labels = _features(model, _batches(memory_data_loader, epoch, epochs, device))
        queries, truth = _features(model, _batches(test_data_loader, epoch, epochs, device))
        first, fifth = _hits(knn_scores(known, labels, queries, c, k, temperature), truth)
    return 100 * first / len(truth), 100 * fifth / len(truth)


def _features(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    found = [(model(x)[0], target) for x, target in batches]
    _expect_images(len(found))
    features, targets = zip(*found, strict=True)
    return torch.cat(features), torch.cat(targets)


def _batches(
    loader: Loader, epoch: int, epochs: int, device: Any
) -> Iterable[tuple[Tensor, Tensor]]:
    total = len(cast(Sized, loader)) if hasattr(loader, "__len__") else None
    with progress_bar(total or 0, f"batch, epoch {epoch}/{epochs}", show=True) as bar:
        for batch in loader:
            yield batch[0].to(device), torch.as_tensor(batch[-1]).to(device)
            bar.update()


def _hits(scores: Tensor, target: Tensor) -> tuple[int, int]:
    """How often the target has the highest score, and how often one of the five highest."""
    best = scores.topk(min(5, scores.shape[1]), dim=1).indices
    right = best == target[:, None]
    return int(right[:, 0].sum()), int(right.any(1).sum())


def _expect_images(count: int) -> None:
    if not count:
        raise ValueError(
            "the data loader gave no images. Does it have fewer than a batch, and drop_last=True?"
        )
