"""The classifiers of ``data_ladder.py``: what each sees, what it is, how it is trained.

Dimension letters: N images, D features, C = 10 classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)


@dataclass(frozen=True)
class Data:
    """Images (N, 32, 32, 3) uint8 and labels (N,) int64 of both splits."""

    X: NDArray[np.uint8]
    y: Tensor
    X_test: NDArray[np.uint8]
    y_test: Tensor


See = Callable[[Data], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Training:
    """How a network is trained: one cycle of learning rates (OneCycleLR), seed 0."""

    epochs: int
    rate: float
    decay: float = 0.0
    batch: int = 128
    adam: bool = False
    flip: bool = False
    hinge: bool = False


# --- What the classifiers see -------------------------------------------------------------------


def pixels(data: Data) -> tuple[Tensor, Tensor]:
    """Mean image of the training set taken off, divided by 64: (N, 3, 32, 32) each."""
    mean = data.X.reshape(len(data.X), -1).mean(0).reshape(32, 32, 3)

    def prepare(X: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(((X - mean) / 64).astype(np.float32)).permute(0, 3, 1, 2)

    return prepare(data.X).contiguous(), prepare(data.X_test).contiguous()


def flat_pixels(data: Data) -> tuple[Tensor, Tensor]:
    train, test = pixels(data)
    return train.flatten(1), test.flatten(1)


def hog_and_hue(data: Data) -> tuple[Tensor, Tensor]:
    """Gradient histograms (9 orientations in 4x4 cells) and a histogram of 10 hues: (N, 154)."""
    return standardise(_hog_and_hue(data.X), _hog_and_hue(data.X_test))


def _hog_and_hue(X: NDArray[np.uint8]) -> Tensor:
    images = torch.from_numpy(X).float()
    grey = (images * torch.tensor([0.299, 0.587, 0.144])).sum(-1)  # CS231n's weights
    dx, dy = torch.zeros_like(grey), torch.zeros_like(grey)
    dx[:, :, :-1], dy[:, :-1] = grey.diff(dim=2), grey.diff(dim=1)
    size, angle = (dx**2 + dy**2).sqrt(), torch.atan2(dy, dx + 1e-15) * 180 / torch.pi + 90
    cells = []
    for orientation in range(9):
        inside = (angle >= 20 * orientation) & (angle < 20 * (orientation + 1))
        cells.append(F.avg_pool2d((size * inside)[:, None], 8)[:, 0])
    hog = torch.stack(cells, -1).flatten(1)

    images = images / 255
    value, largest = images.max(-1)
    spread = value - images.min(-1).values + 1e-8
    red, green, blue = images.unbind(-1)
    hue = torch.where(largest == 1, (blue - red) / spread + 2, (red - green) / spread + 4)
    hue = torch.where(largest == 0, ((green - blue) / spread) % 6, hue) / 6
    bins = (hue * 10).long().clamp(0, 9).flatten(1)
    counts = torch.zeros(len(X), 10).scatter_add_(1, bins, torch.ones(bins.shape))
    return torch.cat([hog, counts / 1024], 1)


def mean_colour(data: Data) -> tuple[Tensor, Tensor]:
    """The mean colour and its spread within the image: (N, 6)."""

    def describe(X: NDArray[np.uint8]) -> Tensor:
        points = torch.from_numpy(X.reshape(len(X), -1, 3)).float()
        return torch.cat([points.mean(1), points.std(1, correction=0)], 1)

    return standardise(describe(data.X), describe(data.X_test))


def border(data: Data) -> tuple[Tensor, Tensor]:
    """A frame of two pixels: (N, 720)."""
    frame = np.ones((32, 32), bool)
    frame[2:-2, 2:-2] = False
    train, test = pixels(data)
    return train[:, :, frame].flatten(1), test[:, :, frame].flatten(1)


def standardise(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    mean, spread = train.mean(0), train.std(0) + 1e-6
    return (train - mean) / spread, (test - mean) / spread


# --- Classifiers --------------------------------------------------------------------------------


def knn(data: Data) -> float:
    """The majority of the 10 nearest images by L2 distance; 1,000 test images."""
    train, test = (torch.from_numpy(X.reshape(len(X), -1)).float() for X in (data.X, data.X_test))
    nearest = torch.cdist(test[:1000], train).topk(10, largest=False).indices
    votes = F.one_hot(data.y[nearest], 10).sum(1)
    return 100 * (votes.argmax(1) == data.y_test[:1000]).float().mean().item()


def linear(features: int) -> nn.Module:
    return nn.Linear(features, 10)


def two_layers(features: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def three_layer_convnet() -> nn.Module:
    """Assignment 2's: conv, ReLU, pool, affine, ReLU, affine."""
    head = (nn.Flatten(), nn.Linear(32 * 256, 100), nn.ReLU(), nn.Linear(100, 10))
    return nn.Sequential(nn.Conv2d(3, 32, 7, padding=3), nn.ReLU(), nn.MaxPool2d(2), *head)


def small_convnet() -> nn.Module:
    first = (nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(32 * 64, 10))


def batchnorm_convnet(width: int = 16) -> nn.Module:
    def conv(before: int, after: int) -> nn.Module:
        layer = nn.Conv2d(before, after, 3, padding=1, bias=False)
        return nn.Sequential(layer, nn.BatchNorm2d(after), nn.ReLU())

    w = width
    return nn.Sequential(
        conv(3, w), conv(w, w), nn.MaxPool2d(2), conv(w, 2 * w), conv(2 * w, 2 * w),
        nn.MaxPool2d(2), conv(2 * w, 4 * w), nn.MaxPool2d(2), conv(4 * w, 4 * w),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, 10),
    )  # fmt: skip


def network(see: See, make: Callable[[], nn.Module], training: Training) -> Callable[[Data], float]:
    """A rung that trains a network on what ``see`` shows it."""

    def run(data: Data) -> float:
        train, test = see(data)
        torch.manual_seed(0)
        model = make()
        fit(model, train, data.y, training)
        model.eval()
        with torch.no_grad():
            guesses = torch.cat([model(part).argmax(1) for part in test.split(500)])
        return 100 * (guesses == data.y_test).float().mean().item()

    return run


def fit(model: nn.Module, X: Tensor, y: Tensor, training: Training) -> None:
    if training.adam:
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=training.rate, weight_decay=training.decay
        )
    else:
        optimiser = torch.optim.SGD(
            model.parameters(),
            lr=training.rate,
            momentum=0.9,
            nesterov=True,
            weight_decay=training.decay,
        )
    steps = training.epochs * -(-len(y) // training.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, training.rate, total_steps=steps, pct_start=0.2
    )
    for _ in range(training.epochs):
        for rows in torch.randperm(len(y)).split(training.batch):
            batch = X[rows]
            if training.flip:
                batch = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, batch.flip(-1), batch)
            scores = model(batch)
            loss = (
                hinge_loss(scores, y[rows]) if training.hinge else F.cross_entropy(scores, y[rows])
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def hinge_loss(scores: Tensor, y: Tensor) -> Tensor:
    """The multiclass SVM's loss: sum of margins over the wrong classes, mean over images."""
    return 10 * F.multi_margin_loss(scores, y)
