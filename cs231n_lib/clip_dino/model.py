"""A small CLIP: an image encoder and a text encoder that meet in one space of 128 numbers.

Radford and others, *Learning Transferable Visual Models From Natural Language Supervision* (2021),
with the interface of OpenAI's package: ``encode_image``, ``encode_text``, and
``model(image, text)`` for the logits of both directions. What is encoded is not normalised, as
there.

Dimension letters: N images or texts, T tokens, P = 2288 numbers of the backbone, D = 128.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.models.stages import extract_features

DIMENSIONS = 128
IMAGE_SIZE = 112
MIDDLE_STAGE, PARTS = 11, 3  # of EfficientNet-Lite0: 112 channels, in 3x3 parts of the picture
BACKBONE_NUMBERS = 1280 + PARTS * PARTS * 112


class Backbone(nn.Module):
    """A frozen ImageNet network: what is there, and roughly where.

    forward: (N, 3, 112, 112) -> (N, P): the mean of the last stage, and a middle one in 3x3 parts.
    """

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        stages = extract_features(x, self.features)
        middle = functional.adaptive_avg_pool2d(stages[MIDDLE_STAGE], PARTS)
        return torch.cat([stages[-1].mean((2, 3)), middle.flatten(1)], dim=1)


class ImageHead(nn.Module):
    """Two layers over the backbone's numbers, standardised: (N, P) -> (N, D)."""

    mean: Tensor
    std: Tensor

    def __init__(self, hidden: int = 256, dropout: float = 0.2) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BACKBONE_NUMBERS))
        self.register_buffer("std", torch.ones(BACKBONE_NUMBERS))
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(BACKBONE_NUMBERS, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, DIMENSIONS),
        )

    def forward(self, numbers: Tensor) -> Tensor:
        return self.layers((numbers - self.mean) / self.std)


class TextEncoder(nn.Module):
    """A recurrent network over the words, forwards and backwards, averaged: (N, T) -> (N, D).

    Token 0 fills up a line and counts for nothing.
    """

    def __init__(self, words: int, embedding: int = 96, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, embedding, padding_idx=0)
        self.rnn = nn.GRU(embedding, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, DIMENSIONS)

    def forward(self, tokens: Tensor) -> Tensor:
        used = (tokens > 0).unsqueeze(-1)  # (N, T, 1)
        states, _ = self.rnn(self.embedding(tokens.long()))  # (N, T, 2 * hidden)
        return self.out((states * used).sum(1) / used.sum(1).clamp(min=1))


class TinyCLIP(nn.Module):
    """Both encoders, and the logarithm of the logits' scale, which is the inverse temperature."""

    def __init__(self, features: nn.Module, words: int) -> None:
        """``features``: the stages of EfficientNet-Lite0. ``words``: size of the vocabulary."""
        super().__init__()
        self.backbone = Backbone(features)
        self.image = ImageHead()
        self.text = TextEncoder(words)
        self.logit_scale = nn.Parameter(torch.tensor(2.5))

    def encode_image(self, image: Tensor) -> Tensor:
        """(N, 3, 112, 112), as ``preprocess`` makes them, -> (N, D), of any length."""
        return self.image(self.backbone(image))

    def encode_text(self, text: Tensor) -> Tensor:
        """(N, T) tokens, as ``tokenize`` makes them, -> (N, D), of any length."""
        return self.text(text)

    def forward(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled cosines: a row for each image, and a row for each text."""
        images = functional.normalize(self.encode_image(image), dim=1)
        texts = functional.normalize(self.encode_text(text), dim=1)
        logits = self.logit_scale.exp() * images @ texts.T
        return logits, logits.T

    def trained(self) -> dict[str, Tensor]:
        """The state without the backbone, which comes with a package of its own."""
        state = self.state_dict()
        return {name: v for name, v in state.items() if not name.startswith("backbone.")}
