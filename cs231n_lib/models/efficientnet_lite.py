"""EfficientNet-Lite0: a small, accurate ImageNet network, 4.65 million parameters.

Written for the published weights and for looking inside: every activation is an ``nn.ReLU6`` module
of its own, so that hooks (guided backpropagation, say) reach each, and ``features`` is a plain
chain of 18 stages. After Tan and Le, "EfficientNet", ICML 2019, and Google's Lite variant of it:
ReLU6 for swish, no squeeze-and-excitation.

Dimension letters: N images of H x W pixels.
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

STAGES = 18
CLASSES = 1000
_BATCH_NORM_EPSILON = 1e-3  # as it was trained


class _Group(NamedTuple):
    """Blocks of one width; only the first one has the stride."""

    kernel: int
    blocks: int
    stride: int
    expansion: int
    channels: int


_GROUPS = (
    _Group(kernel=3, blocks=1, stride=1, expansion=1, channels=16),
    _Group(kernel=3, blocks=2, stride=2, expansion=6, channels=24),
    _Group(kernel=5, blocks=2, stride=2, expansion=6, channels=40),
    _Group(kernel=3, blocks=3, stride=2, expansion=6, channels=80),
    _Group(kernel=5, blocks=3, stride=1, expansion=6, channels=112),
    _Group(kernel=5, blocks=4, stride=2, expansion=6, channels=192),
    _Group(kernel=3, blocks=1, stride=1, expansion=6, channels=320),
)
_STEM_CHANNELS, _HEAD_CHANNELS = 32, 1280


class EfficientNetLite0(nn.Module):
    """The classifier: ``features`` (stem, 16 blocks, head), mean over the pixels, linear layer.

    forward: (N, 3, H, W) normalised pixels -> (N, 1000) scores (before any softmax).
    """

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = [_conv_norm(3, _STEM_CHANNELS, 3, stride=2, activation=True)]
        channels = _STEM_CHANNELS
        for group in _GROUPS:
            for number in range(group.blocks):
                stride = group.stride if number == 0 else 1
                stages.append(
                    InvertedResidual(
                        channels, group.channels, group.kernel, stride, group.expansion
                    )
                )
                channels = group.channels
        stages.append(_conv_norm(channels, _HEAD_CHANNELS, 1, activation=True))
        self.features = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(_HEAD_CHANNELS, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool(self.features(x)).flatten(1)
        return self.classifier(self.dropout(pooled))


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel on its own, narrow again; add the input.

    forward: (N, in_channels, H, W) -> (N, out_channels, ceil(H/stride), ceil(W/stride)). The input
    is added where the shape is the same. There is no activation at the end.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.adds_input = stride == 1 and in_channels == out_channels
        self.expand: nn.Module = (
            nn.Identity() if expansion == 1 else _conv_norm(in_channels, wide, 1, activation=True)
        )
        self.depthwise = _conv_norm(wide, wide, kernel, stride, groups=wide, activation=True)
        self.project = _conv_norm(wide, out_channels, 1, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.depthwise(self.expand(x)))
        return out + x if self.adds_input else out


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's "SAME", as these weights were trained.

    The output has ceil(size / stride) pixels. Where the padding is odd, the extra row and column
    are at the bottom and on the right; ``nn.Conv2d`` would shift the picture by a pixel.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name nn.Conv2d gives it)
        top, bottom = self._padding(input.shape[-2], axis=0)
        left, right = self._padding(input.shape[-1], axis=1)
        if (top, left) == (bottom, right):  # the convolution's own padding is faster
            return functional.conv2d(
                input, self.weight, self.bias, self.stride, (top, left), 1, self.groups
            )
        padded = functional.pad(input, (left, right, top, bottom))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)

    def _padding(self, size: int, axis: int) -> tuple[int, int]:
        stride = self.stride[axis]
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + self.kernel_size[axis] - size, 0)
        return total // 2, total - total // 2


def rename_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the published weights the names they have in ``EfficientNetLite0``.

    Published: ``_conv_stem``, ``_bn0``, ``_blocks.0._depthwise_conv``, ``_bn1``, ``_fc`` ...
    """
    return {_our_name(name): value for name, value in state.items()}


_OUTSIDE_BLOCKS = {
    "_conv_stem": "features.0.0",
    "_bn0": "features.0.1",
    "_conv_head": f"features.{STAGES - 1}.0",
    "_bn1": f"features.{STAGES - 1}.1",
    "_fc": "classifier",
}
_IN_BLOCK = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}


def _our_name(published: str) -> str:
    module, _, parameter = published.rpartition(".")
    if module.startswith("_blocks."):
        _, number, part = module.split(".")
        return f"features.{int(number) + 1}.{_IN_BLOCK.get(part, part)}.{parameter}"
    return f"{_OUTSIDE_BLOCKS.get(module, module)}.{parameter}"


def _conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    activation: bool,
) -> nn.Sequential:
    layers: list[nn.Module] = [
        SameConv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=_BATCH_NORM_EPSILON),
    ]
    return nn.Sequential(*layers, nn.ReLU6()) if activation else nn.Sequential(*layers)
