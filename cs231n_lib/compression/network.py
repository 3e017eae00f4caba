"""The network that the notebook makes smaller, and the weights that ship with it.

Three convolutions of stride 2 and two linear layers, for images of 32 x 32 pixels in ten classes.
It was trained with batch normalisation, which has been folded into the layers before it: at test
time it multiplies and adds constants, and so do they (`tools/train_compression.py`, WEIGHTS.md).

Dimension letters: N images, C = 10 classes.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from cs231n_lib.models.weights import WeightFile, read_weights, shipped

CLASSES = 10
LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")  # those with weights, in the order of forward
FOLDER = Path(__file__).parent
WEIGHTS = shipped(
    "convnet.pt",
    sha256="c6788b497628e81f0cc68596628642ee1a43c070badd8516f136baa84e66d899",
)


class ConvNet(nn.Module):
    """Images (N, 3, 32, 32), as `torch_data.normalize_images` makes them, -> scores (N, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 5, stride=2, padding=2)  # (N, 16, 16, 16)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)  # (N, 32, 8, 8)
        self.conv3 = nn.Conv2d(32, 64, 3, stride=2, padding=1)  # (N, 64, 4, 4)
        self.fc1 = nn.Linear(64 * 4 * 4, 128)
        self.fc2 = nn.Linear(128, CLASSES)

    def layer(self, name: str) -> nn.Conv2d | nn.Linear:
        """One of LAYERS."""
        return getattr(self, name)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.conv1, self.conv2, self.conv3):
            x = torch.relu(layer(x))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def trained_convnet(device: str | torch.device = "cpu") -> ConvNet:
    """``ConvNet()`` with the shipped weights in float32; draws no random number.

    All parameters can be trained on. Raises DataError when the file is damaged, or another one.
    """
    state = read_weights(FOLDER / WEIGHTS.name, WEIGHTS)
    with torch.device("meta"):  # no random weights that would be overwritten at once
        model = ConvNet()
    model.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model.to(device).eval()


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``trained_convnet()`` reads, and what they should be."""
    yield FOLDER / WEIGHTS.name, WEIGHTS
