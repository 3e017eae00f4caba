"""CIFAR-10 for PyTorch: batches of normalised tensors, and random changes of a whole batch.

Works like torch's ``DataLoader`` over torchvision's data set, and much faster on one core: the
images are one tensor in memory, so a batch is one indexing operation and nobody waits for workers.

Dimension letters: N images, B images in a batch, H x W pixels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from cs231n_lib.data.cifar10 import load_cifar10

Augment = Callable[[Tensor], Tensor]

# Mean and standard deviation of each colour over CIFAR-10's training images, on a scale of 0 to 1.
CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2023, 0.1994, 0.2010)


@dataclass(frozen=True)
class ImageSet:
    """Images X (N, 3, H, W), floating point, with labels y (N,) int64; also a torch data set.

    ``train``: whether a model learns from them.
    """

    X: Tensor
    y: Tensor
    train: bool = False

    def __post_init__(self) -> None:
        if self.X.ndim != 4 or self.y.shape != self.X.shape[:1]:
            raise ValueError(
                f"X must be (N, 3, H, W) with one label each in y (N,); found X "
                f"{tuple(self.X.shape)} and y {tuple(self.y.shape)}"
            )

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: int | slice | Tensor) -> tuple[Tensor, Tensor]:
        return self.X[rows], self.y[rows]


class BatchLoader:
    """Iterate over ``(x, y)``: x (B, 3, H, W) and y (B,); the last batch may be smaller.

    ``shuffle`` draws a new order for each pass, from torch's global generator. ``augment`` is
    applied to x, a copy: ``lambda x: random_flip(random_crop(x))``, say. ``len`` is the number of
    batches. Raises ValueError when batch_size < 1.
    """

    def __init__(
        self,
        dataset: ImageSet,
        batch_size: int = 64,
        *,
        shuffle: bool = False,
        augment: Augment | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be 1 or more")
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.augment = shuffle, augment

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        n = len(self.dataset)
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        for rows in order.split(self.batch_size):
            x, y = self.dataset[rows]
            yield (self.augment(x) if self.augment else x), y


def normalize_images(images: ArrayLike, dtype: torch.dtype = torch.float32) -> Tensor:
    """Images (N, H, W, 3), 0 to 255, as PyTorch likes them: (N, 3, H, W), each colour normalised.

    Subtracts CIFAR-10's mean and divides by its standard deviation, colour by colour.
    """
    x = torch.from_numpy(np.asarray(images)).permute(0, 3, 1, 2).to(dtype) / 255
    mean, std = (_per_colour(values, x) for values in (CIFAR10_MEAN, CIFAR10_STD))
    return ((x - mean) / std).contiguous()


def denormalize_images(x: Tensor) -> np.ndarray:
    """Undo ``normalize_images``: (N, 3, H, W) to uint8 (N, H, W, 3), to be looked at."""
    x = x.detach().cpu()
    mean, std = (_per_colour(values, x) for values in (CIFAR10_MEAN, CIFAR10_STD))
    pixels = (255 * (x * std + mean)).round().clamp(0, 255)
    return pixels.permute(0, 2, 3, 1).to(torch.uint8).numpy()


def cifar10_sets(
    num_training: int = 49_000,
    num_validation: int = 1000,
    num_test: int | None = 1000,
    *,
    dtype: torch.dtype = torch.float32,
) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Training, validation and test images, normalised; validation follows the training rows.

    Raises DataError when a file is missing or damaged, ValueError when there are too few images.
    """
    X, y, X_test, y_test = load_cifar10(
        num_train=num_training + num_validation, num_test=num_test, dtype=np.uint8
    )
    parts = (
        (X[:num_training], y[:num_training], True),
        (X[num_training:], y[num_training:], False),
        (X_test, y_test, False),
    )
    train, val, test = (
        ImageSet(normalize_images(images, dtype), torch.from_numpy(labels).long(), learns)
        for images, labels, learns in parts
    )
    return train, val, test


def random_flip(x: Tensor, p: float = 0.5) -> Tensor:
    """Mirror each image left to right with probability ``p``. x (B, C, H, W), not changed."""
    chosen = torch.rand(len(x), device=x.device) < p
    return torch.where(chosen[:, None, None, None], x.flip(-1), x)


def random_crop(x: Tensor, padding: int = 4) -> Tensor:
    """Shift each image by up to ``padding`` pixels each way; what comes in from outside is 0.

    The same as to pad with zeros and to cut an H x W window out at a random place; 0 is the mean
    colour of normalised images. x (B, C, H, W), not changed. Raises ValueError for padding < 0.
    """
    if padding < 0:
        raise ValueError(f"padding is {padding}; it cannot be negative")
    B, _, H, W = x.shape
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    top, left = torch.randint(2 * padding + 1, (2, B, 1, 1), device=x.device)
    rows = top + torch.arange(H, device=x.device)[:, None]  # (B, H, 1)
    columns = left + torch.arange(W, device=x.device)  # (B, 1, W)
    image = torch.arange(B, device=x.device)[:, None, None]
    # Advanced indices around a slice come first: (B, H, W, C).
    return padded[image, :, rows, columns].permute(0, 3, 1, 2)


def _per_colour(values: tuple[float, ...], x: Tensor) -> Tensor:
    return torch.tensor(values, dtype=x.dtype, device=x.device)[:, None, None]
