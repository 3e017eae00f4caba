"""Images in memory, one by one with a transform, or as batches of pairs of views.

Dimension letters: N images, B images in a batch, H x W pixels, S x S pixels of a view.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from cs231n_lib.simclr.views import batched


class CIFAR10Images(torch.utils.data.Dataset[tuple[Any, Any]]):
    """A data set with the attributes of torchvision's ``CIFAR10``; nothing is downloaded.

    data: (N, H, W, 3) uint8. targets: a list of N labels. ``[index]`` is the image, after
    ``transform`` if there is one and as a Pillow image if not, and its label after
    ``target_transform``. Raises ValueError when the images are not uint8 images, or do not have one
    label each.
    """

    def __init__(
        self,
        images: NDArray[np.uint8] | Tensor,
        labels: ArrayLike,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.data, targets = _checked(images, labels)
        self.targets: list[int] = targets.tolist()
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = Image.fromarray(self.data[index])
        target: Any = self.targets[index]
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target


class PairLoader:
    """Iterate over ``(x_i, x_j, target)``: two views (B, 3, S, S) of each image, and labels (B,).

    The transform, a composition that ``batched`` knows, is applied to a whole batch, twice: about
    thirty times as fast as image by image. Every pass has a new order and new views; all of them
    follow from ``seed``. Images that do not fill a batch are left out of a pass, since with fewer
    negatives their loss would not compare. ``len`` is the number of batches.
    Raises ValueError when there are fewer images than batch_size, or batch_size < 2.
    """

    def __init__(
        self,
        images: NDArray[np.uint8] | Tensor,
        labels: ArrayLike,
        transform: Any,
        batch_size: int = 64,
        seed: int = 0,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        data, targets = _checked(images, labels)
        if not 2 <= batch_size <= len(data):
            raise ValueError(
                f"batch_size is {batch_size}, and there are {len(data)} images: it must be between "
                "2 (an image alone has no negatives) and the number of images"
            )
        self.images = torch.from_numpy(data).to(device)
        self.targets = torch.from_numpy(targets).to(device)
        self.transform, self.batch_size = transform, batch_size
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        order = torch.randperm(len(self.images), generator=self.generator)
        for number in range(len(self)):
            chosen = order[number * self.batch_size :][: self.batch_size]
            rows = chosen.to(self.images.device)
            pixels = self.images[rows]
            views = [batched(self.transform, pixels, self.generator) for _ in range(2)]
            yield views[0], views[1], self.targets[rows]


def _checked(
    images: NDArray[np.uint8] | Tensor, labels: ArrayLike
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    data = images.cpu().numpy() if isinstance(images, Tensor) else np.asarray(images)
    targets = np.asarray(labels, dtype=np.int64)
    if data.dtype != np.uint8 or data.ndim != 4 or data.shape[3] != 3:
        raise ValueError(
            f"images must be uint8 (N, H, W, 3); found {data.dtype} {data.shape}. "
            "load_cifar10(dtype=np.uint8) returns them in this form"
        )
    if targets.shape != data.shape[:1]:
        raise ValueError(f"{len(data)} images need as many labels; found shape {targets.shape}")
    return data, targets
