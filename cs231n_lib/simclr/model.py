"""The networks of SimCLR: an encoder f, and a projection head g for the time of training.

Chen, Kornblith, Norouzi, Hinton, A Simple Framework for Contrastive Learning of Visual
Representations (2020), section 2.1; the blocks are those of He et al., Deep Residual Learning
(2015).

Dimension letters: N images, H x W pixels, F features, D = feature_dim numbers of a projection.
"""

import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.errors import DataError

HIDDEN = 256  # units of the projection head
BLOCKS = 4


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation, and a shortcut around them.

    x (N, c_in, H, W) -> (N, c_out, H / stride, W / stride).
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class Model(nn.Module):
    """ResNet-10 for 32x32 pixels with F = 8 * width features, and a projection to D numbers.

    ``forward(x)``: x (N, 3, H, W) normalised -> (feature (N, F), projection (N, D)), every row of
    both of length 1. ``f`` and ``g`` are the encoder and the head; what ``f`` returns is not
    normalised. Raises ValueError when width or feature_dim < 1.
    """

    def __init__(self, feature_dim: int = 128, width: int = 32) -> None:
        super().__init__()
        if min(feature_dim, width) < 1:
            raise ValueError(f"feature_dim={feature_dim}, width={width}: both must be 1 or more")
        channels = [width << stage for stage in range(BLOCKS)]
        stages = zip([width, *channels], channels, strict=False)
        blocks = [
            ResidualBlock(c_in, c_out, stride=1 if stage == 0 else 2)
            for stage, (c_in, c_out) in enumerate(stages)
        ]
        self.width, self.feature_size = width, channels[-1]
        self.f = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.g = projection_head(self.feature_size, HIDDEN, feature_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return _both(self.f(x), self.g)


class ResNet50Model(nn.Module):
    """The same from torchvision's ResNet-50, as in the original course: 2,048 features.

    Its first convolution is 3x3 with stride 1, and there is no max-pooling, since 32x32 pixels
    are few. Needs torchvision and, to be of any use, a GPU. Raises DataError without torchvision.
    """

    def __init__(self, feature_dim: int = 128) -> None:
        super().__init__()
        try:
            models: Any = importlib.import_module("torchvision.models")
        except (ImportError, RuntimeError) as error:  # RuntimeError: built for another torch
            raise DataError(
                f"ResNet-50 comes from torchvision, which cannot be imported ({error}). Install "
                "the build that belongs to your torch, or use Model(), which does not need it."
            ) from error
        children = dict(models.resnet50(weights=None).named_children())
        children["conv1"] = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        kept = [child for name, child in children.items() if name not in ("maxpool", "fc")]
        self.feature_size = 2048
        self.f = nn.Sequential(*kept, nn.Flatten())
        self.g = projection_head(self.feature_size, 512, feature_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return _both(self.f(x), self.g)


class Classifier(nn.Module):
    """A linear layer on the features of an encoder that learns no more: x -> scores (N, C).

    model: a ``Model`` (or anything with ``f`` and ``feature_size``) whose f is taken over, frozen
    and always in evaluation mode. None: the pretrained one. Only ``fc`` has gradients.
    """

    def __init__(self, num_class: int, model: Any = None) -> None:
        super().__init__()
        if model is None:
            from cs231n_lib.simclr.pretrained import pretrained_model

            model = pretrained_model()
        self.f = model.f.requires_grad_(False)
        self.fc = nn.Linear(model.feature_size, num_class)
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.f(x))

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode)
        self.f.eval()  # or its running means would drift with every batch
        return self


def projection_head(features: int, hidden: int, feature_dim: int) -> nn.Sequential:
    """Linear, BatchNorm, ReLU, Linear: (N, features) -> (N, feature_dim)."""
    return nn.Sequential(
        nn.Linear(features, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
        nn.Linear(hidden, feature_dim),
    )  # fmt: skip


def _both(features: Tensor, head: nn.Module) -> tuple[Tensor, Tensor]:
    return functional.normalize(features, dim=1), functional.normalize(head(features), dim=1)


def device_of(model: nn.Module) -> torch.device:
    """Where the parameters are; the CPU when there are none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))
